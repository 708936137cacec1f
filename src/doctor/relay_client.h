/* relay_client: a TURN client that does one thing: gets a relay and passes a message through it. Over UDP, TCP,
 * TLS or DTLS, blocking, one request at a time (RFC 8656; long-term credentials, RFC 8489, 9.2).
 */
#pragma once
#include "doctor/link.h"
#include "doctor/target.h"
#include "stun/integrity.h"

struct relay_client {
	struct link link;
	struct slice username, password;
	struct buf realm, nonce; /* as the server said */
	uint8_t key[16];
	struct stun_hmac *hmac;
	struct buf in;          /* received and not yet used */
	struct stun_msg answer; /* points into `message` */
	struct buf message;
	struct addr mapped, relayed, peer; /* peer: whom the last message came from */
	unsigned error;                    /* the code of the last refusal, 0: none */
	struct buf reason;
};

/* Connects; -errno, E_TIMEOUT, E_NOT_FOUND, E_MALFORMED (TLS). Close it either way. */
int relay_client_open(struct relay_client *c, const struct ice_target *t,
		      struct slice username, struct slice password, struct buf *why)
	NODISCARD;
void relay_client_close(struct relay_client *c);
/* Our address as the server sees it, in c->mapped. E_TIMEOUT, E_DENIED (see c->error). */
int relay_client_bind(struct relay_client *c) NODISCARD;
/* c->relayed, c->mapped. */
int relay_client_allocate(struct relay_client *c) NODISCARD;
int relay_client_permit(struct relay_client *c, const struct addr *peer) NODISCARD;
int relay_client_send(struct relay_client *c, const struct addr *peer, struct slice data)
	NODISCARD;
/* Gives the relay back; if that fails it ends by itself. */
void relay_client_release(struct relay_client *c);
/* Waits for a Data indication that holds `data`; c->peer says whom it came from. */
int relay_client_expect(struct relay_client *c, struct slice data) NODISCARD;
