#include "auth/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/vectors.h"
#include "base/err.h"
#include "base/mem.h"

#define SECRET "a-secret-of-some-length"
#define NOW INT64_C(1700000000000)

struct door {
	struct auth_keys *keys;
	struct auth_gate *gate;
};

static int setup(void **state)
{
	static const char *const keys[] = { "joe:" SECRET };
	const struct auth_settings s = { .keys = keys,
					 .key_count = 1,
					 .jwks = SLICE("{\"keys\":[{" RFC_EC "}]}"),
					 .issuer = "",
					 .audience = "",
					 .skew = 5000 };
	struct door *d = xzalloc(sizeof(*d));
	struct buf why = BUF_INIT(100);

	assert_int_equal(auth_keys_create(&d->keys, &s, &why), 0);
	buf_fini(&why);
	d->gate = auth_gate_create(d->keys);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct door *d = *state;

	auth_gate_destroy(d->gate);
	auth_keys_destroy(d->keys);
	free(d);
	return 0;
}

static const char *check(const struct door *d, const char *claims, ms_t wall)
{
	struct buf b = BUF_INIT(AUTH_TOKEN_MAX);
	const char *why = "ok";
	struct auth_pass p;

	auth_jwt_sign(&b, slice_str(claims), SLICE(SECRET));
	int err = auth_gate_check(d->gate, buf_slice(&b), wall, &p, &why);
	assert_true(err == 0 || err == E_UNAUTHORIZED);
	buf_fini(&b);
	return why;
}

static void times_count_with_the_skew(void **state)
{
	static const struct {
		const char *claims;
		ms_t wall;
		const char *want;
	} v[] = {
		{ "{\"iss\":\"joe\",\"exp\":1700000000}", NOW - 1, "ok" },
		{ "{\"iss\":\"joe\",\"exp\":1700000000}", NOW + 4999, "ok" },
		{ "{\"iss\":\"joe\",\"exp\":1700000000}", NOW + 5000, "expired" },
		{ "{\"iss\":\"joe\",\"exp\":1800000000,\"nbf\":1700000000}", NOW - 5000,
		  "ok" },
		{ "{\"iss\":\"joe\",\"exp\":1800000000,\"nbf\":1700000000}", NOW - 5001,
		  "not valid yet" },
		{ "{\"iss\":\"joe\",\"exp\":1800000000,\"nbf\":\"x\"}", NOW,
		  "bad claims" },
		{ "{\"iss\":\"joe\"}", NOW, "bad claims" },
	};
	const struct door *d = *state;

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_string_equal(check(d, v[i].claims, v[i].wall), v[i].want);
}

static void what_is_no_token_is_refused(void **state)
{
	static const struct {
		const char *token, *want;
	} v[] = {
		{ "", "no token" },
		{ "joe:" SECRET, "no valid token" },
		{ "a.b.c", "no valid token" },
		/* {"alg":"none"} */
		{ "eyJhbGciOiJub25lIn0." CLAIMS ".", "no valid token" },
		{ RFC_ES256, "expired" },
		{ RFC_HS256, "bad signature" }, /* iss joe, another secret */
		{ RFC_RS256, "unknown key" },
	};
	const struct door *d = *state;

	assert_false(auth_gate_open(d->gate));
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct auth_pass p;
		const char *why = "ok";

		assert_int_equal(
			auth_gate_check(d->gate, slice_str(v[i].token), NOW, &p, &why),
			E_UNAUTHORIZED);
		assert_string_equal(why, v[i].want);
	}
}

static void revoked_ones_are_refused(void **state)
{
	static const char ann[] = "{\"iss\":\"joe\",\"exp\":1800000000,\"sub\":\"ann\","
				  "\"jti\":\"t1\",\"iat\":1700000000}";
	static const char later[] = "{\"iss\":\"joe\",\"exp\":1800000000,\"sub\":\"ann\","
				    "\"iat\":1700000002}";
	const struct door *d = *state;

	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_TOKEN, SLICE("t2"), NOW,
					  NOW + 1000),
			 0);
	assert_string_equal(check(d, ann, NOW), "ok");
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_TOKEN, SLICE("t1"), NOW,
					  NOW + 1000),
			 0);
	assert_string_equal(check(d, ann, NOW), "revoked");
	assert_string_equal(check(d, later, NOW), "ok");
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_USER, SLICE("ann"),
					  NOW + 1500, NOW + 9000),
			 0);
	/* Those issued up to then. */
	assert_string_equal(check(d, later, NOW), "ok");
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_USER, SLICE("ann"),
					  NOW + 2500, NOW + 9000),
			 0);
	assert_string_equal(check(d, later, NOW), "revoked");
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_USER, SLICE_NONE, NOW, 1),
			 E_BAD_FIELD);
}

static void count_up(void *arg)
{
	++*(int *)arg;
}

static void each_revocation_is_told(void **state)
{
	const struct auth_pass by_id = { .id = SLICE("t9") };
	const struct door *d = *state;
	int told = 0;

	auth_gate_on_revoke(d->gate, count_up, &told);
	assert_false(auth_gate_has_revoked(d->gate, &by_id));
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_TOKEN, SLICE("t9"), NOW,
					  NOW + 1000),
			 0);
	assert_int_equal(told, 1);
	assert_true(auth_gate_has_revoked(d->gate, &by_id));
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_USER, SLICE_NONE, NOW, 1),
			 E_BAD_FIELD);
	assert_int_equal(told, 1);
}

static void revocations_are_limited(void **state)
{
	const struct door *d = *state;
	char name[16];

	for (int i = 0; i < AUTH_MAX_REVOKED; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_TOKEN,
						  slice_str(name), NOW, NOW + 1000),
				 0);
	}
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_TOKEN, SLICE("one more"),
					  NOW, NOW + 1000),
			 E_LIMIT);
	/* Once the others have served their time there is room again. */
	assert_int_equal(auth_gate_revoke(d->gate, AUTH_REVOKED_TOKEN, SLICE("one more"),
					  NOW + 1000, NOW + 2000),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(times_count_with_the_skew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_token_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(revoked_ones_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(each_revocation_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(revocations_are_limited, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
