/* turn: a TURN server without sockets (RFC 8489, 8656, 8016): messages of clients and packets of peers go
 * in, with the time; messages, packets and wishes for relay sockets come out through a small table.
 *
 * Owner:  a loop; one `struct turn` per worker. A client's allocation lives where its packets arrive.
 *         What workers share (who may have how much, which ports are lent out) is in struct turn_ledger.
 * Memory: nothing is kept for who has not proven a password. An allocation is some 500 bytes, and
 *         more for each peer.
 * Limits: those of struct turn_settings; each is answered by a code of turn/error.h.
 *
 * A client is known by its path (the 5-tuple). Over UDP a path is where a datagram came from; over TCP, TLS and
 * DTLS it is a connection, and turn_path_closed() tells its end.
 */
#pragma once
#include "base/clock.h"
#include "base/list.h"
#include "net/addr.h"
#include "turn/credential.h"
#include "turn/ledger.h"
#include "turn/policy.h"
#include "turn/refusals.h"

/* TURN_NOWHERE: the connection is gone, but its client may come back on another one (RFC 8016). */
enum turn_transport { TURN_UDP, TURN_TCP, TURN_TLS, TURN_DTLS, TURN_NOWHERE };

struct turn_path {
	struct addr remote;
	struct addr local; /* what the client sent to, when that says more than `link` */
	void *link;        /* the wiring's: a UDP socket, or a connection */
	enum turn_transport transport;
	unsigned via; /* the worker that has `link`, and 1; 0: this one */
};

struct turn_now {
	ms_t mono;
	ms_t wall;
};

/* A relay address. The wiring keeps its socket in `socket`. */
struct turn_relay {
	struct turn_alloc *alloc;
	struct addr told; /* as clients know it */
	void *socket;     /* NULL: there is none of this family. UDP, or listening */
	ms_t until;       /* its lifetime */
};

#define TURN_TCP_STATES(X)                                                               \
	X(CONNECTING, "to the peer; the Connect request waits for its answer")           \
	X(WAITING, "for a connection of the client that names it")                       \
	X(BOUND, "joined with one; only the wiring has to do with it")

#define X(name, prose) TURN_TCP_##name,
enum turn_tcp_state { TURN_TCP_STATES(X) };
#undef X

/* A connection between a relay address and a peer. The wiring keeps its part in `wire`. */
struct turn_tcp {
	struct list link; /* of the allocation */
	struct turn_alloc *alloc;
	void *wire;
	struct addr peer;
	uint32_t id;
	enum turn_tcp_state state;
	enum stun_proof proof; /* of the request that waits, */
	bool fingerprint;
	uint8_t tid[STUN_TID];
};

/* What a client gets: bytes one after the other, then zero bytes to a multiple of four. */
struct turn_parts {
	struct slice head;
	struct slice body;
	uint8_t pad;
};

struct turn_ops {
	void (*send)(void *arg, const struct turn_path *to,
		     const struct turn_parts *parts);
	/* Opens a socket at that address; r->socket is set. -EADDRINUSE: another port will be tried. */
	int (*relay_open)(void *arg, struct turn_relay *r, const struct addr *at);
	void (*relay_close)(void *arg, struct turn_relay *r);
	void (*relay_send)(void *arg, struct turn_relay *r, const struct addr *to,
			   struct slice body, bool whole);
	/* The same for TCP allocations: a listening socket; connections from the relay address, and their end; `path` is the
	 * client's connection from now on joined with c. */
	int (*relay_listen)(void *arg, struct turn_relay *r, const struct addr *at);
	int (*tcp_connect)(void *arg, struct turn_tcp *c, const struct turn_relay *from);
	void (*tcp_close)(void *arg, struct turn_tcp *c);
	void (*tcp_join)(void *arg, struct turn_tcp *c, const struct turn_path *path);
	/* To a relay of this server that lives on another worker: turn_from_relay() there. */
	void (*forward)(void *arg, unsigned worker, const struct addr *to,
			const struct addr *from, struct slice body);
	/* A message about an allocation of another worker: turn_input() there, with path.via. */
	void (*pass_on)(void *arg, unsigned worker, const struct turn_path *from,
			struct slice bytes);
	/* A path of another worker is one of an allocation here, or no longer: what comes from it belongs here. */
	void (*guest)(void *arg, const struct turn_path *path, bool stays);
};

struct turn_settings {
	const char *realm;
	struct turn_users users;
	/* Relay addresses by family, IPv4 and IPv6: as clients are told and as sockets are bound. Family 0: none. */
	struct addr told[2], bound[2];
	struct turn_policy policy;
	struct addr alternate; /* sends everybody away (300); family 0: nobody */
	ms_t lifetime, max_lifetime, nonce_lifetime;
	uint32_t max_peers; /* permissions and channels of an allocation */
	uint32_t
		unproven_rate; /* answers per second and address to who has proven nothing; 0: no limit */
	uint64_t nonce_key[2];
	bool mobility; /* RFC 8016 */
	uint8_t ticket_key[32];
	struct turn_ledger *ledger;
	struct turn_refusals *refusals;
	/* The session that a credential's user names; 0: it names none. May be NULL. */
	uint64_t (*session_of)(struct slice user);
};

struct turn;

/* Settings and ops must outlive it. */
struct turn *turn_create(const struct turn_settings *s, unsigned worker,
			 const struct turn_ops *ops, void *arg);
void turn_destroy(struct turn *t); /* ends all allocations */

/* No new allocations from now on. */
void turn_drain(struct turn *t);
/* A datagram, or a frame of a connection: a STUN message or ChannelData. The body of what is relayed lies in it. */
void turn_input(struct turn *t, const struct turn_path *from, struct slice bytes,
		struct turn_now now);
/* A packet of a peer, at the socket of a relay. */
void turn_relay_input(struct turn *t, struct turn_relay *r, const struct addr *from,
		      struct slice body, struct turn_now now);
/* What somebody on the way said of a packet that a relay has sent to `peer` (ICMP, or ICMPv6 as the peer is). `info`: the
 * largest packet that would have passed, where it is about size. */
void turn_relay_error(struct turn *t, struct turn_relay *r, const struct addr *peer,
		      uint8_t type, uint8_t code, uint32_t info, struct turn_now now);
/* A packet from another relay of this server, by the address that it was sent to. */
void turn_from_relay(struct turn *t, const struct addr *to, const struct addr *from,
		     struct slice body, struct turn_now now);
/* --- TCP allocations --- */
/* The connection is there, or it failed: then c is gone. */
void turn_tcp_connected(struct turn_tcp *c, int err);
/* A peer has come; NULL: it is not welcome. */
struct turn_tcp *turn_tcp_accepted(struct turn_relay *r, const struct addr *peer,
				   struct turn_now now);
/* Frees it and tells tcp_close(). */
void turn_tcp_end(struct turn_tcp *c);
/* The worker that a CONNECTION-ID belongs to. */
unsigned turn_tcp_worker(uint32_t id);

/* A connection is gone, and its allocation with it; one with a ticket waits for its client. */
void turn_path_closed(struct turn *t, const struct turn_path *path, struct turn_now now);
/* A session has ended, or has nothing to do with its relays any more. */
void turn_end_session(struct turn *t, uint64_t session, struct turn_now now);

/* When turn_tick() is due, on the monotonic clock; -1: not at all. */
ms_t turn_next_timeout(const struct turn *t);
void turn_tick(struct turn *t, struct turn_now now);
size_t turn_count(const struct turn *t); /* allocations */
