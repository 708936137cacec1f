#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

#define TOKENS 256

static struct json_token tok[TOKENS];

/* Parses a copy in a block of exactly its size: a sanitizer sees a read of byte n. */
static int parse_exact(struct slice text)
{
	uint8_t *p = malloc(text.n ? text.n : 1);
	struct json j;

	if (text.n)
		memcpy(p, text.p, text.n);
	int err = json_parse(&j, slice_of(p, text.n), tok, TOKENS);
	free(p);
	return err;
}

static struct json parsed(struct slice text)
{
	struct json j;

	assert_int_equal(json_parse(&j, text, tok, TOKENS), 0);
	return j;
}

/* What RFC 8259 allows, each text for one clause of its grammar. */
static const struct slice accepted[] = {
	SLICE_LIT("{}"),
	SLICE_LIT("[]"),
	SLICE_LIT("0"),
	SLICE_LIT("-0"),
	SLICE_LIT("\"\""),
	SLICE_LIT("null"),
	SLICE_LIT("true"),
	SLICE_LIT("false"),
	SLICE_LIT(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n"),
	SLICE_LIT(" { \"a\" : 1 , \"b\" : 2 } "),
	SLICE_LIT("{\"a\":1,\"a\":2}"),
	SLICE_LIT("{\"\":0}"),
	SLICE_LIT("{\"a\\u0000b\":0}"),
	SLICE_LIT("[[[[]]],{\"a\":{\"b\":[{}]}}]"),
	SLICE_LIT("[123,-1,0.5,-0.5,1e1,1E1,1e+1,1E-1,0e0,0.0e0,123.456e78]"),
	SLICE_LIT("[123456789012345678901234567890,1e9999,-1e-9999]"),
	SLICE_LIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
	SLICE_LIT("\"\\u0000\\u001f\\u0022\\u005c\\uFFFF\\uabCD\""),
	SLICE_LIT("\"\\ud800\\udc00\\uDBFF\\uDFFF\""),
	SLICE_LIT("\"/\x7f\""),
	SLICE_LIT("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
	SLICE_LIT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xe2\x80\xa8\xef\xbb\xbf\""),
};

static void json_accepts_all_of_rfc_8259(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
		if (parse_exact(accepted[i]) != 0)
			fail_msg("refused: %.*s", SLICE_FMT(accepted[i]));
}

static const struct {
	struct slice text;
	int want;
} rejected[] = {
	/* structure */
	{ SLICE_LIT(""), E_TRUNCATED },
	{ SLICE_LIT(" "), E_TRUNCATED },
	{ SLICE_LIT("["), E_TRUNCATED },
	{ SLICE_LIT("[1"), E_TRUNCATED },
	{ SLICE_LIT("[1,"), E_TRUNCATED },
	{ SLICE_LIT("{"), E_TRUNCATED },
	{ SLICE_LIT("{\"a\""), E_TRUNCATED },
	{ SLICE_LIT("{\"a\":"), E_TRUNCATED },
	{ SLICE_LIT("{\"a\":1"), E_TRUNCATED },
	{ SLICE_LIT("{\"a\":1,"), E_TRUNCATED },
	{ SLICE_LIT("]"), E_MALFORMED },
	{ SLICE_LIT("}"), E_MALFORMED },
	{ SLICE_LIT(","), E_MALFORMED },
	{ SLICE_LIT("[,]"), E_MALFORMED },
	{ SLICE_LIT("[1,]"), E_MALFORMED },
	{ SLICE_LIT("[1,,2]"), E_MALFORMED },
	{ SLICE_LIT("[,1]"), E_MALFORMED },
	{ SLICE_LIT("[1 2]"), E_MALFORMED },
	{ SLICE_LIT("[1}"), E_MALFORMED },
	{ SLICE_LIT("[}"), E_MALFORMED },
	{ SLICE_LIT("[1:2]"), E_MALFORMED },
	{ SLICE_LIT("{]"), E_MALFORMED },
	{ SLICE_LIT("{\"a\":1]"), E_MALFORMED },
	{ SLICE_LIT("{,}"), E_MALFORMED },
	{ SLICE_LIT("{\"a\"}"), E_MALFORMED },
	{ SLICE_LIT("{\"a\",1}"), E_MALFORMED },
	{ SLICE_LIT("{\"a\"::1}"), E_MALFORMED },
	{ SLICE_LIT("{\"a\":}"), E_MALFORMED },
	{ SLICE_LIT("{\"a\":1,}"), E_MALFORMED },
	{ SLICE_LIT("{\"a\":1 \"b\":2}"), E_MALFORMED },
	{ SLICE_LIT("{\"a\":1,,\"b\":2}"), E_MALFORMED },
	{ SLICE_LIT("{a:1}"), E_MALFORMED },
	{ SLICE_LIT("{1:1}"), E_MALFORMED },
	{ SLICE_LIT("{'a':1}"), E_MALFORMED },
	{ SLICE_LIT("{null:1}"), E_MALFORMED },
	{ SLICE_LIT("[] []"), E_MALFORMED },
	{ SLICE_LIT("[]]"), E_MALFORMED },
	{ SLICE_LIT("{}x"), E_MALFORMED },
	{ SLICE_LIT("1 2"), E_MALFORMED },
	{ SLICE_LIT("\"a\"\"b\""), E_MALFORMED },
	{ SLICE_LIT("[1]\0"), E_MALFORMED },
	{ SLICE_LIT("[1]//"), E_MALFORMED },
	{ SLICE_LIT("[/**/1]"), E_MALFORMED },
	{ SLICE_LIT("#[]"), E_MALFORMED },
	/* space that is none: FF, VT, NUL, NBSP, U+2060, byte order marks */
	{ SLICE_LIT("[\f]"), E_MALFORMED },
	{ SLICE_LIT("[\v]"), E_MALFORMED },
	{ SLICE_LIT("\0[]"), E_MALFORMED },
	{ SLICE_LIT("[\xc2\xa0]"), E_MALFORMED },
	{ SLICE_LIT("[\xe2\x81\xa0]"), E_MALFORMED },
	{ SLICE_LIT("\xef\xbb\xbf[]"), E_MALFORMED },
	{ SLICE_LIT("\xff\xfe[\0]\0"), E_MALFORMED },
	{ SLICE_LIT("[\0]\0"), E_MALFORMED },
	/* words */
	{ SLICE_LIT("nul"), E_TRUNCATED },
	{ SLICE_LIT("t"), E_TRUNCATED },
	{ SLICE_LIT("[fals]"), E_MALFORMED },
	{ SLICE_LIT("True"), E_MALFORMED },
	{ SLICE_LIT("NULL"), E_MALFORMED },
	{ SLICE_LIT("nulll"), E_MALFORMED },
	{ SLICE_LIT("[truefalse]"), E_MALFORMED },
	{ SLICE_LIT("undefined"), E_MALFORMED },
	{ SLICE_LIT("NaN"), E_MALFORMED },
	{ SLICE_LIT("Infinity"), E_MALFORMED },
	{ SLICE_LIT("-Infinity"), E_MALFORMED },
	/* numbers */
	{ SLICE_LIT("-"), E_TRUNCATED },
	{ SLICE_LIT("1."), E_TRUNCATED },
	{ SLICE_LIT("1e"), E_TRUNCATED },
	{ SLICE_LIT("1e+"), E_TRUNCATED },
	{ SLICE_LIT("[-]"), E_MALFORMED },
	{ SLICE_LIT("+1"), E_MALFORMED },
	{ SLICE_LIT("--1"), E_MALFORMED },
	{ SLICE_LIT("- 1"), E_MALFORMED },
	{ SLICE_LIT("01"), E_MALFORMED },
	{ SLICE_LIT("-01"), E_MALFORMED },
	{ SLICE_LIT("00"), E_MALFORMED },
	{ SLICE_LIT("[1.]"), E_MALFORMED },
	{ SLICE_LIT(".1"), E_MALFORMED },
	{ SLICE_LIT("-.1"), E_MALFORMED },
	{ SLICE_LIT("1.e1"), E_MALFORMED },
	{ SLICE_LIT("1.2.3"), E_MALFORMED },
	{ SLICE_LIT("[1e]"), E_MALFORMED },
	{ SLICE_LIT("[1e+]"), E_MALFORMED },
	{ SLICE_LIT("1e1.5"), E_MALFORMED },
	{ SLICE_LIT("1e+-1"), E_MALFORMED },
	{ SLICE_LIT("0x10"), E_MALFORMED },
	{ SLICE_LIT("1f"), E_MALFORMED },
	{ SLICE_LIT("1_000"), E_MALFORMED },
	{ SLICE_LIT("[1\xe2\x81\xbb]"), E_MALFORMED },
	/* strings */
	{ SLICE_LIT("\""), E_TRUNCATED },
	{ SLICE_LIT("\"a"), E_TRUNCATED },
	{ SLICE_LIT("\"\\"), E_TRUNCATED },
	{ SLICE_LIT("\"\\\""), E_TRUNCATED },
	{ SLICE_LIT("\"\\u"), E_TRUNCATED },
	{ SLICE_LIT("\"\\u12"), E_TRUNCATED },
	{ SLICE_LIT("\"\\ud800"), E_TRUNCATED },
	{ SLICE_LIT("\"\\ud800\\"), E_TRUNCATED },
	{ SLICE_LIT("\"\\ud800\\udc0"), E_TRUNCATED },
	{ SLICE_LIT("'a'"), E_MALFORMED },
	{ SLICE_LIT("\"\\a\""), E_MALFORMED },
	{ SLICE_LIT("\"\\'\""), E_MALFORMED },
	{ SLICE_LIT("\"\\0\""), E_MALFORMED },
	{ SLICE_LIT("\"\\x41\""), E_MALFORMED },
	{ SLICE_LIT("\"\\U0041\""), E_MALFORMED },
	{ SLICE_LIT("\"\\\n\""), E_MALFORMED },
	{ SLICE_LIT("\"\\\xf0\x9f\x98\x80\""), E_MALFORMED },
	{ SLICE_LIT("\"\\u004\""), E_MALFORMED },
	{ SLICE_LIT("\"\\u00g0\""), E_MALFORMED },
	{ SLICE_LIT("\"\\u+041\""), E_MALFORMED },
	{ SLICE_LIT("\"\n\""), E_MALFORMED },
	{ SLICE_LIT("\"\t\""), E_MALFORMED },
	{ SLICE_LIT("\"\0\""), E_MALFORMED },
	{ SLICE_LIT("\"\x1f\""), E_MALFORMED },
	{ SLICE_LIT("[\"a\x00\x62\"]"), E_MALFORMED },
	/* surrogates that are no pair */
	{ SLICE_LIT("\"\\ud800\""), E_MALFORMED },
	{ SLICE_LIT("\"\\udc00\""), E_MALFORMED },
	{ SLICE_LIT("\"\\udfff\\ud800\""), E_MALFORMED },
	{ SLICE_LIT("\"\\ud800\\ud800\""), E_MALFORMED },
	{ SLICE_LIT("\"\\ud800\\u0041\""), E_MALFORMED },
	{ SLICE_LIT("\"\\ud800\\n....\""), E_MALFORMED },
	{ SLICE_LIT("\"\\ud800abcdef\""), E_MALFORMED },
	{ SLICE_LIT("\"\\ud800\\uzzzz\""), E_MALFORMED },
	/* not UTF-8 (RFC 3629) */
	{ SLICE_LIT("\"\x80\""), E_UTF8 },
	{ SLICE_LIT("\"\xff\""), E_UTF8 },
	{ SLICE_LIT("\"\xc0\xaf\""), E_UTF8 },
	{ SLICE_LIT("\"\xc3\""), E_UTF8 },
	{ SLICE_LIT("\"\xe0\x80\xaf\""), E_UTF8 },
	{ SLICE_LIT("\"\xe2\x82\""), E_UTF8 },
	{ SLICE_LIT("\"\xe2\x82\\n\""), E_UTF8 },
	{ SLICE_LIT("\"\xed\xa0\x80\""), E_UTF8 },
	{ SLICE_LIT("\"\xf0\x80\x80\x80\""), E_UTF8 },
	{ SLICE_LIT("\"\xf4\x90\x80\x80\""), E_UTF8 },
	{ SLICE_LIT("\"0123456789abcdef0123456789abcdef\xf5\""), E_UTF8 },
	{ SLICE_LIT("{\"\xc3\x28\":1}"), E_UTF8 },
};

static void json_rejects_everything_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rejected); i++) {
		int err = parse_exact(rejected[i].text);
		if (err != rejected[i].want)
			fail_msg("%.*s: %d", SLICE_FMT(rejected[i].text), err);
	}
}

