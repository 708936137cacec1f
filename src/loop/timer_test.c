#include "loop/loop_private.h"
#include "loop/loop_turns.h"

#define MANY 2000

struct probe {
	struct loop_timer t;
	ms_t asked; /* the moment that was asked for */
	ms_t fired;
};

static struct loop_wheel wheel;
static ms_t now;
static unsigned fired_count;

static void probe_fired(struct loop_timer *t)
{
	struct probe *p = container_of(t, struct probe, t);

	p->fired = now;
	fired_count++;
}

static void probe_start(struct probe *p, ms_t after)
{
	p->asked = now + after;
	p->fired = 0;
	loop_wheel_start(&wheel, &p->t, after);
}

static void go_to(ms_t moment)
{
	now = moment;
	loop_wheel_advance(&wheel, now);
	loop_wheel_run(&wheel);
}

static int start_wheel(void **state)
{
	(void)state;
	now = 1234567;
	fired_count = 0;
	loop_wheel_init(&wheel, now);
	return 0;
}

static void probe_init(struct probe *p, loop_timer_fn *fn)
{
	*p = (struct probe){ 0 };
	loop_timer_init(&p->t, fn);
}

static void timer_fires_in_the_very_millisecond_below_a_second(void **state)
{
	(void)state;
	for (ms_t after = 1; after < 1024; after++) {
		struct probe p;
		probe_init(&p, probe_fired);
		probe_start(&p, after);
		ms_t next;
		while ((next = loop_wheel_next(&wheel)) >= 0)
			go_to(next);
		assert_int_equal(p.fired, p.asked);
		go_to(now + 37);
	}
}

static void timer_of_zero_waits_for_the_next_millisecond(void **state)
{
	(void)state;
	struct probe p;

	probe_init(&p, probe_fired);
	probe_start(&p, 0);
	go_to(now);
	assert_int_equal(p.fired, 0);
	go_to(now + 1);
	assert_int_equal(p.fired, now);
	probe_start(&p, -5);
	go_to(now + 1);
	assert_int_equal(p.fired, now);
}

static ms_t random_span(void)
{
	return loop_turns_random(1u << loop_turns_random(31));
}

static void check_probe(const struct probe *p, ms_t step)
{
	ms_t span = p->asked - 1234567;

	assert_true(p->fired >= p->asked);
	assert_true(p->fired <= p->asked + step + span / 64 + 1);
}

static void timer_is_never_early_and_at_most_a_64th_late(void **state)
{
	(void)state;
	static struct probe p[MANY];

	for (unsigned i = 0; i < MANY; i++) {
		probe_init(&p[i], probe_fired);
		probe_start(&p[i], 1 + random_span());
	}
	ms_t step = 0;
	while (fired_count < MANY) {
		ms_t next = loop_wheel_next(&wheel);
		unsigned before = fired_count;
		step = loop_turns_random(50);
		go_to(next + step);
		for (unsigned i = 0; before != fired_count && i < MANY; i++)
			if (p[i].fired == now)
				check_probe(&p[i], step);
	}
	assert_int_equal(loop_wheel_next(&wheel), -1);
}

static void timer_beyond_the_wheel_still_comes(void **state)
{
	(void)state;
	ms_t year = (ms_t)365 * 24 * 3600 * 1000;
	struct probe p;

	probe_init(&p, probe_fired);
	probe_start(&p, year);
	while (p.fired == 0)
		go_to(loop_wheel_next(&wheel));
	check_probe(&p, 0);
}

static void timer_stopped_does_not_fire(void **state)
{
	(void)state;
	static struct probe p[MANY];

	for (unsigned i = 0; i < MANY; i++) {
		probe_init(&p[i], probe_fired);
		probe_start(&p[i], 1 + random_span() % 100000);
	}
	for (unsigned i = 0; i < MANY; i++)
		if (i % 3)
			loop_wheel_stop(&wheel, &p[i].t);
	go_to(now + 200000);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(p[i].fired != 0, i % 3 == 0);
	assert_int_equal(loop_wheel_next(&wheel), -1);
	loop_wheel_stop(&wheel, &p[0].t); /* harmless twice */
}

static void timer_restarted_counts_anew(void **state)
{
	(void)state;
	struct probe p;

	probe_init(&p, probe_fired);
	for (int i = 0; i < 100; i++) {
		probe_start(&p, 500);
		go_to(now + 499);
		assert_int_equal(p.fired, 0);
	}
	go_to(now + 1);
	assert_int_equal(p.fired, now);
	assert_int_equal(p.t.due, 0);
}

static struct probe *victim;

static void stop_victim(struct loop_timer *t)
{
	(void)t;
	loop_wheel_stop(&wheel, &victim->t);
}

static void timer_may_stop_another_of_the_same_moment(void **state)
{
	(void)state;
	struct probe killer, other;

	probe_init(&killer, stop_victim);
	probe_init(&other, probe_fired);
	victim = &other;
	probe_start(&killer, 70);
	probe_start(&other, 70);
	go_to(now + 70);
	assert_int_equal(other.fired, 0);
	assert_int_equal(loop_wheel_next(&wheel), -1);
}

static void restart_itself(struct loop_timer *t)
{
	probe_fired(t);
	loop_wheel_start(&wheel, t, 10);
}

static void timer_may_restart_itself(void **state)
{
	(void)state;
	struct probe p;

	probe_init(&p, restart_itself);
	probe_start(&p, 10);
	for (int i = 0; i < 100; i++)
		go_to(now + 10);
	assert_int_equal(fired_count, 100);
}

static void keepalives_of_many_share_few_turns(void **state)
{
	(void)state;
	static struct probe p[20000];
	unsigned turns = 0;

	for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
		probe_init(&p[i], probe_fired);
		if (i % 20 == 0)
			go_to(now + 1); /* they came within one second */
		probe_start(&p[i], 30000);
	}
	while (fired_count < ARRAY_LEN(p)) {
		go_to(loop_wheel_next(&wheel));
		turns++;
	}
	assert_in_range(turns, 1, 20);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start_wheel)
	const struct CMUnitTest tests[] = {
		T(timer_fires_in_the_very_millisecond_below_a_second),
		T(timer_of_zero_waits_for_the_next_millisecond),
		T(timer_is_never_early_and_at_most_a_64th_late),
		T(timer_beyond_the_wheel_still_comes),
		T(timer_stopped_does_not_fire),
		T(timer_restarted_counts_anew),
		T(timer_may_stop_another_of_the_same_moment),
		T(timer_may_restart_itself),
		T(keepalives_of_many_share_few_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
