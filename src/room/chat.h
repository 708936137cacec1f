/* chat: the last messages of one room, in memory, as encoded events. */
#pragma once
#include "bus/event.h"

struct room_chat {
	struct buf *ring; /* `size` encoded events, NULL before the first message */
	uint32_t size, at, count;
	uint64_t n; /* number of the last message */
};

/* Keeps a copy of `e`, dropping the oldest past `size` messages (0: keeps none). */
void room_chat_add(struct room_chat *c, uint32_t size, const struct event *e);
/* Appends what is kept, oldest first. */
void room_chat_backlog(const struct room_chat *c, struct buf *out);
void room_chat_fini(struct room_chat *c);
