#include "room/chat_ring.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "room/room.h"

/* The texts, names and reactions of a message; far from their own limits. */
#define ENTRY_MAX (256u << 10)

static void entry_set(struct room_ring_entry *m, const struct event *e)
{
	struct buf fresh = BUF_INIT(ENTRY_MAX);

	bus_event_encode(&fresh, e);
	buf_fini(&m->event); /* `e` may have been decoded from it */
	m->event = fresh;
	m->n = e->n;
	m->time = e->time;
	m->from = e->member;
	m->to = e->to;
}

static struct room_ring_entry *entry_at(const struct room_ring *g, uint32_t i)
{
	return &g->entries[(g->at + g->size - g->count + i) % g->size];
}

void room_ring_add(struct room_ring *g, uint32_t size, const struct event *e)
{
	if (size == 0)
		return;
	if (!g->entries) {
		g->entries = xzalloc(size_mul(size, sizeof(*g->entries)));
		g->size = size;
		for (uint32_t i = 0; i < size; i++)
			buf_init(&g->entries[i].event, ENTRY_MAX);
	}
	entry_set(&g->entries[g->at], e);
	g->at = (g->at + 1) % g->size;
	if (g->count < g->size)
		g->count++;
}

static bool entry_is_for(const struct room_ring_entry *m, uint64_t viewer)
{
	return m->to == 0 || m->to == viewer || m->from == viewer;
}

bool room_ring_put(const struct room_ring *g, uint64_t viewer, uint64_t before,
		   uint64_t after, uint32_t limit, struct buf *out)
{
	uint32_t first = g->count, seen = 0;
	bool more = false;

	/* From the newest back to the first one wanted. */
	for (uint32_t i = g->count; i > 0; i--) {
		const struct room_ring_entry *m = entry_at(g, i - 1);

		if (m->n <= after)
			break;
		if ((before > 0 && m->n >= before) || !entry_is_for(m, viewer))
			continue;
		if (seen++ == limit) {
			more = true;
			break;
		}
		first = i - 1;
	}
	for (uint32_t i = first; i < g->count; i++) {
		const struct room_ring_entry *m = entry_at(g, i);

		if ((before == 0 || m->n < before) && entry_is_for(m, viewer))
			buf_put(out, buf_slice(&m->event));
	}
	return more;
}

struct room_ring_entry *room_ring_find(const struct room_ring *g, uint64_t n)
{
	for (uint32_t i = g->count; i > 0; i--)
		if (entry_at(g, i - 1)->n == n)
			return entry_at(g, i - 1);
	return NULL;
}

static int entry_decode(const struct room_ring_entry *m, struct event *e,
			struct chat_more *more)
{
	struct cur in = cur_of_slice(buf_slice(&m->event));
	int err = bus_event_decode(e, &in);

	return err < 0 ? err : bus_chat_decode(more, e->more);
}

struct room_ring_entry *room_ring_key(const struct room_ring *g, struct slice key)
{
	struct chat_more more;
	struct event e;

	for (uint32_t i = 0; i < g->count; i++)
		if (entry_decode(entry_at(g, i), &e, &more) == 0 &&
		    slice_eq(more.key, key))
			return entry_at(g, i);
	return NULL;
}

static int apply(struct event *e, struct chat_more *m, const struct event *change,
		 struct buf *reactions)
{
	struct chat_more how;
	int err = 0;

	if (m->deleted || bus_chat_decode(&how, change->more) < 0)
		return E_NOT_FOUND;
	if (change->kind == EVENT_EDITED) {
		e->text = change->text;
		m->edited = change->time;
	} else if (change->kind == EVENT_DELETED) {
		e->text = m->file = m->reactions = SLICE_NONE;
		m->deleted = true;
	} else {
		err = bus_chat_react(m->reactions, change->text, how.reader, how.on,
				     reactions);
		m->reactions = buf_slice(reactions);
	}
	return err;
}

int room_ring_change(struct room_ring_entry *entry, const struct event *change)
{
	struct buf reactions = BUF_INIT(ENTRY_MAX), more = BUF_INIT(ENTRY_MAX);
	struct chat_more m;
	struct event e;
	int err = entry_decode(entry, &e, &m);

	if (err == 0)
		err = apply(&e, &m, change, &reactions);
	if (err == 0) {
		bus_chat_encode(&more, &m);
		e.more = buf_slice(&more);
		entry_set(entry, &e);
	}
	buf_fini(&reactions);
	buf_fini(&more);
	return err;
}

void room_ring_fini(struct room_ring *g)
{
	for (uint32_t i = 0; i < g->size; i++)
		buf_fini(&g->entries[i].event);
	free(g->entries);
	*g = (struct room_ring){ 0 };
}
