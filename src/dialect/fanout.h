/* fanout: the members of one room that live on this worker.
 *
 * What a room says in one turn is encoded once and gathered; at the turn's end every member gets what it has not had
 * yet in one write. A member who is told something alone in between is brought up to date first, so that each connection sees
 * the room's order.
 */
#pragma once
#include "dialect/internal.h"

/* What a channel over Socket.IO has said, for who comes back (recovery.c). */
struct fanout_heard {
	struct event_trail trail;
	uint64_t said; /* number of the chat's last message by then, + 1; 0: unknown */
};

/* The receivers of one vocabulary and variant: they share their frames. The room's first lies in the
 * fanout; others are made when such a receiver comes and go with the last one. */
struct fanout_channel {
	struct buf *
		frames; /* of this turn, borrowed from the dialect's spare ones; NULL: none */
	const struct vocabulary *vocabulary;
	struct fanout *fanout;
	struct fanout_channel *next;
	struct fanout_heard *heard; /* NULL: nothing yet, or nobody comes back to it */
	uint32_t messages;
	uint32_t seats; /* 0: the first one, unused */
	uint8_t variant;
};

/* What a message touches comes first: all of it but the name lies in two cache lines. */
struct fanout {
	struct dialect *dialect;
	struct loop_task task;
	struct seat *
		*seats; /* `count` of them, with room for `cap`; up to two in `pair` */
	uint32_t count, cap;
	uint64_t seq;     /* of the last event that came here */
	uint32_t holders; /* seats, unseated ones included */
	uint32_t away; /* seats whose session has lost its connection; not in `seats` */
	struct fanout_channel channel;
	struct slice quoted; /* the room's name as JSON, in text */
	struct seat *pair[2];
	struct event_trail trail; /* of what is kept for those who come back */
	struct slice room;        /* the name, in text */
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
/* An event for all but the member `except_id` (0: none); `except`: its seat, when that is here. */
void fanout_event(struct fanout *f, const struct event *e, struct seat *except,
		  uint64_t except_id);
/* Writes what the seat has not had yet into its stream, before something for it alone. */
void fanout_catch_up(struct seat *seat);
struct seat *fanout_seat(const struct fanout *f, uint64_t member_id);
void fanout_free_buffer(struct buf *b);

/* --- fanout_log.c --- */
void fanout_log_init(struct dialect *d);
void fanout_log_fini(struct dialect *d);
/* Keeps a message for those who come back: for all, or only `to`, but not `except`; once per seq. */
void fanout_log(struct fanout *f, uint64_t seq, uint64_t to, uint64_t except,
		struct slice message);
/* Keeps what many share for who comes back over Socket.IO. */
void fanout_hear(struct dialect *d, struct event_trail *trail, uint64_t number,
		 uint64_t except, struct slice message);
/* A seat is about to be taken of a room that has said `seq` things so far. */
void fanout_begin(struct fanout *f, uint64_t seq);
/* Takes the seat out until its session has a connection again. */
void fanout_away(struct fanout *f, struct seat *seat);
void fanout_back(struct fanout *f, struct seat *seat);
/* Everything after number `seen` is there. */
bool fanout_reaches_back(const struct seat *seat, uint64_t seen);
/* Sends what the member has missed since. */
void fanout_replay(const struct seat *seat, uint64_t seen, struct ws *to);
