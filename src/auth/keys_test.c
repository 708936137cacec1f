#include "auth/keys.h"

#include <assert.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "auth/vectors.h"
#include "base/err.h"
#include "base/mem.h"

#define SECRET "a-secret-of-some-length"

static const char *const api_keys[] = { "joe:" SECRET, "ann:" SECRET "2" };

static struct auth_keys *keys_of(const char *jwks, const char *issuer,
				 const char *audience)
{
	struct auth_settings s = {
		.keys = api_keys,
		.key_count = ARRAY_LEN(api_keys),
		.jwks = slice_str(jwks),
		.issuer = issuer,
		.audience = audience,
	};
	struct buf why = BUF_INIT(1000);
	struct auth_keys *k = NULL;

	if (auth_keys_create(&k, &s, &why) < 0)
		assert_true(why.n > 0);
	else
		assert_int_equal(why.n, 0);
	buf_fini(&why);
	return k;
}

static const char *verify(const struct auth_keys *k, struct slice token)
{
	struct auth_scratch *s = xzalloc(sizeof(*s));
	const char *why = NULL;
	struct slice name;
	struct auth_jwt t;

	auth_scratch_init(s);
	assert_int_equal(auth_jwt_open(&t, token, s), 0);
	int err = auth_keys_verify(k, &t, s, &name, &why);
	assert_int_equal(err < 0, why != NULL);
	auth_scratch_fini(s);
	free(s);
	return err < 0 ? why : "ok";
}

static const char *verify_signed(const struct auth_keys *k, const char *claims,
				 const char *secret)
{
	struct buf b = BUF_INIT(10000);

	auth_jwt_sign(&b, slice_str(claims), slice_str(secret));
	const char *verdict = verify(k, buf_slice(&b));
	buf_fini(&b);
	return verdict;
}

static void api_key_signs_by_its_name(void **state)
{
	struct auth_keys *k = keys_of("", "", "");

	(void)state;
	assert_string_equal(verify_signed(k, "{\"iss\":\"joe\"}", SECRET), "ok");
	assert_string_equal(verify_signed(k, "{\"iss\":\"ann\"}", SECRET "2"), "ok");
	assert_string_equal(verify_signed(k, "{\"iss\":\"ann\"}", SECRET),
			    "bad signature");
	assert_string_equal(verify_signed(k, "{\"iss\":\"eve\"}", SECRET), "unknown key");
	assert_string_equal(verify_signed(k, "{}", SECRET), "unknown key");
	assert_string_equal(verify_signed(k, "{\"iss\":7}", SECRET), "bad claims");
	assert_true(auth_keys_secret(k, SLICE("joe:" SECRET)));
	assert_false(auth_keys_secret(k, SLICE("joe:" SECRET "2")));
	assert_false(auth_keys_secret(k, SLICE("joe:")));
	assert_false(auth_keys_secret(k, SLICE(":" SECRET)));
	assert_false(auth_keys_secret(k, SLICE("")));
	auth_keys_destroy(k);
}

static void rfc7515_signatures_by_keys_of_the_set(void **state)
{
	struct auth_keys *k = keys_of("{\"keys\":[{" RFC_RSA "},{" RFC_EC "}]}", "", "");

	(void)state;
	assert_non_null(k);
	assert_string_equal(verify(k, SLICE(RFC_RS256)), "ok");
	assert_string_equal(verify(k, SLICE(RFC_ES256)), "ok");
	auth_keys_destroy(k);
}

static void wrong_signatures_are_refused(void **state)
{
	struct auth_keys *k = keys_of("{\"keys\":[{" RFC_RSA "},{" RFC_EC "}]}", "", "");
	static const char *const tokens[] = { RFC_RS256, RFC_ES256 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		char *bad = xstrdup(tokens[i]);
		char *last_dot = strrchr(bad, '.');

		last_dot[3] = last_dot[3] == 'A' ? 'B' : 'A';
		assert_string_equal(verify(k, slice_str(bad)), "bad signature");
		/* The other's signature, and too short a one. */
		memcpy(last_dot, ".AAAA", 6);
		assert_string_equal(verify(k, slice_str(bad)), "bad signature");
		free(bad);
	}
	auth_keys_destroy(k);
}

static bool say_yes(void *arg)
{
	++*(int *)arg;
	return true;
}

static const char *as_text(struct auth_keys *k, const char *set, int want)
{
	static char text[200];
	struct buf why = BUF_INIT(sizeof(text) - 1);

	assert_int_equal(auth_keys_replace(k, slice_str(set), &why), want);
	memcpy(text, why.n > 0 ? why.p : (const uint8_t *)"", why.n);
	text[why.n] = 0;
	buf_fini(&why);
	return text;
}

