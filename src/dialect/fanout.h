/* fanout: the members of one room that live on this worker.
 *
 * What a room says in one turn is encoded once and gathered; at the turn's end every member gets what it has not had
 * yet in one write. A member who is told something alone in between is brought up to date first, so that each connection sees
 * the room's order.
 */
#pragma once
#include "dialect/internal.h"

/* A kind of receiver: those of one kind share their frames. */
struct fanout_channel {
	struct buf *
		frames; /* of this turn, borrowed from the dialect's spare ones; NULL: none */
	const struct vocabulary *vocabulary;
	const struct fanout *fanout;
	enum channel kind;
	uint32_t messages;
	uint32_t seats;
};

struct fanout {
	struct dialect *dialect;
	struct loop_task task;
	struct seat **seats;
	uint32_t count, cap;
	uint32_t holders; /* seats, unseated ones included */
	struct fanout_channel channel[CHANNELS];
	struct slice room; /* the name, and as JSON: both in text */
	struct slice quoted;
	uint8_t text[];
};

/* Found or made; each open and hold must be closed. */
struct fanout *fanout_open(struct dialect *d, struct slice room);
static inline void fanout_hold(struct fanout *f)
{
	f->holders++;
}
void fanout_close(struct fanout *f);
void fanout_add(struct fanout *f, struct seat *seat);
/* Brings it up to date and takes it out. */
void fanout_remove(struct fanout *f, struct seat *seat);
/* An event for all but `except` (may be NULL). */
void fanout_event(struct fanout *f, const struct event *e, struct seat *except);
/* Writes what the seat has not had yet into its stream, before something for it alone. */
void fanout_catch_up(struct seat *seat);
struct seat *fanout_seat(const struct fanout *f, uint64_t member_id);
void fanout_free_buffer(struct buf *b);
