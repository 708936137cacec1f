#include "room/chat_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void say(struct room_ring *c, uint32_t size, uint64_t n)
{
	struct event e = { .kind = EVENT_CHAT, .n = n, .text = SLICE("text") };

	room_ring_add(c, size, &e);
}

static void expect_numbers(const struct room_ring *c, uint64_t first, uint64_t count)
{
	struct buf b = BUF_INIT(1 << 20);
	struct event e;

	assert_false(room_ring_put(c, 7, 0, 0, UINT32_MAX, &b));
	struct cur in = cur_of_slice(buf_slice(&b));
	for (uint64_t n = first; n < first + count; n++) {
		assert_int_equal(bus_event_decode(&e, &in), 0);
		assert_int_equal(e.n, n);
		assert_true(slice_is(e.text, "text"));
	}
	assert_int_equal(cur_left(&in), 0);
	buf_fini(&b);
}

static void backlog_keeps_the_last_in_order(void **state)
{
	(void)state;
	struct room_ring c = { 0 };

	expect_numbers(&c, 1, 0);
	for (uint64_t n = 1; n <= 10; n++) {
		say(&c, 3, n);
		expect_numbers(&c, n < 3 ? 1 : n - 2, n < 3 ? n : 3);
	}
	room_ring_fini(&c);
}

static void backlog_of_nothing_keeps_nothing(void **state)
{
	(void)state;
	struct room_ring c = { 0 };

	say(&c, 0, 1);
	expect_numbers(&c, 1, 0);
	room_ring_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backlog_keeps_the_last_in_order),
		cmocka_unit_test(backlog_of_nothing_keeps_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
