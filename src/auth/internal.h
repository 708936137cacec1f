/* internal: public keys, between the files of this folder. */
#pragma once
#include <openssl/evp.h>

#include "auth/keys.h"

struct auth_public_key {
	char *kid; /* NULL: none */
	enum auth_alg alg;
	EVP_PKEY *pkey;
};

/* The keys of a set that can verify a signature; others (of other kinds or uses) are left out. Returns the
 * count, or an error with a line in `why`. */
int auth_jwks_read(struct slice text, struct auth_public_key *out, size_t max,
		   struct buf *why) NODISCARD;
void auth_public_key_fini(struct auth_public_key *k);
bool auth_public_key_verify(const struct auth_public_key *k, struct slice input,
			    struct slice signature);
