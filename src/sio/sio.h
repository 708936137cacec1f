/* sio: Socket.IO (protocol 5, and 4 of 2.x clients) on Engine.IO sessions: namespaces, events, acks, attachments.
 *
 * Owner:  a loop. A client has one Engine.IO session, and a socket in each namespace that it is connected to.
 * Binary: attachments come and go as one slice, each written by buf_prefixed(), in the order of their numbers.
 * Limits: SIO_MAX_SOCKETS per client; a client that connects to none within connect_timeout is closed; a packet with its
 *         attachments has max_payload bytes at most; a packet that breaks the rules closes the session, as in the reference.
 */
#pragma once
#include "sio/eio.h"
#include "sio/packet.h"

struct sio;        /* an endpoint on one worker */
struct sio_client; /* whose Engine.IO session it is */
struct sio_socket; /* a client in a namespace */

#define SIO_MAX_SOCKETS 8
#define SIO_MAX_TOKENS 4096

struct sio_settings {
	struct eio_settings eio;
	ms_t connect_timeout;
};

struct sio_event {
	struct slice array; /* ["name",...] as it came */
	struct json json;   /* the same, sliced: token 1 is the name */
	struct slice binary;
	bool has_id; /* an ack is wanted */
	uint64_t id;
};

struct sio_ops {
	/* A client asks for a namespace: to be answered by sio_accept(), sio_refuse() or sio_wait() before it returns, or moved.
	 * auth: a JSON object, or empty. */
	void (*connect)(void *arg, struct sio_socket *s, struct slice auth);
	void (*event)(void *own, struct sio_socket *s, const struct sio_event *e);
	/* The answer to an event of ours that wanted one. args: a JSON array. */
	void (*ack)(void *own, struct sio_socket *s, uint64_t id, struct slice args,
		    struct slice binary);
	/* sio_ws() has become a WebSocket. */
	void (*upgraded)(void *own, struct sio_socket *s);
	/* Once, also after sio_disconnect(); the socket is gone after it. */
	void (*disconnect)(void *own, struct sio_socket *s, enum eio_why why);
	/* see eio_ops */
	void (*forward)(void *arg, struct http_exchange *x, unsigned worker);
	void (*located)(void *arg, struct slice sid, unsigned home, unsigned worker);
};

/* Settings and ops must outlive it. */
struct sio *sio_create(struct loop *l, unsigned workers, const struct sio_settings *s,
		       const struct sio_ops *ops, void *arg);
void sio_destroy(struct sio *g);
void sio_drain(struct sio *g);
/* The handler of its path; arg: the endpoint. */
void sio_on_request(struct http_exchange *x, void *arg);

/* data: what goes with the connect packet to clients of protocol 5: {"sid":...}. */
void sio_accept(struct sio_socket *s, void *own, struct slice data);
void sio_refuse(struct sio_socket *s, const char *message);
/* It cannot be told yet: `connect` is called again, for another socket, soon and often. All who wait are taken to wait for the
 * same, the oldest first. After connect_timeout it is refused. `message`: static text. */
void sio_wait(struct sio_socket *s, const char *message);

/* array: ["name",...] */
void sio_emit(struct sio_socket *s, struct slice array, struct slice binary);
void sio_ack(struct sio_socket *s, uint64_t id, struct slice args, struct slice binary);
/* Leaves the namespace; `disconnect` follows. */
void sio_disconnect(struct sio_socket *s);
/* Ends the client's session, with all its namespaces. */
void sio_close(struct sio_socket *s, enum eio_why why);

/* The same for an event that has its number already, or any other packet as it goes over a WebSocket: "42/ns,[...]". */
void sio_emit_packet(struct sio_socket *s, struct slice packet);
/* The application gives the socket up: no more calls; what else the client has ends as if its connection had broken. */
void sio_orphan(struct sio_socket *s);

/* All in front of an event's array in a text message over a WebSocket: "42/ns,". */
void sio_put_event_head(struct buf *b, struct slice ns);

struct slice sio_namespace(const struct sio_socket *s);
struct eio_conn *sio_conn(const struct sio_socket *s);
struct ws *sio_ws(const struct sio_socket *s);
struct loop *sio_loop(const struct sio_socket *s);
void *sio_own(const struct sio_socket *s);
/* The next socket of the same client, from the first (NULL) on. */
struct sio_socket *sio_next(const struct sio_client *c, const struct sio_socket *s);
struct sio_client *sio_client_of(const struct sio_socket *s);

/* May it move to another loop? Nothing of a packet is missing, nothing waits, and its session goes on. */
bool sio_can_move(const struct sio_client *c);
/* Hand-over, within `connect` or `event`; what is returned is that packet, to be copied and heard anew there. */
struct slice sio_detach(struct sio_client *c, unsigned worker);
void sio_attach(struct sio *g, struct sio_client *c, struct slice again);
/* See eio_locate(). */
void sio_locate(struct sio *g, struct slice sid, unsigned worker);
