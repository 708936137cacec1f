#include "auth/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/internal.h"
#include "base/err.h"
#include "base/mem.h"

#define MAX_ISSUER 512

struct api_key {
	char *name, *secret;
};

/* Never changed; goes with the last one who looks at it. */
struct api_keys {
	unsigned users; /* under the lock */
	size_t count;
	struct api_key key[AUTH_MAX_KEYS];
};

/* Never changed; goes with the last one who looks at it. */
struct key_set {
	unsigned users; /* under the lock */
	size_t count;
	struct auth_public_key key[AUTH_MAX_KEYS];
};

/* What may be exchanged; apart, since the keys are const to those who verify. */
struct key_slot {
	pthread_mutex_t lock;
	struct key_set *set;
	struct api_keys *api;
};

struct auth_keys {
	struct key_slot *slot;
	bool expects_set;
	char *issuer, *audience;
	ms_t skew;
	auth_unknown_fn *on_unknown; /* NULL: nobody is asked */
	void *on_unknown_arg;
};

/* --- the set --- */

static struct key_set *set_take(const struct auth_keys *k)
{
	struct key_slot *slot = k->slot;

	pthread_mutex_lock(&slot->lock);
	struct key_set *set = slot->set;
	set->users++;
	pthread_mutex_unlock(&slot->lock);
	return set;
}

static void set_drop(const struct auth_keys *k, struct key_set *set)
{
	pthread_mutex_lock(&k->slot->lock);
	bool last = --set->users == 0;
	pthread_mutex_unlock(&k->slot->lock);
	if (!last)
		return;
	for (size_t i = 0; i < set->count; i++)
		auth_public_key_fini(&set->key[i]);
	free(set);
}

static struct key_set *set_make(void)
{
	struct key_set *set = xzalloc(sizeof(*set));

	set->users = 1; /* the slot's */
	return set;
}

int auth_keys_replace(struct auth_keys *k, struct slice jwks, struct buf *why)
{
	struct key_set *set = set_make(), *before;
	int n = auth_jwks_read(jwks, set->key, AUTH_MAX_KEYS, why);

	if (n <= 0) {
		free(set);
		if (n == 0)
			buf_str(why, "it has no key for RS256 or ES256");
		return n < 0 ? n : E_MALFORMED;
	}
	set->count = (size_t)n;
	pthread_mutex_lock(&k->slot->lock);
	before = k->slot->set;
	k->slot->set = set;
	pthread_mutex_unlock(&k->slot->lock);
	set_drop(k, before);
	return n;
}

void auth_keys_on_unknown(struct auth_keys *k, auth_unknown_fn *fn, void *arg)
{
	k->on_unknown = fn;
	k->on_unknown_arg = arg;
}

/* --- API keys --- */

static struct api_keys *api_take(const struct auth_keys *k)
{
	struct key_slot *slot = k->slot;

	pthread_mutex_lock(&slot->lock);
	struct api_keys *a = slot->api;
	a->users++;
	pthread_mutex_unlock(&slot->lock);
	return a;
}

