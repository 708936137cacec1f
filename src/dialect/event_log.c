#include "dialect/event_log.h"

#include <stdlib.h>

#include "base/mem.h"

void event_log_init(struct event_log *l, uint64_t floor)
{
	*l = (struct event_log){ .floor = floor };
}

void event_log_fini(struct event_log *l)
{
	free(l->ring);
	event_log_init(l, l->floor);
}

/* --- the ring: what does not fit before its end goes on at its start --- */

static size_t until_end(const struct event_log *l, uint64_t at, size_t n)
{
	size_t left = l->cap - (at & (l->cap - 1));

	return n < left ? n : left;
}

static void ring_get(const struct event_log *l, uint64_t at, void *to, size_t n)
{
	size_t first = until_end(l, at, n);

	memcpy(to, l->ring + (at & (l->cap - 1)), first);
	memcpy((uint8_t *)to + first, l->ring, n - first);
}

static void ring_put(struct event_log *l, const void *p, size_t n)
{
	size_t first = until_end(l, l->tail, n);

	memcpy(l->ring + (l->tail & (l->cap - 1)), p, first);
	memcpy(l->ring, (const uint8_t *)p + first, n - first);
	l->tail += n;
}

static void ring_grow(struct event_log *l)
{
	uint32_t cap = l->cap ? l->cap * 2 : EVENT_LOG_MIN;
	uint8_t *ring = xmalloc(cap);
	size_t n = l->tail - l->head;

	if (n > 0)
		ring_get(l, l->head, ring, n);
	free(l->ring);
	l->ring = ring;
	l->cap = cap;
	l->head = 0;
	l->tail = n;
}

/* --- entries --- */

static void drop_oldest(struct event_log *l)
{
	struct event_log_entry e;

	ring_get(l, l->head, &e, sizeof(e));
	l->head += sizeof(e) + e.n;
	l->count--;
	l->floor = e.seq;
}

void event_log_add(struct event_log *l, uint32_t most, const struct event_log_entry *e,
		   const void *message)
{
	size_t size = sizeof(*e) + e->n;

	if (most == 0 || size > EVENT_LOG_MAX) {
		l->head = l->tail;
		l->count = 0;
		l->floor = e->seq;
		return;
	}
	while (l->count >= most)
		drop_oldest(l);
	while (l->tail - l->head + size > l->cap) {
		if (l->cap < EVENT_LOG_MAX)
			ring_grow(l);
		else
			drop_oldest(l);
	}
	ring_put(l, e, sizeof(*e));
	ring_put(l, message, e->n);
	l->count++;
}

void event_log_prefetch(const struct event_log *l)
{
	if (l->cap == 0)
		return;
	__builtin_prefetch(l->ring + (l->head & (l->cap - 1)));
	for (unsigned line = 0; line < 4; line++)
		__builtin_prefetch(l->ring + ((l->tail + 64 * line) & (l->cap - 1)), 1);
}

bool event_log_next(const struct event_log *l, uint64_t *at, struct event_log_entry *e)
{
	uint64_t next = *at;

	if (l->count == 0)
		return false;
	/* *at is where the message of the entry before begins. */
	if (next == 0) {
		next = l->head;
	} else {
		ring_get(l, next - sizeof(*e), e, sizeof(*e));
		next += e->n;
	}
	if (next >= l->tail)
		return false;
	ring_get(l, next, e, sizeof(*e));
	*at = next + sizeof(*e);
	return true;
}

void event_log_message(const struct event_log *l, uint64_t at,
		       const struct event_log_entry *e, void *to)
{
	ring_get(l, at, to, e->n);
}
