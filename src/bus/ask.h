/* ask: what the server itself (an HTTP handler, a job) asks of rooms, and the answers; copied
 * values that travel as mail. Slices are borrowed: from the letter after decoding.
 */
#pragma once
#include "auth/gate.h"
#include "bus/command.h"
#include "bus/member_info.h"

/* clang-format off */
#define ASK_LIST(X)                                                                      \
	X(ROOMS,   "which rooms there are: after, limit; every worker answers for its own") \
	X(ROOM,    "how a room stands: room; answers with the room and its members")     \
	X(WAITING, "who waits in the lobby of a room: room; answers with them as members") \
	X(BANS,    "who is kept out of a room: room; answers with bus_bans as members")  \
	X(SPEAKER, "whether member name (its number as text) of a room may speak in the chat: E_NO_MEMBER, E_DENIED; answers " \
		   "with it, its user only when that is proven")                          \
	X(COMMAND, "a command on behalf of the server: room, command")                   \
	X(REVOKE,  "what,  name, until: such tokens count no more, and who came by an "  \
		   "identity's goes")
/* clang-format on */

#define X(id, prose) ASK_##id,
enum ask_kind { ASK_LIST(X) ASK_KINDS };
#undef X

struct room_info {
	struct slice name;
	uint32_t members, capacity;
	uint64_t seq; /* number of its last event */
	ms_t made_at; /* wall clock */
	bool ring, locked, lobby;
};

struct bus_ban {
	struct slice user, address; /* one may be empty */
	struct slice name;          /* for people, or empty */
	ms_t until;
};

struct bus_ask {
	enum ask_kind kind;
	uint32_t limit;         /* ROOMS: at most so many per worker */
	uint64_t ticket;        /* comes back in the answer */
	struct slice room;      /* ROOM, COMMAND: its name */
	struct slice after;     /* ROOMS: names that sort (bytes) after this one */
	enum auth_revoked what; /* REVOKE */
	struct slice name;      /* REVOKE, SPEAKER */
	ms_t until;
	struct command command; /* COMMAND */
};

struct bus_answer {
	uint64_t ticket;
	int err; /* E_NOT_FOUND: no such room now; or the command's */
	struct slice
		event; /* COMMAND: the event that answers it (REPLY, HISTORY, ...), encoded; or empty */
	struct slice rooms; /* room_info after room_info, encoded, sorted by name */
	struct slice
		members; /* member_info after member_info, or bus_ban after bus_ban, encoded */
};

void bus_room_encode(struct buf *b, const struct room_info *r);
int bus_room_decode(struct room_info *r, struct cur *in) NODISCARD;

void bus_ban_encode(struct buf *b, const struct bus_ban *ban);
int bus_ban_decode(struct bus_ban *ban, struct cur *in) NODISCARD;

void bus_send_ask(unsigned worker, const struct bus_ask *a);
void bus_send_answer(unsigned worker, const struct bus_answer *a);
/* For the handlers, and what they decode. */
void bus_ask_encode(struct buf *b, const struct bus_ask *a);
int bus_ask_decode(struct bus_ask *a, struct slice body) NODISCARD;
void bus_answer_encode(struct buf *b, const struct bus_answer *a);
int bus_answer_decode(struct bus_answer *a, struct slice body) NODISCARD;
