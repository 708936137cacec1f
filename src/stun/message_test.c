#include "stun/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "stun/vectors.h"

/* Decodes a copy in memory of just that size, so that the sanitizer sees a read past the end. */
static int decode_copy(struct slice s)
{
	uint8_t *p = xmemdup(s.p, s.n);
	struct stun_msg m;
	int err = stun_decode(&m, p, s.n);

	free(p);
	return err;
}

static void stun_reads_the_vectors(void **state)
{
	struct stun_msg m;
	uint32_t priority;

	(void)state;
	assert_int_equal(stun_decode(&m, vector_request, sizeof(vector_request)), 0);
	assert_int_equal(m.method, STUN_BINDING);
	assert_int_equal(m.class, STUN_REQUEST);
	assert_true(m.fingerprint);
	assert_true(slice_is(stun_value(&m, STUN_SOFTWARE), "STUN test client"));
	assert_true(slice_is(stun_value(&m, STUN_USERNAME), "evtj:h6vY"));
	assert_int_equal(stun_get_u32(&m, STUN_PRIORITY, &priority), 0);
	assert_int_equal(priority, 0x6e0001ff);
	assert_int_equal(stun_get_u32(&m, STUN_LIFETIME, &priority), E_NOT_FOUND);

	assert_int_equal(stun_decode(&m, vector_sha256, sizeof(vector_sha256)), 0);
	assert_false(m.fingerprint);
	assert_int_equal(m.integrity_at, 0);
	assert_int_equal(m.integrity256_at, sizeof(vector_sha256) - 36);
}

static void stun_reads_mapped_addresses(void **state)
{
	static const struct {
		struct slice s;
		const char *want;
	} v[] = {
		{ { vector_ipv4, sizeof(vector_ipv4) }, "192.0.2.1:32853" },
		{ { vector_ipv6, sizeof(vector_ipv6) },
		  "[2001:db8:1234:5678:11:2233:4455:6677]:32853" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct stun_msg m;
		struct addr a;
		struct addr_text t;

		assert_int_equal(stun_decode(&m, v[i].s.p, v[i].s.n), 0);
		assert_int_equal(m.class, STUN_SUCCESS);
		const struct stun_attr *x = stun_find(&m, STUN_XOR_MAPPED_ADDRESS);
		assert_int_equal(stun_get_xor_addr(&m, x, &a), 0);
		assert_string_equal(addr_text(&a, &t), v[i].want);
	}
}

static void stun_rejects_every_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		for (size_t n = 0; n < vectors[i].n; n++)
			assert_int_equal(decode_copy(slice_of(vectors[i].p, n)),
					 E_TRUNCATED);
		assert_int_equal(decode_copy(vectors[i]), 0);
	}
}

static void stun_size_tells_a_message_by_its_first_bytes(void **state)
{
	static const uint8_t odd[] = { 0, 1, 0, 2, 0x21, 0x12, 0xa4, 0x42 };
	static const uint8_t other[] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x43 };

	(void)state;
	for (size_t n = 0; n < 8; n++)
		assert_int_equal(stun_size(vector_request, n), -EAGAIN);
	assert_int_equal(stun_size(vector_request, 8), sizeof(vector_request));
	assert_int_equal(stun_size(odd, sizeof(odd)), 0);
	assert_int_equal(stun_size(other, sizeof(other)), 0);
	assert_int_equal(stun_size((const uint8_t *)"GET / HT", 8), 0);
	assert_int_equal(stun_size((const uint8_t *)"G", 1), 0);
}

/* A vector with one byte changed. */
static int decode_changed_to(struct stun_msg *m, struct slice s, size_t at, uint8_t to)
{
	static uint8_t p[256];

	memcpy(p, s.p, s.n);
	p[at] = to;
	return stun_decode(m, p, s.n);
}

static int decode_changed(struct slice s, size_t at, uint8_t to)
{
	struct stun_msg m;

	return decode_changed_to(&m, s, at, to);
}

