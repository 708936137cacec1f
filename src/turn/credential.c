#include "turn/credential.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"

/* "<digits>:<who>", or "<digits>": when it expires. */
static bool split_expiry(struct slice name, ms_t *until, struct slice *who)
{
	struct slice rest = name, digits;
	uint64_t seconds;

	if (!slice_split(&rest, ':', &digits) || slice_to_u64(digits, &seconds) < 0 ||
	    seconds > INT64_MAX / 1000)
		return false;
	*until = (ms_t)seconds * 1000;
	*who = rest;
	return true;
}

bool turn_user_expires(struct slice name)
{
	struct slice who;
	ms_t until;

	return split_expiry(name, &until, &who);
}

void turn_users_init(struct turn_users *u)
{
	*u = (struct turn_users){ 0 };
	map_init(&u->by_name);
	map_init(&u->by_hash);
}

int turn_users_add(struct turn_users *u, struct slice item, struct slice realm)
{
	uint8_t hash[STUN_SHA256];
	size_t colon = slice_find(item, ':');
	struct slice name = slice_of(item.p, colon), who;
	ms_t until;

	if (colon == 0 || colon + 1 >= item.n || colon > TURN_MAX_USER ||
	    split_expiry(item, &until, &who))
		return E_MALFORMED;
	free(map_put(&u->by_name, name, slice_dup(slice_from(item, colon + 1))));
	turn_user_hash(name, realm, hash);
	free(map_put(&u->by_hash, slice_of(hash, sizeof(hash)), slice_dup(name)));
	return 0;
}

void turn_users_fini(struct turn_users *u)
{
	size_t at = 0;
	char *password, *name;

	while ((password = map_next(&u->by_name, &at))) {
		OPENSSL_cleanse(password, strlen(password));
		free(password);
	}
	at = 0;
	while ((name = map_next(&u->by_hash, &at)))
		free(name);
	map_fini(&u->by_name);
	map_fini(&u->by_hash);
}

/* --- names that are not told --- */

void turn_user_hash(struct slice name, struct slice realm, uint8_t out[STUN_SHA256])
{
	struct buf b = BUF_INIT(TURN_MAX_USER + 256);

	buf_put(&b, name);
	buf_u8(&b, ':');
	buf_put(&b, realm);
	if (b.bad || EVP_Digest(b.p, b.n, out, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* as in make_key() */
	buf_fini(&b);
}

struct slice turn_users_unhash(const struct turn_users *u, struct slice hash)
{
	const char *name = map_find(&u->by_hash, hash);

	return name ? slice_str(name) : SLICE_NONE;
}

/* --- keys --- */

static void rest_password(const struct turn_users *u, struct stun_hmac *h,
			  struct slice name, char out[32])
{
	struct buf b = { .p = (uint8_t *)out, .cap = 31, .max = 31 };
	uint8_t mac[STUN_SHA1];

	stun_hmac_sha1(h, u->secret, name, mac);
	base64_encode(&b, slice_of(mac, sizeof(mac))); /* 28 characters */
	out[b.n] = 0;
}

static void make_key(struct turn_key *key, enum turn_algorithm how, struct slice name,
		     struct slice realm, struct slice password)
{
	struct buf b = BUF_INIT(4096);
	unsigned n = 0;

	buf_put(&b, name);
	buf_u8(&b, ':');
	buf_put(&b, realm);
	buf_u8(&b, ':');
	buf_put(&b, password);
	const EVP_MD *md = how == TURN_SHA256 ? EVP_sha256() : EVP_md5();
	if (b.bad || EVP_Digest(b.p, b.n, key->p, &n, md, NULL) != 1)
		abort(); /* names and passwords are bounded; else for want of memory only */
	key->n = (uint8_t)n;
	OPENSSL_cleanse(b.p, b.n);
	buf_fini(&b);
}

int turn_user_find(const struct turn_users *u, struct stun_hmac *h, struct slice name,
		   struct slice realm, enum turn_algorithm how, struct turn_user *out)
{
	char rest[32];

	if (name.n == 0 || name.n > TURN_MAX_USER)
		return E_NOT_FOUND;
	const char *password = map_find(&u->by_name, name);
	out->until = 0;
	out->who = name;
	if (!password) {
		if (u->secret.n == 0 || !split_expiry(name, &out->until, &out->who))
			return E_NOT_FOUND;
		rest_password(u, h, name, rest);
		password = rest;
	}
	make_key(&out->key, how, name, realm, slice_str(password));
	return 0;
}

int turn_credential_make(const struct turn_users *u, struct stun_hmac *h,
			 struct slice who, ms_t until, struct turn_credential *out)
{
	struct buf b = { .p = (uint8_t *)out->user,
			 .cap = sizeof(out->user) - 1,
			 .max = sizeof(out->user) - 1 };

	if (u->secret.n == 0)
		return E_NOT_FOUND;
	buf_dec(&b, (uint64_t)until / 1000);
	buf_u8(&b, ':');
	buf_put(&b, who);
	if (b.bad)
		return E_LIMIT;
	out->user[b.n] = 0;
	rest_password(u, h, buf_slice(&b), out->password);
	return 0;
}
