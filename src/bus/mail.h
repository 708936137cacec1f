/* mail: every kind of letter that workers send each other, and its fields.
 *
 * HANDOVER, REQUEST and CLIENT carry pointers and stay within the process; the others are values and could
 * cross to another node as they are.
 */
#pragma once
#include "bus/address.h"
#include "bus/command.h"
#include "bus/event.h"

/* clang-format off */
#define BUS_MAIL_LIST(X)                                                                 \
	X(HANDOVER, "a connection moves to its room's worker")                           \
	X(REQUEST,  "an HTTP connection moves to the worker of its request's session")   \
	X(CLIENT,   "a Socket.IO client moves to its room's worker")                     \
	X(LOCATED,  "where a Socket.IO client of the receiver's has moved to")           \
	X(COMMAND,  "a command for a room of the receiver")                              \
	X(EVENT,    "an event for sessions of the receiver")                             \
	X(TURN,     "between the workers' TURN servers, which know what is in it")                             \
	X(ASK,      "the server asks something of the receiver's rooms (ask.h)")         \
	X(ANSWER,   "and is answered")                                                   \
	X(STORE_QUERY, "something for a thread of the store (store/query.h)")            \
	X(STORE_ANSWER, "and its answer")                                                \
	X(DEPOT_JOB, "something for a thread of the depot (depot/depot.c)")              \
	X(DEPOT_DONE, "and how it went")
/* clang-format on */

#define X(id, prose) BUS_##id,
enum bus_kind { BUS_MAIL_LIST(X) BUS_KINDS };
#undef X

struct bus_command {
	struct bus_home from;
	struct slice room; /* name */
	uint64_t member;   /* 0 for JOIN */
	uint64_t request;  /* goes back in the REPLY; 0: answer failures only */
	struct command command;
};

struct bus_event {
	uint64_t
		session; /* for this one (its answer, or an event for it alone); 0: for all members there */
	uint64_t except;   /* a member who does not get it */
	struct slice room; /* name */
	struct event event;
};

void bus_send_command(unsigned worker, const struct bus_command *c);
void bus_send_event(unsigned worker, const struct bus_event *e);
/* A letter holds at most a roster of ROOM_MAX_MEMBERS with full metadata. */
#define BUS_LETTER_MAX (64u << 20)
/* Mails what was encoded into b, and frees that. */
void bus_send_letter(unsigned worker, enum bus_kind kind, struct buf *b);
/* For the handlers, and what they decode. */
void bus_command_letter_encode(struct buf *b, const struct bus_command *c);
void bus_event_letter_encode(struct buf *b, const struct bus_event *e);
int bus_command_letter_decode(struct bus_command *c, struct slice body) NODISCARD;
int bus_event_letter_decode(struct bus_event *e, struct slice body) NODISCARD;
