/* eio: Engine.IO sessions over HTTP long polling and WebSocket, server side.
 *
 * Owner:  a loop. A session's id names the worker where it began; requests that come in elsewhere are forwarded there, and from there
 *         to where the session has moved since (eio_detach).
 * Output: over a WebSocket as ws.h has it; for a polling client it waits in a queue of at most settings.queue bytes.
 * Errors: 400 {"code","message"} as the reference server: 0 Transport unknown, 1 Session ID unknown, 2 Bad handshake
 *         method, 3 Bad request, 5 Unsupported protocol version; 403 with 4 Forbidden; 503 with 3 when there are too many sessions.
 * Limits: settings; one poll at a time: a second one ends the session.
 */
#pragma once
#include "http/http.h"
#include "sio/engine.h"
#include "ws/ws.h"

struct eio;      /* an endpoint on one worker */
struct eio_conn; /* the session of one client */

#define EIO_SID 22 /* two letters of the worker, 20 random ones */

struct eio_settings {
	struct eio_times times;
	struct ws_settings ws; /* max_message: max_payload; no pings of its own */
	size_t max_payload;
	size_t queue;         /* bytes that wait for a client that polls */
	int64_t max_sessions; /* of the process */
	bool allow_v3;
};

enum eio_why {
	EIO_BY_CLIENT, /* it said so */
	EIO_BROKEN,    /* its connection ended without a word */
	EIO_TIMEOUT,   /* no sign of life */
	EIO_PARSE,     /* it broke the rules */
	EIO_SLOW,      /* it read too slowly */
	EIO_BY_SERVER, /* eio_close() */
	EIO_SHUTDOWN,
};

struct eio_ops {
	/* A client has come. What is returned goes to the other calls. It may be sent to. */
	void *(*open)(void *arg, struct eio_conn *c);
	/* Text is valid UTF-8. The data are valid during the call. */
	void (*message)(void *own, struct eio_conn *c, bool binary, struct slice data);
	/* The WebSocket carries the packets now. */
	void (*upgraded)(void *own, struct eio_conn *c);
	/* Once; the session is gone after it. */
	void (*closed)(void *own, struct eio_conn *c, enum eio_why why);
	/* A request for a session of that worker: to be carried there and shown to eio_on_request() again. */
	void (*forward)(void *arg, struct http_exchange *x, unsigned worker);
	/* eio_locate() is to be called on worker `home`. */
	void (*located)(void *arg, struct slice sid, unsigned home, unsigned worker);
};

/* Settings and ops must outlive it. `workers`: how many loops the process has. */
struct eio *eio_create(struct loop *l, unsigned workers, const struct eio_settings *s,
		       const struct eio_ops *ops, void *arg);
void eio_destroy(struct eio *e);
/* Closes all sessions. */
void eio_drain(struct eio *e);
/* The handler of its path, for all methods; arg: the endpoint. */
void eio_on_request(struct http_exchange *x, void *arg);

/* A packet as text, with the type in front: "4hello". */
void eio_send(struct eio_conn *c, struct slice packet);
void eio_send_binary(struct eio_conn *c, struct slice data);
/* Says what was sent before, and closes. `closed` follows. */
void eio_close(struct eio_conn *c, enum eio_why why);

/* The WebSocket that carries the packets, or NULL. */
struct ws *eio_ws(const struct eio_conn *c);
/* It has not been closed. */
bool eio_is_open(const struct eio_conn *c);
unsigned eio_version(const struct eio_conn *c);
struct slice eio_sid(const struct eio_conn *c);
/* What its worker's eio was created with. */
void *eio_arg(const struct eio_conn *c);
struct loop *eio_loop(const struct eio_conn *c);
/* Of the WebSocket, else of the request that opened it; while it is open. */
const struct addr *eio_peer(const struct eio_conn *c);
/* The token of the request that opened it (http_token()), or empty. */
struct slice eio_token(const struct eio_conn *c);
/* What else its address asked: "user=7&x=y", raw; of more than EIO_MAX_QUERY bytes nothing. */
#define EIO_MAX_QUERY 1024
struct slice eio_query(const struct eio_conn *c);
void *eio_own(const struct eio_conn *c);

/* Hand-over to another loop, as ws_detach(); allowed within `message`. What else the same request brought is heard there. */
void eio_detach(struct eio_conn *c, unsigned worker);
/* `again`: a text message (without the type) that is heard first, or empty. */
void eio_attach(struct eio *e, struct eio_conn *c, struct slice again);
/* Where the session of that id, which began here, has moved to; EIO_GONE: it has ended. */
#define EIO_GONE LOOP_MAX
void eio_locate(struct eio *e, struct slice sid, unsigned worker);
