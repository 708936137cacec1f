#include "sio/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "sio/queue.h"

static const struct eio_times times = { 300, 200 };

static int hear(struct eio_engine *e, enum eio_source from, enum eio_type type,
		const char *data, ms_t now)
{
	struct eio_packet p = { type, false, slice_str(data) };

	return eio_engine_packet(e, &times, from, &p, now);
}

static void eio_engine_v4_pings_and_gives_up(void **state)
{
	struct eio_engine e;

	(void)state;
	eio_engine_init(&e, &times, 4, true, 1000);
	assert_int_equal(eio_engine_next(&e), 1300);
	assert_int_equal(eio_engine_alarm(&e, &times, 1299), EIO_QUIET);
	assert_int_equal(eio_engine_alarm(&e, &times, 1302), EIO_PING_DUE);
	assert_int_equal(eio_engine_alarm(&e, &times, 1302), EIO_QUIET);
	/* reckoned from when the ping was due */
	assert_int_equal(eio_engine_next(&e), 1500);
	assert_int_equal(hear(&e, EIO_BY_WEBSOCKET, EIO_PONG, "", 1400), EIO_NOTHING);
	assert_int_equal(eio_engine_next(&e), 1700);
	assert_int_equal(eio_engine_alarm(&e, &times, 1700), EIO_PING_DUE);
	assert_int_equal(eio_engine_alarm(&e, &times, 1899), EIO_QUIET);
	assert_int_equal(eio_engine_alarm(&e, &times, 1900), EIO_DEAD);
}

static void eio_engine_that_was_late_itself_gives_the_whole_time(void **state)
{
	struct eio_engine e;

	(void)state;
	eio_engine_init(&e, &times, 4, true, 0);
	assert_int_equal(eio_engine_alarm(&e, &times, 90000), EIO_PING_DUE);
	assert_int_equal(eio_engine_next(&e), 90200);
}

static void eio_engine_v3_is_pinged(void **state)
{
	struct eio_engine e;

	(void)state;
	eio_engine_init(&e, &times, 3, false, 0);
	assert_int_equal(eio_engine_next(&e), 500);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_PING, "", 400), EIO_ANSWER);
	assert_int_equal(eio_engine_alarm(&e, &times, 899), EIO_QUIET);
	assert_int_equal(eio_engine_alarm(&e, &times, 900), EIO_DEAD);
}

static void eio_engine_v4_that_hears_something_else_waits_once_more(void **state)
{
	struct eio_engine e;

	(void)state;
	eio_engine_init(&e, &times, 4, false, 0);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_MESSAGE, "x", 100), EIO_DELIVER);
	assert_int_equal(eio_engine_alarm(&e, &times, 300), EIO_PING_DUE);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_MESSAGE, "x", 450), EIO_DELIVER);
	assert_int_equal(eio_engine_alarm(&e, &times, 500), EIO_QUIET);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_MESSAGE, "x", 600), EIO_DELIVER);
	assert_int_equal(eio_engine_alarm(&e, &times, 649), EIO_QUIET);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_PONG, "", 649), EIO_NOTHING);
	assert_int_equal(eio_engine_alarm(&e, &times, 949), EIO_PING_DUE);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_MESSAGE, "x", 1100), EIO_DELIVER);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_MESSAGE, "x", 1200), EIO_DELIVER);
	assert_int_equal(eio_engine_alarm(&e, &times, 1300), EIO_DEAD);
}

static void eio_engine_refuses_the_other_direction(void **state)
{
	struct eio_engine e;

	(void)state;
	eio_engine_init(&e, &times, 4, false, 0);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_PING, "", 1), E_MALFORMED);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_OPEN, "", 1), E_MALFORMED);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_UPGRADE, "", 1), E_MALFORMED);
	eio_engine_init(&e, &times, 3, false, 0);
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_PONG, "", 1), E_MALFORMED);
}

