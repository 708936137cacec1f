#include "dialect/event_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/mem.h"
#include "loop/loop_turns.h"

#define SIZE (256u << 10) /* two tapes of 128 KiB */
#define LIFE 8000
#define MOST 100000

struct stage {
	struct event_log log;
	ms_t now;
};

struct talker {
	struct event_trail trail;
	uint64_t number;
	uint64_t seq;
};

static int setup(void **state)
{
	static struct stage s;

	s.now = 1;
	event_log_init(&s.log, SIZE, LIFE);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct stage *s = *state;

	event_log_fini(&s->log);
	return 0;
}

/* What message number `seq` of a room says; its size differs from that of its neighbours. */
static size_t words(uint8_t *to, uint64_t room, uint64_t seq)
{
	size_t n = (size_t)((room + seq) * 37 % 400);

	memset(to, (int)((room * 7 + seq) & 255), n);
	return n;
}

static void say(struct stage *s, struct talker *t)
{
	uint8_t message[400];
	struct event_log_entry e = { .seq = ++t->seq, .to = t->number };

	event_log_add(&s->log, &t->trail, s->now, &e,
		      slice_of(message, words(message, t->number, t->seq)));
}

static void say_large(struct stage *s, struct talker *t, size_t n)
{
	uint8_t *large = calloc(1, n);
	struct event_log_entry e = { .seq = ++t->seq, .to = t->number };

	event_log_add(&s->log, &t->trail, s->now, &e, slice_of(large, n));
	free(large);
}

/* What is found must be whole and without a gap up to the last; returns from where on, and whether the
 * log says that this is all. */
static uint64_t heard(const struct stage *s, const struct talker *t, uint64_t seen,
		      uint32_t most, bool *complete)
{
	struct buf found = BUF_INIT(MOST * sizeof(void *));
	uint8_t wanted[400];
	uint64_t seq = t->seq;

	*complete = event_log_since(&s->log, &t->trail, seen, most, &found);
	for (size_t at = 0; at < found.n; at += sizeof(void *)) {
		const struct event_log_entry *e;

		memcpy(&e, found.p + at, sizeof(e));
		assert_int_equal(e->seq, seq);
		assert_int_equal(e->to, t->number);
		assert_int_equal(e->n, words(wanted, t->number, seq));
		assert_memory_equal(event_log_message(e).p, wanted, e->n);
		seq--;
	}
	assert_true(!*complete || seq == seen);
	assert_true(event_log_since(&s->log, &t->trail, seen, most, NULL) == *complete);
	buf_fini(&found);
	return seq;
}

static bool complete_since(const struct stage *s, const struct talker *t, uint64_t seen)
{
	bool complete;

	(void)heard(s, t, seen, MOST, &complete);
	return complete;
}

/* Pages that have memory. */
static size_t resident(const struct event_tape *t)
{
	static unsigned char in[SIZE / MEM_PAGE];
	size_t n = 0;

	if (!t->p)
		return 0;
	assert_int_equal(mincore(t->p, t->size, in), 0);
	for (size_t i = 0; i < t->size / MEM_PAGE; i++)
		n += in[i] & 1;
	return n;
}

static void an_empty_log_has_no_memory_and_misses_nothing(void **state)
{
	struct stage *s = *state;
	struct talker t = { .number = 1 };

	assert_true(complete_since(s, &t, 0));
	assert_null(s->log.tape[EVENT_TAPE_QUIET].p);
	assert_null(s->log.tape[EVENT_TAPE_BUSY].p);
	assert_false(event_log_age(&s->log));
}

static void all_that_came_since_is_found_in_order_and_whole(void **state)
{
	struct stage *s = *state;
	struct talker t = { .number = 3 };

	for (int i = 0; i < 100; i++) {
		say(s, &t);
		for (uint64_t seen = 0; seen <= t.seq; seen++)
			assert_true(complete_since(s, &t, seen));
	}
}

/* Rooms that come and go at random: nothing found is ever torn, and no gap is ever silent. */
static void rooms_do_not_mix(void **state)
{
	struct stage *s = *state;
	struct talker t[40] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		t[i].number = i;
	for (int i = 0; i < 200000; i++) {
		struct talker *one = &t[loop_turns_random(ARRAY_LEN(t))];
		uint64_t back = loop_turns_random(200);

		s->now += loop_turns_random(4);
		say(s, one);
		if (loop_turns_random(20) == 0)
			(void)complete_since(s, one,
					     one->seq > back ? one->seq - back : 0);
		if (loop_turns_random(2000) == 0)
			(void)event_log_age(&s->log);
	}
}