static void wipe(char *secret)
{
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void api_free(struct api_keys *a)
{
	for (size_t i = 0; i < a->count; i++) {
		free(a->key[i].name);
		wipe(a->key[i].secret);
	}
	free(a);
}

static void api_drop(const struct auth_keys *k, struct api_keys *a)
{
	pthread_mutex_lock(&k->slot->lock);
	bool last = --a->users == 0;
	pthread_mutex_unlock(&k->slot->lock);
	if (last)
		api_free(a);
}

/* The first when the name is empty. */
static const struct api_key *api_named(const struct api_keys *a, struct slice name)
{
	for (size_t i = 0; i < a->count; i++)
		if (name.n == 0 || slice_is(name, a->key[i].name))
			return &a->key[i];
	return NULL;
}

static int add_api_key(struct api_keys *a, struct slice item, struct buf *why)
{
	size_t colon = slice_find(item, ':');
	struct slice name = slice_of(item.p, colon), secret = slice_from(item, colon + 1);

	if (a->count == AUTH_MAX_KEYS) {
		buf_printf(why, "auth.key: at most %d", AUTH_MAX_KEYS);
		return E_LIMIT;
	}
	if (name.n == 0 || name.n > AUTH_MAX_KID || secret.n < AUTH_MIN_SECRET) {
		buf_printf(why,
			   "auth.key: each is NAME:SECRET with a secret of at least %d "
			   "characters; `openssl rand -hex 24` makes one",
			   AUTH_MIN_SECRET);
		return E_MALFORMED;
	}
	if (api_named(a, name)) {
		buf_printf(why, "auth.key: %.*s is there twice", SLICE_FMT(name));
		return E_MALFORMED;
	}
	a->key[a->count++] = (struct api_key){ slice_dup(name), slice_dup(secret) };
	return 0;
}

static int api_make(struct api_keys **out, const char *const *keys, size_t count,
		    struct buf *why)
{
	struct api_keys *a = xzalloc(sizeof(*a));
	int err = 0;

	a->users = 1; /* the slot's */
	for (size_t i = 0; err == 0 && i < count; i++)
		err = add_api_key(a, slice_str(keys[i]), why);
	if (err < 0)
		api_free(a);
	else
		*out = a;
	return err;
}

static bool api_same(const struct api_keys *a, const struct api_keys *b)
{
	for (size_t i = 0; a->count == b->count && i < a->count; i++)
		if (strcmp(a->key[i].name, b->key[i].name) != 0 ||
		    strcmp(a->key[i].secret, b->key[i].secret) != 0)
			return false;
	return a->count == b->count;
}

int auth_keys_change(struct auth_keys *k, const char *const *keys, size_t count,
		     struct buf *why)
{
	struct api_keys *before = k->slot->api, *a; /* no other thread changes it */
	int err = api_make(&a, keys, count, why);

	if (err < 0)
		return err;
	if (count == 0) {
		buf_str(why, "auth.key: there is none");
		err = E_MALFORMED;
	}
	if (err < 0 || api_same(a, before)) {
		api_free(a);
		return err < 0 ? err : (int)count;
	}
	pthread_mutex_lock(&k->slot->lock);
	k->slot->api = a;
	pthread_mutex_unlock(&k->slot->lock);
	api_drop(k, before);
	return (int)count;
}

/* --- reading --- */

static int add_set(struct auth_keys *k, struct slice jwks, struct buf *why)
{
	if (jwks.n == 0)
		return 0;
	buf_str(why, "auth.jwks: ");
	int n = auth_keys_replace(k, jwks, why);
	if (n < 0)
		return n;
	buf_clear(why);
	return 0;
}

int auth_keys_create(struct auth_keys **out, const struct auth_settings *s,
		     struct buf *why)
{
	struct auth_keys *k = xzalloc(sizeof(*k));
	struct api_keys *api;
	int err = api_make(&api, s->keys, s->key_count, why);

	if (err < 0) {
		free(k);
		return err;
	}
	k->issuer = xstrdup(s->issuer);
	k->audience = xstrdup(s->audience);
	k->skew = s->skew;
	k->expects_set = s->expects_set;
	k->slot = xzalloc(sizeof(*k->slot));
	pthread_mutex_init(&k->slot->lock, NULL);
	k->slot->set = set_make();
	k->slot->api = api;
	err = add_set(k, s->jwks, why);
	if (err < 0) {
		auth_keys_destroy(k);
		return err;
	}
	*out = k;
	return 0;
}

void auth_keys_destroy(struct auth_keys *k)
{
	if (!k)
		return;
	api_drop(k, k->slot->api);
	set_drop(k, k->slot->set);
	pthread_mutex_destroy(&k->slot->lock);
	free(k->slot);
	free(k->issuer);
	free(k->audience);
	free(k);
}

bool auth_keys_none(const struct auth_keys *k)
{
	pthread_mutex_lock(&k->slot->lock);
	bool none = k->slot->api->count == 0 && k->slot->set->count == 0;
	pthread_mutex_unlock(&k->slot->lock);
	return none && !k->expects_set;
}

ms_t auth_keys_skew(const struct auth_keys *k)
{
	return k->skew;
}

bool auth_keys_hold(const struct auth_keys *k, struct slice name, struct auth_held *out)
{
	struct api_keys *a = api_take(k);
	const struct api_key *key = api_named(a, name);

	if (!key) {
		api_drop(k, a);
		return false;
	}
	*out = (struct auth_held){ slice_str(key->name), slice_str(key->secret), a };
	return true;
}

void auth_keys_release(const struct auth_keys *k, struct auth_held *h)
{
	api_drop(k, h->of);
	*h = (struct auth_held){ .of = NULL };
}

/* --- verifying --- */

static int refuse(const char **why, const char *reason)
{
	*why = reason;
	return E_UNAUTHORIZED;
}

/* The issuer says by which secret it claims to be signed. */
static int verify_mac(const struct auth_keys *k, const struct auth_jwt *t,
		      struct slice issuer, const char **why)
{
	struct auth_held key;
	uint8_t mac[AUTH_MAC];

	if (issuer.n == 0 || !auth_keys_hold(k, issuer, &key))
		return refuse(why, "unknown key");
	auth_mac(mac, key.secret, t->input);
	auth_keys_release(k, &key);
	if (!auth_same(slice_of(mac, sizeof(mac)), t->signature))
		return refuse(why, "bad signature");
	return 0;
}

/* By its kid; without one only when there is no choice. */
static const struct auth_public_key *find_public(const struct key_set *set,
						 const struct auth_jwt *t)
{
	const struct auth_public_key *found = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct auth_public_key *key = &set->key[i];

		if (key->alg != t->alg)
			continue;
		if (t->kid.n > 0 && (!key->kid || !slice_is(t->kid, key->kid)))
			continue;
		if (found)
			return NULL;
		found = key;
	}
	return found;
}