static const char document[] =
	"{\"type\":\"signal\",\"id\":17,\"to\":null,\"data\":{\"description\":{\"type\":"
	"\"offer\",\"sdp\":\"v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\n\"}},"
	"\"list\":[true,false,-1.5e+3,[],{},"
	"\"\\u00e9\xc3\xa9\\ud83d\\ude00\xf0\x9f\x98\x80\"]}";

static void json_tells_every_truncation(void **state)
{
	(void)state;
	assert_int_equal(parse_exact(SLICE(document)), 0);
	for (size_t n = 0; n < sizeof(document) - 1; n++)
		assert_int_equal(parse_exact(slice_of(document, n)), E_TRUNCATED);
}

/* The block scan has other paths near the text's end and start; all alignments go by. */
static void json_scans_strings_of_every_length(void **state)
{
	static const struct {
		struct slice piece;
		int want;
	} v[] = {
		{ SLICE_LIT(""), 0 },
		{ SLICE_LIT("\\n"), 0 },
		{ SLICE_LIT("\\\""), 0 },
		{ SLICE_LIT("\\\\"), 0 },
		{ SLICE_LIT("\\u0041"), 0 },
		{ SLICE_LIT("\\ud83d\\ude00"), 0 },
		{ SLICE_LIT("\xe2\x82\xac"), 0 },
		{ SLICE_LIT("\x01"), E_MALFORMED },
		{ SLICE_LIT("\\q"), E_MALFORMED },
		{ SLICE_LIT("\\ude00"), E_MALFORMED },
		{ SLICE_LIT("\xe2\x82"), E_UTF8 },
	};
	uint8_t text[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		for (size_t before = 0; before < 50; before++) {
			for (size_t after = 0; after < 50; after++) {
				size_t n = before + v[i].piece.n + after;
				memset(text, 'x', sizeof(text));
				text[0] = text[n + 1] = '"';
				memcpy(text + 1 + before, v[i].piece.p, v[i].piece.n);
				assert_int_equal(parse_exact(slice_of(text, n + 2)),
						 v[i].want);
			}
		}
	}
}

