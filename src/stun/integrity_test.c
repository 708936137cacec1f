#include "stun/integrity.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "stun/vectors.h"

static struct stun_hmac *h;

static int make_hmac(void **state)
{
	(void)state;
	h = stun_hmac_create();
	return 0;
}

static int free_hmac(void **state)
{
	(void)state;
	stun_hmac_destroy(h);
	return 0;
}

static int check(struct slice message, enum stun_proof proof, struct slice key)
{
	struct stun_msg m;

	assert_int_equal(stun_decode(&m, message.p, message.n), 0);
	assert_int_equal(stun_proof(&m), proof);
	return stun_check_integrity(h, &m, proof, key);
}

static void integrity_short_term_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(check(vectors[i], STUN_PROOF_SHA1, VECTOR_SHORT_KEY), 0);
		assert_int_equal(check(vectors[i], STUN_PROOF_SHA1, SLICE("other")),
				 E_DENIED);
		assert_int_equal(check(vectors[i], STUN_PROOF_SHA1, VECTOR_SHORT_KEY), 0);
	}
}

static void integrity_long_term_vectors(void **state)
{
	const struct slice of = VECTOR_LONG_KEY_OF;
	uint8_t key[EVP_MAX_MD_SIZE];
	unsigned n;

	(void)state;
	assert_int_equal(EVP_Digest(of.p, of.n, key, &n, EVP_md5(), NULL), 1);
	assert_int_equal(check(vectors[3], STUN_PROOF_SHA1, slice_of(key, n)), 0);
	assert_int_equal(EVP_Digest(of.p, of.n, key, &n, EVP_sha256(), NULL), 1);
	assert_int_equal(check(vectors[4], STUN_PROOF_SHA256, slice_of(key, n)), 0);
}

static void integrity_sees_every_changed_bit_before_it(void **state)
{
	uint8_t p[sizeof(vector_long_term)];
	struct stun_msg m;

	(void)state;
	for (size_t i = STUN_HEADER + 4; i < 24 + 18; i++) { /* the user name */
		memcpy(p, vector_long_term, sizeof(p));
		p[i] ^= 1;
		assert_int_equal(stun_decode(&m, p, sizeof(p)), 0);
		assert_int_equal(
			stun_check_integrity(h, &m, STUN_PROOF_SHA1, SLICE("key")),
			E_DENIED);
	}
}

static void integrity_written_is_integrity_read(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct stun_msg m;

	(void)state;
	for (unsigned proof = STUN_PROOF_SHA1; proof <= STUN_PROOF_SHA256; proof++) {
		stun_begin(&b, STUN_REFRESH, STUN_SUCCESS, slice_of("0123456789ab", 12));
		stun_put_u32(&b, STUN_LIFETIME, 600);
		stun_put_integrity(h, &b, (enum stun_proof)proof, SLICE("key"));
		stun_put_fingerprint(&b);
		assert_int_equal(stun_decode(&m, b.p, b.n), 0);
		assert_true(m.fingerprint);
		assert_int_equal(stun_proof(&m), proof);
		assert_int_equal(
			stun_check_integrity(h, &m, stun_proof(&m), SLICE("key")), 0);
	}
	buf_fini(&b);
}

/* RFC 8489, 14.6: between 16 and 32 bytes, a multiple of four; SHA-1 is never cut. */
static void integrity_lengths(void **state)
{
	struct buf b = BUF_INIT(1000);
	uint8_t full[STUN_SHA256];
	struct stun_msg m;

	(void)state;
	for (size_t n = 0; n <= 40; n++) {
		bool fits = n >= 16 && n <= 32 && n % 4 == 0;

		memset(full, 0, sizeof(full));
		stun_begin(&b, STUN_BINDING, STUN_REQUEST, slice_of("0123456789ab", 12));
		if (fits) { /* what a sender that cuts would compute */
			buf_set_be16(&b, 2, (uint16_t)(4 + n));
			stun_hmac_sha256(h, SLICE("key"), buf_slice(&b), full);
			buf_set_be16(&b, 2, 0);
		}
		uint8_t value[40] = { 0 };
		memcpy(value, full, sizeof(full));
		stun_put(&b, STUN_INTEGRITY_SHA256, slice_of(value, n));
		assert_int_equal(stun_decode(&m, b.p, b.n), 0);
		assert_int_equal(
			stun_check_integrity(h, &m, STUN_PROOF_SHA256, SLICE("key")),
			fits ? 0 : E_MALFORMED);
	}
	stun_begin(&b, STUN_BINDING, STUN_REQUEST, slice_of("0123456789ab", 12));
	stun_put(&b, STUN_INTEGRITY, slice_of(full, 16));
	assert_int_equal(stun_decode(&m, b.p, b.n), 0);
	assert_int_equal(stun_check_integrity(h, &m, STUN_PROOF_SHA1, SLICE("key")),
			 E_MALFORMED);
	assert_int_equal(stun_check_integrity(h, &m, STUN_PROOF_NONE, SLICE("key")),
			 E_MALFORMED);
	buf_fini(&b);
}

/* RFC 2202, case 2, twice with another key between: the remembered key is the right one. */
static void hmac_remembers_its_last_key(void **state)
{
	static const uint8_t want[STUN_SHA1] = { 0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f,
						 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84,
						 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79 };
	uint8_t out[STUN_SHA1], long_key[100] = { 1 };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		stun_hmac_sha1(h, SLICE("Jefe"), SLICE("what do ya want for nothing?"),
			       out);
		assert_memory_equal(out, want, sizeof(want));
		if (i & 1)
			stun_hmac_sha1(h, slice_of(long_key, sizeof(long_key)),
				       SLICE("x"), out);
		if (i & 2)
			stun_hmac_sha1(h, SLICE_NONE, SLICE("x"), out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integrity_short_term_vectors),
		cmocka_unit_test(integrity_long_term_vectors),
		cmocka_unit_test(integrity_sees_every_changed_bit_before_it),
		cmocka_unit_test(integrity_written_is_integrity_read),
		cmocka_unit_test(integrity_lengths),
		cmocka_unit_test(hmac_remembers_its_last_key),
	};

	return cmocka_run_group_tests(tests, make_hmac, free_hmac);
}
