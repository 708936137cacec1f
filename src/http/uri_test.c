#include "http/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void http_uri_takes_the_characters_of_a_target_only(void **state)
{
	(void)state;
	assert_true(http_uri_chars_ok(SLICE("/a-b._~!$&'()*+,;=:@/?x[0]=%C3%a4")));
	assert_false(http_uri_chars_ok(SLICE("/a b")));
	assert_false(http_uri_chars_ok(SLICE("/a#b")));
	assert_false(http_uri_chars_ok(SLICE("/a<b")));
	assert_false(http_uri_chars_ok(SLICE("/\xff")));
	assert_false(http_uri_chars_ok(SLICE("/%")));
	assert_false(http_uri_chars_ok(SLICE("/%4")));
	assert_false(http_uri_chars_ok(SLICE("/%g0")));
}

static void http_uri_checks_hosts(void **state)
{
	static const struct {
		const char *host;
		bool ok;
	} v[] = {
		{ "a", true },
		{ "a.b-c.example:8443", true },
		{ "127.0.0.1:80", true },
		{ "[::1]", true },
		{ "[2001:db8::1]:443", true },
		{ "a:", true },
		{ "a_b", true },
		{ "", false },
		{ ":80", false },
		{ "a:b", false },
		{ "a:70000", false },
		{ "a:000080", false },
		{ "[::1", false },
		{ "[]", false },
		{ "[::1]x", false },
		{ "::1", false },
		{ "a/b", false },
		{ "u@a", false },
		{ "a b", false },
		{ "a\r\nb", false },
		{ "a\"", false },
		{ "a,b", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(http_uri_host_ok(slice_str(v[i].host)), v[i].ok);
}

static void http_uri_splits_absolute_forms(void **state)
{
	static const struct {
		const char *uri, *host, *rest;
	} v[] = {
		{ "http://a/b?c", "a", "/b?c" },
		{ "HTTPS://a:1", "a:1", "" },
		{ "http://a?b", "a", "?b" },
		{ "http:///x", "", "/x" },
	};
	struct slice host, rest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_true(http_uri_absolute(slice_str(v[i].uri), &host, &rest));
		assert_true(slice_is(host, v[i].host));
		assert_true(slice_is(rest, v[i].rest));
	}
	assert_false(http_uri_absolute(SLICE("/a"), &host, &rest));
	assert_false(http_uri_absolute(SLICE("ftp://a"), &host, &rest));
	assert_false(http_uri_absolute(SLICE("http:/a"), &host, &rest));
	assert_false(http_uri_absolute(SLICE("null"), &host, &rest));
}

static void http_uri_decodes_to_clean_text(void **state)
{
	static const struct {
		const char *coded;
		bool plus;
		const char *text; /* NULL: refused */
	} v[] = {
		{ "abc", false, "abc" },
		{ "a%20b", false, "a b" },
		{ "a+b", false, "a+b" },
		{ "a+b", true, "a b" },
		{ "%C3%A4", false, "\xc3\xa4" },
		{ "%2F", false, "/" },
		{ "", false, "" },
		{ "%", false, NULL },
		{ "%1", false, NULL },
		{ "%xy", false, NULL },
		{ "%00", false, NULL },
		{ "%0A", false, NULL },
		{ "%7f", false, NULL },
		{ "%ff", false, NULL },
		{ "%C3", false, NULL },
		{ "%ED%A0%80", false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf b = BUF_INIT(100);
		buf_str(&b, "x");
		int err = http_uri_decode(slice_str(v[i].coded), v[i].plus, &b);
		assert_int_equal(err, v[i].text ? 0 : E_MALFORMED);
		assert_true(slice_is(slice_from(buf_slice(&b), 1),
				     v[i].text ? v[i].text : ""));
		buf_fini(&b);
	}
}

static void http_uri_finds_query_parameters(void **state)
{
	struct slice query = SLICE("room=a%20b&x&y=&room=c&=z");
	struct slice v;

	(void)state;
	assert_true(http_uri_query_find(query, SLICE("room"), &v));
	assert_true(slice_is(v, "a%20b"));
	assert_true(http_uri_query_find(query, SLICE("x"), &v));
	assert_int_equal(v.n, 0);
	assert_true(http_uri_query_find(query, SLICE("y"), &v));
	assert_int_equal(v.n, 0);
	assert_false(http_uri_query_find(query, SLICE("oom"), &v));
	assert_false(http_uri_query_find(SLICE_NONE, SLICE("x"), &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_uri_takes_the_characters_of_a_target_only),
		cmocka_unit_test(http_uri_checks_hosts),
		cmocka_unit_test(http_uri_splits_absolute_forms),
		cmocka_unit_test(http_uri_decodes_to_clean_text),
		cmocka_unit_test(http_uri_finds_query_parameters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
