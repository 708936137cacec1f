#include "auth/pass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

#define SECRET "a-secret-of-some-length"

struct reading {
	struct auth_scratch scratch;
	struct auth_pass pass;
	const char *why;
	int err;
	struct buf token;
};

static void read_claims(struct reading *r, const char *claims)
{
	struct auth_jwt t;

	auth_scratch_init(&r->scratch);
	buf_init(&r->token, AUTH_TOKEN_MAX);
	auth_jwt_sign(&r->token, slice_str(claims), SLICE(SECRET));
	assert_int_equal(auth_jwt_open(&t, buf_slice(&r->token), &r->scratch), 0);
	r->why = "";
	r->err = auth_pass_read(&r->pass, &t, &r->scratch, &r->why);
}

static void reading_end(struct reading *r)
{
	auth_scratch_fini(&r->scratch);
	buf_fini(&r->token);
}

/* As livekit-server-sdk makes it for {roomJoin, room, canPublish}, with metadata and attributes. */
static void livekit_claims_are_taken_as_they_are(void **state)
{
	struct reading *r = xzalloc(sizeof(*r));

	(void)state;
	read_claims(r,
		    "{\"video\":{\"roomJoin\":true,\"room\":\"fox\",\"canPublish\":true,"
		    "\"canPublishSources\":[\"microphone\",\"screen_share_audio\"]},"
		    "\"metadata\":\"{\\\"a\\\":1}\",\"attributes\":{\"x\":\"y\"},"
		    "\"name\":\"Ann\",\"iss\":\"k\",\"exp\":1800000000,\"nbf\":0,"
		    "\"sub\":\"ann-1\"}");
	assert_int_equal(r->err, 0);
	assert_int_equal(r->pass.allow,
			 AUTH_JOIN | AUTH_MIC | AUTH_SUBSCRIBE | AUTH_DATA | AUTH_SELF);
	assert_int_equal(r->pass.role, AUTH_NO_ROLE);
	assert_int_equal(r->pass.expires, 1800000000);
	assert_true(slice_is(r->pass.user, "ann-1"));
	assert_true(slice_is(r->pass.name, "Ann"));
	assert_true(slice_is(r->pass.room, "fox"));
	assert_true(slice_is(r->pass.metadata,
			     "{\"metadata\":{\"a\":1},\"attributes\":{\"x\":\"y\"}}"));
	reading_end(r);
	free(r);
}

