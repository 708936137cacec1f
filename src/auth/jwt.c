#include "auth/jwt.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/err.h"

void auth_scratch_init(struct auth_scratch *s)
{
	buf_init(&s->header, AUTH_TOKEN_MAX);
	buf_init(&s->claims, AUTH_TOKEN_MAX);
	buf_init(&s->signature, AUTH_TOKEN_MAX);
	buf_init(&s->text, (size_t)2 * AUTH_TOKEN_MAX);
}

void auth_scratch_fini(struct auth_scratch *s)
{
	buf_fini(&s->header);
	buf_fini(&s->claims);
	buf_fini(&s->signature);
	buf_fini(&s->text);
}

/* --- taking apart --- */

static int next_part(struct slice *rest, struct buf *out)
{
	struct slice part;

	buf_clear(out);
	if (!slice_split(rest, '.', &part) || part.n == 0)
		return E_MALFORMED;
	return base64_url_decode(out, part);
}

static int parse_object(struct json *j, const struct buf *text, struct auth_scratch *s)
{
	int err = json_parse(j, buf_slice(text), s->tokens, AUTH_TOKEN_VALUES);

	if (err == 0 && json_kind_of(j, 0) != JSON_OBJECT)
		err = E_MALFORMED;
	return err;
}

static int read_alg(const struct json *j, enum auth_alg *out)
{
	static const char *const names[AUTH_ALGS] = { "HS256", "RS256", "ES256" };
	uint32_t at = json_member(j, 0, SLICE("alg"));

	for (unsigned i = 0; at && i < AUTH_ALGS; i++) {
		if (!json_string_is(j, at, slice_str(names[i])))
			continue;
		*out = (enum auth_alg)i;
		return 0;
	}
	return E_DENIED;
}

/* RFC 7515, 4.1.11: who does not understand what is critical must refuse it; we know nothing
 * that could be. */
static int read_header(struct auth_jwt *t, struct auth_scratch *s)
{
	struct json j;
	int err = parse_object(&j, &s->header, s);

	if (err == 0 && json_member(&j, 0, SLICE("crit")))
		err = E_DENIED;
	if (err == 0)
		err = read_alg(&j, &t->alg);
	uint32_t kid = err == 0 ? json_member(&j, 0, SLICE("kid")) : 0;
	size_t at = s->text.n;
	if (kid)
		err = json_string(&j, kid, AUTH_MAX_KID, &s->text);
	t->kid = slice_from(buf_slice(&s->text), at);
	return err;
}

int auth_jwt_open(struct auth_jwt *t, struct slice token, struct auth_scratch *s)
{
	struct slice rest = token;

	*t = (struct auth_jwt){ 0 };
	if (token.n > AUTH_TOKEN_MAX)
		return E_LIMIT;
	buf_clear(&s->text);
	/* Slices into it stay where they are. */
	(void)buf_room(&s->text, s->text.max);
	int err = next_part(&rest, &s->header);
	if (err == 0)
		err = next_part(&rest, &s->claims);
	if (err < 0)
		return err;
	t->input = slice_of(token.p, token.n - rest.n - 1);
	err = next_part(&rest, &s->signature);
	/* A fourth part, or a dot at the end. */
	if (err == 0 && (rest.n > 0 || token.p[token.n - 1] == '.'))
		err = E_MALFORMED;
	t->signature = buf_slice(&s->signature);
	if (err == 0)
		err = read_header(t, s);
	return err == 0 ? parse_object(&t->claims, &s->claims, s) : err;
}

int auth_jwt_text(const struct auth_jwt *t, uint32_t object, const char *name, size_t max,
		  struct auth_scratch *s, struct slice *out)
{
	uint32_t at = json_member(&t->claims, object, slice_str(name));
	size_t from = s->text.n;

	*out = SLICE_NONE;
	if (!at || json_kind_of(&t->claims, at) == JSON_NULL)
		return 0;
	if (json_string(&t->claims, at, max, &s->text) < 0)
		return E_BAD_FIELD;
	*out = slice_from(buf_slice(&s->text), from);
	return 0;
}

int auth_jwt_time(const struct auth_jwt *t, const char *name, bool *there,
		  uint64_t *seconds)
{
	uint32_t at = json_member(&t->claims, 0, slice_str(name));
	struct slice raw = at ? json_raw(&t->claims, at) : SLICE_NONE;

	*there = at != 0;
	if (!at)
		return 0;
	if (json_kind_of(&t->claims, at) != JSON_NUMBER || slice_find(raw, 'e') < raw.n ||
	    slice_find(raw, 'E') < raw.n)
		return E_BAD_FIELD;
	raw.n = slice_find(raw, '.');
	/* So far in the future that milliseconds of it still fit. */
	if (slice_to_u64(raw, seconds) < 0 || *seconds > UINT64_C(1) << 40)
		return E_BAD_FIELD;
	return 0;
}

/* --- making --- */

void auth_mac(uint8_t out[AUTH_MAC], struct slice secret, struct slice input)
{
	static const uint8_t none[1];
	unsigned n = AUTH_MAC;

	assert(secret.n <= INT32_MAX);
	uint8_t *ok = HMAC(EVP_sha256(), secret.n ? secret.p : none, (int)secret.n,
			   input.n ? input.p : none, input.n, out, &n);
	assert(ok && n == AUTH_MAC);
}

void auth_jwt_sign(struct buf *b, struct slice claims, struct slice secret)
{
	size_t from = buf_at(b);
	uint8_t mac[AUTH_MAC];

	base64_url_encode(b, SLICE("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
	buf_u8(b, '.');
	base64_url_encode(b, claims);
	auth_mac(mac, secret, slice_from(buf_slice(b), from));
	buf_u8(b, '.');
	base64_url_encode(b, slice_of(mac, sizeof(mac)));
}

bool auth_same(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
