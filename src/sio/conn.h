/* conn: the state of an Engine.IO session. Private to sio/: eio.c (requests), conn.c (life, output), poll.c (long
 * polling), candidate.c (WebSockets in), move.c (from loop to loop).
 */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "sio/eio.h"
#include "sio/queue.h"

/* Only sessions that poll have this. */
struct eio_polling {
	struct eio_queue out;
	struct http_exchange *poll; /* waits for packets; NULL: none */
	struct ws *candidate;       /* wants to become the transport */
	struct loop_timer upgrade;  /* how long it may try */
	struct eio_conn *conn;
	struct addr peer;       /* of the request that opened it */
	struct eio_queue *rest; /* of the request that brought it to move; else NULL */
	bool base64;
};

struct eio_conn {
	struct list link; /* eio->conns */
	struct eio *eio;
	void *own;
	struct ws *ws;               /* the transport, or NULL */
	struct eio_polling *polling; /* NULL: a WebSocket carries the packets */
	struct eio_engine engine;
	struct loop_timer timer; /* the engine's alarm; CLOSING: the end */
	struct loop_task task;   /* answers the poll, or ends */
	char *asked; /* by the first request: the token, NUL, what the page put into the address; NULL: neither */
	char sid[EIO_SID];
	uint8_t why;     /* enum eio_why, once closed */
	bool told : 1;   /* of its end */
	bool single : 1; /* it began with a WebSocket */
	bool moving : 1;
};

struct eio {
	struct loop *loop;
	unsigned workers;
	const struct eio_settings *settings;
	const struct eio_ops *ops;
	void *arg;
	struct map by_sid; /* those that have ever polled */
	struct map
		moved; /* of them, those that are elsewhere: the worker's number, plus 1 */
	struct list conns;
	struct buf text;    /* decoded base64 */
	struct buf payload; /* an answer to a poll; a handshake */
	struct buf terms;   /* the times in a handshake */
	bool draining;
};

/* --- conn.c --- */
struct eio_conn *eio_conn_create(struct eio *e, struct http_exchange *x, unsigned version,
				 bool websocket);
/* `open`, then the handshake packet in front of what it sends. */
void eio_conn_open(struct eio_conn *c);
/* Does what a packet asks for. False: the session (or the candidate) ends by it. */
bool eio_conn_packet(struct eio_conn *c, enum eio_source from,
		     const struct eio_packet *p);
/* Its packets go over the WebSocket from now on. */
void eio_conn_upgrade(struct eio_conn *c);
/* At once; no word to the client. */
void eio_conn_end(struct eio_conn *c, enum eio_why why);
/* Sets its timer by the engine. */
void eio_conn_arm(struct eio_conn *c);
/* Looks at the clock: false: it has died meanwhile. */
bool eio_conn_alive(struct eio_conn *c);
/* Tells the application and frees it. */
void eio_conn_finish(struct eio_conn *c);
void eio_conn_free(struct eio_conn *c);

/* --- poll.c --- */
struct eio_polling *eio_polling_create(struct eio_conn *c, struct http_exchange *x,
				       bool base64);
/* Answers what waits, closes what tries. */
void eio_polling_destroy(struct eio_polling *p);
void eio_poll_get(struct eio_conn *c, struct http_exchange *x);
void eio_poll_post(struct eio_conn *c, struct http_exchange *x);
/* Answers the waiting poll with what is queued, else with `alone` (a packet, or NULL: then it goes on waiting). */
void eio_poll_answer(struct eio_conn *c, const char *alone);

/* --- candidate.c --- */
/* Answers the upgrade; NULL: refused, and answered. */
struct ws *eio_accept(struct eio *e, struct http_exchange *x, struct eio_conn *c);
void eio_candidate_open(struct eio_conn *c, struct http_exchange *x);
void eio_candidate_drop(struct eio_conn *c);
/* On its new loop. */
void eio_candidate_attach(struct eio_conn *c);
/* The WebSocket is no longer ours to hear of. */
void eio_forget_ws(struct ws *w, uint16_t code);

/* --- move.c --- */
/* A packet for a session that is on its way. */
void eio_move_packet(struct eio_conn *c, const struct eio_packet *p);
/* Its home is to know where it is. */
void eio_tell_home(struct eio_conn *c, unsigned worker);
/* Where the session of that id is now; EIO_GONE: it has not moved away. */
unsigned eio_moved_to(const struct eio *e, struct slice sid);
/* The worker that an id names; a number too large when it is none of ours. */
unsigned eio_sid_worker(struct slice sid);

/* --- eio.c --- */
enum eio_error {
	EIO_UNKNOWN_TRANSPORT,
	EIO_UNKNOWN_SID,
	EIO_BAD_HANDSHAKE_METHOD,
	EIO_BAD_REQUEST,
	EIO_FORBIDDEN,
	EIO_UNSUPPORTED_VERSION,
};
void eio_refuse(struct http_exchange *x, int status, enum eio_error code);
