/* command: what a member asks of a room, whatever its dialect; a copied value that can
 * travel as mail. Slices are borrowed: from the message on the way in, from the mail after
 * decoding.
 */
#pragma once
#include "bus/member_info.h"

/* clang-format off */
#define COMMAND_LIST(X)                                                                  \
	X(JOIN,   "take a seat: room, name, user, metadata, state, options")             \
	X(LEAVE,  "give the seat up: reason, text (the server's)")                       \
	X(UPDATE, "presence: changed, state, name, metadata")                            \
	X(SIGNAL, "pass data on: to or to all others, text")                             \
	X(CHAT,   "say text to `to` or to all: key, file, n (the message answered)")     \
	X(EDIT,   "change the text of message n")                                        \
	X(DELETE, "take message n away")                                                 \
	X(REACT,  "react to message n with text, or no more (on)")                       \
	X(TYPING, "type, or no more: on")                                                \
	X(READ,   "have read up to message n")                                           \
	X(HISTORY, "be told messages before n or after `after`: limit")                  \
	X(SEARCH, "be told messages before n that have the words of text: limit")        \
	X(WHOWAS, "be told who was here: visits before n, limit")                        \
	X(ACCEPT, "take a call: to")                                                     \
	X(REJECT, "refuse a call: to, text")                                             \
	X(ROLE,   "give a member a role: to, role")                                      \
	X(KICK,   "send a member away: to, text")                                        \
	X(CLOSE,  "send everybody away: text")                                           \
	X(MUTE,   "turn the microphone of to, or of all who do not look after the room, " \
		  "off, or let it be turned on: on")                                      \
	X(LOCK,   "let nobody in, or do again: on")                                      \
	X(LOBBY,  "let newcomers wait until they are admitted, or no more: on")          \
	X(ADMIT,  "let in who waits: to")                                                \
	X(DENY,   "do not: to")                                                          \
	X(BAN,    "keep to (on: by its address as well), or user or address, out: text") \
	X(UNBAN,  "let user or address in again")                                        \
	X(BANS,   "tell who is kept out")                                                \
	X(NOTICE, "the server tells to or all: text (raw JSON)")                         \
	X(ALIAS,  "be addressed by text as well")                                        \
	X(AWAY,   "the connection broke, the seat is kept")                              \
	X(BACK,   "and came again; after a restart (on): having read up to n, to be told "  \
		  "up to `after` (0: the last)")                                          \
	X(RELAY,  "hear the voice of to through the server, as codec or no more")         \
	X(VOICE,  "a piece of it: text (sound), raw (whom it is for)")                    \
	X(SYNC,   "tell how the room stands")
/* clang-format on */

#define X(id, prose) COMMAND_##id,
enum command_kind { COMMAND_LIST(X) COMMAND_KINDS };
#undef X

struct command {
	enum command_kind kind;
	enum role role;
	enum leave_reason reason;
	uint8_t state;    /* PRESENCE_* bits */
	uint16_t changed; /* which of them (and CHANGED_*) count */
	bool ring;        /* options of JOIN */
	bool fixed; /* JOIN: its `user` is given by the server; a token does not change it */
	bool hidden; /* JOIN: the others hear nothing of it; AWAY: they hear that it has left */
	bool lobby;        /* options of JOIN */
	uint32_t capacity; /* 0: the server's */
	bool or_all;       /* SIGNAL: to all others when nobody is called `to_name` */
	bool echo;         /* SIGNAL: and to the speaker, when it is for all */
	bool named;        /* JOIN: see struct member_info */
	bool verified;     /* JOIN: `user` is proven */
	bool replaces; /* JOIN: a named member of the same user goes first, without a word */
	uint8_t offers, rank; /* JOIN */
	uint16_t dialect;     /* JOIN: see struct member_info */
	uint32_t
		fits; /* JOIN: members that this client copes with, itself included; 0: any */
	uint16_t
		flavor; /* SIGNAL: whose wording `raw` is (dialect/table_rules.h); 0: nobody's */
	bool guarded;  /* SIGNAL, CHAT: only for those of `role` and above */
	uint8_t media; /* SIGNAL: enum media */
	uint8_t codec; /* RELAY: enum voice_codec */
	struct slice
		pass; /* JOIN: what a token says (auth/pass.h), encoded; empty: open mode */
	struct slice address; /* JOIN: the client's, as text; BAN, UNBAN */
	bool on; /* REACT, TYPING, BACK, LOCK...; CHAT of the server: also when nobody is there; HISTORY: from `after` on, also when that is 0 */
	uint32_t
		limit; /* HISTORY, SEARCH, WHOWAS: at most so many; 0: as many as usual */
	uint64_t to;   /* a member, 0: nobody in particular */
	uint64_t n;    /* a number of the chat, see above; 0: none, or from the end */
	uint64_t after;
	struct slice name, user;
	struct slice metadata; /* raw JSON object, or empty */
	struct slice
		to_name; /* instead of `to`: the user, alias or number text of a member */
	struct slice
		raw; /* SIGNAL, CHAT: for members of the same wording; VOICE: members' numbers of
			   * BUS_MEMBER_BYTES each */
	struct slice binary; /* SIGNAL: attachments of `raw`, each with its length */
	struct slice
		text; /* SIGNAL: raw JSON, see media; CHAT, REJECT, KICK: plain text */
	struct slice key;  /* CHAT: the client's own id of the message, or empty */
	struct slice file; /* CHAT: ids of files (store/file.h) in a row, or empty */
};

void bus_command_encode(struct buf *b, const struct command *c);
/* E_TRUNCATED, E_MALFORMED. */
int bus_command_decode(struct command *c, struct cur *in) NODISCARD;