static void eio_engine_upgrades_in_two_steps(void **state)
{
	struct eio_engine e;

	(void)state;
	eio_engine_init(&e, &times, 4, false, 0);
	assert_int_equal(hear(&e, EIO_BY_CANDIDATE, EIO_UPGRADE, "", 1), E_MALFORMED);
	assert_int_equal(hear(&e, EIO_BY_CANDIDATE, EIO_PING, "", 1), E_MALFORMED);
	assert_int_equal(hear(&e, EIO_BY_CANDIDATE, EIO_MESSAGE, "x", 1), E_MALFORMED);
	assert_int_equal(hear(&e, EIO_BY_CANDIDATE, EIO_PING, "probe", 1), EIO_PROBED);
	assert_true(eio_engine_polls(&e));
	assert_int_equal(hear(&e, EIO_BY_REQUEST, EIO_MESSAGE, "x", 1), EIO_DELIVER);
	assert_int_equal(hear(&e, EIO_BY_CANDIDATE, EIO_UPGRADE, "", 1), EIO_UPGRADED);
	assert_false(eio_engine_polls(&e));
	assert_int_equal(hear(&e, EIO_BY_WEBSOCKET, EIO_MESSAGE, "x", 1), EIO_DELIVER);
	assert_int_equal(hear(&e, EIO_BY_WEBSOCKET, EIO_CLOSE, "", 1), EIO_ENDED);
}

static void eio_engine_goes_on_when_the_candidate_goes(void **state)
{
	struct eio_engine e;

	(void)state;
	eio_engine_init(&e, &times, 4, false, 0);
	assert_int_equal(hear(&e, EIO_BY_CANDIDATE, EIO_PING, "probe", 1), EIO_PROBED);
	eio_engine_no_candidate(&e);
	assert_int_equal(e.state, EIO_POLLING);
	assert_int_equal(hear(&e, EIO_BY_CANDIDATE, EIO_PING, "probe", 1), EIO_PROBED);
}

static void eio_queue_keeps_order_and_its_limit(void **state)
{
	struct eio_packet text = { EIO_MESSAGE, false, SLICE_LIT("ab") };
	struct eio_packet bytes = { EIO_MESSAGE, true, SLICE_LIT("\x01") };
	struct buf out = BUF_INIT(100);
	struct eio_queue q;

	(void)state;
	eio_queue_init(&q, 13);
	assert_int_equal(eio_queue_put(&q, &text), 0);
	assert_int_equal(eio_queue_put(&q, &bytes), 0);
	assert_int_equal(eio_queue_put(&q, &text), E_SLOW);
	assert_false(eio_queue_take(&q, (struct eio_form){ 4, false }, &out));
	assert_true(slice_is(buf_slice(&out), "4ab\x1e"
					      "bAQ=="));
	assert_int_equal(q.count, 0);
	assert_int_equal(eio_queue_put(&q, &text), 0);
	assert_int_equal(eio_queue_put(&q, &bytes), 0);
	buf_clear(&out);
	assert_true(eio_queue_take(&q, (struct eio_form){ 3, false }, &out));
	assert_true(slice_eq(buf_slice(&out), SLICE("\x00\x03\xff"
						    "4ab\x01\x02\xff\x04\x01")));
	eio_queue_fini(&q);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eio_engine_v4_pings_and_gives_up),
		cmocka_unit_test(eio_engine_that_was_late_itself_gives_the_whole_time),
		cmocka_unit_test(eio_engine_v4_that_hears_something_else_waits_once_more),
		cmocka_unit_test(eio_engine_v3_is_pinged),
		cmocka_unit_test(eio_engine_refuses_the_other_direction),
		cmocka_unit_test(eio_engine_upgrades_in_two_steps),
		cmocka_unit_test(eio_engine_goes_on_when_the_candidate_goes),
		cmocka_unit_test(eio_queue_keeps_order_and_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
