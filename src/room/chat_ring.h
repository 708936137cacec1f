/* chat_ring: the last messages of one room, in memory, as encoded events. */
#pragma once
#include "bus/chat.h"

struct room_ring_entry {
	uint64_t n;
	ms_t time;
	uint64_t from, to; /* of a direct message; to 0: for all */
	struct buf event;
};

struct room_ring {
	struct room_ring_entry
		*entries; /* `size` of them, NULL before the first message */
	uint32_t size, at, count;
};

/* Keeps a copy of `e` (a CHAT), dropping the oldest past `size` messages (0: keeps none). */
void room_ring_add(struct room_ring *g, uint32_t size, const struct event *e);
/* Appends what `viewer` may see, oldest first: after number `after`, before `before` (0: to the end), the
 * newest `limit` of them. True: there is more than that. */
bool room_ring_put(const struct room_ring *g, uint64_t viewer, uint64_t before,
		   uint64_t after, uint32_t limit, struct buf *out);
/* The message of that number; NULL. */
struct room_ring_entry *room_ring_find(const struct room_ring *g, uint64_t n);
/* The message that has the key, or NULL. */
struct room_ring_entry *room_ring_key(const struct room_ring *g, struct slice key);
/* What EDITED, DELETED or REACTED makes of the message. E_NOT_FOUND (it is deleted), E_ALREADY, E_LIMIT. */
int room_ring_change(struct room_ring_entry *entry, const struct event *change) NODISCARD;
void room_ring_fini(struct room_ring *g);
