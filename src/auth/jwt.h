/* jwt: JSON Web Tokens in their compact form (RFC 7515, 7519), taken apart and made. No I/O.
 *
 * Taking apart verifies nothing: that is auth_keys_verify(). Only HS256, RS256 and ES256 (RFC 7518)
 * exist here; "none" and everything else is refused, and so is a header with `crit`. `kid` is a
 * word to compare, never a path; `jku`, `jwk` and `x5u` are not looked at.
 * Limits: AUTH_TOKEN_MAX bytes, AUTH_TOKEN_VALUES JSON values.
 */
#pragma once
#include "base/json.h"

#define AUTH_TOKEN_MAX 8192
#define AUTH_TOKEN_VALUES 512
#define AUTH_MAX_KID 128

enum auth_alg { AUTH_HS256, AUTH_RS256, AUTH_ES256, AUTH_ALGS };

/* Room for one token; zeroed before the first use, emptied by auth_scratch_fini(). */
struct auth_scratch {
	struct buf header, claims, signature, text;
	struct json_token tokens[AUTH_TOKEN_VALUES];
};

void auth_scratch_init(struct auth_scratch *s);
void auth_scratch_fini(struct auth_scratch *s);

/* Slices into the token and the scratch. */
struct auth_jwt {
	enum auth_alg alg;
	struct slice kid;       /* empty: none */
	struct slice input;     /* what is signed */
	struct slice signature; /* raw */
	struct json claims;     /* an object */
};

/* E_MALFORMED, E_LIMIT, E_DENIED (an algorithm that is not ours). */
int auth_jwt_open(struct auth_jwt *t, struct slice token, struct auth_scratch *s)
	NODISCARD;

/* A string claim, unescaped into the scratch; empty when absent. E_BAD_FIELD. */
int auth_jwt_text(const struct auth_jwt *t, uint32_t object, const char *name, size_t max,
		  struct auth_scratch *s, struct slice *out) NODISCARD;
/* A NumericDate in seconds (fractions are dropped). False when absent. E_BAD_FIELD. */
int auth_jwt_time(const struct auth_jwt *t, const char *name, bool *there,
		  uint64_t *seconds) NODISCARD;

/* Appends HS256 token of these claims (one JSON object). */
void auth_jwt_sign(struct buf *b, struct slice claims, struct slice secret);
/* HMAC-SHA256. */
#define AUTH_MAC 32
void auth_mac(uint8_t out[AUTH_MAC], struct slice secret, struct slice input);
/* In a time that does not depend on where they differ. */
bool auth_same(struct slice a, struct slice b);
