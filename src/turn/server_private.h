/* server_private: what server.c (datagrams, relay sockets, sessions) and conn.c (connections) share. */
#pragma once
#include "net/dtls.h"
#include "turn/internal.h"
#include "turn/server.h"

struct turn_server {
	struct loop *loop;
	struct udp_pool *pool;
	int64_t max_dtls;
	unsigned workers;
	struct dtls_door *door; /* NULL: no DTLS */
	struct map dtls;        /* sessions by the hash of where they come from */
	const struct turn_settings *settings;
	struct turn *turn;
	struct stun_hmac *hmac; /* for credentials */
	struct list conns;
	struct loop_timer timer;
	unsigned mail;
};

struct turn_now turn_server_now(const struct turn_server *s);
void turn_server_hand_over(const struct turn_server *s, unsigned worker,
			   struct stream *stream);
void turn_server_input(struct turn_server *s, const struct turn_path *from,
		       struct slice bytes);

/* dtls_conn.c */
struct turn_dtls;
void turn_dtls_datagram(struct turn_server *s, struct udp *u, const struct udp_packet *p);
void turn_dtls_send(struct turn_dtls *c, const struct turn_parts *parts);
void turn_dtls_close_all(struct turn_server *s);

/* tcp_wire.c */
int turn_wire_listen(void *arg, struct turn_relay *r, const struct addr *at);
int turn_wire_connect(void *arg, struct turn_tcp *c, const struct turn_relay *from);
void turn_wire_close(void *arg, struct turn_tcp *c);
/* From now on the client's stream belongs to the peer's connection. */
void turn_wire_join(struct turn_tcp *c, struct stream *client);
void turn_wire_unlisten(struct turn_relay *r);

/* conn.c */
struct turn_conn;
/* Gives the stream away: the connection has nothing more to do with it. */
struct stream *turn_conn_take(struct turn_conn *c);
/* A stream that another worker sends. */
void turn_conn_attach(struct turn_server *s, struct stream *stream);
void turn_conn_send(struct turn_conn *c, const struct turn_parts *parts);
void turn_conn_close_all(struct turn_server *s);