static void grants_become_permissions(void **state)
{
#define ALL                                                                              \
	(AUTH_MIC | AUTH_CAMERA | AUTH_SCREEN | AUTH_SUBSCRIBE | AUTH_DATA | AUTH_SELF)
	static const struct {
		const char *video;
		uint32_t want;
	} v[] = {
		{ "{}", ALL },
		{ "{\"roomJoin\":true}", ALL | AUTH_JOIN },
		{ "{\"roomJoin\":null}", ALL },
		{ "{\"roomAdmin\":true}", ALL | AUTH_ADMIN },
		{ "{\"roomCreate\":true,\"roomList\":true}",
		  ALL | AUTH_CREATE | AUTH_LIST },
		{ "{\"canPublish\":false}", AUTH_SUBSCRIBE | AUTH_DATA | AUTH_SELF },
		{ "{\"canPublishSources\":[]}", ALL },
		{ "{\"canPublishSources\":[\"camera\"]}",
		  AUTH_CAMERA | AUTH_SUBSCRIBE | AUTH_DATA | AUTH_SELF },
		{ "{\"canPublishSources\":[\"nothing\"]}",
		  AUTH_SUBSCRIBE | AUTH_DATA | AUTH_SELF },
		{ "{\"canPublishData\":false}", ALL & ~AUTH_DATA },
		{ "{\"canSubscribe\":false}", ALL & ~AUTH_SUBSCRIBE },
		{ "{\"canUpdateOwnMetadata\":false}", ALL & ~AUTH_SELF },
		{ "{\"hidden\":true,\"later\":[1]}", ALL | AUTH_HIDDEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct reading *r = xzalloc(sizeof(*r));
		struct buf b = BUF_INIT(1000);

		buf_printf(&b, "{\"exp\":1,\"video\":%s}", v[i].video);
		buf_u8(&b, 0);
		read_claims(r, (const char *)b.p);
		assert_int_equal(r->err, 0);
		assert_int_equal(r->pass.allow, v[i].want);
		buf_fini(&b);
		reading_end(r);
		free(r);
	}
}

static void without_grants_nothing_is_allowed(void **state)
{
	struct reading *r = xzalloc(sizeof(*r));

	(void)state;
	read_claims(r, "{\"exp\":1,\"role\":\"owner\"}");
	assert_int_equal(r->err, 0);
	assert_int_equal(r->pass.allow, 0);
	assert_int_equal(r->pass.role, AUTH_OWNER);
	reading_end(r);
	free(r);
}

static void wrong_forms_are_named(void **state)
{
	static const struct {
		const char *claims, *why;
	} v[] = {
		{ "{}", "exp" },
		{ "{\"exp\":\"1\"}", "exp" },
		{ "{\"exp\":1,\"sub\":7}", "sub" },
		{ "{\"exp\":1,\"name\":[]}", "name" },
		{ "{\"exp\":1,\"jti\":{}}", "jti" },
		{ "{\"exp\":1,\"iat\":-1}", "iat" },
		{ "{\"exp\":1,\"metadata\":{}}", "metadata" },
		{ "{\"exp\":1,\"attributes\":\"x\"}", "attributes" },
		{ "{\"exp\":1,\"role\":\"king\"}", "role" },
		{ "{\"exp\":1,\"video\":[]}", "video" },
		{ "{\"exp\":1,\"video\":{\"room\":1}}", "room" },
		{ "{\"exp\":1,\"video\":{\"roomJoin\":1}}", "roomJoin" },
		{ "{\"exp\":1,\"video\":{\"canPublishSources\":\"camera\"}}",
		  "canPublishSources" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct reading *r = xzalloc(sizeof(*r));

		read_claims(r, v[i].claims);
		assert_int_equal(r->err, E_BAD_FIELD);
		assert_string_equal(r->why, v[i].why);
		reading_end(r);
		free(r);
	}
}

static const struct auth_pass whole = {
	.allow = AUTH_JOIN | AUTH_ADMIN | AUTH_MIC | AUTH_CAMERA | AUTH_SCREEN |
		 AUTH_DATA | AUTH_SUBSCRIBE | AUTH_HIDDEN,
	.role = AUTH_LISTENER,
	.issued = 1700000000,
	.expires = 1800000000,
	.user = SLICE_LIT("ann"),
	.name = SLICE_LIT("Ann \"A\""),
	.metadata = SLICE_LIT("{\"a\":1}"),
	.room = SLICE_LIT("fox"),
	.key = SLICE_LIT("k"),
	.id = SLICE_LIT("j"),
};

static void assert_passes(const struct auth_pass *a, const struct auth_pass *b)
{
	assert_int_equal(a->allow, b->allow);
	assert_int_equal(a->role, b->role);
	assert_int_equal(a->issued, b->issued);
	assert_int_equal(a->expires, b->expires);
	assert_true(slice_eq(a->user, b->user));
	assert_true(slice_eq(a->name, b->name));
	assert_true(slice_eq(a->metadata, b->metadata));
	assert_true(slice_eq(a->room, b->room));
	assert_true(slice_eq(a->id, b->id));
}

static void token_says_what_was_signed(void **state)
{
	struct auth_scratch *s = xzalloc(sizeof(*s));
	struct buf b = BUF_INIT(AUTH_TOKEN_MAX);
	struct auth_pass p;
	struct auth_jwt t;
	const char *why;

	(void)state;
	auth_scratch_init(s);
	auth_pass_sign(&b, &whole, SLICE(SECRET));
	assert_int_equal(auth_jwt_open(&t, buf_slice(&b), s), 0);
	assert_int_equal(auth_pass_read(&p, &t, s, &why), 0);
	assert_passes(&p, &whole);
	buf_fini(&b);
	auth_scratch_fini(s);
	free(s);
}

static void bytes_come_back_as_they_went(void **state)
{
	struct buf b = BUF_INIT(AUTH_TOKEN_MAX);
	struct auth_pass p;

	(void)state;
	auth_pass_encode(&b, &whole);
	assert_int_equal(auth_pass_decode(&p, buf_slice(&b)), 0);
	assert_passes(&p, &whole);
	assert_true(slice_eq(p.key, whole.key));
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *cut = xmemdup(b.p, n ? n : 1);
		assert_true(auth_pass_decode(&p, slice_of(cut, n)) < 0);
		free(cut);
	}
	b.p[4] = AUTH_ROLES;
	assert_int_equal(auth_pass_decode(&p, buf_slice(&b)), E_MALFORMED);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(livekit_claims_are_taken_as_they_are),
		cmocka_unit_test(grants_become_permissions),
		cmocka_unit_test(without_grants_nothing_is_allowed),
		cmocka_unit_test(wrong_forms_are_named),
		cmocka_unit_test(token_says_what_was_signed),
		cmocka_unit_test(bytes_come_back_as_they_went),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
