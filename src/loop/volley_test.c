#include "loop/volley.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop_turns.h"

#define PAIRS 20

struct fixture {
	struct loop *loop;
	int near[PAIRS], far[PAIRS];
	ssize_t result[PAIRS];
	unsigned calls;
};

struct shot {
	struct fixture *f;
	unsigned pair;
};

static struct fixture fx;
static struct shot shots[PAIRS];

static int set_up(void **state)
{
	(void)state;
	fx = (struct fixture){ .loop = loop_create(0) };
	for (unsigned i = 0; i < PAIRS; i++) {
		int fd[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
		fx.near[i] = fd[0];
		fx.far[i] = fd[1];
		shots[i] = (struct shot){ &fx, i };
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PAIRS; i++) {
		close(fx.near[i]);
		if (fx.far[i] >= 0)
			close(fx.far[i]);
	}
	loop_destroy(fx.loop);
	return 0;
}

static void on_sent(void *arg, struct slice bytes, ssize_t n)
{
	const struct shot *s = arg;

	assert_true(bytes.n > 0);
	s->f->result[s->pair] = n;
	s->f->calls++;
}

static bool add(unsigned pair, struct slice bytes)
{
	return loop_volley_add(fx.loop, fx.near[pair], bytes, on_sent, &shots[pair]);
}

/* Where the kernel has no io_uring, senders send by themselves: nothing to see here. */
static void add_or_skip(unsigned pair, struct slice bytes)
{
	if (!add(pair, bytes)) {
		print_message("no io_uring here\n");
		skip();
	}
}

static void assert_far(unsigned pair, const char *text)
{
	char got[64];
	ssize_t n = recv(fx.far[pair], got, sizeof(got), MSG_DONTWAIT);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void assert_nothing_far(unsigned pair)
{
	char got[64];

	assert_int_equal(recv(fx.far[pair], got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static void sends_leave_when_it_is_fired(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PAIRS; i++)
		add_or_skip(i, slice_of(&"abcdefghijklmnopqrst"[i], 1));
	assert_true(loop_volley_waits(fx.loop));
	assert_int_equal(fx.calls, 0);
	assert_nothing_far(0);

	loop_volley_fire(fx.loop);
	assert_false(loop_volley_waits(fx.loop));
	assert_int_equal(fx.calls, PAIRS);
	for (unsigned i = 0; i < PAIRS; i++) {
		assert_int_equal(fx.result[i], 1);
		assert_far(i, (char[]){ (char)('a' + i), 0 });
	}
	loop_volley_fire(fx.loop);
	assert_int_equal(fx.calls, PAIRS);
}

static void few_leave_as_well(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 5; n++) {
		fx.calls = 0;
		for (unsigned i = 0; i < n; i++)
			add_or_skip(i, SLICE("few"));
		loop_volley_fire(fx.loop);
		assert_int_equal(fx.calls, n);
		for (unsigned i = 0; i < n; i++)
			assert_far(i, "few");
	}
}

static void sends_leave_at_the_turns_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PAIRS; i++)
		add_or_skip(i, SLICE("turn"));
	loop_one_turn(fx.loop);
	assert_int_equal(fx.calls, PAIRS);
	assert_far(PAIRS - 1, "turn");
}

static void each_send_has_its_own_result(void **state)
{
	static const uint8_t much[1 << 20] = { 0 };

	(void)state;
	while (send(fx.near[1], much, sizeof(much), MSG_DONTWAIT) > 0)
		continue;
	close(fx.far[2]);
	fx.far[2] = -1;
	add_or_skip(0, SLICE("fine"));
	add_or_skip(1, SLICE("full"));
	add_or_skip(2, SLICE("gone"));
	add_or_skip(3, slice_of(much, sizeof(much)));
	add_or_skip(4, SLICE("fine"));
	loop_volley_fire(fx.loop);
	assert_int_equal(fx.calls, 5);
	assert_int_equal(fx.result[0], 4);
	assert_int_equal(fx.result[1], -EAGAIN);
	assert_int_equal(fx.result[2], -EPIPE);
	assert_true(fx.result[3] > 0 && fx.result[3] < (ssize_t)sizeof(much));
	assert_int_equal(fx.result[4], 4);
	assert_far(4, "fine");
}

static void a_full_volley_is_fired_by_the_next_send(void **state)
{
	unsigned n = 0;

	(void)state;
	add_or_skip(0, SLICE("x"));
	while (fx.calls == 0 && n++ < 100000)
		assert_true(add(n % PAIRS, SLICE("x")));
	assert_int_equal(fx.calls, n);
	assert_true(loop_volley_waits(fx.loop));
	loop_one_turn(fx.loop);
	assert_int_equal(fx.calls, n + 1);
}

static void it_may_be_unwanted(void **state)
{
	(void)state;
	loop_volley_enable(fx.loop, false);
	assert_false(add(0, SLICE("x")));
	assert_false(loop_volley_waits(fx.loop));
	loop_volley_fire(fx.loop);
	assert_nothing_far(0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sends_leave_when_it_is_fired),
		TEST(few_leave_as_well),
		TEST(sends_leave_at_the_turns_end),
		TEST(each_send_has_its_own_result),
		TEST(a_full_volley_is_fired_by_the_next_send),
		TEST(it_may_be_unwanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
