/* keep: what rooms have in the store besides chat and visits, as notes: bans, and how a room is set.
 *
 * Owner:  a registry, on its loop. Who asked for a change is answered when it is kept. A store that is slow or gone
 *         does not refuse it: it holds until a restart then.
 * Limits: of how rooms were set before a restart: settings->max_rooms.
 */
#pragma once
#include "room/internal.h"
#include "store/note.h"

/* ROOM_LATER: `home` is answered once it is kept. 0: there is nowhere to keep it, or nobody to answer to (request 0). */
int room_keep(struct room_registry *g, const struct store_note *n, struct bus_home home,
	      struct slice room, uint64_t request) NODISCARD;
/* Nobody waits for it. */
void room_keep_soon(const struct room_registry *g, const struct store_note *n);

/* How a room is set, where that is not as every room is: lock, lobby, capacity, ring, who is muted. As room_keep(). */
int room_keep_door(struct room *r, struct bus_home home, uint64_t request) NODISCARD;
void room_keep_door_soon(struct room *r);
/* The room ends, and with it how it was set. */
void room_drop_door(struct room *r);
/* A member of before the restart makes its room: it is set as it was. */
void room_open_door(struct room *r);
bool room_was_muted(const struct room *r, uint64_t member);
/* How rooms were set that nobody has come back to is forgotten. */
void room_doors_fini(struct room_registry *g);
