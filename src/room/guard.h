/* guard: who may come into a room that does not let everybody in: lock and lobby; bans are in ban.h.
 *
 * Owner:  its room's loop. A room has one from its first such command on; it goes with the room.
 * Limits: ROOM_MAX_WAITING who wait; more: E_LIMIT.
 */
#pragma once
#include "room/internal.h"

#define ROOM_MAX_WAITING 100

struct room_guard;

/* Of a newcomer: 0: come in; ROOM_LATER: it waits in the lobby; E_LOCKED, E_LIMIT. */
int room_guard_check(struct room *r, const struct command *c, const struct room_entry *e,
		     struct bus_home home, uint64_t request) NODISCARD;
/* LOCK, LOBBY, ADMIT, DENY, BAN, UNBAN of a member or of the server (NULL), who may. ROOM_LATER: `home` is answered when it is kept. */
int room_guard_command(struct room *r, const struct member *m, struct bus_home home,
		       uint64_t request, const struct command *c, ms_t wall) NODISCARD;
/* Tells somebody who may admit others who waits. */
void room_guard_brief(struct room *r, struct member *m);
/* Who waits, as encoded members. */
void room_guard_list(const struct room *r, struct buf *out);
bool room_is_locked(const struct room *r);
bool room_has_lobby(const struct room *r);
/* As the room is made; nobody is told. */
void room_guard_set(struct room *r, bool locked, bool lobby);
/* Who waits is refused. */
void room_guard_free(struct room *r);
