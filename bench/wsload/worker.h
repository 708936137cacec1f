/* worker: one process of the generator: an epoll loop over its share of the
 * connections.
 *
 * What is sent, and when, is the mode's business; it hooks into the loop here. A
 * hook that is NULL does nothing.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "stamp.h"
#include "stats.h"

struct room;
struct worker;

struct mode {
	void (*init)(struct worker *w);  /* connections exist, none is open */
	void (*start)(struct worker *w); /* all are ready: traffic may begin */
	void (*turn)(struct worker *w);  /* before each wait */
	void (*tick)(struct worker *w);  /* five times a second */
	void (*ready)(struct conn *c);   /* upgraded and joined */
	void (*heard)(struct conn *c, const struct frame *f); /* before it was ready */
	/* What is said first, in place of --first; lasts until the next call. */
	const char *(*first)(struct conn *c, size_t *n);
	void (*failed)(struct conn *c, enum conn_state was);
	void (*delivered)(struct conn *c, unsigned seq);
	void (*read_done)(struct conn *c, unsigned delivered);
};

struct worker_share {
	uint32_t conns,
		first_conn; /* connections of this process; the first one's number */
	uint32_t rooms, first_room;
};

struct worker {
	unsigned id;
	struct mode mode;
	struct stats *stats;
	enum phase phase;
	bool started;
	int epoll;
	uint64_t now; /* refreshed after every wait */
	uint64_t
		wait_ns; /* the longest that the next wait may last; a turn may lower it */
	uint32_t nconns, opened, nrooms;
	struct conn *conns;
	struct room *rooms;
	uint32_t fan; /* deliveries of one message */
	uint64_t pace_from, paced;
};

/* Runs until the parent says PHASE_QUIT, or `limit_s` seconds have passed. */
_Noreturn void worker_run(struct shared *shared, unsigned id,
			  const struct worker_share *share, unsigned limit_s);

static inline bool worker_sends(const struct worker *w)
{
	return w->phase == PHASE_WARM || w->phase == PHASE_MEASURE;
}

extern const struct mode echo_mode, room_mode, idle_mode, storm_mode, resume_mode;

/* Open loop (--rate): takes the place of the hooks that answer a delivery with a
 * message. */
void pace_take_over(struct mode *m);
/* The member of a room that sends the k-th paced message. */
struct conn *room_sender(struct worker *w, uint64_t k);