static void set_is_exchanged_as_a_whole(void **state)
{
	struct auth_keys *k = keys_of("{\"keys\":[{" RFC_RSA "}]}", "", "");

	(void)state;
	assert_string_equal(verify(k, SLICE(RFC_RS256)), "ok");
	assert_string_equal(verify(k, SLICE(RFC_ES256)), "unknown key");
	assert_string_equal(as_text(k, "{\"keys\":[{" RFC_EC "}]}", 1), "");
	assert_string_equal(verify(k, SLICE(RFC_RS256)), "unknown key");
	assert_string_equal(verify(k, SLICE(RFC_ES256)), "ok");
	/* What is none changes nothing. */
	assert_string_equal(as_text(k, "{]", E_MALFORMED), "it is no JSON");
	assert_string_equal(as_text(k, "{\"keys\":[]}", E_MALFORMED),
			    "it has no key for RS256 or ES256");
	assert_string_equal(verify(k, SLICE(RFC_ES256)), "ok");
	auth_keys_destroy(k);
}

static void api_keys_are_exchanged_as_a_whole(void **state)
{
	static const char *const other[] = { "new:" SECRET "3", "ann:" SECRET "4" };
	static const char *const bad[] = { "new:" SECRET "5", "joe:short" };
	struct auth_keys *k = keys_of("", "", "");
	struct buf why = BUF_INIT(1000);
	struct auth_held before, now;

	(void)state;
	assert_true(auth_keys_hold(k, SLICE("joe"), &before));
	assert_int_equal(auth_keys_change(k, api_keys, 2, &why), 2);
	assert_true(auth_keys_hold(k, SLICE("joe"), &now));
	assert_ptr_equal(now.secret.p, before.secret.p);
	auth_keys_release(k, &now);
	assert_int_equal(auth_keys_change(k, other, 2, &why), 2);
	assert_string_equal(verify_signed(k, "{\"iss\":\"joe\"}", SECRET), "unknown key");
	assert_string_equal(verify_signed(k, "{\"iss\":\"new\"}", SECRET "3"), "ok");
	assert_string_equal(verify_signed(k, "{\"iss\":\"ann\"}", SECRET "2"),
			    "bad signature");
	assert_string_equal(verify_signed(k, "{\"iss\":\"ann\"}", SECRET "4"), "ok");
	assert_true(auth_keys_hold(k, SLICE_NONE, &now));
	assert_true(slice_is(now.name, "new"));
	auth_keys_release(k, &now);
	assert_false(auth_keys_hold(k, SLICE("joe"), &now));
	assert_true(slice_is(before.secret, SECRET)); /* we are looking at it */
	auth_keys_release(k, &before);
	assert_int_equal(why.n, 0);
	/* What is wrong changes nothing. */
	assert_int_equal(auth_keys_change(k, bad, 2, &why), E_MALFORMED);
	assert_true(why.n > 0);
	assert_int_equal(auth_keys_change(k, NULL, 0, &why), E_MALFORMED);
	assert_string_equal(verify_signed(k, "{\"iss\":\"new\"}", SECRET "3"), "ok");
	buf_fini(&why);
	auth_keys_destroy(k);
}

struct looker {
	struct auth_keys *keys;
	_Atomic bool done;
	pthread_t thread;
};

/* What is held is whole, whatever another thread does. */
static void *look(void *arg)
{
	struct looker *l = arg;
	struct auth_held h;

	do {
		bool there = auth_keys_hold(l->keys, SLICE("ann"), &h);

		assert(there && slice_is(h.name, "ann"));
		assert(slice_starts(h.secret, SLICE(SECRET)) &&
		       h.secret.n == strlen(SECRET) + 1);
		auth_keys_release(l->keys, &h);
		assert(!auth_keys_none(l->keys));
		assert(!auth_keys_secret(l->keys, SLICE("ann:" SECRET)));
	} while (!l->done);
	return NULL;
}

static void keys_are_whole_while_they_are_exchanged(void **state)
{
	static const char *const other[] = { "ann:" SECRET "4" };
	struct looker lookers[3] = { 0 };
	struct auth_keys *k = keys_of("", "", "");
	struct buf why = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lookers); i++) {
		lookers[i].keys = k;
		assert_int_equal(
			pthread_create(&lookers[i].thread, NULL, look, &lookers[i]), 0);
	}
	for (unsigned i = 0; i < 500; i++) {
		assert_int_equal(auth_keys_change(k, other, 1, &why), 1);
		assert_int_equal(auth_keys_change(k, api_keys, 2, &why), 2);
	}
	for (size_t i = 0; i < ARRAY_LEN(lookers); i++) {
		lookers[i].done = true;
		pthread_join(lookers[i].thread, NULL);
	}
	auth_keys_destroy(k);
	buf_fini(&why);
}

