/* server_private: what server.c (datagrams, relay sockets, sessions) and conn.c (connections) share. */
#pragma once
#include "net/dtls.h"
#include "turn/internal.h"
#include "turn/server.h"

struct turn_server {
	struct loop *loop;
	struct udp_pool *pool;
	int64_t max_dtls;
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
void turn_server_input(struct turn_server *s, const struct turn_path *from,
		       struct slice bytes);

/* dtls_conn.c */
struct turn_dtls;
void turn_dtls_datagram(struct turn_server *s, struct udp *u, const struct udp_packet *p);
void turn_dtls_send(struct turn_dtls *c, const struct turn_parts *parts);
void turn_dtls_close_all(struct turn_server *s);

/* conn.c */
struct turn_conn;
void turn_conn_send(struct turn_conn *c, const struct turn_parts *parts);
void turn_conn_close_all(struct turn_server *s);
