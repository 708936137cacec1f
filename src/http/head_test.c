#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct http_head_limits limits = {
	.line = 200, .headers = 400, .count = 8, .body = 64
};

/* What a request came to, in a form that can be compared. */
struct outcome {
	enum http_head_state state;
	int status;
	size_t used;
	char text[800];
};

static void describe(struct outcome *o, const struct http_head *h)
{
	struct slice field = http_head_field(h, "A");
	struct slice path = http_head_path(h), query = http_head_query(h);
	struct slice host = http_head_host(h), body = http_head_body(h);
	struct slice method = http_head_method(h);

	snprintf(o->text, sizeof(o->text),
		 "%.*s %.*s?%.*s host=%.*s A=%.*s keep=%d body=%.*s", SLICE_FMT(method),
		 SLICE_FMT(path), SLICE_FMT(query), SLICE_FMT(host), SLICE_FMT(field),
		 http_head_keep_alive(h), SLICE_FMT(body));
}

/* Feeds `text` up to `cut` and then the rest, each from a block of exactly its size. */
static struct outcome run(struct slice text, size_t cut)
{
	struct http_head *h = http_head_create(&limits);
	struct outcome o = { 0 };
	size_t ends[] = { cut, text.n };

	for (size_t i = 0, at = 0; i < 2; i++) {
		size_t n = ends[i] - at, used = 0;
		uint8_t *part = xmalloc(n ? n : 1);
		memcpy(part, text.p + at, n);
		while (used < n && http_head_state(h) != HTTP_HEAD_WHOLE &&
		       http_head_state(h) != HTTP_HEAD_BAD)
			used += http_head_feed(h, slice_of(part + used, n - used));
		free(part);
		o.used += used;
		at = ends[i];
		if (used < n)
			break;
	}
	o.state = http_head_state(h);
	o.status = o.state == HTTP_HEAD_BAD ? http_head_status(h) : 0;
	if (o.state == HTTP_HEAD_WHOLE)
		describe(&o, h);
	if (o.state == HTTP_HEAD_BAD)
		assert_non_null(http_head_why(h));
	http_head_destroy(h);
	return o;
}

#define REST "\r\nHost: h\r\n\r\n"

static const struct {
	const char *text;
	const char *means;
} sound[] = {
	{ "GET / HTTP/1.1" REST, "GET /? host=h A= keep=1 body=" },
	{ "\r\n\r\nGET /a/b?c=d HTTP/1.1" REST, "GET /a/b?c=d host=h A= keep=1 body=" },
	{ "GET / HTTP/1.1\r\nHOST:h\r\na:\t x \t\r\n\r\n",
	  "GET /? host=h A=x keep=1 body=" },
	{ "GET / HTTP/1.1\r\nHost: [::1]:80\r\nA:\r\n\r\n",
	  "GET /? host=[::1]:80 A= keep=1 body=" },
	{ "GET / HTTP/1.0\r\n\r\n", "GET /? host= A= keep=0 body=" },
	{ "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n",
	  "GET /? host= A= keep=1 body=" },
	{ "GET / HTTP/1.1\r\nConnection: close" REST, "GET /? host=h A= keep=0 body=" },
	{ "OPTIONS * HTTP/1.1" REST, "OPTIONS *? host=h A= keep=1 body=" },
	{ "GET http://h/p?q HTTP/1.1" REST, "GET /p?q host=h A= keep=1 body=" },
	{ "GET HTTPS://H?q HTTP/1.1" REST, "GET /?q host=h A= keep=1 body=" },
	{ "POST /x HTTP/1.1\r\nContent-Length: 5" REST "hello",
	  "POST /x? host=h A= keep=1 body=hello" },
	{ "POST /x HTTP/1.1\r\nContent-Length: 0" REST,
	  "POST /x? host=h A= keep=1 body=" },
	{ "PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked" REST
	  "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
	  "PUT /? host=h A= keep=1 body=abcd" },
	{ "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "0\r\n\r\n",
	  "PUT /? host=h A= keep=1 body=" },
	{ "PATCH / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 1" REST "x",
	  "PATCH /? host=h A= keep=1 body=x" },
	{ "POST / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: "
	  "2" REST "hi",
	  "POST /? host=h A= keep=1 body=hi" },
	{ "GET /%C3%A4 HTTP/1.1\r\nA: \xc3\xa4" REST,
	  "GET /%C3%A4? host=h A=\xc3\xa4 keep=1 body=" },
};