static void json_limits_depth(void **state)
{
	enum { DEEP = 100000 };
	char *text = malloc(DEEP);

	(void)state;
	memset(text, '[', DEEP);
	assert_int_equal(parse_exact(slice_of(text, JSON_MAX_DEPTH)), E_TRUNCATED);
	assert_int_equal(parse_exact(slice_of(text, JSON_MAX_DEPTH + 1)), E_LIMIT);
	assert_int_equal(parse_exact(slice_of(text, DEEP)), E_LIMIT);
	memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	assert_int_equal(parse_exact(slice_of(text, 2 * JSON_MAX_DEPTH)), 0);
	free(text);
}

static void json_limits_tokens(void **state)
{
	struct json j;

	(void)state;
	assert_int_equal(json_parse(&j, SLICE("[1,2,3]"), tok, 4), 0);
	for (uint32_t max = 0; max < 4; max++)
		assert_int_equal(json_parse(&j, SLICE("[1,2,3]"), tok, max), E_LIMIT);
	for (uint32_t max = 0; max < 3; max++)
		assert_int_equal(json_parse(&j, SLICE("{\"a\":{}}"), tok, max), E_LIMIT);
}

static void json_leaves_the_result_alone_when_it_fails(void **state)
{
	struct json j = { .count = 77 };

	(void)state;
	assert_int_equal(json_parse(&j, SLICE("[1,"), tok, TOKENS), E_TRUNCATED);
	assert_int_equal(j.count, 77);
}