static void unknown_key_may_be_news(void **state)
{
	const struct auth_settings s = { .issuer = "",
					 .audience = "",
					 .expects_set = true };
	struct buf why = BUF_INIT(100);
	struct auth_keys *k;
	int asked = 0;

	(void)state;
	assert_int_equal(auth_keys_create(&k, &s, &why), 0);
	assert_false(auth_keys_none(k));
	assert_string_equal(verify(k, SLICE(RFC_RS256)), "unknown key");
	auth_keys_on_unknown(k, say_yes, &asked);
	assert_string_equal(verify(k, SLICE(RFC_RS256)),
			    "the keys are being fetched: try again");
	assert_int_equal(asked, 1);
	/* A secret is never fetched. */
	assert_string_equal(verify(k, SLICE(RFC_HS256)), "unknown key");
	/* A token without kid names nothing that could be new once there are keys. */
	assert_string_equal(as_text(k, "{\"keys\":[{" RFC_EC "}]}", 1), "");
	assert_string_equal(verify(k, SLICE(RFC_RS256)), "unknown key");
	assert_int_equal(asked, 1);
	auth_keys_destroy(k);
	buf_fini(&why);
}

/* A public key is no secret: HS256 by the text of the set does not count. */
static void algorithms_are_not_confused(void **state)
{
	struct auth_keys *k =
		keys_of("{\"keys\":[{\"kid\":\"joe\"," RFC_RSA "}]}", "", "");

	(void)state;
	assert_string_equal(verify_signed(k, "{\"iss\":\"joe\"}", "{" RFC_RSA "}"),
			    "bad signature");
	/* ES256 by an RSA key of that kid. */
	assert_string_equal(verify(k, SLICE(RFC_ES256)), "unknown key");
	auth_keys_destroy(k);
}

static void kid_chooses_the_key(void **state)
{
	struct auth_keys *two = keys_of("{\"keys\":[{\"kid\":\"a\"," RFC_RSA
					"},{\"kid\":\"b\"," RFC_RSA "}]}",
					"", "");
	struct auth_keys *one =
		keys_of("{\"keys\":[{\"kid\":\"a\"," RFC_RSA "}]}", "", "");

	(void)state;
	/* The RFC's token has no kid: it counts while there is no choice. */
	assert_string_equal(verify(one, SLICE(RFC_RS256)), "ok");
	assert_string_equal(verify(two, SLICE(RFC_RS256)), "unknown key");
	auth_keys_destroy(one);
	auth_keys_destroy(two);
}

static void issuer_and_audience_must_be_ours(void **state)
{
	static const char set[] = "{\"keys\":[{" RFC_EC "}]}";
	struct auth_keys *joe = keys_of(set, "joe", ""), *eve = keys_of(set, "eve", "");
	struct auth_keys *us = keys_of(set, "", "us");

	(void)state;
	assert_string_equal(verify(joe, SLICE(RFC_ES256)), "ok");
	assert_string_equal(verify(eve, SLICE(RFC_ES256)), "wrong issuer");
	assert_string_equal(verify(us, SLICE(RFC_ES256)), "wrong audience");
	auth_keys_destroy(joe);
	auth_keys_destroy(eve);
	auth_keys_destroy(us);
}

static void bad_sets_are_refused(void **state)
{
	static const char *const sets[] = {
		"[]",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":[]}",
		"{\"keys\":[7]}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"use\":\"enc\"," RFC_RSA "}]}",
		"{\"keys\":[{\"alg\":\"PS256\"," RFC_RSA "}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":"
		"\"AAAA\"}]}",
		/* Not on the curve. */
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
		"\"f83OJ3D2xF1Bg8vub9tLe1gHMz"
		"V76e8Tus9uPHvRVEU\",\"y\":"
		"\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		assert_null(keys_of(sets[i], "", ""));
}

static void bad_api_keys_are_refused(void **state)
{
	static const char *const items[] = { "", "joe", "joe:short", (":" SECRET) };
	struct buf why = BUF_INIT(1000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		struct auth_settings s = {
			.keys = &items[i], .key_count = 1, .issuer = "", .audience = ""
		};
		struct auth_keys *k = NULL;

		buf_clear(&why);
		assert_true(auth_keys_create(&k, &s, &why) < 0);
		buf_u8(&why, 0);
		assert_null(strstr((const char *)why.p, "short"));
	}
	buf_fini(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(api_key_signs_by_its_name),
		cmocka_unit_test(rfc7515_signatures_by_keys_of_the_set),
		cmocka_unit_test(wrong_signatures_are_refused),
		cmocka_unit_test(set_is_exchanged_as_a_whole),
		cmocka_unit_test(api_keys_are_exchanged_as_a_whole),
		cmocka_unit_test(keys_are_whole_while_they_are_exchanged),
		cmocka_unit_test(unknown_key_may_be_news),
		cmocka_unit_test(algorithms_are_not_confused),
		cmocka_unit_test(kid_chooses_the_key),
		cmocka_unit_test(issuer_and_audience_must_be_ours),
		cmocka_unit_test(bad_sets_are_refused),
		cmocka_unit_test(bad_api_keys_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