static const struct {
	const char *text;
	int status;
} bad[] = {
	/* Request smuggling: what two readers may take for different lengths or heads. */
	{ "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost\t: h\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length : 4" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 4, 4" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: +4" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: -4" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 0x4" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 4 4" REST "abcd", 400 },
	{ "POST / HTTP/1.1\r\nContent-Length:" REST, 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999" REST, 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked" REST
	  "0\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4" REST
	  "0\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
	  "chunked" REST,
	  400 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked" REST, 501 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked" REST, 501 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: identity" REST, 501 },
	{ "GET / HTTP/1.1\r\nA: b\r\n c\r\nHost: h\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n A: b" REST, 400 },
	{ "GET / HTTP/1.1\nHost: h\n\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: h\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: h\r\n\n", 400 },
	{ "GET / HTTP/1.1\rHost: h\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nA: b\rc" REST, 400 },
	{ "GET / HTTP/1.1\r\nA: b\r\r\nHost: h\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nA: b\x01" REST, 400 },
	{ "GET / HTTP/1.1\r\nA: b\x7f" REST, 400 },
	{ "GET / HTTP/1.1\r\nA\x0b: b" REST, 400 },
	{ "GET / HTTP/1.1\r\n: b" REST, 400 },
	{ "GET / HTTP/1.1\r\nA B: b" REST, 400 },
	{ "GET / HTTP/1.1\r\nA" REST, 400 },
	{ "GET / HTTP/1.1\r\nA(: b" REST, 400 },
	/* the Host */
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: h" REST, 400 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: h:99999\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400 },
	{ "GET http://other/ HTTP/1.1" REST, 400 },
	/* the request line */
	{ "GET  / HTTP/1.1" REST, 400 },
	{ "GET\t/ HTTP/1.1" REST, 400 },
	{ " GET / HTTP/1.1" REST, 400 },
	{ "GET / HTTP/1.1 " REST, 400 },
	{ "GET /" REST, 400 },
	{ "GET" REST, 400 },
	{ "get / HTTP/1.1" REST, 501 },
	{ "PROPFIND / HTTP/1.1" REST, 501 },
	{ "CONNECT h:443 HTTP/1.1" REST, 501 },
	{ "G@T / HTTP/1.1" REST, 400 },
	{ "GET * HTTP/1.1" REST, 400 },
	{ "GET h:80 HTTP/1.1" REST, 400 },
	{ "GET ftp://h/ HTTP/1.1" REST, 400 },
	{ "GET /a#b HTTP/1.1" REST, 400 },
	{ "GET /%zz HTTP/1.1" REST, 400 },
	{ "GET /%4 HTTP/1.1" REST, 400 },
	{ "GET /\xc3\xa4 HTTP/1.1" REST, 400 },
	{ "GET / HTTP/2.0" REST, 505 },
	{ "GET / HTTP/0.9" REST, 505 },
	{ "GET / HTTP/1.2" REST, 505 },
	{ "GET / HTTP/11" REST, 505 },
	{ "GET / HTP/1.1" REST, 400 },
	{ "GET / http/1.1" REST, 400 },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
	{ "\x16\x03\x01\x02\x01", 400 },
	{ "\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1" REST, 400 },
	{ "POST / HTTP/1.1\r\nExpect: magic\r\nContent-Length: 1" REST, 417 },
	/* bodies */
	{ "POST / HTTP/1.1\r\nContent-Length: 65" REST, 413 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST
	  "20\r\n0123456789abcdef0123456789abcdef\r\n21\r\n0123456789abcdef0123456789abcd"
	  "efX\r\n",
	  413 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "x\r\n", 400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "-1\r\n", 400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "1 \r\na\r\n0\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "1\na\r\n0\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "1\r\nab\r\n0\r\n\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "1\r\na\n0\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "10000000000000000\r\n",
	  400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "0\r\nA: b\r\n\r\n", 400 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST "0\r\nX\r\n\r\n", 400 },
};

static void http_head_reads_sound_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		struct slice text = slice_str(sound[i].text);
		struct outcome o = run(text, text.n);
		assert_int_equal(o.state, HTTP_HEAD_WHOLE);
		assert_int_equal(o.used, text.n);
		assert_string_equal(o.text, sound[i].means);
	}
}

