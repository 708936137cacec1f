/* guard: who may come into a room that does not let everybody in: lock, lobby, bans.
 *
 * Owner:  its room's loop. A room has one from its first such command on; it goes with the room.
 * Limits: ROOM_MAX_WAITING who wait, ROOM_MAX_BANS bans; more: E_LIMIT.
 */
#pragma once
#include "room/internal.h"

#define ROOM_MAX_WAITING 100
#define ROOM_MAX_BANS 1000

struct room_guard;

/* Of a newcomer: 0: come in; ROOM_LATER: it waits in the lobby; E_LOCKED, E_BANNED, E_LIMIT. */
int room_guard_check(struct room *r, const struct command *c, const struct room_entry *e,
		     struct bus_home home, uint64_t request) NODISCARD;
/* LOCK, LOBBY, ADMIT, DENY, BAN, UNBAN of a member or of the server (NULL), who may. */
int room_guard_command(struct room *r, const struct member *m, const struct command *c,
		       ms_t wall) NODISCARD;
/* Tells somebody who may admit others who waits. */
void room_guard_brief(struct room *r, struct member *m);
/* Who waits, as encoded members. */
void room_guard_list(const struct room *r, struct buf *out);
/* Who is banned, as encoded bus_bans. */
void room_guard_list_bans(const struct room *r, struct buf *out);
bool room_is_locked(const struct room *r);
bool room_has_lobby(const struct room *r);
/* Puts the lobby up as the room is made. */
void room_guard_lobby(struct room *r);
/* Who waits is refused. */
void room_guard_free(struct room *r);
