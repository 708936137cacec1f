#include "loop/signals.h"

#include <signal.h>
#include <unistd.h>

#include "loop/loop_turns.h"

static int heard;

static void hear(void *arg, int signal)
{
	(void)arg;
	heard = signal;
}

static void a_signal_reaches_the_loop_that_asked(void **state)
{
	(void)state;
	struct loop *l = loop_create(0);
	struct loop_signals *s;

	assert_int_equal(loop_signals_open(&s, l, (const int[]){ SIGUSR1, SIGUSR2, 0 },
					   hear, NULL),
			 0);
	loop_one_turn(l);
	assert_int_equal(heard, 0);
	kill(getpid(), SIGUSR2);
	loop_one_turn(l);
	assert_int_equal(heard, SIGUSR2);
	loop_signals_close(s);
	loop_destroy(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_reaches_the_loop_that_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
