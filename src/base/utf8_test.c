#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define V(text, valid)                                                                   \
	{                                                                                \
		SLICE_LIT(text), valid                                                   \
	}

static const struct {
	struct slice text;
	bool valid;
} vectors[] = {
	V("", true),
	V("plain", true),
	V("\0", true),
	/* first and last of each length, RFC 3629, section 3 */
	V("\x7f", true),
	V("\xc2\x80", true),
	V("\xdf\xbf", true),
	V("\xe0\xa0\x80", true),
	V("\xef\xbf\xbf", true),
	V("\xf0\x90\x80\x80", true),
	V("\xf4\x8f\xbf\xbf", true),
	/* around the surrogates */
	V("\xed\x9f\xbf", true),
	V("\xed\xa0\x80", false),
	V("\xed\xbf\xbf", false),
	V("\xee\x80\x80", true),
	/* overlong forms (RFC 3629, section 10) */
	V("\xc0\x80", false),
	V("\xc1\xbf", false),
	V("\xe0\x80\x80", false),
	V("\xe0\x9f\xbf", false),
	V("\xf0\x80\x80\x80", false),
	V("\xf0\x8f\xbf\xbf", false),
	/* beyond U+10FFFF */
	V("\xf4\x90\x80\x80", false),
	V("\xf5\x80\x80\x80", false),
	V("\xf8\x88\x80\x80\x80", false),
	V("\xfe", false),
	V("\xff", false),
	/* continuation bytes alone, missing, too many */
	V("\x80", false),
	V("\xbf", false),
	V("\xc3", false),
	V("\xe2\x82", false),
	V("\xf0\x9f\x98", false),
	V("\xc3\xa9\xa9", false),
	V("\xe2\x82\x41", false),
	V("\xc3\xc3\xa9", false),
	/* across the 32-byte steps */
	V("0123456789abcdef0123456789abcde\xc3\xa9", true),
	V("0123456789abcdef0123456789abcdef\xc3\xa9", true),
	V("0123456789abcdef0123456789abcdef\xc3", false),
	V("\xe2\x82\xac"
	  "0123456789abcdef0123456789abcdef0123456789abcdef\xff",
	  false),
};

static uint8_t *exact_copy(struct slice s)
{
	uint8_t *p = malloc(s.n ? s.n : 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

static void utf8_knows_the_bounds_of_rfc_3629(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		uint8_t *p = exact_copy(vectors[i].text);
		assert_int_equal(utf8_valid(slice_of(p, vectors[i].text.n)),
				 vectors[i].valid);
		free(p);
	}
}

static void utf8_pieces_agree_with_the_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct slice s = vectors[i].text;
		for (size_t cut = 0; cut <= s.n; cut++) {
			uint32_t at = utf8_feed(UTF8_START, slice_of(s.p, cut));
			at = utf8_feed(at, slice_from(s, cut));
			assert_int_equal(utf8_complete(at), vectors[i].valid);
		}
	}
}

/* The definition, written out plainly: is this four-byte text made of whole characters?
 */
static size_t plain_length(const uint8_t *p, size_t n)
{
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
				   : 4;
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };

	if (len <= 1 || len > n || p[0] >= 0xf8)
		return len == 1;
	uint32_t c = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	bool surrogate = c >= 0xd800 && c <= 0xdfff;
	return c < least[len] || c > 0x10ffff || surrogate ? 0 : len;
}

static bool plain_valid(const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t len = plain_length(p, n);
		if (len == 0)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/* All texts of one to three bytes; of four, those whose bytes are near a bound. */
static void utf8_agrees_with_the_definition(void **state)
{
	static const uint8_t edge[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
					0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
					0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1,
					0xf3, 0xf4, 0xf5, 0xf8, 0xff };
	enum { N = ARRAY_LEN(edge) };

	(void)state;
	for (uint32_t v = 0; v < 1u << 24; v++) {
		uint8_t p[3] = { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
		if (p[0] < 0x7f && (p[0] & 0x0f))
			continue; /* one ASCII letter in front is as good as another */
		assert_true(utf8_valid(slice_of(p, 3)) == plain_valid(p, 3));
		assert_true(utf8_valid(slice_of(p, 2)) == plain_valid(p, 2));
	}
	for (size_t v = 0; v < N * N * N * N; v++) {
		uint8_t p[4] = { edge[v / (N * N * N)], edge[v / (N * N) % N],
				 edge[v / N % N], edge[v % N] };
		assert_true(utf8_valid(slice_of(p, 4)) == plain_valid(p, 4));
	}
}

/* A state is bad exactly when no byte can mend it. */
static void utf8_fails_at_the_first_bad_byte(void **state)
{
	static const struct {
		struct slice text;
		size_t bad_at;
	} v[] = {
		{ SLICE_LIT("ab\x80zz"), 2 },
		{ SLICE_LIT("\xc0zz"), 0 },
		{ SLICE_LIT("\xe0\x9fzz"), 1 },
		{ SLICE_LIT("\xed\xa0zz"), 1 },
		{ SLICE_LIT("\xf0\x8fzz"), 1 },
		{ SLICE_LIT("\xf4\x90zz"), 1 },
		{ SLICE_LIT("\xf0\x90\x80\xc0"), 3 },
		{ SLICE_LIT("\xe2\x82z"), 2 },
		{ SLICE_LIT("\xf5"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		uint32_t at = UTF8_START;
		for (size_t n = 0; n < v[i].text.n; n++) {
			at = utf8_feed(at, slice_of(v[i].text.p + n, 1));
			assert_int_equal(at == UTF8_BAD, n >= v[i].bad_at);
		}
	}
}

static void utf8_bad_stays_bad(void **state)
{
	(void)state;
	assert_int_equal(utf8_feed(UTF8_BAD, SLICE("plain text")), UTF8_BAD);
	assert_int_equal(utf8_feed(UTF8_BAD, SLICE_NONE), UTF8_BAD);
	assert_false(utf8_complete(UTF8_BAD));
}

static void utf8_finds_one_bad_byte_anywhere(void **state)
{
	(void)state;
	for (size_t n = 1; n < 200; n++) {
		uint8_t *p = malloc(n);
		memset(p, 'a', n);
		assert_true(utf8_valid(slice_of(p, n)));
		for (size_t at = 0; at < n; at++) {
			p[at] = 0xff;
			assert_false(utf8_valid(slice_of(p, n)));
			p[at] = 'a';
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_knows_the_bounds_of_rfc_3629),
		cmocka_unit_test(utf8_pieces_agree_with_the_whole),
		cmocka_unit_test(utf8_agrees_with_the_definition),
		cmocka_unit_test(utf8_fails_at_the_first_bad_byte),
		cmocka_unit_test(utf8_bad_stays_bad),
		cmocka_unit_test(utf8_finds_one_bad_byte_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
