/* event: what a room tells its members; a copied value that can travel as mail.
 *
 * Numbered events (`seq` not 0) rise strictly within a room. WELCOME, SYNCED and REPLY answer one
 * command and are for its session alone.
 */
#pragma once
#include "bus/member_info.h"

/* clang-format off */
#define EVENT_LIST(X)                                                                    \
	X(JOINED,  "subject came")                                                       \
	X(LEFT,    "member went: reason, text")                                          \
	X(UPDATED, "member changed: changed, and those fields of subject")               \
	X(SIGNAL,  "member says text (raw JSON) to `to` or to all others")               \
	X(CHAT,    "member (subject.name) says text to all; n, time")                    \
	X(ACCEPT,  "member takes the call of `to`")                                      \
	X(REJECT,  "member refuses the call of `to`: text")                              \
	X(NOTICE,  "the server tells text (raw JSON) to `to` or to all")                 \
	X(RELAY,   "member wants to hear `to` through the server, as codec or no more")  \
	X(VOICE,   "a piece of the voice of member for `to`: text (sound); not numbered") \
	X(WELCOME, "the answer to JOIN: subject is you, roster, backlog, capacity, ring") \
	X(SYNCED,  "the answer to SYNC, with what WELCOME has")                          \
	X(REPLY,   "the answer to another command: err")
/* clang-format on */

#define X(id, prose) EVENT_##id,
enum event_kind { EVENT_LIST(X) EVENT_KINDS };
#undef X

struct event {
	enum event_kind kind;
	enum leave_reason reason;
	uint16_t changed;
	bool ring;
	uint8_t flavor; /* SIGNAL: whose wording `raw` is */
	uint8_t media;  /* SIGNAL: enum media */
	bool untouched; /* SIGNAL: `raw` names no sender */
	uint8_t codec;  /* RELAY: enum voice_codec */
	int err;        /* REPLY */
	uint32_t capacity;
	uint64_t seq;
	uint64_t member;  /* whom it is about, or who speaks */
	uint64_t to;      /* 0: all */
	uint64_t n;       /* CHAT: number of the message in its room */
	uint64_t request; /* REPLY, WELCOME: the command's */
	ms_t time;
	struct member_info subject;
	struct slice text;
	struct slice raw;     /* SIGNAL: as it came */
	struct slice roster;  /* WELCOME: member_info after member_info, encoded */
	struct slice backlog; /* WELCOME: CHAT events, encoded */
};

void bus_event_encode(struct buf *b, const struct event *e);
int bus_event_decode(struct event *e, struct cur *in) NODISCARD;