static void what_was_overwritten_is_told(void **state)
{
	struct stage *s = *state;
	struct talker t = { .number = 1 };
	bool complete;

	while (t.seq < 5000)
		say(s, &t);
	assert_false(complete_since(s, &t, 0));
	uint64_t from = heard(s, &t, 0, MOST, &complete);
	assert_false(complete);
	assert_true(t.seq - from > 100);
	assert_true(complete_since(s, &t, from));
	assert_true(complete_since(s, &t, t.seq));
}

static void a_flood_leaves_others_alone(void **state)
{
	struct stage *s = *state;
	struct talker quiet = { .number = 1 }, loud[5] = { 0 };

	for (int i = 0; i < 5; i++)
		say(s, &quiet);
	for (int i = 0; i < 100000; i++)
		say(s, &loud[i % 5]);
	assert_true(complete_since(s, &quiet, 0));
	for (int i = 0; i < 5; i++) {
		assert_false(complete_since(s, &loud[i], 0));
		assert_true(complete_since(s, &loud[i], loud[i].seq - 20));
	}
}

static void no_more_are_found_than_wanted(void **state)
{
	struct stage *s = *state;
	struct talker t = { .number = 1 };
	bool complete;

	while (t.seq < 10)
		say(s, &t);
	assert_int_equal(heard(s, &t, 5, 4, &complete), 6);
	assert_false(complete);
	assert_int_equal(heard(s, &t, 6, 4, &complete), 6);
	assert_true(complete);
	assert_int_equal(heard(s, &t, 9, 0, &complete), 10);
	assert_false(complete);
}

static void what_is_too_large_is_a_gap(void **state)
{
	struct stage *s = *state;
	struct talker t = { .number = 1 };

	say(s, &t);
	say_large(s, &t, SIZE);
	assert_false(complete_since(s, &t, 0));
	assert_false(complete_since(s, &t, 1));
	assert_true(complete_since(s, &t, 2));
	say(s, &t);
	assert_false(complete_since(s, &t, 1));
	assert_true(complete_since(s, &t, 2));
}

static void one_who_comes_back_gets_so_many_bytes(void **state)
{
	struct stage *s = *state;
	struct talker t = { 0 };
	struct buf found = BUF_INIT(MOST);

	event_log_fini(&s->log);
	event_log_init(&s->log, 64u << 20, LIFE);
	for (int i = 0; i < 5; i++)
		say_large(s, &t, EVENT_LOG_REPLAY / 4);
	assert_false(event_log_since(&s->log, &t.trail, 0, MOST, &found));
	assert_int_equal(found.n / sizeof(void *), 4);
	assert_true(event_log_since(&s->log, &t.trail, 1, MOST, NULL));
	buf_fini(&found);
}

static void age(struct stage *s, int times)
{
	for (int i = 0; i < times; i++) {
		s->now += LIFE / EVENT_LOG_AGES;
		(void)event_log_age(&s->log);
	}
}

static void what_is_old_goes_and_its_memory_with_it(void **state)
{
	struct stage *s = *state;
	struct talker t = { .number = 1 };

	while (t.seq < 1000)
		say(s, &t);
	assert_true(resident(&s->log.tape[EVENT_TAPE_BUSY]) > 0);
	age(s, EVENT_LOG_AGES);
	assert_true(complete_since(s, &t, t.seq - 10));
	s->now += LIFE / EVENT_LOG_AGES;
	assert_false(event_log_age(&s->log));
	assert_false(complete_since(s, &t, t.seq - 1));
	assert_true(complete_since(s, &t, t.seq));
	assert_int_equal(resident(&s->log.tape[EVENT_TAPE_BUSY]), 0);
	assert_int_equal(resident(&s->log.tape[EVENT_TAPE_QUIET]), 0);
	say(s, &t);
	assert_true(complete_since(s, &t, t.seq - 1));
	assert_false(complete_since(s, &t, t.seq - 2));
}

static void a_trickle_holds_no_more_memory_than_its_life(void **state)
{
	struct stage *s = *state;
	struct talker t = { .number = 1 };

	for (int i = 0; i < 5000; i++) {
		say(s, &t);
		age(s, 1);
		assert_true(complete_since(s, &t, t.seq > 7 ? t.seq - 7 : 0));
		assert_true(resident(&s->log.tape[EVENT_TAPE_QUIET]) <= 3);
	}
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
		TEST(an_empty_log_has_no_memory_and_misses_nothing),
		TEST(all_that_came_since_is_found_in_order_and_whole),
		TEST(rooms_do_not_mix),
		TEST(what_was_overwritten_is_told),
		TEST(a_flood_leaves_others_alone),
		TEST(no_more_are_found_than_wanted),
		TEST(what_is_too_large_is_a_gap),
		TEST(one_who_comes_back_gets_so_many_bytes),
		TEST(what_is_old_goes_and_its_memory_with_it),
		TEST(a_trickle_holds_no_more_memory_than_its_life),
		TEST(members_see_what_was_said_to_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
