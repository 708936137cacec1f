#include "loop/loop.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop_turns.h"

static struct loop *loop;

static int set_up(void **state)
{
	(void)state;
	loop = loop_create(3);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop_destroy(loop);
	return 0;
}

/* What happened, a letter each. */
static char story[32];
static size_t story_n;

static void tell(char c)
{
	assert_true(story_n < sizeof(story) - 1);
	story[story_n++] = c;
	story[story_n] = 0;
}

static void story_begin(void)
{
	story_n = 0;
	story[0] = 0;
}

/* --- posts --- */

static void tell_arg(void *arg)
{
	assert_ptr_equal(loop_current(), loop);
	tell(*(const char *)arg);
}

static void posts_run_in_order_on_the_loop(void **state)
{
	(void)state;
	story_begin();
	loop_post(loop, tell_arg, "a");
	loop_post(loop, tell_arg, "b");
	loop_post(loop, tell_arg, "c");
	assert_null(loop_current());
	loop_one_turn(loop);
	assert_string_equal(story, "abc");
	assert_null(loop_current());
	assert_int_equal(loop_id(loop), 3);
}

static void *post_and_stop(void *arg)
{
	loop_post(arg, tell_arg, "x");
	loop_stop(arg);
	return NULL;
}

static void stop_from_another_thread_ends_a_waiting_loop(void **state)
{
	(void)state;
	pthread_t t;

	story_begin();
	assert_int_equal(pthread_create(&t, NULL, post_and_stop, loop), 0);
	loop_run(loop);
	pthread_join(t, NULL);
	if (story_n == 0) /* the stop was seen before the post */
		loop_one_turn(loop);
	assert_string_equal(story, "x");
}

/* --- tasks --- */

struct teller {
	struct loop_task task;
	char letter;
	struct teller *posts;  /* this one ... */
	enum loop_phase phase; /* ... into that phase */
	struct teller *cancels;
};

static void teller_run(struct loop_task *t)
{
	struct teller *s = container_of(t, struct teller, task);

	tell(s->letter);
	if (s->posts) {
		struct teller *next = s->posts;
		s->posts = NULL;
		loop_task_post(loop, s->phase, &next->task);
	}
	if (s->cancels)
		loop_task_cancel(&s->cancels->task);
}

static void teller_init(struct teller *t, char letter)
{
	*t = (struct teller){ .letter = letter };
	loop_task_init(&t->task, teller_run);
}

static void tasks_run_phase_by_phase_and_once(void **state)
{
	(void)state;
	struct teller a, b, c;

	story_begin();
	teller_init(&a, 'a');
	teller_init(&b, 'b');
	teller_init(&c, 'c');
	loop_task_post(loop, LOOP_REAP, &c.task);
	loop_task_post(loop, LOOP_FLUSH, &b.task);
	loop_task_post(loop, LOOP_FANOUT, &a.task);
	loop_task_post(loop, LOOP_FANOUT, &a.task);
	assert_true(loop_task_posted(&a.task));
	loop_one_turn(loop);
	assert_string_equal(story, "abc");
	assert_false(loop_task_posted(&a.task));
	loop_one_turn(loop);
	assert_string_equal(story, "abc");
}

static void task_posted_in_a_phase_starts_the_phases_again(void **state)
{
	(void)state;
	struct teller a, b, c, d;

	story_begin();
	teller_init(&a, 'a');
	teller_init(&b, 'b');
	teller_init(&c, 'c');
	teller_init(&d, 'd');
	loop_task_post(loop, LOOP_FLUSH, &a.task);
	loop_task_post(loop, LOOP_FLUSH, &b.task);
	loop_task_post(loop, LOOP_REAP, &c.task);
	a.posts = &d;
	a.phase = LOOP_FANOUT;
	c.posts = &b;
	c.phase = LOOP_FLUSH;
	loop_one_turn(loop);
	assert_string_equal(story, "abdcb");
}

static void task_cancelled_does_not_run(void **state)
{
	(void)state;
	struct teller a, b;

	story_begin();
	teller_init(&a, 'a');
	teller_init(&b, 'b');
	a.cancels = &b;
	loop_task_post(loop, LOOP_FLUSH, &a.task);
	loop_task_post(loop, LOOP_FLUSH, &b.task);
	loop_one_turn(loop);
	assert_string_equal(story, "a");
	loop_task_cancel(&a.task); /* harmless when not posted */
}

/* --- descriptors --- */

struct end {
	struct loop_io io;
	int other; /* the far end */
	struct end *deletes, *closes;
	unsigned calls;
};

static void end_event(struct loop_io *io, uint32_t events)
{
	struct end *e = container_of(io, struct end, io);
	char c;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(io->fd, &c, 1), 1);
	e->calls++;
	if (e->deletes)
		loop_io_del(loop, &e->deletes->io);
	if (e->closes) {
		loop_io_close(loop, &e->closes->io);
		e->closes->io.fd = -1;
	}
}

