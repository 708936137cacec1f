#include "ws/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void ws_accept_key_is_the_rfcs(void **state)
{
	struct buf b = BUF_INIT(64);

	(void)state;
	/* RFC 6455, section 1.3 */
	ws_accept_key(&b, SLICE("dGhlIHNhbXBsZSBub25jZQ=="));
	assert_true(slice_is(buf_slice(&b), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	buf_fini(&b);
}

static void ws_key_is_the_base64_of_16_bytes(void **state)
{
	(void)state;
	assert_true(ws_key_ok(SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
	assert_true(ws_key_ok(SLICE("++++++++++//////////AA==")));
	assert_false(ws_key_ok(SLICE("")));
	assert_false(ws_key_ok(SLICE("dGhlIHNhbXBsZSBub25jZQ=")));
	assert_false(ws_key_ok(SLICE("dGhlIHNhbXBsZSBub25jZQ===")));
	assert_false(ws_key_ok(SLICE("dGhlIHNhbXBsZSBub25jZQAA")));
	assert_false(ws_key_ok(SLICE("dGhlIHNhbXBsZSBub25j ZQ=")));
	assert_false(ws_key_ok(SLICE("dGhlIHNhbXBs-SBub25jZQ==")));
	assert_false(ws_key_ok(SLICE("=======================\0")));
}

static void ws_protocol_is_matched_to_the_letter(void **state)
{
	struct slice name = SLICE_LIT("parley.v1");

	(void)state;
	assert_true(ws_protocol_offered(SLICE("parley.v1"), name));
	assert_true(ws_protocol_offered(SLICE("chat, parley.v1"), name));
	assert_true(ws_protocol_offered(SLICE("chat,\tparley.v1 ,x"), name));
	assert_false(ws_protocol_offered(SLICE(""), name));
	assert_false(ws_protocol_offered(SLICE("parley.v11"), name));
	assert_false(ws_protocol_offered(SLICE("parley.v"), name));
	assert_false(ws_protocol_offered(SLICE("Parley.V1"), name));
	assert_false(ws_protocol_offered(SLICE("chat parley.v1"), name));
}

static const struct slice plain = SLICE_LIT(
	"permessage-deflate; server_no_context_takeover; client_no_context_takeover");
static const struct slice with_bits = SLICE_LIT(
	"permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
	"server_max_window_bits=15");

static void ws_deflate_offers_are_answered(void **state)
{
	static const struct {
		const char *offer;
		const struct slice *answer; /* NULL: declined */
	} v[] = {
		{ "permessage-deflate", &plain },
		/* what Chromium and Firefox send */
		{ "permessage-deflate; client_max_window_bits", &plain },
		{ "permessage-deflate;client_max_window_bits=8", &plain },
		{ "permessage-deflate; client_max_window_bits=\"15\"", &plain },
		{ "permessage-deflate ; server_no_context_takeover ; "
		  "client_no_context_takeover",
		  &plain },
		{ "permessage-deflate; server_max_window_bits=15", &with_bits },
		{ "permessage-deflate; server_max_window_bits=\"15\" ; "
		  "client_max_window_bits",
		  &with_bits },
		/* RFC 7692, section 5.2: in the client's order, the first that can be met
		 */
		{ "permessage-deflate; server_max_window_bits=10, permessage-deflate",
		  &plain },
		{ "x-webkit-deflate-frame, permessage-deflate", &plain },
		{ "foo; bar=\"baz\", permessage-deflate; server_max_window_bits=15, "
		  "permessage-deflate",
		  &with_bits },
		/* our window is one for all */
		{ "permessage-deflate; server_max_window_bits=14", NULL },
		{ "permessage-deflate; server_max_window_bits=8", NULL },
		/* section 7.1: unknown, twice, or with a wrong value */
		{ "permessage-deflate; something_else", NULL },
		{ "permessage-deflate; server_no_context_takeover; "
		  "server_no_context_takeover",
		  NULL },
		{ "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
		  NULL },
		{ "permessage-deflate; server_no_context_takeover=1", NULL },
		{ "permessage-deflate; client_no_context_takeover=true", NULL },
		{ "permessage-deflate; server_max_window_bits", NULL },
		{ "permessage-deflate; server_max_window_bits=16", NULL },
		{ "permessage-deflate; server_max_window_bits=015", NULL },
		{ "permessage-deflate; client_max_window_bits=7", NULL },
		{ "permessage-deflate; client_max_window_bits=16", NULL },
		{ "permessage-deflate; client_max_window_bits=09", NULL },
		{ "permessage-deflate; client_max_window_bits=1a", NULL },
		{ "permessage-deflate; client_max_window_bits=4294967304", NULL },
		{ "permessage-bzip2", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct slice answer = SLICE_NONE;
		int found = ws_deflate_offered(slice_str(v[i].offer), &answer);
		assert_int_equal(found, v[i].answer != NULL);
		if (v[i].answer)
			assert_true(slice_eq(answer, *v[i].answer));
	}
}

static void ws_deflate_offers_must_keep_the_grammar(void **state)
{
	static const char *const v[] = {
		";",
		",",
		"permessage-deflate;",
		"permessage-deflate; ;",
		"permessage-deflate foo",
		"permessage-deflate; client_max_window_bits=",
		"permessage-deflate; =8",
		"permessage-deflate; client_max_window_bits=\"8",
		"permessage-deflate; a=\"\"",
		"permessage-deflate; a=\"b c\"",
		"permessage-deflate; a=b c",
		"permessage@deflate",
		"\"permessage-deflate\"",
		"permessage-deflate\x7f",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct slice answer;
		assert_int_equal(ws_deflate_offered(slice_str(v[i]), &answer),
				 E_MALFORMED);
	}
}

static void ws_deflate_offers_may_end_anywhere(void **state)
{
	static const char offer[] =
		"foo; a=\"b\", permessage-deflate; server_max_window_bits=\"15\"";

	(void)state;
	for (size_t n = 0; n < sizeof(offer); n++) {
		char *p = malloc(n ? n : 1);
		struct slice answer;
		memcpy(p, offer, n);
		assert_in_range(ws_deflate_offered(slice_of(p, n), &answer) + 10000, 0,
				10001);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ws_accept_key_is_the_rfcs),
		cmocka_unit_test(ws_key_is_the_base64_of_16_bytes),
		cmocka_unit_test(ws_protocol_is_matched_to_the_letter),
		cmocka_unit_test(ws_deflate_offers_are_answered),
		cmocka_unit_test(ws_deflate_offers_must_keep_the_grammar),
		cmocka_unit_test(ws_deflate_offers_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