static void json_tokens_say_where_and_what_follows(void **state)
{
	static const struct {
		enum json_kind kind;
		uint32_t next, count;
		const char *raw;
	} want[] = {
		{ JSON_OBJECT, 9, 3, "{ \"a\" : [1 , {} ],\"b\":\"x\\n\", \"c\" :null}" },
		{ JSON_STRING, 2, 0, "\"a\"" },
		{ JSON_ARRAY, 5, 2, "[1 , {} ]" },
		{ JSON_NUMBER, 4, 0, "1" },
		{ JSON_OBJECT, 5, 0, "{}" },
		{ JSON_STRING, 6, 0, "\"b\"" },
		{ JSON_STRING, 7, 0, "\"x\\n\"" },
		{ JSON_STRING, 8, 0, "\"c\"" },
		{ JSON_NULL, 9, 0, "null" },
	};
	struct json j =
		parsed(SLICE(" { \"a\" : [1 , {} ],\"b\":\"x\\n\", \"c\" :null} "));

	(void)state;
	assert_int_equal(j.count, ARRAY_LEN(want));
	for (uint32_t i = 0; i < j.count; i++) {
		assert_int_equal(json_kind_of(&j, i), want[i].kind);
		assert_int_equal(j.tok[i].next, want[i].next);
		assert_int_equal(j.tok[i].count, want[i].count);
		assert_true(slice_is(json_raw(&j, i), want[i].raw));
		assert_int_equal(j.tok[i].escaped, i == 6);
	}
}