static void end_open(struct end *e)
{
	int fd[2];

	*e = (struct end){ 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	e->other = fd[1];
	assert_int_equal(loop_io_add(loop, &e->io, fd[0], EPOLLIN, end_event), 0);
}

static void end_close(struct end *e)
{
	close(e->io.fd);
	close(e->other);
}

/* Both are ready in one batch; the first to be called ends the other. */
static void one_ends_the_other(bool closes)
{
	struct end a, b;

	end_open(&a);
	end_open(&b);
	*(closes ? &a.closes : &a.deletes) = &b;
	*(closes ? &b.closes : &b.deletes) = &a;
	assert_int_equal(write(a.other, "x", 1), 1);
	assert_int_equal(write(b.other, "x", 1), 1);
	loop_one_turn(loop);
	loop_one_turn(loop);
	assert_int_equal(a.calls + b.calls, 1);
	end_close(&a);
	end_close(&b);
}

static void io_deleted_in_the_same_batch_is_not_called(void **state)
{
	(void)state;
	one_ends_the_other(false);
}

static void io_closed_in_the_same_batch_is_not_called(void **state)
{
	(void)state;
	one_ends_the_other(true);
}

static void io_is_called_for_what_is_wanted_only(void **state)
{
	(void)state;
	struct end a;

	end_open(&a);
	loop_io_want(loop, &a.io, 0);
	assert_int_equal(write(a.other, "x", 1), 1);
	loop_one_turn(loop);
	assert_int_equal(a.calls, 0);
	loop_io_want(loop, &a.io, EPOLLIN);
	loop_one_turn(loop);
	assert_int_equal(a.calls, 1);
	end_close(&a);
}

static void io_of_a_bad_descriptor_is_an_error(void **state)
{
	(void)state;
	struct loop_io io;

	assert_true(loop_io_add(loop, &io, 1 << 20, EPOLLIN, end_event) < 0);
}

/* --- timers on the clock --- */

static struct loop_timer timer;
static ms_t timer_late;

static void timer_fired(struct loop_timer *t)
{
	(void)t;
	timer_late = loop_now(loop) - timer_late;
	loop_stop(loop);
}

static void timer_wakes_a_waiting_loop_and_is_not_early(void **state)
{
	(void)state;
	loop_timer_init(&timer, timer_fired);
	loop_one_turn(loop); /* brings loop_now() up to date */
	timer_late = loop_now(loop) + 20;
	loop_timer_start(loop, &timer, 20);
	loop_run(loop);
	assert_in_range(timer_late, 0,
			5000); /* lateness is the machine's; it must only come */
}

/* --- metrics and blocks --- */

static void count_request(void *arg)
{
	(void)arg;
	metric_add(METRIC_HTTP_REQUESTS, 5);
	metric_add(METRIC_HTTP_REQUESTS, -2);
}

static void metrics_are_kept_per_loop_and_added_up(void **state)
{
	(void)state;
	struct loop *second = loop_create(4);
	int64_t turns = metric_total(METRIC_LOOP_TURNS);

	loop_post(loop, count_request, NULL);
	loop_post(second, count_request, NULL);
	loop_one_turn(loop);
	loop_one_turn(second);
	assert_int_equal(metric_of(3, METRIC_HTTP_REQUESTS), 3);
	assert_int_equal(metric_of(4, METRIC_HTTP_REQUESTS), 3);
	assert_int_equal(metric_total(METRIC_HTTP_REQUESTS), 6);
	assert_int_equal(metric_total(METRIC_LOOP_TURNS), turns + 2);
	loop_destroy(second);
	assert_int_equal(metric_of(4, METRIC_HTTP_REQUESTS), 0);
	assert_int_equal(metric_total(METRIC_HTTP_REQUESTS), 6); /* counters never fall */
	assert_int_equal(metric_of(LOOP_MAX, METRIC_HTTP_REQUESTS), 0);
}

static void work_is_measured(void *arg)
{
	uint64_t until = clock_mono_us() + 3000;

	(void)arg;
	while (clock_mono_us() < until)
		;
}

static void busy_time_and_lag_are_told(void **state)
{
	(void)state;
	loop_post(loop, work_is_measured, NULL);
	loop_one_turn(loop);
	assert_true(metric_of(3, METRIC_LOOP_LAG_MAX_US) >= 3000);
	assert_true(metric_of(3, METRIC_LOOP_BUSY_US) >= 3000);
}

static void blocks_are_recycled(void **state)
{
	(void)state;
	for (unsigned k = 0; k < LOOP_BLOCK_KINDS; k++) {
		void *a = loop_block_take(loop, k);
		void *b = loop_block_take(loop, k);
		assert_ptr_not_equal(a, b);
		loop_block_give(loop, k, a);
		assert_ptr_equal(loop_block_take(loop, k), a);
		loop_block_give(loop, k, a);
		loop_block_give(loop, k, b);
	}
}

static void blocks_beyond_the_stock_go_back(void **state)
{
	(void)state;
	static void *p[1000];

	for (unsigned i = 0; i < ARRAY_LEN(p); i++)
		p[i] = loop_block_take(loop, LOOP_BLOCK_LARGE);
	for (unsigned i = 0; i < ARRAY_LEN(p); i++)
		loop_block_give(loop, LOOP_BLOCK_LARGE, p[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(posts_run_in_order_on_the_loop),
		T(stop_from_another_thread_ends_a_waiting_loop),
		T(tasks_run_phase_by_phase_and_once),
		T(task_posted_in_a_phase_starts_the_phases_again),
		T(task_cancelled_does_not_run),
		T(io_deleted_in_the_same_batch_is_not_called),
		T(io_closed_in_the_same_batch_is_not_called),
		T(io_is_called_for_what_is_wanted_only),
		T(io_of_a_bad_descriptor_is_an_error),
		T(timer_wakes_a_waiting_loop_and_is_not_early),
		T(metrics_are_kept_per_loop_and_added_up),
		T(busy_time_and_lag_are_told),
		T(blocks_are_recycled),
		T(blocks_beyond_the_stock_go_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
