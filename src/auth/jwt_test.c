#include "auth/jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/vectors.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"

static struct auth_scratch *scratch_new(void)
{
	struct auth_scratch *s = xzalloc(sizeof(*s));

	auth_scratch_init(s);
	return s;
}

static void scratch_free(struct auth_scratch *s)
{
	auth_scratch_fini(s);
	free(s);
}

static void rfc7515_tokens_are_taken_apart(void **state)
{
	static const struct {
		const char *token;
		enum auth_alg alg;
		size_t signature;
	} v[] = {
		{ RFC_HS256, AUTH_HS256, 32 },
		{ RFC_RS256, AUTH_RS256, 256 },
		{ RFC_ES256, AUTH_ES256, 64 },
	};
	struct auth_scratch *s = scratch_new();
	struct auth_jwt t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct slice iss;
		uint64_t exp;
		bool there;

		assert_int_equal(auth_jwt_open(&t, slice_str(v[i].token), s), 0);
		assert_int_equal(t.alg, v[i].alg);
		assert_int_equal(t.signature.n, v[i].signature);
		assert_int_equal(t.kid.n, 0);
		assert_int_equal(auth_jwt_text(&t, 0, "iss", 10, s, &iss), 0);
		assert_true(slice_is(iss, "joe"));
		assert_int_equal(auth_jwt_time(&t, "exp", &there, &exp), 0);
		assert_true(there);
		assert_int_equal(exp, RFC_EXPIRES);
		assert_int_equal(auth_jwt_time(&t, "nbf", &there, &exp), 0);
		assert_false(there);
	}
	scratch_free(s);
}

static void rfc7515_mac_is_ours(void **state)
{
	struct auth_scratch *s = scratch_new();
	struct buf key = BUF_INIT(100);
	uint8_t mac[AUTH_MAC];
	struct auth_jwt t;

	(void)state;
	assert_int_equal(base64_url_decode(&key, SLICE(RFC_HS256_KEY)), 0);
	assert_int_equal(auth_jwt_open(&t, SLICE(RFC_HS256), s), 0);
	auth_mac(mac, buf_slice(&key), t.input);
	assert_true(auth_same(slice_of(mac, AUTH_MAC), t.signature));
	mac[31] ^= 1;
	assert_false(auth_same(slice_of(mac, AUTH_MAC), t.signature));
	buf_fini(&key);
	scratch_free(s);
}

static void every_truncation_is_refused(void **state)
{
	struct auth_scratch *s = scratch_new();
	struct slice whole = SLICE(RFC_HS256);
	struct auth_jwt t;

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		uint8_t *p = xmemdup(n ? whole.p : (const uint8_t *)"", n ? n : 1);
		int err = auth_jwt_open(&t, slice_of(p, n), s);

		/* A cut signature is still one, of the wrong length. */
		assert_true(err < 0 || t.signature.n < AUTH_MAC);
		free(p);
	}
	scratch_free(s);
}

/* A token of this header and claims, its signature "AAAA". */
static int try_header(struct auth_scratch *s, const char *header, const char *claims)
{
	struct buf b = BUF_INIT(100000);
	struct auth_jwt t;

	base64_url_encode(&b, slice_str(header));
	buf_u8(&b, '.');
	base64_url_encode(&b, slice_str(claims));
	buf_str(&b, ".AAAA");
	int err = auth_jwt_open(&t, buf_slice(&b), s);
	buf_fini(&b);
	return err;
}

static void other_algorithms_are_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",
		"{\"alg\":\"None\"}",
		"{\"alg\":\"HS384\"}",
		"{\"alg\":\"hs256\"}",
		"{\"alg\":\"PS256\"}",
		"{\"alg\":null}",
		"{\"alg\":[\"HS256\"]}",
		"{\"typ\":\"JWT\"}",
		"{}",
		"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
	};
	struct auth_scratch *s = scratch_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		assert_int_equal(try_header(s, headers[i], "{}"), E_DENIED);
	assert_int_equal(try_header(s, "{\"alg\":\"HS256\"}", "{}"), 0);
	scratch_free(s);
}

static void odd_forms_are_refused(void **state)
{
	static const char *const tokens[] = {
		"",
		"...",
		"a.b.c",
		"eyJhbGciOiJIUzI1NiJ9..AAAA",
		"..AAAA",
		".e30.A",
		RFC_HS256 ".",
		RFC_HS256 ".AAAA",
		RFC_HS256 "=",
		" " RFC_HS256,
	};
	struct auth_scratch *s = scratch_new();
	struct auth_jwt t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++)
		assert_true(auth_jwt_open(&t, slice_str(tokens[i]), s) < 0);
	assert_true(try_header(s, "[]", "{}") < 0);
	assert_true(try_header(s, "{\"alg\":\"HS256\"}", "[]") < 0);
	assert_true(try_header(s, "{\"alg\":\"HS256\"}", "{\"a\":") < 0);
	assert_true(try_header(s, "{\"alg\":\"HS256\",\"kid\":7}", "{}") < 0);
	scratch_free(s);
}

static void tokens_are_limited(void **state)
{
	struct auth_scratch *s = scratch_new();
	struct buf kid = BUF_INIT(1000), big = BUF_INIT(100000);
	struct auth_jwt t;

	(void)state;
	for (int i = 0; i < AUTH_TOKEN_MAX + 1; i++)
		buf_u8(&big, 'A');
	assert_int_equal(auth_jwt_open(&t, buf_slice(&big), s), E_LIMIT);
	buf_str(&kid, "{\"alg\":\"HS256\",\"kid\":\"");
	for (int i = 0; i < AUTH_MAX_KID + 1; i++)
		buf_u8(&kid, '/');
	buf_add(&kid, "\"}", 3); /* with the NUL */
	assert_true(try_header(s, (const char *)kid.p, "{}") < 0);
	buf_fini(&kid);
	buf_fini(&big);
	scratch_free(s);
}

static void times_are_numbers(void **state)
{
	static const struct {
		const char *value;
		int want;
		uint64_t seconds;
	} v[] = {
		{ "1", 0, 1 },
		{ "1300819380.75", 0, 1300819380 },
		{ "-1", E_BAD_FIELD, 0 },
		{ "1e9", E_BAD_FIELD, 0 },
		{ "\"1\"", E_BAD_FIELD, 0 },
		{ "null", E_BAD_FIELD, 0 },
		{ "99999999999999999999", E_BAD_FIELD, 0 },
	};
	struct auth_scratch *s = scratch_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf claims = BUF_INIT(200), b = BUF_INIT(1000);
		struct auth_jwt t;
		uint64_t seconds = 0;
		bool there;

		buf_printf(&claims, "{\"exp\":%s}", v[i].value);
		auth_jwt_sign(&b, buf_slice(&claims), SLICE("s"));
		assert_int_equal(auth_jwt_open(&t, buf_slice(&b), s), 0);
		assert_int_equal(auth_jwt_time(&t, "exp", &there, &seconds), v[i].want);
		assert_int_equal(seconds, v[i].seconds);
		buf_fini(&claims);
		buf_fini(&b);
	}
	scratch_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7515_tokens_are_taken_apart),
		cmocka_unit_test(rfc7515_mac_is_ours),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(other_algorithms_are_refused),
		cmocka_unit_test(odd_forms_are_refused),
		cmocka_unit_test(tokens_are_limited),
		cmocka_unit_test(times_are_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
