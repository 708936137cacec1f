#include "room/chat.h"

#include <stdlib.h>

#include "base/mem.h"
#include "room/room.h"

void room_chat_add(struct room_chat *c, uint32_t size, const struct event *e)
{
	if (size == 0)
		return;
	if (!c->ring) {
		c->ring = xzalloc(size_mul(size, sizeof(*c->ring)));
		c->size = size;
	}
	struct buf *slot = &c->ring[c->at];

	buf_fini(slot);
	/* The text, the name and the fixed fields; far from the text's own limit. */
	buf_init(slot, ROOM_MAX_TEXT + 1024);
	bus_event_encode(slot, e);
	c->at = (c->at + 1) % c->size;
	if (c->count < c->size)
		c->count++;
}

void room_chat_backlog(const struct room_chat *c, struct buf *out)
{
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t at = (c->at + c->size - c->count + i) % c->size;

		buf_put(out, buf_slice(&c->ring[at]));
	}
}

void room_chat_fini(struct room_chat *c)
{
	for (uint32_t i = 0; i < c->size; i++)
		buf_fini(&c->ring[i]);
	free(c->ring);
	*c = (struct room_chat){ 0 };
}