static void http_head_refuses_malformed_and_smuggling_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct slice text = slice_str(bad[i].text);
		struct outcome o = run(text, text.n);
		if (o.state != HTTP_HEAD_BAD || o.status != bad[i].status)
			print_error("%s\n: state %d, status %d\n", bad[i].text, o.state,
				    o.status);
		assert_int_equal(o.state, HTTP_HEAD_BAD);
		assert_int_equal(o.status, bad[i].status);
	}
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->text, b->text);
}

static void http_head_outcome_does_not_depend_on_portions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound) + ARRAY_LEN(bad); i++) {
		bool good = i < ARRAY_LEN(sound);
		struct slice text =
			slice_str(good ? sound[i].text : bad[i - ARRAY_LEN(sound)].text);
		struct outcome whole = run(text, text.n);
		for (size_t cut = 0; cut < text.n; cut++) {
			struct outcome parts = run(text, cut);
			assert_same(&whole, &parts);
		}
	}
}

static void http_head_waits_at_every_truncation_of_a_sound_request(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		struct slice text = slice_str(sound[i].text);
		for (size_t n = 0; n < text.n; n++) {
			struct outcome o = run(slice_of(text.p, n), n);
			assert_true(o.state == HTTP_HEAD_OPEN ||
				    o.state == HTTP_HEAD_BODY);
			assert_int_equal(o.used, n);
		}
	}
}

static void http_head_leaves_what_follows_the_request(void **state)
{
	struct slice text =
		SLICE("POST / HTTP/1.1\r\nContent-Length: 2" REST "hiGET / HTTP/1.1");

	(void)state;
	for (size_t cut = 0; cut <= text.n; cut++) {
		struct outcome o = run(text, cut);
		assert_int_equal(o.state, HTTP_HEAD_WHOLE);
		assert_int_equal(o.used, text.n - strlen("GET / HTTP/1.1"));
	}
}

/* "GET /aaa... HTTP/1.1" of `line` bytes with its end, then one field of `field` bytes. */
static struct slice sized(char *to, size_t line, size_t field)
{
	size_t n = 0;

	memset(to, 'a', line + field + 4);
	memcpy(to, "GET /", 5);
	n = line;
	memcpy(to + n - 11, " HTTP/1.1\r\n", 11);
	memcpy(to + n, "Host: ", 6);
	n += field;
	memcpy(to + n - 2, "\r\n\r\n", 4);
	return slice_of(to, n + 2);
}

static void http_head_limits_hold_to_the_byte(void **state)
{
	static const struct {
		size_t line, field;
		int status;
	} v[] = {
		{ 200, 100, 0 },
		{ 201, 100, 414 },
		{ 1000, 10, 414 },
		{ 100, 200, 0 },
	};
	char text[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct slice s = sized(text, v[i].line, v[i].field);
		struct outcome whole = run(s, s.n);
		assert_int_equal(whole.status, v[i].status);
		for (size_t cut = 0; cut < s.n; cut++) {
			struct outcome parts = run(s, cut);
			assert_same(&whole, &parts);
		}
	}
}

static void http_head_header_bytes_are_limited(void **state)
{
	char text[1000];

	(void)state;
	/* The fields' bytes with their line ends; "Host: h\r\n" is 9 of them. */
	for (size_t fields = 395; fields <= 405; fields++) {
		int n = snprintf(text, sizeof(text),
				 "GET / HTTP/1.1\r\nHost: h\r\nA: %0*d\r\n\r\n",
				 (int)(fields - 9 - 5), 0);
		struct slice s = slice_of(text, (size_t)n);
		struct outcome whole = run(s, s.n);
		assert_int_equal(whole.status, fields <= limits.headers ? 0 : 431);
		for (size_t cut = 0; cut < s.n; cut++) {
			struct outcome parts = run(s, cut);
			assert_same(&whole, &parts);
		}
	}
}

