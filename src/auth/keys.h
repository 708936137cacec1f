/* keys: whose signatures count: API keys (a name and a secret: HS256), and the public keys of a
 * JSON Web Key Set (RFC 7517: RS256, ES256).
 *
 * A key is good for one algorithm: a public key is never taken for a secret. Shared by all workers;
 * read-only after the start, but for the set, which auth_keys_replace() exchanges as a whole, and the
 * API keys, which auth_keys_change() does. Those of before go with the last one who holds them, and their secrets are wiped.
 * Locks: one, held to take, drop or exchange either; nothing is locked inside it.
 * Limits: AUTH_MAX_KEYS of each kind; RSA of 2048 to 8192 bits; P-256.
 */
#pragma once
#include "auth/jwt.h"
#include "base/clock.h"

#define AUTH_MAX_KEYS 64
#define AUTH_MIN_SECRET 16
#define AUTH_MAX_JWKS (256u << 10) /* bytes of a set */

struct auth_settings {
	const char *const *keys; /* "NAME:SECRET" */
	size_t key_count;
	struct slice jwks;    /* JSON text, or empty */
	bool expects_set;     /* one comes later: without it nobody may come in */
	const char *issuer;   /* of tokens with keys of the set; "": any */
	const char *audience; /* of the same; "": any */
	ms_t skew;            /* how far clocks may be apart */
};

struct auth_keys;

/* The settings are copied. E_MALFORMED with a line for people in `why`, which never has a secret. */
int auth_keys_create(struct auth_keys **out, const struct auth_settings *s,
		     struct buf *why) NODISCARD;
void auth_keys_destroy(struct auth_keys *k);
/* Another set, from any thread; its count of keys. When it is none the old one stays, and `why` has a line. */
int auth_keys_replace(struct auth_keys *k, struct slice jwks, struct buf *why) NODISCARD;
/* Other API keys, from one thread; their count. When one is wrong, or there is none, the old ones stay, and `why` has a line. */
int auth_keys_change(struct auth_keys *k, const char *const *keys, size_t count,
		     struct buf *why) NODISCARD;
/* Asked, on any thread, when a token names a key that is not in the set: may it be there soon? Then the token is
 * E_UNAVAILABLE. To be set before the workers run. */
typedef bool auth_unknown_fn(void *arg);
void auth_keys_on_unknown(struct auth_keys *k, auth_unknown_fn *fn, void *arg);
/* There are none, and none are expected: everybody may come in. */
bool auth_keys_none(const struct auth_keys *k);
ms_t auth_keys_skew(const struct auth_keys *k);

/* Is the signature that of one of our keys, and are issuer and audience what they must be? E_UNAUTHORIZED, E_UNAVAILABLE with
 * the reason in *why (static text). `name`: the API key's, in the scratch; empty for one of the set. */
int auth_keys_verify(const struct auth_keys *k, const struct auth_jwt *t,
		     struct auth_scratch *s, struct slice *name, const char **why)
	NODISCARD;
/* "NAME:SECRET" as it was configured? */
bool auth_keys_secret(const struct auth_keys *k, struct slice text);

/* An API key that stays as it is until it is released, also when it is taken away meanwhile. */
struct auth_held {
	struct slice name, secret;
	struct api_keys *of;
};
/* That of this name, or the first when it is empty. False: there is none, and nothing to release. */
bool auth_keys_hold(const struct auth_keys *k, struct slice name, struct auth_held *out)
	NODISCARD;
void auth_keys_release(const struct auth_keys *k, struct auth_held *h);
