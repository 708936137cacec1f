#include "dialect/event_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
	static struct event_log log;

	event_log_init(&log, 0);
	*state = &log;
	return 0;
}

static int teardown(void **state)
{
	event_log_fini(*state);
	return 0;
}

/* What message number `seq` says; its size differs from that of its neighbours. */
static uint32_t words(uint8_t *to, uint64_t seq)
{
	uint32_t n = (uint32_t)(seq * 37 % 400);

	memset(to, (int)(seq & 255), n);
	return n;
}

static void add(struct event_log *l, uint32_t most, uint64_t seq)
{
	uint8_t message[400];
	struct event_log_entry e = { .seq = seq, .n = words(message, seq) };

	event_log_add(l, most, &e, message);
}

/* Every entry must be the next one, word for word; returns the last. */
static uint64_t walk(const struct event_log *l)
{
	uint8_t got[400], wanted[400];
	struct event_log_entry e;
	uint64_t at = 0, seq = l->floor;

	while (event_log_next(l, &at, &e)) {
		assert_int_equal(e.seq, ++seq);
		assert_int_equal(e.n, words(wanted, seq));
		event_log_message(l, at, &e, got);
		assert_memory_equal(got, wanted, e.n);
	}
	assert_int_equal(seq - l->floor, l->count);
	return seq;
}

static void an_empty_log_has_no_memory_and_no_entries(void **state)
{
	struct event_log *l = *state;

	assert_int_equal(walk(l), 0);
	assert_null(l->ring);
}

static void entries_come_back_in_order_and_whole(void **state)
{
	struct event_log *l = *state;

	for (uint64_t seq = 1; seq <= 5000; seq++) {
		add(l, 100, seq);
		assert_int_equal(walk(l), seq);
	}
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
	struct event_log *l = *state;

	for (uint64_t seq = 1; seq <= 10; seq++)
		add(l, 4, seq);
	assert_int_equal(l->count, 4);
	assert_int_equal(l->floor, 6);
	assert_int_equal(walk(l), 10);
}

static void the_oldest_go_when_their_bytes_are_too_many(void **state)
{
	struct event_log *l = *state;
	uint64_t seq = 0;

	while (seq < 10000)
		add(l, 100000, ++seq);
	assert_int_equal(l->cap, EVENT_LOG_MAX);
	assert_true(l->floor > 0);
	assert_true(l->tail - l->head <= EVENT_LOG_MAX);
	assert_true(l->tail - l->head > EVENT_LOG_MAX - 500);
	assert_int_equal(walk(l), seq);
}

static void memory_grows_with_what_is_kept(void **state)
{
	struct event_log *l = *state;

	add(l, 100, 1);
	assert_int_equal(l->cap, EVENT_LOG_MIN);
	for (uint64_t seq = 2; seq <= 20; seq++)
		add(l, 100, seq);
	assert_true(l->cap <= 2 * (l->tail - l->head));
}

static void what_is_larger_than_the_log_empties_it(void **state)
{
	struct event_log *l = *state;
	struct event_log_entry e = { .seq = 2, .n = EVENT_LOG_MAX };
	uint8_t *large = calloc(1, EVENT_LOG_MAX);

	add(l, 100, 1);
	event_log_add(l, 100, &e, large);
	free(large);
	assert_int_equal(l->count, 0);
	assert_int_equal(l->floor, 2);
	add(l, 100, 3);
	assert_int_equal(walk(l), 3);
}

static void a_log_of_nothing_forgets_at_once(void **state)
{
	struct event_log *l = *state;

	add(l, 0, 7);
	assert_int_equal(l->floor, 7);
	assert_null(l->ring);
}

static void members_see_what_was_said_to_them(void **state)
{
	(void)state;
	static const struct {
		uint64_t to, except, member;
		bool visible;
	} row[] = {
		{ 0, 0, 1, true }, { 0, 1, 1, false }, { 0, 2, 1, true },
		{ 1, 0, 1, true }, { 2, 0, 1, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct event_log_entry e = { .to = row[i].to, .except = row[i].except };

		assert_int_equal(event_log_visible(&e, row[i].member), row[i].visible);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_log_has_no_memory_and_no_entries),
		TEST(entries_come_back_in_order_and_whole),
		TEST(the_oldest_go_when_there_are_too_many),
		TEST(the_oldest_go_when_their_bytes_are_too_many),
		TEST(memory_grows_with_what_is_kept),
		TEST(what_is_larger_than_the_log_empties_it),
		TEST(a_log_of_nothing_forgets_at_once),
		TEST(members_see_what_was_said_to_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