static void json_count_saturates(void **state)
{
	enum { MANY = 70000 };
	struct json_token *many = malloc((MANY + 1) * sizeof(*many));
	char *text = malloc(2 * MANY + 1);
	struct json j;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		memcpy(text + 2 * i, ",0", 2);
	text[0] = '[';
	text[(size_t)2 * MANY] = ']';
	assert_int_equal(json_parse(&j, slice_of(text, 2 * MANY + 1), many, MANY + 1), 0);
	assert_int_equal(j.count, MANY + 1);
	assert_int_equal(many[0].count, UINT16_MAX);
	free(text);
	free(many);
}

static void json_member_finds_the_first_of_that_name(void **state)
{
	struct json j = parsed(SLICE(
		"{\"x\":{\"a\":0},\"a\":1,\"b\":2,\"a\":3,\"\\u0063\\n\":4,\"\":5}"));

	(void)state;
	assert_true(slice_is(json_raw(&j, json_member(&j, 0, SLICE("a"))), "1"));
	assert_true(slice_is(json_raw(&j, json_member(&j, 0, SLICE("b"))), "2"));
	assert_true(slice_is(json_raw(&j, json_member(&j, 0, SLICE("c\n"))), "4"));
	assert_true(slice_is(json_raw(&j, json_member(&j, 0, SLICE(""))), "5"));
	assert_true(slice_is(
		json_raw(&j, json_member(&j, json_member(&j, 0, SLICE("x")), SLICE("a"))),
		"0"));
	assert_int_equal(json_member(&j, 0, SLICE("c")), 0);
	assert_int_equal(json_member(&j, 0, SLICE("c\nd")), 0);
	assert_int_equal(json_member(&j, 0, SLICE("\\u0063\\n")), 0);
	assert_int_equal(json_member(&j, json_member(&j, 0, SLICE("a")), SLICE("a")), 0);
}

static void json_string_unescapes(void **state)
{
	static const struct slice want =
		SLICE_LIT("\"\\/\b\f\n\r\tA\0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
	struct json j = parsed(SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u0000\\u00E9"
				     "\\u20ac\\uD83D\\ude00z\""));
	struct buf b = BUF_INIT(64);

	(void)state;
	buf_str(&b, "<");
	assert_int_equal(json_string(&j, 0, 64, &b), 0);
	assert_true(slice_eq(slice_from(buf_slice(&b), 1), want));
	assert_true(json_string_is(&j, 0, want));
	assert_false(json_string_is(&j, 0, slice_of(want.p, want.n - 1)));
	assert_false(json_string_is(&j, 0, SLICE("")));
	buf_fini(&b);
}