/* A key that others may have made since the set was read. */
static bool is_news(const struct key_set *set, struct slice kid)
{
	for (size_t i = 0; i < set->count; i++)
		if (kid.n == 0 || (set->key[i].kid && slice_is(kid, set->key[i].kid)))
			return false;
	return true;
}

static int refuse_unknown(const struct auth_keys *k, const struct key_set *set,
			  struct slice kid, const char **why)
{
	if (!k->on_unknown || !is_news(set, kid) || !k->on_unknown(k->on_unknown_arg))
		return refuse(why, "unknown key");
	*why = "the keys are being fetched: try again";
	return E_UNAVAILABLE;
}

/* RFC 7519, 4.1.3: a string, or an array of them. */
static bool has_audience(const struct json *j, struct slice wanted)
{
	uint32_t aud = json_member(j, 0, SLICE("aud"));

	if (!aud)
		return false;
	if (json_kind_of(j, aud) != JSON_ARRAY)
		return json_string_is(j, aud, wanted);
	for (uint32_t t = aud + 1; t < j->tok[aud].next; t = j->tok[t].next)
		if (json_string_is(j, t, wanted))
			return true;
	return false;
}

static int verify_by_set(const struct auth_keys *k, const struct key_set *set,
			 const struct auth_jwt *t, struct slice issuer, const char **why)
{
	const struct auth_public_key *key = find_public(set, t);

	if (!key)
		return refuse_unknown(k, set, t->kid, why);
	if (!auth_public_key_verify(key, t->input, t->signature))
		return refuse(why, "bad signature");
	if (k->issuer[0] && !slice_is(issuer, k->issuer))
		return refuse(why, "wrong issuer");
	if (k->audience[0] && !has_audience(&t->claims, slice_str(k->audience)))
		return refuse(why, "wrong audience");
	return 0;
}

static int verify_public(const struct auth_keys *k, const struct auth_jwt *t,
			 struct slice issuer, const char **why)
{
	struct key_set *set = set_take(k);
	int err = verify_by_set(k, set, t, issuer, why);

	set_drop(k, set);
	return err;
}

int auth_keys_verify(const struct auth_keys *k, const struct auth_jwt *t,
		     struct auth_scratch *s, struct slice *name, const char **why)
{
	struct slice issuer;

	*name = SLICE_NONE;
	if (auth_jwt_text(t, 0, "iss", MAX_ISSUER, s, &issuer) < 0)
		return refuse(why, "bad claims");
	if (t->alg != AUTH_HS256)
		return verify_public(k, t, issuer, why);
	int err = verify_mac(k, t, issuer, why);
	if (err == 0)
		*name = issuer; /* in the scratch, whatever becomes of the key */
	return err;
}

bool auth_keys_secret(const struct auth_keys *k, struct slice text)
{
	size_t colon = slice_find(text, ':');
	struct slice name = slice_of(text.p, colon);
	struct auth_held key;

	if (name.n == 0 || !auth_keys_hold(k, name, &key))
		return false;
	bool same = auth_same(key.secret, slice_from(text, colon + 1));
	auth_keys_release(k, &key);
	return same;
}
