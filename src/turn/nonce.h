/* nonce: what a client must repeat to show that it has heard us lately. Nothing is kept: a nonce is its time and a
 * keyed hash of the time, what we say that we can do, and the client's IP address, so that it is good on every worker, for
 * all connections of that client and nobody elsewhere, and nobody on the way can make us seem to be able to do less.
 *
 *   obMatJos2 AAAD tttttmmmmmmmmmmm
 *   cookie    |    base64 of the time (32 bits, s) and the hash (64 bits)
 *             security features (RFC 8489, 9.2 and 18.1): 24 bits in base64
 */
#pragma once
#include "base/clock.h"
#include "net/addr.h"

#define TURN_NONCE 29

enum turn_features {
	TURN_ALGORITHMS = 1, /* PASSWORD-ALGORITHMS are offered: always */
	TURN_ANONYMITY = 2,  /* a USERHASH is wanted in place of a USERNAME */
};

struct turn_nonce {
	char text[TURN_NONCE];
};

void turn_nonce_make(struct turn_nonce *out, const uint64_t key[2],
		     const struct addr *client, ms_t wall, unsigned features);
/* Ours, for that client, and not older than `life`. Its features in *features. */
bool turn_nonce_is_good(struct slice nonce, const uint64_t key[2],
			const struct addr *client, ms_t wall, ms_t life,
			unsigned *features);