static void http_head_fields_are_counted(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	buf_str(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (unsigned i = 1; i <= limits.count; i++) {
		size_t at = buf_at(&b);

		buf_str(&b, "\r\n");
		struct outcome o = run(buf_slice(&b), 0);
		assert_int_equal(o.status, 0);
		assert_int_equal(o.state, HTTP_HEAD_WHOLE);
		b.n = at;
		buf_str(&b, "a: b\r\n");
	}
	struct outcome o = run(buf_slice(&b), 0);
	assert_int_equal(o.status, 431);
	buf_fini(&b);
}

/* More fields than fit in front. */
static void http_head_keeps_many_fields(void **state)
{
	struct http_head_limits many = { 100, 10000, 200, 0 };
	struct buf b = BUF_INIT(20000);
	struct http_head *h = http_head_create(&many);
	struct slice value;
	size_t at = 0;

	(void)state;
	buf_str(&b, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (unsigned i = 0; i < 150; i++)
		buf_printf(&b, "n: %u\r\n", i);
	buf_str(&b, "\r\n");
	assert_int_equal(http_head_feed(h, buf_slice(&b)), b.n);
	assert_int_equal(http_head_state(h), HTTP_HEAD_WHOLE);
	for (uint32_t i = 0, n; i < 150; i++) {
		assert_true(http_head_next(h, "N", &at, &value));
		assert_int_equal(slice_to_u32(value, &n), 0);
		assert_int_equal(n, i);
	}
	assert_false(http_head_next(h, "N", &at, &value));
	http_head_destroy(h);
	buf_fini(&b);
}

static void http_head_refuses_nul_anywhere(void **state)
{
	static const char text[] = "GET /a HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char broken[sizeof(text)];
		memcpy(broken, text, sizeof(text));
		broken[i] = '\0';
		struct outcome o = run(slice_of(broken, sizeof(text) - 1), 0);
		assert_int_equal(o.status, 400);
	}
}

static void http_head_chunk_heads_are_limited(void **state)
{
	struct http_head_limits l = { 100, 100, 8, 1 << 20 };
	struct http_head *h = http_head_create(&l);
	struct slice head = SLICE("POST / HTTP/1.1\r\nTransfer-Encoding: chunked" REST);
	struct slice chunk = SLICE("1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=y\r\na\r\n");

	(void)state;
	assert_int_equal(http_head_feed(h, head), head.n);
	for (unsigned i = 0; i < 10 && http_head_state(h) == HTTP_HEAD_BODY; i++)
		(void)http_head_feed(h, chunk);
	assert_int_equal(http_head_state(h), HTTP_HEAD_BAD);
	assert_int_equal(http_head_status(h), 400);
	http_head_destroy(h);
}

static void http_head_finds_members_of_lists(void **state)
{
	struct http_head *h = http_head_create(&limits);
	struct slice text = SLICE("GET / HTTP/1.1\r\nConnection: keep-alive, UPGRADE\r\n"
				  "Connection: x" REST);

	(void)state;
	(void)http_head_feed(h, text);
	assert_true(http_head_has(h, "connection", "upgrade"));
	assert_true(http_head_has(h, "connection", "x"));
	assert_false(http_head_has(h, "connection", "keep"));
	assert_false(http_head_has(h, "upgrade", "x"));
	http_head_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_head_reads_sound_requests),
		cmocka_unit_test(http_head_refuses_malformed_and_smuggling_requests),
		cmocka_unit_test(http_head_outcome_does_not_depend_on_portions),
		cmocka_unit_test(http_head_waits_at_every_truncation_of_a_sound_request),
		cmocka_unit_test(http_head_leaves_what_follows_the_request),
		cmocka_unit_test(http_head_limits_hold_to_the_byte),
		cmocka_unit_test(http_head_header_bytes_are_limited),
		cmocka_unit_test(http_head_fields_are_counted),
		cmocka_unit_test(http_head_keeps_many_fields),
		cmocka_unit_test(http_head_refuses_nul_anywhere),
		cmocka_unit_test(http_head_chunk_heads_are_limited),
		cmocka_unit_test(http_head_finds_members_of_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
