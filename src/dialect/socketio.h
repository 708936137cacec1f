/* socketio: private to the files of Socket.IO sessions: socketio.c (what they are), recovery.c (how they come back),
 * recovery_restart.c (and how, when the server has been started anew meanwhile).
 */
#pragma once
#include "dialect/internal.h"
#include "dialect/table.h"

struct socketio {
	struct dialect *dialect;
	struct sio *sio;
	uint64_t
		tried; /* workers that do not know whom the client wants to be again: BIT(id) */
	struct list lost;      /* of struct lost */
	struct list greetings; /* that tables are still to say */
	struct loop_timer greet;
	struct buf name;        /* of the event that is being heard, if it has escapes */
	struct buf said;        /* a packet for one session */
	char *path, *path_bare; /* with and without the '/' at its end */
	char mark[32];          /* of all offsets: "@0.3", the worker and the boot */
	uint8_t mark_len;
};

/* What a client says that it has got. */
struct offset {
	bool current;    /* since the server started, here */
	uint64_t number; /* of the worker's, when current */
	uint64_t said;   /* of the chat's, + 1 */
};

/* A session that was restored: what was said to it before, and how far the store can tell it again. */
struct restart {
	uint8_t hash[STORE_HASH]; /* of the secret, until its client has shown that */
	bool proven;
	bool telling; /* it gets what was said before the restart */
	bool waiting; /* for the room to know what that is */
	uint64_t
		base; /* what the chat had at the restart: its last number + 1; 0: unknown */
	uint64_t asked;       /* counts the times that the store was asked */
	struct offset offset; /* of the client that has come */
	uint64_t seen;        /* of the worker's numbers, by it */
};

/* A session that has lost its line. */
struct lost {
	struct list link; /* socketio->lost */
	struct loop_timer timer;
	struct session *session;
};

/* How a session can come back. Numbers of the chat have 1 added: 0 is unknown. */
struct recovery {
	struct lost *lost;      /* NULL: it has its line */
	uint64_t since;         /* of the worker's numbers when it came there */
	struct event_trail own; /* what was said to it alone */
	uint64_t said;          /* the number of the last chat message among those, + 1 */
	struct restart *restart; /* NULL: it has begun after the server did */
	uint8_t namespace;       /* socketio_variant() while it has no socket */
	bool coming; /* into a room: what it is told is older than what all have been told */
};

extern const struct session_transport socketio_settled;

/* What the client in that namespace is called by everybody. */
struct slice socketio_id(const struct session *s);
/* Answers the connect packet of s->sio. */
void socketio_accept(struct session *s);
/* What is said from now on goes to that WebSocket, or (NULL) to the Socket.IO socket. */
void socketio_set_ws(struct session *s, struct ws *ws);
/* Carries the client to the worker, where the packet that is being heard is heard again. */
void socketio_move(struct sio_client *c, unsigned worker, uint64_t tried);

/* --- recovery.c --- */
/* A session that may be lost and come back. */
void recovery_begin(struct session *s);
/* It is on another worker now. */
void recovery_arrive(struct session *s);
void recovery_put_pid(struct jsonw *w, const struct session *s);
/* Says an event to the session alone, with its offset. */
void recovery_send(struct session *s, struct slice message, struct slice binary);
/* Puts the offset into the event that begins at `from`, which many share. */
void recovery_hear(struct buf *b, struct fanout_channel *c, size_t from,
		   const struct event *e, uint64_t except);
/* Goes on with the session, on that socket: what it has missed since number `seen`. False: some of that is gone. */
bool recovery_go_on(struct session *s, struct sio_socket *socket, uint64_t seen);
/* Its older connection, if it still has one, ends. */
void recovery_take_over(struct session *s);
void recovery_come(struct session *s, struct sio_socket *socket);
/* Keeps the session of a broken connection for a while; false: it has nothing to keep. */
bool recovery_keep(struct session *s, enum leave_reason reason);
/* It has no line. */
void recovery_lose(struct session *s);
/* All in the seat's channel have been told what the chat had up to number n. */
void recovery_note_chat(struct seat *seat, uint64_t n);
/* Whether the connect packet is from somebody who was there: then it is answered, or the client moves to another worker. */
bool recovery_ask(struct socketio *g, struct sio_socket *socket, const struct table *t,
		  struct slice auth);
void recovery_drain(struct dialect *d);
/* An array with its offset in place of the bracket at the end. */
void recovery_put_offset(struct buf *b, const struct dialect *d, uint64_t number,
			 uint64_t said);

/* --- recovery_restart.c --- */
/* It has lost its line, or found one: kept in the store. */
void recovery_note(const struct session *s);
/* It gets what was said before the restart: what is said now waits in the log. */
static inline bool recovery_is_retold(const struct session *s)
{
	return s->recovery && s->recovery->restart && s->recovery->restart->telling;
}
bool recovery_secret_is(const struct session *s, struct slice secret);
/* recovery_go_on() for a restored session: what the client lacks of the time before the restart comes first, from the store. */
bool recovery_catch_up(struct session *s, struct sio_socket *socket,
		       const struct offset *o);
