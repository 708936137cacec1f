#include "http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void http_range_parse_follows_rfc9110(void **state)
{
	static const struct {
		const char *field;
		size_t length;
		enum range_verdict verdict;
		struct range r;
	} v[] = {
		{ "bytes=0-499", 10000, RANGE_PART, { 0, 500 } }, /* RFC 9110, 14.1.2 */
		{ "bytes=500-999", 10000, RANGE_PART, { 500, 500 } },
		{ "bytes=-500", 10000, RANGE_PART, { 9500, 500 } },
		{ "bytes=9500-", 10000, RANGE_PART, { 9500, 500 } },
		{ "Bytes=0-0", 1, RANGE_PART, { 0, 1 } },
		{ "bytes=0-99", 10, RANGE_PART, { 0, 10 } },
		{ "bytes=-99", 10, RANGE_PART, { 0, 10 } },
		{ "bytes=0-99999999999999999999999", 10, RANGE_PART, { 0, 10 } },
		{ "bytes=-99999999999999999999999", 10, RANGE_PART, { 0, 10 } },
		{ "bytes=10-", 10, RANGE_OUTSIDE, { 0, 0 } },
		{ "bytes=10-20", 10, RANGE_OUTSIDE, { 0, 0 } },
		{ "bytes=99999999999999999999999-", 10, RANGE_OUTSIDE, { 0, 0 } },
		{ "bytes=-0", 10, RANGE_OUTSIDE, { 0, 0 } },
		{ "bytes=0-", 0, RANGE_OUTSIDE, { 0, 0 } },
		{ "bytes=-5", 0, RANGE_OUTSIDE, { 0, 0 } },
		{ "bytes=5-4", 10, RANGE_WHOLE, { 0, 0 } },
		{ "bytes=0-0,5-6", 10, RANGE_WHOLE, { 0, 0 } },
		{ "bytes=-", 10, RANGE_WHOLE, { 0, 0 } },
		{ "bytes=", 10, RANGE_WHOLE, { 0, 0 } },
		{ "bytes=a-b", 10, RANGE_WHOLE, { 0, 0 } },
		{ "lines=0-1", 10, RANGE_WHOLE, { 0, 0 } },
		{ "", 10, RANGE_WHOLE, { 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct range r = { 0, 0 };
		assert_int_equal(http_range_parse(slice_str(v[i].field), v[i].length, &r),
				 v[i].verdict);
		assert_int_equal(r.at, v[i].r.at);
		assert_int_equal(r.n, v[i].r.n);
	}
}

static void http_encoding_weight_reads_accept_encoding(void **state)
{
	static const struct {
		const char *accept;
		unsigned br, gzip;
	} v[] = {
		{ "gzip, deflate, br", 1000, 1000 },
		{ "", 0, 0 },
		{ "identity", 0, 0 },
		{ "*", 1000, 1000 },
		{ "*;q=0.5, br;q=0", 0, 500 },
		{ "gzip;q=0.8,br;q=0.25", 250, 800 },
		{ "GZIP ; q=1.0 , br ; Q=0.001", 1, 1000 },
		{ "br;q=0.0,gzip;q=0", 0, 0 },
		{ "br;q=2,gzip;q=0.x", 0, 0 },
		{ "br;q=,gzip;q", 1000, 1000 },
		{ "xbr, gzipx", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct slice s = slice_str(v[i].accept);
		assert_int_equal(http_encoding_weight(s, "br"), v[i].br);
		assert_int_equal(http_encoding_weight(s, "gzip"), v[i].gzip);
	}
}

static void http_etag_listed_compares_weakly(void **state)
{
	(void)state;
	assert_true(http_etag_listed(SLICE("\"a\""), SLICE("\"a\"")));
	assert_true(http_etag_listed(SLICE("\"x\", W/\"a\""), SLICE("\"a\"")));
	assert_true(http_etag_listed(SLICE("*"), SLICE("\"a\"")));
	assert_false(http_etag_listed(SLICE("\"a-br\""), SLICE("\"a\"")));
	assert_false(http_etag_listed(SLICE("a"), SLICE("\"a\"")));
	assert_false(http_etag_listed(SLICE_NONE, SLICE("\"a\"")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_range_parse_follows_rfc9110),
		cmocka_unit_test(http_encoding_weight_reads_accept_encoding),
		cmocka_unit_test(http_etag_listed_compares_weakly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
