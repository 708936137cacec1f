#include "loop/loop.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop_private.h"

#define BATCH 512
#define LAG_WINDOW 5000 /* the gauge shows the worst of this window and the one before */

struct loop {
	int epoll;
	unsigned id;
	ms_t now;
	ms_t wall_ahead; /* of the monotonic clock */
	ms_t wall_until; /* till when that is believed */
	_Atomic bool stop;
	bool running;
	struct metric_set *metrics;
	struct list tasks[LOOP_PHASES];
	struct loop_io wake;

	struct epoll_event batch[BATCH];
	int batch_n;
	int batch_at;

	uint64_t rest_us; /* when the last turn ended */
	uint64_t woke_us; /* when the present one began */
	int64_t lag_now;
	int64_t lag_before;
	ms_t lag_since;

	struct loop_wheel wheel;
	struct loop_mailer mailer;
	struct loop_blocks blocks;
	struct loop_volley volley;
	uint8_t *scratch;
};

static _Thread_local struct loop *current;

/* Before loop_run() any thread may set a loop up; from then on only its own. */
static void loop_check(const struct loop *l)
{
	assert(!l->running || l == current);
	(void)l;
}

/* The wake-up is edge-triggered: its counter is never read, which saves a call per
 * batch. */
static void loop_on_wake(struct loop_io *io, uint32_t events)
{
	(void)io;
	(void)events;
}

struct loop *loop_create(unsigned id)
{
	struct loop *l = xzalloc(sizeof(*l));
	int err;

	assert(id < LOOP_MAX);
	l->id = id;
	l->now = clock_mono();
	l->lag_since = l->now;
	l->metrics = metric_open(id);
	l->scratch = xmalloc(LOOP_SCRATCH);
	loop_wheel_init(&l->wheel, l->now);
	for (unsigned i = 0; i < LOOP_PHASES; i++)
		list_init(&l->tasks[i]);

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = l->epoll < 0 ? -errno : loop_mailer_init(&l->mailer, id);
	if (err == 0)
		err = loop_io_add(l, &l->wake, l->mailer.box.wake_fd, EPOLLIN | EPOLLET,
				  loop_on_wake);
	if (err < 0) { /* a process that starts without three descriptors cannot go on */
		log_error("loop", "create-failed", "worker=%u err=%s", id, err_text(err));
		abort();
	}
	return l;
}

void loop_destroy(struct loop *l)
{
	if (!l)
		return;
	assert(!l->running);
	loop_mailer_fini(&l->mailer, l->id);
	loop_blocks_fini(&l->blocks);
	loop_volley_fini(&l->volley);
	metric_close(l->id);
	close(l->epoll);
	free(l->scratch);
	free(l);
}

/* --- the turn --- */

static void loop_note_lag(struct loop *l, int64_t busy)
{
	if (l->now - l->lag_since >= LAG_WINDOW) {
		l->lag_before =
			l->now - l->lag_since < (ms_t)2 * LAG_WINDOW ? l->lag_now : 0;
		l->lag_now = 0;
		l->lag_since = l->now;
	}
	if (busy > l->lag_now)
		l->lag_now = busy;
	metric_set_value(METRIC_LOOP_LAG_MAX_US,
			 l->lag_now > l->lag_before ? l->lag_now : l->lag_before);
}

static int loop_timeout(struct loop *l, ms_t now)
{
	ms_t next = loop_wheel_next(&l->wheel);

	if (!loop_mailer_sleep(&l->mailer))
		return 0;
	if (next < 0)
		return -1;
	if (next <= now)
		return 0;
	return next - now > INT_MAX ? INT_MAX : (int)(next - now);
}

static void loop_wait(struct loop *l)
{
	int timeout = loop_timeout(l, (ms_t)(l->rest_us / 1000));
	int n = epoll_wait(l->epoll, l->batch, BATCH, timeout);

	l->woke_us = clock_mono_us();
	l->now = (ms_t)(l->woke_us / 1000);
	l->batch_n = n < 0 ? 0 : n; /* EINTR: a turn without events */
}

static void loop_sum_up(struct loop *l)
{
	l->rest_us = clock_mono_us();
	int64_t busy = (int64_t)(l->rest_us - l->woke_us);

	metric_add(METRIC_LOOP_TURNS, 1);
	metric_add(METRIC_LOOP_BUSY_US, busy);
	loop_note_lag(l, busy);
}

static void loop_run_phase(struct loop *l, enum loop_phase phase)
{
	while (!list_empty(&l->tasks[phase])) {
		struct list *n = l->tasks[phase].next;
		struct loop_task *t = list_entry(n, struct loop_task, link);
		list_unlink(n);
		t->fn(t);
	}
}

/* Connections are spread over memory: the one after next is fetched while a handler runs, and what
 * the next one's handler reaches for. */
static void loop_prefetch(const struct epoll_event *e, int left)
{
	const struct loop_io *next = left > 1 ? e[1].data.ptr : NULL;
	const char *line = left > 2 ? e[2].data.ptr : NULL;

	if (next)
		__builtin_prefetch(next->owner);
	for (unsigned i = 0; line && i < 4; i++)
		__builtin_prefetch(line + (size_t)64 * i);
}