static void stun_rejects_bad_heads(void **state)
{
	const struct slice v = vectors[3]; /* without a fingerprint */

	(void)state;
	assert_int_equal(decode_changed(v, 0, 0x80), E_MALFORMED); /* not 00 in front */
	assert_int_equal(decode_changed(v, 0, 0x40), E_MALFORMED);
	assert_int_equal(decode_changed(v, 3, 0x5c), E_MALFORMED); /* bytes after it */
	assert_int_equal(decode_changed(v, 3, 0x61), E_TRUNCATED);
	assert_int_equal(decode_changed(v, 7, 0x43), E_MALFORMED); /* another cookie */
	assert_int_equal(decode_changed(v, 22, 0xff),
			 E_MALFORMED); /* an attribute too long */
}

static void stun_rejects_wrong_fingerprints(void **state)
{
	const struct slice v = vectors[0];
	struct stun_msg m;

	(void)state;
	for (size_t i = 8; i < v.n; i++)
		assert_true(decode_changed_to(&m, v, i, v.p[i] ^ 1) < 0 ||
			    !m.fingerprint);
}

static struct slice begin(struct buf *b)
{
	static const uint8_t tid[STUN_TID] = "abcdefghijkl";

	stun_begin(b, STUN_CHANNEL_BIND, STUN_REQUEST, slice_of(tid, sizeof(tid)));
	return slice_of(tid, sizeof(tid));
}

static void stun_fingerprint_must_be_last(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct stun_msg m;

	(void)state;
	begin(&b);
	stun_put_fingerprint(&b);
	assert_int_equal(stun_decode(&m, b.p, b.n), 0);
	assert_true(m.fingerprint);
	stun_put_u32(&b, STUN_LIFETIME, 1);
	assert_int_equal(stun_decode(&m, b.p, b.n), E_MALFORMED);
	buf_fini(&b);
}

static void stun_ignores_what_follows_an_integrity(void **state)
{
	static const uint8_t mac[32];
	struct buf b = BUF_INIT(1000);
	struct stun_msg m;

	(void)state;
	begin(&b);
	stun_put_u32(&b, STUN_LIFETIME, 1);
	stun_put(&b, STUN_INTEGRITY, slice_of(mac, 20));
	stun_put_u32(&b, STUN_CONNECTION_ID, 2);
	stun_put(&b, STUN_INTEGRITY_SHA256, slice_of(mac, 32));
	stun_put(&b, STUN_INTEGRITY, slice_of(mac, 20));
	assert_int_equal(stun_decode(&m, b.p, b.n), 0);
	assert_int_equal(m.count, 3);
	assert_null(stun_find(&m, STUN_CONNECTION_ID));
	assert_int_equal(m.integrity_at, 28);
	assert_int_equal(m.integrity256_at, 28 + 24 + 8);
	buf_fini(&b);
}

static void stun_first_of_a_kind_counts(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct stun_msg m;
	uint32_t v;

	(void)state;
	begin(&b);
	stun_put_u32(&b, STUN_LIFETIME, 1);
	stun_put_u32(&b, STUN_LIFETIME, 2);
	assert_int_equal(stun_decode(&m, b.p, b.n), 0);
	assert_int_equal(stun_get_u32(&m, STUN_LIFETIME, &v), 0);
	assert_int_equal(v, 1);
	buf_fini(&b);
}

static void stun_limits_the_number_of_attributes(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct stun_msg m;

	(void)state;
	begin(&b);
	for (unsigned i = 0; i < STUN_MAX_ATTRS; i++)
		stun_put(&b, 0x8000 + i, SLICE_NONE);
	assert_int_equal(stun_decode(&m, b.p, b.n), 0);
	stun_put(&b, 0x9000, SLICE_NONE);
	assert_int_equal(stun_decode(&m, b.p, b.n), E_LIMIT);
	buf_fini(&b);
}

