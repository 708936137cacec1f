/* room: membership, presence, permissions and the order of events; no sockets in here.
 *
 * Owner:   the loop that bus_room_worker() names; every call is made on it.
 * Memory:  a room is made by its first join and goes with its last member. `struct member`
 *          belongs to its room and is gone once room_leave() returns or EVENT_LEFT about it was told.
 * Limits:  below and struct room_settings.
 * Rule:    what a member may do is checked here and nowhere else.
 */
#pragma once
#include "auth/limit.h"
#include "bus/address.h"
#include "bus/command.h"
#include "bus/event.h"
#include "store/store.h"

#define ROOM_MAX_NAME 128 /* bytes, rooms and members and users */
#define ROOM_MAX_METADATA 4096
#define ROOM_MAX_TEXT 8192 /* of a chat message */
#define ROOM_MAX_REASON 128
#define ROOM_MAX_MEMBERS 10000
/* Events of a room count on from boot << this. */
#define ROOM_BOOT_SHIFT 32

struct room_registry; /* the rooms of one worker */
struct room;
struct member;

struct room_settings {
	uint32_t capacity;  /* members, when the first join says nothing; and at most */
	uint32_t max_rooms; /* on this worker */
	uint32_t rate;      /* messages to all per second, of a room; 0: no limit */
	uint32_t
		voices; /* members whom one may hear through the server; 0: nobody is relayed */
	bool tokens;                              /* nobody joins without a pass */
	const struct auth_limit_settings *limits; /* of rooms made; NULL: none */
	uint32_t
		chat_replay; /* messages told to newcomers, and kept in memory for them */
	uint32_t max_bans;   /* on this worker */
	ms_t ban_time;       /* then a ban ends */
};

/* How a room speaks: to one member, or (to == NULL) to all but `except`. `e` and its slices are valid during the
 * call; the callee must not call back into the room. */
typedef void room_event_fn(void *arg, struct room *r, const struct event *e,
			   struct member *to, struct member *except);

/* An answer for the session `home` about a room that it may have left meanwhile, and that may be gone. */
typedef void room_answer_fn(void *arg, struct bus_home home, struct slice room,
			    const struct event *e);

/* What the world outside may be told. Members who are hidden are not spoken of. */
enum room_change_kind {
	ROOM_STARTED,
	ROOM_FINISHED,
	ROOM_MEMBER_JOINED,
	ROOM_MEMBER_LEFT,
	ROOM_MESSAGE, /* said to all, and kept: n, text */
	ROOM_CHANGES
};
struct room_change {
	enum room_change_kind kind;
	uint32_t members; /* in the room, afterwards */
	ms_t made_at;     /* the room */
	uint64_t n;
	struct slice room, text;
	struct slice files; /* of the message: raw JSON, an array; or empty */
	const struct member_info *member; /* NULL: the room itself, or the server */
};
/* Must not call back into the room. */
typedef void room_watch_fn(void *arg, const struct room_change *c);

struct room_registry *room_registry_create(const struct room_settings *s,
					   room_event_fn *fn, room_answer_fn *answer,
					   void *arg);
/* Whom to tell of changes; before the first join. */
void room_registry_watch(struct room_registry *g, room_watch_fn *fn, void *arg);
/* Chat and visits are kept from now on; before the first join. The desk belongs to the registry then. */
void room_registry_use(struct room_registry *g, struct store_desk *store, uint64_t boot);
/* NULL: nothing is kept. */
struct store_desk *room_registry_store(const struct room_registry *g);
/* Notes of before the restart: of bans and of how rooms were set, which goes for those whose members come back. Before the
 * first join, or when the store is there. E_MALFORMED, E_LIMIT. */
struct slice room_of_note(const struct store_note *n); /* empty: malformed */
int room_registry_take(struct room_registry *g, const struct store_note *n) NODISCARD;
/* All have been restored who will be. */
void room_registry_restored(struct room_registry *g);
void room_registry_destroy(struct room_registry *g); /* members are gone without a word */
struct room *room_find(const struct room_registry *g, struct slice name);

/* Takes a seat in the room of that name, made if need be: WELCOME to the newcomer, JOINED to the others.
 * ROOM_LATER (it waits in the lobby: WAITING, then WELCOME or a REPLY), E_ROOM_FULL, E_LIMIT (too many rooms), E_LOCKED, E_BANNED, E_BAD_FIELD, E_UNAUTHORIZED (no pass), E_DENIED (the pass is for another room or
 * user). `wall`: now. */
int room_join(struct room_registry *g, struct slice name, const struct command *c,
	      struct bus_home home, uint64_t request, ms_t wall) NODISCARD;
/* A member of before a restart is back in its room, away, and nobody is told: `m` as it was, `c` with what its
 * session has shown (pass, address); m->away: the others have heard it leave; c->on: it is told what the chat has come to (REPLAY) without asking. E_UNAUTHORIZED, E_DENIED, E_BANNED, E_LIMIT. */
int room_restore(struct room_registry *g, struct slice name, const struct member_info *m,
		 const struct command *c, struct bus_home home, ms_t wall) NODISCARD;
/* LEFT to the others. Frees `m`, and the room with its last member. */
void room_leave(struct member *m, enum leave_reason reason, struct slice text);
/* A session gives up a join that it has no answer to yet: whether it waits or has its seat by now. */
void room_forget(struct room *r, struct bus_home home, enum leave_reason reason);
/* Out of the lobby. False: it does not wait there. */
bool room_withdraw(struct room *r, struct bus_home home);
/* The answer to SYNC: what a WELCOME would say now. */
void room_sync(struct member *m, uint64_t request);
/* Answered by room_answer_fn, now or later. */
#define ROOM_LATER 1
/* Any command but JOIN and SYNC. 0, ROOM_LATER, E_DENIED, E_NO_MEMBER, E_LIMIT, E_BAD_FIELD, E_NOT_FOUND, E_UNAVAILABLE. A KICK
 * of oneself and LEAVE free `m`. `request`: goes back in a later answer. */
int room_command(struct member *m, uint64_t request, const struct command *c, ms_t wall)
	NODISCARD;
/* A command on behalf of the server, which may everything; those that need a member's own seat are E_UNKNOWN_TYPE. `r` may
 * be gone afterwards. A later answer goes to the desk of `from`. */
int room_order(struct room *r, struct bus_home from, uint64_t request,
	       const struct command *c, ms_t wall) NODISCARD;

struct slice room_name(const struct room *r);
size_t room_count(const struct room *r);
/* A member of this room by number; NULL. */
struct member *room_member(const struct room *r, uint64_t id);
/* That of a session, which does not know its number yet; NULL. */
struct member *room_member_at(const struct room *r, struct bus_home home);
struct room *member_room(const struct member *m);
uint64_t member_id(const struct member *m);
/* Who joined later has the higher one. */
uint32_t member_order(const struct member *m);
struct bus_home member_home(const struct member *m);
/* Workers other than `self` that hold members: calls fn(arg, worker) for each. */
void room_each_remote(const struct room *r, unsigned self,
		      void (*fn)(void *arg, unsigned worker), void *arg);

/* One pointer each for the floor above, NULL at first. */
void *room_user(const struct room *r);
void room_set_user(struct room *r, void *user);
void *member_user(const struct member *m);
void member_set_user(struct member *m, void *user);
