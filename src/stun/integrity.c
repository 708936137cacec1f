#include "stun/integrity.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

#define ATTR_HEAD 4

struct keyed {
	EVP_MAC_CTX *ctx;
	uint8_t key[STUN_MAX_KEY]; /* the last one */
	size_t n;                  /* 0: none */
};

struct stun_hmac {
	struct keyed sha1;
	struct keyed sha256;
};

static void keyed_init(struct keyed *k, EVP_MAC *mac, const char *digest)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest,
						 0),
		OSSL_PARAM_construct_end(),
	};

	k->ctx = EVP_MAC_CTX_new(mac);
	if (!k->ctx || EVP_MAC_CTX_set_params(k->ctx, params) != 1)
		abort(); /* constants: this fails for want of memory only */
}

struct stun_hmac *stun_hmac_create(void)
{
	struct stun_hmac *h = xzalloc(sizeof(*h));
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (!mac)
		abort();
	keyed_init(&h->sha1, mac, "SHA1");
	keyed_init(&h->sha256, mac, "SHA256");
	EVP_MAC_free(mac);
	return h;
}

void stun_hmac_destroy(struct stun_hmac *h)
{
	if (!h)
		return;
	EVP_MAC_CTX_free(h->sha1.ctx);
	EVP_MAC_CTX_free(h->sha256.ctx);
	OPENSSL_cleanse(h, sizeof(*h));
	free(h);
}

/* The same key as last time is not set again: that spares two of four blocks. */
static void keyed_begin(struct keyed *k, struct slice key)
{
	bool same = k->n > 0 && k->n == key.n && memcmp(k->key, key.p, key.n) == 0;
	/* OpenSSL takes a NULL key for "the same"; an empty one is still a key. */
	const uint8_t *p = key.n > 0 ? key.p : (const uint8_t *)"";

	if (EVP_MAC_init(k->ctx, same ? NULL : p, same ? 0 : key.n, NULL) != 1)
		abort();
	if (same)
		return;
	k->n = key.n <= sizeof(k->key) ? key.n : 0;
	if (k->n > 0)
		memcpy(k->key, key.p, k->n);
}

static void keyed_add(struct keyed *k, struct slice s)
{
	if (EVP_MAC_update(k->ctx, s.p, s.n) != 1)
		abort();
}

static void keyed_end(struct keyed *k, uint8_t *out, size_t n)
{
	size_t got;

	if (EVP_MAC_final(k->ctx, out, &got, n) != 1 || got != n)
		abort();
}

void stun_hmac_sha1(struct stun_hmac *h, struct slice key, struct slice text,
		    uint8_t out[STUN_SHA1])
{
	keyed_begin(&h->sha1, key);
	keyed_add(&h->sha1, text);
	keyed_end(&h->sha1, out, STUN_SHA1);
}

void stun_hmac_sha256(struct stun_hmac *h, struct slice key, struct slice text,
		      uint8_t out[STUN_SHA256])
{
	keyed_begin(&h->sha256, key);
	keyed_add(&h->sha256, text);
	keyed_end(&h->sha256, out, STUN_SHA256);
}

/* --- the attributes --- */

static size_t proof_size(enum stun_proof proof)
{
	return proof == STUN_PROOF_SHA1 ? STUN_SHA1 : STUN_SHA256;
}

/* Over the first `at` bytes, with a length in the header that counts up to the end of the attribute
 * itself, whose value has n bytes. */
static void compute(struct stun_hmac *h, enum stun_proof proof, struct slice key,
		    const uint8_t *p, size_t at, size_t n, uint8_t *out)
{
	struct keyed *k = proof == STUN_PROOF_SHA1 ? &h->sha1 : &h->sha256;
	size_t len = at - STUN_HEADER + ATTR_HEAD + n;
	const uint8_t head[4] = { p[0], p[1], (uint8_t)(len >> 8), (uint8_t)len };

	keyed_begin(k, key);
	keyed_add(k, slice_of(head, sizeof(head)));
	keyed_add(k, slice_of(p + sizeof(head), at - sizeof(head)));
	keyed_end(k, out, proof_size(proof));
}

enum stun_proof stun_proof(const struct stun_msg *m)
{
	if (m->integrity256_at)
		return STUN_PROOF_SHA256;
	return m->integrity_at ? STUN_PROOF_SHA1 : STUN_PROOF_NONE;
}

/* RFC 8489, 14.6: the SHA-256 may be cut to 16 bytes at least, in steps of 4. */
static bool fits(enum stun_proof proof, size_t n)
{
	if (proof == STUN_PROOF_SHA1)
		return n == STUN_SHA1;
	return n >= 16 && n <= STUN_SHA256 && (n & 3) == 0;
}

int stun_check_integrity(struct stun_hmac *h, const struct stun_msg *m,
			 enum stun_proof proof, struct slice key)
{
	bool sha1 = proof == STUN_PROOF_SHA1;
	size_t at = sha1 ? m->integrity_at : m->integrity256_at;
	struct slice value = stun_value(m, sha1 ? STUN_INTEGRITY : STUN_INTEGRITY_SHA256);
	uint8_t want[STUN_SHA256];

	if (proof == STUN_PROOF_NONE || at == 0 || !fits(proof, value.n))
		return E_MALFORMED;
	compute(h, proof, key, m->raw.p, at, value.n, want);
	return CRYPTO_memcmp(want, value.p, value.n) == 0 ? 0 : E_DENIED;
}

void stun_put_integrity(struct stun_hmac *h, struct buf *b, enum stun_proof proof,
			struct slice key)
{
	bool sha1 = proof == STUN_PROOF_SHA1;
	uint8_t mac[STUN_SHA256];
	size_t n = proof_size(proof);

	if (b->bad || proof == STUN_PROOF_NONE)
		return;
	compute(h, proof, key, b->p, b->n, n, mac);
	stun_put(b, sha1 ? STUN_INTEGRITY : STUN_INTEGRITY_SHA256, slice_of(mac, n));
}