static void stun_writes_what_it_reads(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct addr v4, v6, got;
	struct stun_msg m;
	unsigned code;

	(void)state;
	assert_int_equal(addr_parse(&v4, SLICE("198.51.100.7:50000")), 0);
	assert_int_equal(addr_parse(&v6, SLICE("[2001:db8::7]:1")), 0);
	struct slice tid = begin(&b);
	stun_put_xor_addr(&b, STUN_XOR_PEER_ADDRESS, &v4);
	stun_put_xor_addr(&b, STUN_XOR_RELAYED_ADDRESS, &v6);
	stun_put_error(&b, 438, "Stale Nonce");
	stun_put(&b, STUN_REALM, SLICE("odd"));
	stun_put_fingerprint(&b);
	assert_false(b.bad);
	assert_int_equal(stun_decode(&m, b.p, b.n), 0);
	assert_int_equal(m.method, STUN_CHANNEL_BIND);
	assert_int_equal(m.class, STUN_REQUEST);
	assert_true(slice_eq(m.tid, tid));
	assert_int_equal(
		stun_get_xor_addr(&m, stun_find(&m, STUN_XOR_PEER_ADDRESS), &got), 0);
	assert_true(addr_eq(&got, &v4));
	assert_int_equal(
		stun_get_xor_addr(&m, stun_find(&m, STUN_XOR_RELAYED_ADDRESS), &got), 0);
	assert_true(addr_eq(&got, &v6));
	assert_int_equal(stun_get_error(&m, &code), 0);
	assert_int_equal(code, 438);
	assert_true(slice_is(stun_value(&m, STUN_REALM), "odd"));
	buf_fini(&b);
}

static void stun_rejects_addresses_of_other_lengths(void **state)
{
	static const uint8_t value[21] = { 0, STUN_IPV4, 1, 2, 3, 4, 5, 6 };
	uint8_t v6[20] = { 0, STUN_IPV6 };
	struct addr a;

	(void)state;
	for (size_t n = 0; n <= sizeof(value); n++) {
		struct stun_msg m = { .raw = slice_of(vector_request, 20) };
		struct stun_attr at = { STUN_XOR_PEER_ADDRESS, slice_of(value, n) };
		assert_int_equal(stun_get_xor_addr(&m, &at, &a),
				 n == 8 ? 0 : E_MALFORMED);
		at.value = slice_of(v6, n < 20 ? n : 20);
		assert_int_equal(stun_get_xor_addr(&m, &at, &a),
				 n >= 20 ? 0 : E_MALFORMED);
		v6[1] = 3; /* no such family */
		assert_int_equal(stun_get_xor_addr(&m, &at, &a), E_MALFORMED);
		v6[1] = STUN_IPV6;
	}
}

/* Every class and a range of methods come back (RFC 8489, 5: the bits are interleaved). */
static void stun_types_survive(void **state)
{
	struct buf b = BUF_INIT(100);
	struct stun_msg m;

	(void)state;
	for (unsigned method = 0; method < 0x1000; method++)
		for (unsigned class = 0; class < 4; class ++) {
			stun_begin(&b, (enum stun_method)method, (enum stun_class) class,
				   slice_of(vector_request + 8, STUN_TID));
			assert_int_equal(stun_decode(&m, b.p, b.n), 0);
			assert_int_equal(m.method, method);
			assert_int_equal(m.class, class);
		}
	buf_fini(&b);
}

static void stun_overlong_messages_are_bad(void **state)
{
	static const uint8_t big[65000];
	struct buf b = BUF_INIT(200000);

	(void)state;
	begin(&b);
	stun_put(&b, STUN_DATA_VALUE, slice_of(big, sizeof(big)));
	assert_false(b.bad);
	stun_put(&b, STUN_DATA_VALUE, slice_of(big, 600));
	assert_true(b.bad);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stun_reads_the_vectors),
		cmocka_unit_test(stun_reads_mapped_addresses),
		cmocka_unit_test(stun_rejects_every_truncation),
		cmocka_unit_test(stun_size_tells_a_message_by_its_first_bytes),
		cmocka_unit_test(stun_rejects_bad_heads),
		cmocka_unit_test(stun_rejects_wrong_fingerprints),
		cmocka_unit_test(stun_fingerprint_must_be_last),
		cmocka_unit_test(stun_ignores_what_follows_an_integrity),
		cmocka_unit_test(stun_first_of_a_kind_counts),
		cmocka_unit_test(stun_limits_the_number_of_attributes),
		cmocka_unit_test(stun_writes_what_it_reads),
		cmocka_unit_test(stun_rejects_addresses_of_other_lengths),
		cmocka_unit_test(stun_types_survive),
		cmocka_unit_test(stun_overlong_messages_are_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
