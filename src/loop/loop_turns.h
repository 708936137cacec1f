/* loop_turns: for tests: drives a loop turn by turn on the testing thread, without
 * waiting. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "loop/loop.h"

static inline void loop_turns_stop(void *arg)
{
	loop_stop(arg);
}

/* One turn: what is ready now and all that follows from it. */
static inline void loop_one_turn(struct loop *l)
{
	loop_post(l, loop_turns_stop, l);
	loop_run(l);
}

/* 0 .. below-1, the same row in every run. */
static inline uint32_t loop_turns_random(uint32_t below)
{
	static uint64_t x = 88172645463325252u; /* xorshift64 (Marsaglia, 2003) */

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 16) % below;
}

struct loop_turns_span {
	struct loop_timer timer;
	struct loop *loop;
};

static inline void loop_turns_over(struct loop_timer *t)
{
	loop_stop(container_of(t, struct loop_turns_span, timer)->loop);
}

/* Waits as a worker does; for what comes by the clock and shows in no other way. */
static inline void loop_run_for(struct loop *l, ms_t span)
{
	struct loop_turns_span s = { .loop = l };

	loop_timer_init(&s.timer, loop_turns_over);
	loop_one_turn(l);
	loop_timer_start(l, &s.timer, span);
	loop_run(l);
}

/* Turns until `cond` holds; fails after a minute. */
#define loop_until(l, cond)                                                              \
	do {                                                                             \
		ms_t give_up = clock_mono() + 60000;                                     \
		while (!(cond)) {                                                        \
			assert_true(clock_mono() < give_up);                             \
			loop_one_turn(l);                                                \
		}                                                                        \
	} while (0)
