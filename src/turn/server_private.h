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
	struct map guests; /* struct guest, by the hash of their paths */
	struct loop_timer timer, drain;
	unsigned mail;
};

struct turn_now turn_server_now(const struct turn_server *s);
void turn_server_hand_over(const struct turn_server *s, unsigned worker,
			   struct stream *stream);
enum turn_letter {
	TURN_LETTER_PACKET,  /* for a relay of the receiver, */
	TURN_LETTER_SESSION, /* a session whose relays are to end, */
	TURN_LETTER_STREAM, /* a client's connection whose first message names one of the receiver's, */
	TURN_LETTER_SAID,   /* a message of a guest (guest.c), */
	TURN_LETTER_CLOSED, /* its connection's end, */
	TURN_LETTER_HEARS,  /* a message to it, */
	TURN_LETTER_STAYS,  /* that it is one, */
	TURN_LETTER_GOES,   /* and no longer */
};
/* About a path of a guest. */
void turn_server_post(const struct turn_server *s, unsigned worker, enum turn_letter kind,
		      const struct turn_path *path, struct slice body);
void turn_server_send(const struct turn_path *to, const struct turn_parts *parts);
/* Whether there is an allocation of that path, here or elsewhere. */
bool turn_server_knows(const struct turn_server *s, const struct turn_path *path);
void turn_server_path_closed(struct turn_server *s, const struct turn_path *path);
void turn_server_input(struct turn_server *s, const struct turn_path *from,
		       struct slice bytes);

/* dtls_conn.c */
struct turn_dtls;
void turn_dtls_datagram(struct turn_server *s, struct udp *u, const struct udp_packet *p);
void turn_dtls_send(struct turn_dtls *c, const struct turn_parts *parts);
void turn_dtls_close_all(struct turn_server *s);

/* guest.c: the first four where the client is, as are the last two, which the other worker asks for */
bool turn_guest_is(const struct turn_server *s, const struct turn_path *path);
/* False: it is none. */
bool turn_guest_says(struct turn_server *s, const struct turn_path *from,
		     struct slice bytes);
void turn_guest_pass_on(void *arg, unsigned worker, const struct turn_path *from,
			struct slice bytes);
void turn_guest_closed(struct turn_server *s, const struct turn_path *path);
void turn_guest_stays(struct turn_server *s, const struct turn_path *path, unsigned home,
		      bool stays);
void turn_guest_hears(struct turn_server *s, const struct turn_path *to,
		      struct slice bytes);
void turn_guest_leave_all(struct turn_server *s);

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
/* Hangs up on who has no allocation. False: nobody is left. */
bool turn_conn_finish_idle(struct turn_server *s);
void turn_conn_close_all(struct turn_server *s);
