/* jwks: JSON Web Key Sets (RFC 7517), and signatures by the keys in them (RFC 7518, 3). */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "auth/internal.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"

#define MAX_VALUES 4096
#define MAX_NUMBER 1024 /* bytes: RSA of 8192 bits */
#define P256 32         /* bytes of a coordinate */

void auth_public_key_fini(struct auth_public_key *k)
{
	free(k->kid);
	EVP_PKEY_free(k->pkey);
	*k = (struct auth_public_key){ 0 };
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *build)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	return pkey;
}

/* A big-endian number in base64url; the caller frees what comes in b. */
static int read_number(const struct json *j, uint32_t key, const char *name,
		       struct buf *b)
{
	uint32_t at = json_member(j, key, slice_str(name));

	buf_init(b, MAX_NUMBER);
	return at ? base64_url_decode(b, json_string_raw(j, at)) : E_MALFORMED;
}

static EVP_PKEY *make_rsa(struct slice n, struct slice e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL), *be = BN_bin2bn(e.p, (int)e.n, NULL);
	EVP_PKEY *pkey = NULL;

	if (build && bn && be && BN_num_bits(bn) >= 2048 && BN_is_odd(be) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be))
		pkey = make_key("RSA", build);
	OSSL_PARAM_BLD_free(build);
	BN_free(bn);
	BN_free(be);
	return pkey;
}

static EVP_PKEY *read_rsa(const struct json *j, uint32_t key)
{
	struct buf n, e;
	EVP_PKEY *pkey = NULL;

	int bad = read_number(j, key, "n", &n) < 0;
	bad |= read_number(j, key, "e", &e) < 0;
	/* An exponent of more than 4 bytes only makes verifying slow. */
	if (!bad && n.n > 0 && e.n > 0 && e.n <= 4)
		pkey = make_rsa(buf_slice(&n), buf_slice(&e));
	buf_fini(&n);
	buf_fini(&e);
	return pkey;
}

static EVP_PKEY *make_p256(struct slice point)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;

	if (build &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
					    "prime256v1", 0) &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.p,
					     point.n))
		pkey = make_key("EC", build);
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

static EVP_PKEY *read_p256(const struct json *j, uint32_t key)
{
	struct buf x, y, point = BUF_INIT(1 + 2 * P256);
	uint32_t crv = json_member(j, key, SLICE("crv"));
	EVP_PKEY *pkey = NULL;

	int bad = read_number(j, key, "x", &x) < 0;
	bad |= read_number(j, key, "y", &y) < 0;
	if (!bad && crv && json_string_is(j, crv, SLICE("P-256")) && x.n == P256 &&
	    y.n == P256) {
		buf_u8(&point, 4); /* SEC 1, 2.3.3: uncompressed */
		buf_put(&point, buf_slice(&x));
		buf_put(&point, buf_slice(&y));
		pkey = make_p256(buf_slice(&point));
	}
	buf_fini(&x);
	buf_fini(&y);
	buf_fini(&point);
	return pkey;
}

static bool says(const struct json *j, uint32_t key, const char *name, const char *value)
{
	uint32_t at = json_member(j, key, slice_str(name));

	return at && json_string_is(j, at, slice_str(value));
}

static bool is_silent(const struct json *j, uint32_t key, const char *name)
{
	return json_member(j, key, slice_str(name)) == 0;
}

static bool fits(const struct json *j, uint32_t key, const char *kty, const char *alg)
{
	return says(j, key, "kty", kty) &&
	       (is_silent(j, key, "use") || says(j, key, "use", "sig")) &&
	       (is_silent(j, key, "alg") || says(j, key, "alg", alg));
}

/* 1: a key; 0: none for us; else an error. */
static int read_key(const struct json *j, uint32_t key, struct auth_public_key *out)
{
	struct buf kid = BUF_INIT(AUTH_MAX_KID);
	uint32_t at = json_member(j, key, SLICE("kid"));

	*out = (struct auth_public_key){ 0 };
	if (fits(j, key, "RSA", "RS256")) {
		out->alg = AUTH_RS256;
		out->pkey = read_rsa(j, key);
	} else if (fits(j, key, "EC", "ES256")) {
		out->alg = AUTH_ES256;
		out->pkey = read_p256(j, key);
	} else {
		return 0;
	}
	int err = at ? json_string(j, at, AUTH_MAX_KID, &kid) : 0;
	if (at && err == 0)
		out->kid = slice_dup(buf_slice(&kid));
	buf_fini(&kid);
	if (!out->pkey || err < 0) {
		auth_public_key_fini(out);
		return E_MALFORMED;
	}
	return 1;
}

static int read_keys(const struct json *j, struct auth_public_key *out, size_t max,
		     struct buf *why)
{
	uint32_t keys = json_member(j, 0, SLICE("keys"));
	size_t n = 0;

	if (json_kind_of(j, 0) != JSON_OBJECT || !keys ||
	    json_kind_of(j, keys) != JSON_ARRAY) {
		buf_str(why, "it has no array `keys`");
		return E_MALFORMED;
	}
	for (uint32_t t = keys + 1; t < j->tok[keys].next; t = j->tok[t].next) {
		struct auth_public_key key = { 0 };
		int is = json_kind_of(j, t) == JSON_OBJECT ? read_key(j, t, &key) : 0;

		if (is < 0 || (is && n == max)) {
			auth_public_key_fini(&key);
			buf_str(why, is < 0 ? "a key is malformed or too weak"
					    : "it has too many keys");
			while (n > 0)
				auth_public_key_fini(&out[--n]);
			return is < 0 ? E_MALFORMED : E_LIMIT;
		}
		if (is)
			out[n++] = key;
	}
	return (int)n;
}

int auth_jwks_read(struct slice text, struct auth_public_key *out, size_t max,
		   struct buf *why)
{
	struct json_token *tokens = xmalloc(MAX_VALUES * sizeof(*tokens));
	struct json j;
	int err = json_parse(&j, text, tokens, MAX_VALUES);

	if (err < 0)
		buf_str(why, "it is no JSON");
	else
		err = read_keys(&j, out, max, why);
	free(tokens);
	return err;
}

/* --- signatures --- */

static bool verify(EVP_PKEY *pkey, struct slice input, struct slice signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
		  EVP_DigestVerify(ctx, signature.p, signature.n, input.p, input.n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* RFC 7518, 3.4: r and s, 32 bytes each; the library wants them as DER. */
static bool verify_p256(EVP_PKEY *pkey, struct slice input, struct slice signature)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;
	bool ok = false;

	if (!sig || signature.n != 2 * P256) {
		ECDSA_SIG_free(sig);
		return false;
	}
	BIGNUM *r = BN_bin2bn(signature.p, P256, NULL);
	BIGNUM *s = BN_bin2bn(signature.p + P256, P256, NULL);
	if (r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		int n = i2d_ECDSA_SIG(sig, &der);
		ok = n > 0 && verify(pkey, input, slice_of(der, (size_t)n));
	} else {
		BN_free(r);
		BN_free(s);
	}
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return ok;
}

bool auth_public_key_verify(const struct auth_public_key *k, struct slice input,
			    struct slice signature)
{
	return k->alg == AUTH_ES256 ? verify_p256(k->pkey, input, signature)
				    : verify(k->pkey, input, signature);
}
