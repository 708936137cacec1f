/* ban: who is kept out of rooms, by user or by address, whether anybody is in the room just now or not.
 *
 * Owner:  a registry, on its loop. In memory, and as notes in the store.
 * Limits: ROOM_MAX_BANS of a room; settings->max_bans on a worker, the oldest goes; each ends after
 *         settings->ban_time.
 */
#pragma once
#include "room/internal.h"

#define ROOM_MAX_BANS 1000

struct store_note;

/* One of user and address may be empty. */
struct room_banned {
	struct slice user, address;
	struct slice name; /* what it was called, for people; may be empty */
};

struct room_bans;

struct room_bans *room_bans_create(const struct room_settings *s);
void room_bans_destroy(struct room_bans *b);
bool room_is_banned(const struct room_bans *b, struct slice room,
		    const struct room_entry *e, ms_t wall);
/* As encoded bus_bans, oldest first. */
void room_list_bans(const struct room_bans *b, struct slice room, ms_t wall,
		    struct buf *out);
/* BANS of a member: the newest ROOM_BANS_TOLD are told it. */
#define ROOM_BANS_TOLD 200
void room_tell_bans(struct member *m, uint64_t request, ms_t wall);

/* BAN of who is not there, UNBAN; answered when that is kept. ROOM_LATER, 0, E_BAD_FIELD, E_LIMIT, E_NO_MEMBER. */
int room_ban(struct room_registry *g, struct slice room, const struct room_banned *who,
	     struct bus_home home, uint64_t request, ms_t wall) NODISCARD;
int room_unban(struct room_registry *g, struct slice room, const struct room_banned *who,
	       struct bus_home home, uint64_t request) NODISCARD;
/* What is in a note: the room it is about (empty: malformed); and takes it. E_MALFORMED. */
struct slice room_of_ban(const struct store_note *n);
int room_take_ban(struct room_registry *g, const struct store_note *n) NODISCARD;
