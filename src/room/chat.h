/* chat: what is said in a room: numbered, kept in the store, then shown; in that order.
 *
 * Owner:  the room's loop. A room_chat outlives its room while something of it is being kept, so that numbers
 *         go on where they were when the room is made again meanwhile.
 * States: ASLEEP (numbers unknown), WAKING (the store was asked), AWAKE. What is said before it is
 *         awake waits, up to CHAT_HELD_MAX messages. Without a store it is born awake.
 */
#pragma once
#include "bus/address.h"
#include "bus/command.h"
#include "room/chat_ring.h"
#include "store/store.h"

#define CHAT_HELD_MAX 64

struct room;
struct member;
struct room_registry;

enum chat_state { CHAT_ASLEEP, CHAT_WAKING, CHAT_AWAKE };

struct room_chat {
	struct room_registry *registry;
	struct room *room; /* NULL: gone */
	enum chat_state state;
	uint32_t pending; /* tickets that point here */
	uint32_t held_count;
	struct list held; /* of struct record */
	uint64_t n;       /* the last number given */
	uint64_t told;    /* the last one whose fate is known */
	uint64_t epoch;
	ms_t last_time; /* of a message: time does not run backwards */
	struct store_ticket wake;
	struct room_ring ring;
	uint16_t name_len;
	char name[];
};

/* Something said (CHAT) or changed (EDITED, DELETED, REACTED), with all but its number. */
struct chat_entry {
	struct bus_home home; /* who is answered; session 0: the server */
	uint64_t request;     /* 0: a failure only */
	bool all;             /* may change what others said */
	uint64_t viewer;
	struct slice viewer_user; /* proven, or empty */
	struct event event;
	struct chat_more more;
};

/* The room's, new or left over from before; asks the store about it. */
struct room_chat *room_chat_open(struct room *r);
/* The room goes. */
void room_chat_close(struct room_chat *c);
/* Frees it if nothing needs it any more. */
void room_chat_settle(struct room_chat *c);
/* Keeps it, and shows it once it is kept; answers in any case, later. */
void room_chat_enter(struct room_chat *c, const struct chat_entry *e);
/* The same in a room where nobody is. `wall`: now. */
void room_chat_enter_empty(struct room_registry *g, struct slice name,
			   const struct chat_entry *e, ms_t wall);

/* --- recall.c: what was said --- */
/* HISTORY, SEARCH, WHOWAS: answered later. `m`: NULL: the server asks, which sees what was said to all; the room
 * need not be there then. E_NOT_FOUND: it is not, and there is no store. */
int room_recall(struct room_registry *g, struct slice room, const struct member *m,
		struct bus_home home, uint64_t request, const struct command *c)
	NODISCARD;
/* The session of before a restart is back: tells it REPLAY, in pieces, with what came after number `known`
 * (UINT64_MAX: it does not say) up to `until` (0: the last); the last piece is not partial. Now or later. */
void room_replay(struct member *m, uint64_t request, uint64_t known, uint64_t until);
/* The room knows its numbers now, or knows that it cannot: those who wait for REPLAY get it. */
void room_replay_all(struct room *r);
