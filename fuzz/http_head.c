/* http_head: the first byte says where to cut, the rest is what a client sent. Cut or whole
 * the outcome is the same, a head that is accepted holds to what the server builds upon, and
 * no more than the limits is kept.
 */
#include "http/head.h"

#include <assert.h>
#include <stdlib.h>

#include "http/range.h"
#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_head_limits limits = {
	.line = 300, .headers = 600, .count = 30, .body = 200
};

static bool is_over(const struct http_head *h)
{
	return http_head_state(h) == HTTP_HEAD_WHOLE ||
	       http_head_state(h) == HTTP_HEAD_BAD;
}

static size_t feed(struct http_head *h, struct slice s)
{
	size_t used = 0;

	while (used < s.n && !is_over(h)) {
		size_t n = http_head_feed(h, slice_from(s, used));
		assert(n <= s.n - used && (n > 0 || is_over(h)));
		used += n;
	}
	return used;
}

static void check_sound(const struct http_head *h)
{
	struct slice path = http_head_path(h), query = http_head_query(h);
	struct slice field = http_head_field(h, "Range");
	struct buf decoded = BUF_INIT(limits.line);
	struct range range;

	assert(path.n > 0 && (path.p[0] == '/' || slice_is(path, "*")));
	assert(http_uri_chars_ok(path) && http_uri_chars_ok(query));
	assert(path.n + query.n <= limits.line);
	assert(http_head_is_1_0(h) || http_uri_host_ok(http_head_host(h)));
	assert(http_head_body(h).n <= limits.body);
	assert(http_uri_decode(path, false, &decoded) < 0 || decoded.n <= path.n);
	if (http_range_parse(field, 100, &range) == RANGE_PART)
		assert(range.n > 0 && range.at < 100 && range.n <= 100 - range.at);
	(void)http_encoding_weight(http_head_field(h, "Accept-Encoding"), "gzip");
	buf_fini(&decoded);
}

/* No control byte gets into what may be written into a log or an answer. */
static void check_fields(const struct http_head *h)
{
	static const char *const names[] = { "Host", "Origin", "Connection", "A" };
	struct slice value;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t at = 0; http_head_next(h, names[i], &at, &value);)
			for (size_t k = 0; k < value.n; k++)
				assert((value.p[k] >= 0x20 && value.p[k] != 0x7f) ||
				       value.p[k] == '\t');
}

static void check_same(const struct http_head *a, const struct http_head *b)
{
	assert(http_head_state(a) == http_head_state(b));
	if (http_head_state(a) == HTTP_HEAD_BAD)
		return;
	if (http_head_state(a) == HTTP_HEAD_WHOLE) {
		assert(slice_eq(http_head_path(a), http_head_path(b)));
		assert(slice_eq(http_head_query(a), http_head_query(b)));
		assert(slice_eq(http_head_host(a), http_head_host(b)));
		assert(slice_eq(http_head_body(a), http_head_body(b)));
		assert(http_head_keep_alive(a) == http_head_keep_alive(b));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct slice s = slice_of(data + 1, size - 1);
	size_t cut = data[0] < s.n ? data[0] : s.n;
	struct http_head *whole = http_head_create(&limits);
	struct http_head *parts = http_head_create(&limits);

	size_t used = feed(whole, s);
	size_t used_parts = feed(parts, slice_of(s.p, cut));
	if (used_parts == cut)
		used_parts += feed(parts, slice_from(s, cut));
	check_same(whole, parts);
	if (http_head_state(whole) == HTTP_HEAD_WHOLE) {
		assert(used == used_parts);
		check_sound(whole);
		check_fields(whole);
	}
	if (http_head_state(whole) == HTTP_HEAD_BAD)
		assert(http_head_status(whole) >= 400 && http_head_why(whole));
	http_head_destroy(whole);
	http_head_destroy(parts);
	return 0;
}
