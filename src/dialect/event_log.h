/* event_log: what the rooms of a worker said of late, as it was worded, for members who come back.
 *
 * Owner:  a dialect. One log for all rooms, written from front to end like a tape: to keep a message is to
 *         touch memory that is next in line, however many rooms take part. Each entry knows the one before
 *         it of the same room, and a room keeps its trail: where its last one is. Entries begin with a cache
 *         line and are written past the cache: they would push out of it what the next messages need.
 * Order:  the oldest are overwritten, a trail that leads there ends, and whoever follows it is told.
 *         Rooms that say much have a tape of their own: a flood washes away only others.
 * Memory: two tapes of size/2, touched as they fill; what is older than `life` is given back.
 */
#pragma once
#include "base/buf.h"
#include "base/clock.h"

#define EVENT_LOG_REPLAY (256u << 10) /* bytes of a room that one who comes back gets */
#define EVENT_LOG_SHARE                                                                  \
	64 /* of a tape: what a room may say in `life` not to count as busy */
#define EVENT_LOG_AGES 8 /* event_log_age() calls in `life` */

struct event_tape {
	uint8_t *p;  /* NULL until there is something to keep */
	size_t size; /* bytes */
	/* Positions rise for ever; `p` has them modulo `size`. What begins before the tail is gone. */
	uint64_t head, tail;
	uint64_t was[EVENT_LOG_AGES]; /* the head at the last calls of event_log_age() */
};

enum event_tapes { EVENT_TAPE_QUIET, EVENT_TAPE_BUSY, EVENT_TAPES };

struct event_log {
	struct event_tape tape[EVENT_TAPES];
	ms_t life;
	unsigned ages; /* calls of event_log_age() */
};

/* Of one room. All zero: nothing was said yet. */
struct event_trail {
	uint64_t last; /* the place of its last entry; 0: that is not kept */
	uint64_t seq;  /* the number of it */
	ms_t since;    /* `bytes` were said since then */
	uint64_t bytes;
};

/* What precedes each message. */
struct event_log_entry {
	uint64_t before, before_seq; /* the trail before this one */
	uint64_t seq;
	uint64_t to;     /* a member, 0: all */
	uint64_t except; /* a member who does not see it, or 0 */
	uint64_t n;      /* bytes of the message */
};

void event_log_init(struct event_log *l, size_t size, ms_t life);
void event_log_fini(struct event_log *l);
/* Keeps a message of the trail's room, if it is not too large; its number is higher than those before. */
void event_log_add(struct event_log *l, struct event_trail *t, ms_t now,
		   const struct event_log_entry *e, struct slice message);
/* Follows the trail back to number `seen`, at most `most` entries; false: it ends before. Appends pointers
 * to the entries found, the last one first, valid until the next event_log_add(); found NULL: only asks. */
bool event_log_since(const struct event_log *l, const struct event_trail *t,
		     uint64_t seen, uint32_t most, struct buf *found);
static inline struct slice event_log_message(const struct event_log_entry *e)
{
	return slice_of((const uint8_t *)(e + 1), e->n);
}
static inline bool event_log_visible(const struct event_log_entry *e, uint64_t member)
{
	return (e->to == 0 || e->to == member) && e->except != member;
}
/* To be called every life / EVENT_LOG_AGES: what is older than `life` goes. False: nothing is left. */
bool event_log_age(struct event_log *l);
