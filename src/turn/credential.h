/* credential: user names and what they prove with.
 *
 * Two kinds: users with a password from the settings, and credentials that expire, made from a shared secret
 * ("TURN REST"): the user name is "<unix time of expiry>:<who>", or the time alone, the password
 * base64(HMAC-SHA1(secret, user name)). The key that messages are proven with is MD5 or SHA-256 of
 * "user:realm:password" (RFC 8489, 9.2.2).
 */
#pragma once
#include "base/clock.h"
#include "base/map.h"
#include "stun/integrity.h"

#define TURN_MAX_USER 512 /* RFC 8489, 14.3: less than 509 bytes */

struct turn_users {
	struct slice secret; /* empty: no expiring credentials */
	struct map by_name;  /* char *password */
	struct map by_hash;  /* char *name */
};

void turn_users_init(struct turn_users *u);
void turn_users_fini(struct turn_users *u);
/* "name:password"; E_MALFORMED. The name may not look like an expiring one ("123:"). */
int turn_users_add(struct turn_users *u, struct slice item, struct slice realm) NODISCARD;

/* USERHASH (RFC 8489, 14.4): SHA-256 of "name:realm", for who does not want to be named in clear. */
void turn_user_hash(struct slice name, struct slice realm, uint8_t out[STUN_SHA256]);
/* The name of a user from the settings; empty: nobody's. An expiring one cannot be told from its hash. */
struct slice turn_users_unhash(const struct turn_users *u, struct slice hash);

/* PASSWORD-ALGORITHM (RFC 8489, 18.5.1): what the key is made with. */
enum turn_algorithm { TURN_MD5 = 1, TURN_SHA256 = 2 };

struct turn_key {
	uint8_t p[STUN_SHA256];
	uint8_t n;
};

struct turn_user {
	struct turn_key key;
	struct slice who; /* into the name: after the expiry, maybe empty; or all of it */
	ms_t until;       /* wall clock; 0: it does not expire */
};

/* Looks `name` up and makes its key. E_NOT_FOUND: no such user. The expiry is not judged here. */
int turn_user_find(const struct turn_users *u, struct stun_hmac *h, struct slice name,
		   struct slice realm, enum turn_algorithm how, struct turn_user *out)
	NODISCARD;

/* Does the name have the form of one that expires? */
bool turn_user_expires(struct slice name);

/* A credential of `who` (no longer than 64 bytes) that expires at `until`, written as texts. E_NOT_FOUND
 * when there is no secret. */
struct turn_credential {
	char user[96];
	char password[32];
};
int turn_credential_make(const struct turn_users *u, struct stun_hmac *h,
			 struct slice who, ms_t until, struct turn_credential *out)
	NODISCARD;
