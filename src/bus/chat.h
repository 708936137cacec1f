/* chat: what events of the chat carry beyond the fields that every event has, and who was in a
 * room. Copied values: an event has its chat_more encoded in `more`, so that the others pay
 * nothing for it.
 */
#pragma once
#include "bus/event.h"

/* Bytes of a client's own message id, and of a reaction. */
#define CHAT_MAX_KEY 64
#define CHAT_MAX_REACTION 32
/* Different reactions to one message, and names kept of each. */
#define CHAT_MAX_REACTIONS 16
#define CHAT_MAX_REACTORS 64

struct chat_more {
	uint64_t epoch;    /* numbers are comparable within one; see docs/protocol.md */
	uint64_t of;       /* CHAT: the message answered; else the one that is changed */
	ms_t edited;       /* CHAT: when its text was changed last, 0: never */
	bool deleted;      /* CHAT: its text is gone */
	bool replay;       /* CHAT: said before, and told again to those who have come */
	bool on;           /* REACTED, TYPING: begun; else over */
	struct slice user; /* of who speaks, or empty */
	struct slice to_user; /* of whom a direct message is for, or empty */
	struct slice
		reader; /* REACTED: under what it is kept: a user, or a member's number text */
	struct slice key; /* the client's own id of the message, or empty */
	struct slice
		file; /* the record of its files, a raw JSON array; on the way into the store: their ids in a row; or empty */
	struct slice
		reactions; /* raw JSON: {"REACTION":["USER or ID",...],...}, or empty */
};

void bus_chat_encode(struct buf *b, const struct chat_more *m);
/* Everything zero when `more` is empty. E_TRUNCATED, E_MALFORMED. */
int bus_chat_decode(struct chat_more *m, struct slice more) NODISCARD;

/* Somebody's stay in a room. */
struct visit {
	uint64_t number; /* rises; for paging */
	uint64_t member;
	ms_t joined_at;
	ms_t left_at; /* 0: still there */
	enum leave_reason reason;
	struct slice name, user;
};

void bus_visit_encode(struct buf *b, const struct visit *v);
int bus_visit_decode(struct visit *v, struct cur *in) NODISCARD;

/* `reactions` with `who` added to or taken from `reaction`, appended to `out` (nothing when none is
 * left). E_LIMIT: one of the limits above; E_ALREADY: it is so already. */
int bus_chat_react(struct slice reactions, struct slice reaction, struct slice who,
		   bool on, struct buf *out) NODISCARD;
