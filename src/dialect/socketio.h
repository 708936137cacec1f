/* socketio: private to the files of Socket.IO sessions: socketio.c (what they are), recovery.c (how they come back). */
#pragma once
#include "dialect/internal.h"
#include "dialect/table.h"

struct socketio {
	struct dialect *dialect;
	struct sio *sio;
	uint64_t
		tried; /* workers that do not know whom the client wants to be again: BIT(id) */
	struct list lost;      /* of struct recovery */
	struct list greetings; /* that tables are still to say */
	struct loop_timer greet;
	struct buf name, args;  /* of the event that is being heard */
	char *path, *path_bare; /* with and without the '/' at its end */
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
void recovery_hear(struct buf *b, struct fanout_channel *c, size_t from, uint64_t except);
/* Keeps the session of a broken connection for a while; false: it has nothing to keep. */
bool recovery_keep(struct session *s, enum leave_reason reason);
/* Whether the connect packet is from somebody who was there: then it is answered, or the client moves to another worker. */
bool recovery_ask(struct socketio *g, struct sio_socket *socket, const struct table *t,
		  struct slice auth);
void recovery_drain(struct dialect *d);
