/* nonce: what a client must repeat to show that it has heard us lately. Nothing is kept: a nonce is its time and a
 * keyed hash of the time and the client's IP address, so that it is good on every worker, for all connections of that
 * client and nobody elsewhere.
 *
 *   obMatJos2 AAAB tttttmmmmmmmmmmm
 *   cookie    |    base64 of the time (32 bits, s) and the hash (64 bits)
 *             security features (RFC 8489, 9.2 and 18.1): password algorithms are offered
 */
#pragma once
#include "base/clock.h"
#include "net/addr.h"

#define TURN_NONCE 29

struct turn_nonce {
	char text[TURN_NONCE];
};

void turn_nonce_make(struct turn_nonce *out, const uint64_t key[2],
		     const struct addr *client, ms_t wall);
/* Ours, for that client, and not older than `life`. */
bool turn_nonce_is_good(struct slice nonce, const uint64_t key[2],
			const struct addr *client, ms_t wall, ms_t life);
