/* loop: one epoll loop per worker thread; the only place besides net/ that waits.
 *
 * A turn: wait; run what is ready (descriptors, timers, mail); then the tasks of the
 * turn's end, phase by phase, until none is left; then hand over the batched mail. So
 * everything that one turn says leaves together, one write per connection.
 *
 * Owner: the thread that runs it; every call but loop_stop() and loop_post() is made on
 * that thread. Before loop_run() one other thread may set things up (listeners, timers).
 * loop_assert() guards the doors of objects that belong to a running loop.
 */
#pragma once
#include <assert.h>
#include <sys/epoll.h>
#include "base/clock.h"
#include "base/list.h"
#include "loop/metric.h"

struct loop;

/* `id` is the worker's number (0..LOOP_MAX-1), unique among the living. */
#define LOOP_MAX 64
/* Workers have the numbers below this one; the process's other threads those from it on. */
#define LOOP_WORKERS 56
#define LOOP_STORE_WRITER 56
#define LOOP_STORE_READER 57
#define LOOP_DEPOT_WRITER 58
#define LOOP_DEPOT_READER 59
struct loop *loop_create(unsigned id);
void loop_destroy(struct loop *l);
/* Runs on the calling thread until loop_stop(); the turn that sees the stop is
 * finished. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l); /* from any thread and from signal handlers */
unsigned loop_id(const struct loop *l);
/* The loop of the running thread; NULL on threads without one. */
struct loop *loop_current(void);
ms_t loop_now(const struct loop *l); /* monotonic, taken once per turn */
ms_t loop_wall(
	struct loop *l); /* since 1970, for stamps; at most a second behind a set clock */
#define loop_assert(l) assert((l) == loop_current())

/* Process housekeeping only (start, reload, drain): runs fn(arg) on the loop, in the
 * order posted. From any thread, also before loop_run(). */
typedef void loop_post_fn(void *arg);
void loop_post(struct loop *l, loop_post_fn *fn, void *arg);

/* --- descriptors (level-triggered, unless EPOLLET is wanted) --- */
struct loop_io;
typedef void loop_io_fn(struct loop_io *io, uint32_t events);
struct loop_io {
	int fd;
	uint32_t want; /* EPOLLIN, EPOLLOUT */
	loop_io_fn *fn;
	void *owner; /* the user's; comes into the cache one event ahead of fn */
};
/* Leaves `owner` as it is. */
int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t want, loop_io_fn *fn)
	NODISCARD;
void loop_io_want(struct loop *l, struct loop_io *io, uint32_t want);
/* With EPOLLET: what is ready now gives an event once more. */
void loop_io_again(struct loop *l, struct loop_io *io);
/* After this `fn` is not called again, not even for an event already fetched.
 * Does not close fd. */
void loop_io_del(struct loop *l, struct loop_io *io);
/* The same for a descriptor that is closed with it, in one call: nobody else may hold it. */
void loop_io_close(struct loop *l, struct loop_io *io);

/* --- timers: a wheel of 1 ms; fn at or after its time, never early. From one second on
 * a timer may come up to 1/64 of its span late, so that many fire in one turn. --- */
struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *t);
struct loop_timer {
	struct list link;
	ms_t due; /* 0: not running */
	loop_timer_fn *fn;
};
void loop_timer_init(struct loop_timer *t, loop_timer_fn *fn);
/* (Re)starts; `after` ms from loop_now(). O(1). */
void loop_timer_start(struct loop *l, struct loop_timer *t, ms_t after);
void loop_timer_stop(struct loop *l, struct loop_timer *t);

/* --- the turn's end --- */
enum loop_phase {
	LOOP_SOON,   /* not only at the end but after each descriptor's handler as well */
	LOOP_FANOUT, /* rooms write what they gathered into their members' streams */
	LOOP_FLUSH,  /* streams write what they gathered to their sockets */
	LOOP_REAP,   /* closed things are freed and their owners told */
	LOOP_PHASES
};
struct loop_task;
typedef void loop_task_fn(struct loop_task *t);
struct loop_task {
	struct list link;
	loop_task_fn *fn;
};
void loop_task_init(struct loop_task *t, loop_task_fn *fn);
/* Runs once, however often asked before; a task posted while a phase runs makes the
 * phases start again from the first once that phase is done. */
void loop_task_post(struct loop *l, enum loop_phase phase, struct loop_task *t);
void loop_task_cancel(struct loop_task *t);
static inline bool loop_task_posted(const struct loop_task *t)
{
	return !list_empty(&t->link);
}

/* Scratch for one read of a descriptor: valid until the handler returns to the loop. What
 * a stream shows to `data` lies in it. */
#define LOOP_SCRATCH ((size_t)256 * 1024)
uint8_t *loop_scratch(struct loop *l);

/* Blocks of two sizes, recycled per loop, for what lives about a turn (gathered output).
 * Plain memory: a block may be given back on another loop than it was taken from. */
enum loop_block { LOOP_BLOCK_SMALL, LOOP_BLOCK_LARGE, LOOP_BLOCK_KINDS };
#define LOOP_BLOCK_SMALL_SIZE 4096
#define LOOP_BLOCK_LARGE_SIZE 65536
void *loop_block_take(struct loop *l, enum loop_block kind);
void loop_block_give(struct loop *l, enum loop_block kind, void *block);
