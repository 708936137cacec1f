/* event_log: the last events of a room as they were worded, for members who come back. Bounded in
 * number and bytes: the oldest go. One block of memory that grows with what is kept; none while empty.
 */
#pragma once
#include "base/slice.h"

#define EVENT_LOG_MAX (256u << 10) /* bytes; a power of two */
#define EVENT_LOG_MIN 512

struct event_log {
	uint64_t floor;      /* events after this number are all here */
	uint64_t head, tail; /* of the ring, free-running */
	uint32_t cap;        /* a power of two, or 0 */
	uint32_t count;
	uint8_t *ring;
};

/* What precedes each message in the ring. */
struct event_log_entry {
	uint64_t seq;
	uint64_t to;     /* a member, 0: all */
	uint64_t except; /* a member who does not see it, or 0 */
	uint32_t n;      /* bytes of the message */
	uint32_t unused;
};

void event_log_init(struct event_log *l, uint64_t floor);
void event_log_fini(struct event_log *l);
/* Keeps the message, and at most `most` of them. */
void event_log_add(struct event_log *l, uint32_t most, const struct event_log_entry *e,
		   const void *message);
/* Walks from the oldest on: start with *at = 0; false at the end. The message is to be fetched, or not, before the next step. */
bool event_log_next(const struct event_log *l, uint64_t *at, struct event_log_entry *e);
/* Copies e->n bytes: the message of the entry that event_log_next() has just shown. */
void event_log_message(const struct event_log *l, uint64_t at,
		       const struct event_log_entry *e, void *to);
/* Fetches into the cache what an event_log_add() will touch. */
void event_log_prefetch(const struct event_log *l);
static inline bool event_log_visible(const struct event_log_entry *e, uint64_t member)
{
	return (e->to == 0 || e->to == member) && e->except != member;
}