static void loop_run_batch(struct loop *l)
{
	for (l->batch_at = 0; l->batch_at < l->batch_n; l->batch_at++) {
		struct epoll_event *e = &l->batch[l->batch_at];
		struct loop_io *io = e->data.ptr;
		loop_prefetch(e, l->batch_n - l->batch_at);
		if (!io) /* deleted by a handler of this batch */
			continue;
		io->fn(io, e->events);
		loop_run_phase(l, LOOP_SOON);
	}
	l->batch_n = 0;
}

static void loop_run_tasks(struct loop *l)
{
	for (unsigned phase = 0; phase < LOOP_PHASES;) {
		if (list_empty(&l->tasks[phase])) {
			phase++;
			continue;
		}
		loop_run_phase(l, phase);
		phase = 0;
	}
}

void loop_run(struct loop *l)
{
	struct loop *outer = current;
	struct metric_set *outer_metrics = metric_here;

	assert(!l->running);
	l->running = true;
	current = l;
	metric_here = l->metrics;
	l->rest_us = clock_mono_us();
	while (!atomic_load_explicit(&l->stop, memory_order_relaxed)) {
		loop_wait(l);
		/* First, so that timers started by a handler count from the present
		 * turn. */
		loop_wheel_advance(&l->wheel, l->now);
		loop_run_batch(l);
		loop_wheel_run(&l->wheel);
		loop_mailer_drain(&l->mailer);
		loop_run_tasks(l);
		loop_mailer_flush(&l->mailer);
		loop_sum_up(l);
	}
	atomic_store(&l->stop, false);
	metric_here = outer_metrics;
	current = outer;
	l->running = false;
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stop, true);
	eventfd_write(l->mailer.box.wake_fd, 1);
}

unsigned loop_id(const struct loop *l)
{
	return l->id;
}

struct loop *loop_current(void)
{
	return current;
}

ms_t loop_now(const struct loop *l)
{
	return l->now;
}

/* The wall clock may be set at any time; a second late is soon enough to follow. */
ms_t loop_wall(struct loop *l)
{
	if (l->now >= l->wall_until) {
		l->wall_ahead = clock_wall() - l->now;
		l->wall_until = l->now + 1000;
	}
	return l->now + l->wall_ahead;
}

uint8_t *loop_scratch(struct loop *l)
{
	return l->scratch;
}

struct loop_mailer *loop_mailer_of(struct loop *l)
{
	return &l->mailer;
}

struct loop_blocks *loop_blocks_of(struct loop *l)
{
	return &l->blocks;
}

struct loop_volley *loop_volley_of(struct loop *l)
{
	return &l->volley;
}

/* --- descriptors --- */

static int loop_epoll(struct loop *l, int op, struct loop_io *io)
{
	struct epoll_event e = { .events = io->want, .data.ptr = io };

	return epoll_ctl(l->epoll, op, io->fd, &e) < 0 ? -errno : 0;
}

int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t want, loop_io_fn *fn)
{
	loop_check(l);
	io->fd = fd;
	io->want = want;
	io->fn = fn;
	return loop_epoll(l, EPOLL_CTL_ADD, io);
}

void loop_io_want(struct loop *l, struct loop_io *io, uint32_t want)
{
	if (io->want == want)
		return;
	io->want = want;
	loop_io_again(l, io);
}

void loop_io_again(struct loop *l, struct loop_io *io)
{
	loop_check(l);
	int err = loop_epoll(l, EPOLL_CTL_MOD, io);
	assert(err == 0); /* of a descriptor that is in, this cannot fail */
	(void)err;
}

/* Of what has been fetched. */
static void loop_io_forget(struct loop *l, const struct loop_io *io)
{
	for (int i = l->batch_at; i < l->batch_n; i++)
		if (l->batch[i].data.ptr == io)
			l->batch[i].data.ptr = NULL;
}

void loop_io_del(struct loop *l, struct loop_io *io)
{
	loop_check(l);
	(void)loop_epoll(l, EPOLL_CTL_DEL, io);
	loop_io_forget(l, io);
}

void loop_io_close(struct loop *l, struct loop_io *io)
{
	loop_check(l);
	close(io->fd);
	loop_io_forget(l, io);
}

/* --- timers and tasks --- */

void loop_timer_start(struct loop *l, struct loop_timer *t, ms_t after)
{
	loop_check(l);
	loop_wheel_start(&l->wheel, t, after);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	loop_check(l);
	loop_wheel_stop(&l->wheel, t);
}

void loop_task_init(struct loop_task *t, loop_task_fn *fn)
{
	list_init(&t->link);
	t->fn = fn;
}

void loop_task_post(struct loop *l, enum loop_phase phase, struct loop_task *t)
{
	loop_check(l);
	if (!loop_task_posted(t))
		list_append(&l->tasks[phase], &t->link);
}

void loop_task_cancel(struct loop_task *t)
{
	list_unlink(&t->link);
}
