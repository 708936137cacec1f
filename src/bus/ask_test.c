#include "bus/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct bus_ask ask = {
	.kind = ASK_COMMAND,
	.limit = 50,
	.ticket = 1u << 31,
	.room = SLICE_LIT("amber"),
	.after = SLICE_LIT("a"),
	.what = AUTH_REVOKED_USER,
	.name = SLICE_LIT("ann"),
	.until = 1763632429123,
	.command = { .kind = COMMAND_KICK, .to = 7, .text = SLICE_LIT("noise") },
};

static const struct room_info amber = {
	.name = SLICE_LIT("amber"),
	.members = 3,
	.capacity = 6,
	.seq = 77,
	.made_at = 1763632429123,
	.ring = true,
};

static void ask_comes_back_as_it_went(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct bus_ask a;

	bus_ask_encode(&b, &ask);
	assert_int_equal(bus_ask_decode(&a, buf_slice(&b)), 0);
	assert_int_equal(a.kind, ASK_COMMAND);
	assert_int_equal(a.limit, 50);
	assert_int_equal(a.ticket, 1u << 31);
	assert_true(slice_is(a.room, "amber"));
	assert_true(slice_is(a.after, "a"));
	assert_int_equal(a.what, AUTH_REVOKED_USER);
	assert_true(slice_is(a.name, "ann"));
	assert_int_equal(a.until, ask.until);
	assert_int_equal(a.command.kind, COMMAND_KICK);
	assert_int_equal(a.command.to, 7);
	assert_true(slice_is(a.command.text, "noise"));
	buf_fini(&b);
}

static void ban_comes_back_as_it_went(void **state)
{
	(void)state;
	const struct bus_ban ban = { .address = SLICE("192.0.2.1") };
	struct buf b = BUF_INIT(64);
	struct bus_ban got;

	bus_ban_encode(&b, &ban);
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_int_equal(bus_ban_decode(&got, &in), 0);
	assert_int_equal(got.user.n, 0);
	assert_true(slice_is(got.address, "192.0.2.1"));
	assert_true(bus_ban_decode(&got, &in) < 0);
	buf_fini(&b);
}

static void answer_brings_its_rooms(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096), rooms = BUF_INIT(4096);
	struct bus_answer a = { .ticket = 5, .err = -5017 };
	struct room_info r;

	bus_room_encode(&rooms, &amber);
	a.rooms = buf_slice(&rooms);
	a.members = SLICE("m");
	bus_answer_encode(&b, &a);
	assert_int_equal(bus_answer_decode(&a, buf_slice(&b)), 0);
	assert_int_equal(a.ticket, 5);
	assert_int_equal(a.err, -5017);
	assert_true(slice_is(a.members, "m"));
	struct cur in = cur_of_slice(a.rooms);
	assert_int_equal(bus_room_decode(&r, &in), 0);
	assert_int_equal(cur_left(&in), 0);
	assert_true(slice_is(r.name, "amber"));
	assert_int_equal(r.members, 3);
	assert_int_equal(r.capacity, 6);
	assert_int_equal(r.seq, 77);
	assert_int_equal(r.made_at, amber.made_at);
	assert_true(r.ring);
	buf_fini(&b);
	buf_fini(&rooms);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096), c = BUF_INIT(4096);
	struct bus_answer answer = { .ticket = 5, .members = SLICE("mm") };
	struct bus_ask a;

	bus_ask_encode(&b, &ask);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *p = xmemdup(b.p, n);
		assert_true(bus_ask_decode(&a, slice_of(p, n)) < 0);
		free(p);
	}
	bus_answer_encode(&c, &answer);
	for (size_t n = 0; n < c.n; n++) {
		uint8_t *p = xmemdup(c.p, n);
		assert_true(bus_answer_decode(&answer, slice_of(p, n)) < 0);
		free(p);
	}
	b.p[0] = ASK_KINDS;
	assert_true(bus_ask_decode(&a, buf_slice(&b)) < 0);
	buf_fini(&b);
	buf_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ask_comes_back_as_it_went),
		cmocka_unit_test(ban_comes_back_as_it_went),
		cmocka_unit_test(answer_brings_its_rooms),
		cmocka_unit_test(every_truncation_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
