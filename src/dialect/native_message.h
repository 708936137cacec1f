/* native_message: the JSON of parley.v1 to commands, and events to JSON (docs/protocol.md).
 * No I/O, no state; errors name the field.
 */
#pragma once
#include "base/json.h"
#include "bus/chat.h"
#include "bus/command.h"

enum native_kind { NATIVE_COMMAND, NATIVE_PING, NATIVE_RESUME };

struct native_message {
	enum native_kind kind;
	uint64_t request;  /* id, 0: none */
	struct slice room; /* empty: the only one */
	struct command command;
	struct slice session, secret; /* RESUME */
	struct json json;             /* RESUME: for native_seen() */
	uint32_t seen, chat;
	const char *detail; /* what is wrong, when an error is returned; static text */
};

/* Scratch of one worker for decoding. */
#define NATIVE_MAX_TOKENS 4096
struct native_scratch {
	struct json_token tokens[NATIVE_MAX_TOKENS];
	struct buf text; /* unescaped strings; grows to the size of a message */
};

/* Slices of `m` point into `text` or the scratch. E_MALFORMED, E_TRUNCATED, E_LIMIT, E_UNKNOWN_TYPE, E_BAD_FIELD; m->request is set
 * whenever the text was JSON with a good id, so that the error can be a reply. */
int native_decode(struct native_message *m, struct slice text, struct native_scratch *s)
	NODISCARD;

/* RESUME: the number of the chat that the client knows last; UINT64_MAX: it does not say. */
uint64_t native_known(const struct native_message *m, struct slice room);
/* RESUME: the number that the client has seen last of that room; 0: it names none. */
uint64_t native_seen(const struct native_message *m, struct slice room);

/* Appends the message for one event; `room` is the room's name, already quoted. REPLY and WELCOME
 * included; a REPLY without request and error gives nothing. */
void native_encode(struct buf *b, struct slice room, const struct event *e);
/* The reply to something kept in the chat; nothing without a request. */
void native_encode_kept(struct buf *b, const struct event *e);
/* What a restored session has missed in the chat: its messages are left in `b`, one after the other, each
 * with its length before it (cur_prefixed()); the last one says that this was all. */
void native_encode_replay(struct buf *b, struct slice room, const struct event *e);
/* An answer: a reply when request is not 0, else an error message (nothing on success). */
void native_encode_reply(struct buf *b, uint64_t request, int err, const char *detail);
