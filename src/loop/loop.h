/* loop: one epoll loop per worker thread; the only place besides net/ that waits.
 *
 * A turn: wait; run what is ready (descriptors, timers, mail); then the tasks of the turn's
 * end, phase by phase, until none is left; then hand over the batched mail. So everything
 * that one turn says leaves together, one write per connection.
 *
 * Owner: the thread that runs it; every call but loop_stop(), loop_post() and loop_mail_send() (mail.h)
 * is made on that thread. loop_assert() guards the doors of objects that belong to a loop.
 */
#pragma once
#include <sys/epoll.h>
#include "base/clock.h"
#include "base/list.h"
#include "loop/metric.h"

struct loop;

/* `id` is the worker's number (0..LOOP_MAX-1). */
#define LOOP_MAX 64
struct loop *loop_create(unsigned id);
void loop_destroy(struct loop *l);
/* Runs on the calling thread until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);         /* from any thread */
unsigned loop_id(const struct loop *l);
/* The loop of the running thread; NULL on threads without one. */
struct loop *loop_current(void);
ms_t loop_now(const struct loop *l);    /* monotonic, taken once per turn */
#define loop_assert(l) assert((l) == loop_current())

/* Process housekeeping only (start, reload, drain): runs fn(arg) on the loop. From any thread. */
typedef void loop_post_fn(void *arg);
void loop_post(struct loop *l, loop_post_fn *fn, void *arg);

/* --- descriptors (level-triggered) --- */
struct loop_io;
typedef void loop_io_fn(struct loop_io *io, uint32_t events);
struct loop_io {
	int fd;
	uint32_t want;          /* EPOLLIN, EPOLLOUT */
	loop_io_fn *fn;
};
int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t want, loop_io_fn *fn) NODISCARD;
void loop_io_want(struct loop *l, struct loop_io *io, uint32_t want);
/* After this `fn` is not called again, not even for an event already fetched. Does not close fd. */
void loop_io_del(struct loop *l, struct loop_io *io);

/* --- timers: hashed wheel, 1 ms turn granularity, fn at or after its time, never early --- */
struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *t);
struct loop_timer {
	struct list link;
	ms_t due;               /* 0: not running */
	loop_timer_fn *fn;
};
void loop_timer_init(struct loop_timer *t, loop_timer_fn *fn);
/* (Re)starts; `after` ms from loop_now(). O(1). */
void loop_timer_start(struct loop *l, struct loop_timer *t, ms_t after);
void loop_timer_stop(struct loop *l, struct loop_timer *t);

/* --- the turn's end --- */
enum loop_phase {
	LOOP_FANOUT,    /* rooms write what they gathered into their members' streams */
	LOOP_FLUSH,     /* streams write what they gathered to their sockets */
	LOOP_REAP,      /* closed things are freed and their owners told */
	LOOP_PHASES
};
struct loop_task;
typedef void loop_task_fn(struct loop_task *t);
struct loop_task {
	struct list link;
	loop_task_fn *fn;
};
void loop_task_init(struct loop_task *t, loop_task_fn *fn);
/* Once per turn, however often asked; a task posted while a phase runs makes the phases start
 * again from the first. */
void loop_task_post(struct loop *l, enum loop_phase phase, struct loop_task *t);
void loop_task_cancel(struct loop_task *t);
static inline bool loop_task_posted(const struct loop_task *t)
{
	return !list_empty(&t->link);
}

/* Shared scratch for one read: valid until the handler returns to the loop. */
#define LOOP_SCRATCH (256 * 1024)
uint8_t *loop_scratch(struct loop *l);
