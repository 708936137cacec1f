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
	X(CHAT,    "member (subject.name) says text to `to` or to all; n, time, more")   \
	X(EDITED,  "member changes the text of message more.of: n, text, time")          \
	X(DELETED, "member takes message more.of away: n, time")                         \
	X(REACTED, "member reacts to message more.of with text: n, time, more.on")       \
	X(TYPING,  "member types: more.on")                                              \
	X(READ,    "member has read up to message n")                                    \
	X(ACCEPT,  "member takes the call of `to`")                                      \
	X(REJECT,  "member refuses the call of `to`: text")                              \
	X(SETTINGS, "member (0: the server) has set locked, lobby")                      \
	X(KNOCK,   "subject waits in the lobby; for those who may admit it")             \
	X(UNKNOCK, "member waits no more; for the same")                                 \
	X(WAITING, "your join waits until somebody admits you")                          \
	X(NOTICE,  "the server tells text (raw JSON) to `to` or to all")                 \
	X(RELAY,   "member wants to hear `to` through the server, as codec or no more")  \
	X(VOICE,   "a piece of the voice of member for `to`: text (sound); not numbered") \
	X(WELCOME, "the answer to JOIN: subject is you, roster, backlog, capacity, ring") \
	X(SYNCED,  "the answer to SYNC, with what WELCOME has")                          \
	X(HISTORY, "the answer to HISTORY and SEARCH: backlog, partial, n (read up to)") \
	X(WHOWAS,  "the answer to WHOWAS: backlog (visits), partial")                    \
	X(BANS,    "the answer to BANS: backlog (bus_bans), partial")                    \
	X(REPLAY,  "the answer to BACK of a restored session: backlog, partial")         \
	X(REPLY,   "the answer to another command: err; CHAT and its kin: n, time, more")
/* clang-format on */

#define X(id, prose) EVENT_##id,
enum event_kind { EVENT_LIST(X) EVENT_KINDS };
#undef X

struct event {
	enum event_kind kind;
	enum leave_reason reason;
	uint16_t changed;
	bool ring, locked, lobby;
	bool partial;    /* HISTORY, WHOWAS, REPLAY: there is more than backlog has */
	uint16_t flavor; /* SIGNAL, CHAT: whose wording `raw` is */
	uint8_t media;   /* SIGNAL: enum media */
	uint8_t codec;   /* RELAY: enum voice_codec */
	uint8_t part;    /* which of the messages that it is worded as; not mailed */
	int err;         /* REPLY */
	uint32_t capacity;
	uint64_t seq;
	uint64_t member;  /* whom it is about, or who speaks */
	uint64_t to;      /* 0: all */
	uint64_t n;       /* CHAT and its kin: number in the room */
	uint64_t request; /* REPLY, WELCOME: the command's */
	ms_t time;
	struct member_info subject;
	struct slice text;
	struct slice raw;     /* SIGNAL, CHAT: for members of the same wording */
	struct slice binary;  /* SIGNAL: attachments of `raw`, each with its length */
	struct slice roster;  /* WELCOME: member_info after member_info, encoded */
	struct slice backlog; /* WELCOME: CHAT events, encoded */
	struct slice more;    /* CHAT and its kin: struct chat_more, encoded */
};

/* A chat message's number for clients that want one that rises strictly, whatever becomes of the room: below 2^53 until the year
 * 2039. */
#define BUS_CHAT_ID_N 4095u
static inline uint64_t bus_chat_id(const struct event *e)
{
	return (uint64_t)e->time << 12 | (e->n & BUS_CHAT_ID_N);
}

void bus_event_encode(struct buf *b, const struct event *e);
int bus_event_decode(struct event *e, struct cur *in) NODISCARD;