static void json_string_holds_to_its_limit(void **state)
{
	struct json j = parsed(SLICE("[\"ab\\u20acc\",7]"));
	struct buf b = BUF_INIT(64), small = BUF_INIT(5);

	(void)state;
	buf_str(&b, "before");
	assert_int_equal(json_string(&j, 1, 6, &b), 0);
	assert_int_equal(json_string(&j, 1, 5, &b), E_LIMIT);
	assert_int_equal(json_string(&j, 1, 0, &b), E_LIMIT);
	assert_int_equal(json_string(&j, 2, 5, &b), E_BAD_FIELD);
	assert_true(slice_is(buf_slice(&b), "beforeab\xe2\x82\xac"
					    "c"));
	assert_int_equal(json_string(&j, 1, 6, &small), E_LIMIT);
	assert_true(slice_is(json_string_raw(&j, 1), "ab\\u20acc"));
	assert_int_equal(json_string_raw(&j, 2).n, 0);
	assert_false(json_string_is(&j, 2, SLICE("7")));
	buf_fini(&b);
	buf_fini(&small);
}

/* Each code point, written as an escape (a pair beyond the BMP), comes out as its UTF-8.
 */
static void json_string_knows_every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff;
	     c += c < 0x3000 || (c > 0xd000 && c < 0x10800) ? 1 : 61) {
		char text[32];
		uint8_t room[8];
		struct buf b = { .p = room, .cap = sizeof(room), .max = sizeof(room) };
		int n = c < 0x10000 ? snprintf(text, sizeof(text), "\"\\u%04x\"", c)
				    : snprintf(text, sizeof(text), "\"\\u%04X\\u%04x\"",
					       0xd800 + ((c - 0x10000) >> 10),
					       0xdc00 + (c & 0x3ff));
		struct json j;
		int err = json_parse(&j, slice_of(text, (size_t)n), tok, TOKENS);
		if (c >= 0xd800 && c <= 0xdfff) {
			assert_true(err < 0);
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(json_string(&j, 0, 4, &b), 0);
		uint32_t back = room[0];
		if (b.n > 1)
			back &= 0x7fu >> b.n;
		for (size_t i = 1; i < b.n; i++)
			back = back << 6 | (room[i] & 0x3f);
		assert_int_equal(back, c);
		assert_int_equal(b.n, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
	}
}

static void json_u53_is_strict(void **state)
{
	static const struct {
		struct slice text;
		int err;
		uint64_t value;
	} v[] = {
		{ SLICE_LIT("0"), 0, 0 },
		{ SLICE_LIT("42"), 0, 42 },
		{ SLICE_LIT("9007199254740991"), 0, 9007199254740991 },
		{ SLICE_LIT("9007199254740992"), E_BAD_FIELD, 0 },
		{ SLICE_LIT("18446744073709551617"), E_BAD_FIELD, 0 },
		{ SLICE_LIT("-1"), E_BAD_FIELD, 0 },
		{ SLICE_LIT("-0"), E_BAD_FIELD, 0 },
		{ SLICE_LIT("1.0"), E_BAD_FIELD, 0 },
		{ SLICE_LIT("1e2"), E_BAD_FIELD, 0 },
		{ SLICE_LIT("\"1\""), E_BAD_FIELD, 0 },
		{ SLICE_LIT("true"), E_BAD_FIELD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct json j = parsed(v[i].text);
		uint64_t value = 0;
		assert_int_equal(json_u53(&j, 0, &value), v[i].err);
		assert_int_equal(value, v[i].value);
	}
}

static void json_bool_takes_true_and_false_only(void **state)
{
	struct json j = parsed(SLICE("[true,false,1,\"true\",null]"));
	bool v = false;

	(void)state;
	assert_int_equal(json_bool(&j, 1, &v), 0);
	assert_true(v);
	assert_int_equal(json_bool(&j, 2, &v), 0);
	assert_false(v);
	for (uint32_t t = 3; t < 6; t++)
		assert_int_equal(json_bool(&j, t, &v), E_BAD_FIELD);
}

static void json_writer_sets_the_commas(void **state)
{
	struct buf b = BUF_INIT(1024);
	struct jsonw w;

	(void)state;
	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "a", SLICE("x"));
	json_field_u64(&w, "b", UINT64_MAX);
	json_field_bool(&w, "c", false);
	json_key(&w, SLICE("d"));
	json_array(&w);
	json_object(&w);
	json_object_end(&w);
	json_array(&w);
	json_array_end(&w);
	json_put_u64(&w, 0);
	json_put_bool(&w, true);
	json_array_end(&w);
	json_field_raw(&w, "e", SLICE("{\"f\":null}"));
	json_object_end(&w);
	assert_true(slice_is(buf_slice(&b),
			     "{\"a\":\"x\",\"b\":18446744073709551615,\"c\":false,"
			     "\"d\":[{},[],0,true],\"e\":{\"f\":null}}"));
	buf_fini(&b);
}

static void json_writer_nests_to_64(void **state)
{
	struct buf b = BUF_INIT(1024);
	struct jsonw w;

	(void)state;
	json_begin(&w, &b);
	for (int i = 0; i < 64; i++) {
		json_array(&w);
		json_put_u64(&w, 1);
	}
	for (int i = 0; i < 64; i++) {
		json_put_u64(&w, 2);
		json_array_end(&w);
	}
	struct json j = parsed(buf_slice(&b));
	assert_int_equal(j.count, 64 * 3);
	buf_fini(&b);
}

static void json_quote_escapes_what_must_be(void **state)
{
	uint8_t all[256 + 16];
	struct buf b = BUF_INIT(4096), back = BUF_INIT(4096);

	(void)state;
	json_quote(&b, SLICE("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\0"));
	assert_true(slice_is(buf_slice(&b),
			     "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"
			     "\xc3\xa9\\u0000\""));
	/* Every byte of ASCII, at every place in a block, comes back. */
	for (size_t shift = 0; shift < 16; shift++) {
		memset(all, '-', sizeof(all));
		for (size_t i = 0; i < 128; i++)
			all[shift + i] = (uint8_t)i;
		buf_clear(&b);
		buf_clear(&back);
		json_quote(&b, slice_of(all, shift + 128));
		struct json j = parsed(buf_slice(&b));
		assert_int_equal(json_string(&j, 0, 4096, &back), 0);
		assert_true(slice_eq(buf_slice(&back), slice_of(all, shift + 128)));
	}
	buf_fini(&b);
	buf_fini(&back);
}

static void json_doubles_have_three_decimals(void **state)
{
	static const struct {
		double v;
		const char *want;
	} v[] = {
		{ 0, "0.000" },
		{ 12.3, "12.300" },
		{ -1.9999, "-2.000" },
		{ 0.0006, "0.001" },
		{ -0.0001, "0.000" },
		{ 1e15, "1000000000000000.000" },
		{ NAN, "null" },
		{ INFINITY, "null" },
		{ 1e22, "10000000000000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf b = BUF_INIT(512);
		struct jsonw w;
		json_begin(&w, &b);
		json_put_double(&w, v[i].v);
		assert_true(slice_is(buf_slice(&b), v[i].want));
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_accepts_all_of_rfc_8259),
		cmocka_unit_test(json_rejects_everything_else),
		cmocka_unit_test(json_tells_every_truncation),
		cmocka_unit_test(json_scans_strings_of_every_length),
		cmocka_unit_test(json_limits_depth),
		cmocka_unit_test(json_limits_tokens),
		cmocka_unit_test(json_leaves_the_result_alone_when_it_fails),
		cmocka_unit_test(json_tokens_say_where_and_what_follows),
		cmocka_unit_test(json_count_saturates),
		cmocka_unit_test(json_member_finds_the_first_of_that_name),
		cmocka_unit_test(json_string_unescapes),
		cmocka_unit_test(json_string_holds_to_its_limit),
		cmocka_unit_test(json_string_knows_every_code_point),
		cmocka_unit_test(json_u53_is_strict),
		cmocka_unit_test(json_bool_takes_true_and_false_only),
		cmocka_unit_test(json_writer_sets_the_commas),
		cmocka_unit_test(json_writer_nests_to_64),
		cmocka_unit_test(json_quote_escapes_what_must_be),
		cmocka_unit_test(json_doubles_have_three_decimals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
