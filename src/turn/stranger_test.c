/* Who has proven nothing: floods, replays, and what is no question. */
#include "turn/testing.h"

static void strangers_are_answered_at_a_bounded_rate(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client d = client_at(b, "203.0.114.9:4711");
	unsigned answers = 0;

	(void)state;
	b->settings.unproven_rate = 10;
	bench_pass(b, 100000);
	for (unsigned i = 0; i < 1000; i++) {
		client_begin(&c, i & 1 ? STUN_BINDING : STUN_ALLOCATE);
		answers += client_say(&c) >= 0;
	}
	assert_int_equal(answers, 10);
	client_begin(&d, STUN_BINDING);
	assert_int_equal(client_say(&d), 0);
	bench_pass(b, 500);
	for (unsigned i = 0; i < 100; i++) {
		client_begin(&c, STUN_BINDING);
		answers += client_say(&c) >= 0;
	}
	assert_int_equal(answers, 15);
	end(&c);
	end(&d);
}

/* On the wire, with the 28 bytes of IPv4 and UDP: who asks in somebody else's name makes little of it. */
static void answers_to_strangers_are_short(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_begin(&c, STUN_ALLOCATE); /* as short as can be */
	assert_int_equal(client_say(&c), 401);
	assert_true(b->sent_n + 28 <= 3 * (c.m.n + 28));
	client_begin(&c, STUN_BINDING);
	assert_int_equal(client_say(&c), 0);
	assert_true(b->sent_n + 28 <= 2 * (c.m.n + 28));
	client_begin(&c, STUN_BINDING);
	for (unsigned i = 0; i < STUN_MAX_ATTRS; i++)
		stun_put(&c.m, 0x7000 + i, SLICE_NONE);
	assert_int_equal(client_say(&c), 420);
	assert_true(b->sent_n <= c.m.n);
	end(&c);
}

/* Answers to questions that nobody asked, and indications that are no Send. */
static void what_is_no_question_is_not_answered(void **state)
{
	static const enum stun_method methods[] = { STUN_BINDING, STUN_ALLOCATE,
						    STUN_REFRESH, STUN_DATA,
						    STUN_CONNECTION_ATTEMPT };
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		for (unsigned class = STUN_INDICATION; class <= STUN_ERROR; class ++) {
			stun_begin(&c.m, methods[i], (enum stun_class) class,
				   slice_of("0123456789ab", 12));
			client_prove(&c);
			assert_int_equal(client_say(&c), -1);
		}
	assert_int_equal(client_refresh(&c, 600), 0);
	client_begin(&c, (enum stun_method)0x0ff); /* there is no such method */
	assert_int_equal(client_say(&c), 400);
	end(&c);
}

static void replays_from_elsewhere_are_stale(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client thief = client_at(b, "203.0.113.66:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	buf_put(&thief.m, buf_slice(&c.m));
	assert_int_equal(client_say(&thief), 438);
	assert_int_equal(turn_count(b->turn), 1);
	end(&c);
	end(&thief);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(strangers_are_answered_at_a_bounded_rate),
		T(answers_to_strangers_are_short),
		T(what_is_no_question_is_not_answered),
		T(replays_from_elsewhere_are_stale),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
