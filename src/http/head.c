#include "http/head.h"

#include <assert.h>
#include <llhttp.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/uri.h"

/* A head comes in lines, and llhttp gets it line by line: so it makes no difference to the
 * outcome where the network cut it, and a line is checked as text before it is parsed. */

#define FIRST_FIELDS 24
#define MAX_BLANK_LINES 4

/* Offsets into `raw`, which moves while it grows. */
struct field {
	uint32_t name, name_len;
	uint32_t value, value_len;
};

struct http_head {
	llhttp_t parser;
	struct http_head_limits limits;
	enum http_head_state state;
	int status;
	const char *why;
	struct buf raw;
	size_t line_at;    /* where the line that is coming starts in raw */
	size_t headers_at; /* after the request line; 0 while that is coming */
	unsigned blank;
	uint32_t url, url_len;
	struct slice path, query, host; /* set when the head is whole */
	bool chunked;
	struct field *field;
	unsigned count, cap;
	struct buf body;
	bool streamed;    /* `body` holds what the last feed brought */
	uint64_t got;     /* of the body */
	uint64_t got_fed; /* with chunk heads */
	struct field first[FIRST_FIELDS];
};

static void refuse(struct http_head *h, int status, const char *why)
{
	h->state = HTTP_HEAD_BAD;
	h->status = status;
	h->why = why;
}

/* --- llhttp tells what it found --- */

static uint32_t offset_of(const struct http_head *h, const char *at)
{
	return (uint32_t)((const uint8_t *)at - h->raw.p);
}

static int on_url(llhttp_t *p, const char *at, size_t n)
{
	struct http_head *h = p->data;

	h->url = offset_of(h, at);
	h->url_len = (uint32_t)n;
	return 0;
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
	struct http_head *h = p->data;

	if (h->state == HTTP_HEAD_BODY) {
		refuse(h, 400, "trailer fields are not taken");
		return HPE_USER;
	}
	if (h->count == h->cap) {
		size_t size = size_mul(h->cap * 2, sizeof(*h->field));
		bool moved = h->field != h->first;
		h->field = xrealloc(moved ? h->field : NULL, size);
		if (!moved)
			memcpy(h->field, h->first, sizeof(h->first));
		h->cap *= 2;
	}
	h->field[h->count++] = (struct field){ offset_of(h, at), (uint32_t)n, 0, 0 };
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct http_head *h = p->data;
	struct field *f = &h->field[h->count - 1];

	f->value = offset_of(h, at);
	f->value_len = (uint32_t)n;
	return 0;
}

static int on_pause(llhttp_t *p)
{
	(void)p;
	return HPE_PAUSED;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	struct http_head *h = p->data;

	h->got += n;
	if (h->got <= h->limits.body) {
		buf_add(&h->body, at, n);
		return 0;
	}
	refuse(h, 413, "the body is too large");
	return HPE_USER;
}

static const llhttp_settings_t callbacks = {
	.on_url = on_url,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_pause,
	.on_body = on_body,
	.on_message_complete = on_pause,
};

/* --- life --- */

struct http_head *http_head_create(const struct http_head_limits *limits)
{
	struct http_head *h = xmalloc(sizeof(*h));

	assert(limits->line < UINT32_MAX / 4 && limits->headers < UINT32_MAX / 4);
	memset(h, 0, offsetof(struct http_head, first));
	h->limits = *limits;
	llhttp_init(&h->parser, HTTP_REQUEST, &callbacks);
	h->parser.data = h;
	/* The empty line at the end is in no limit. */
	buf_init(&h->raw, limits->line + limits->headers + 2);
	buf_init(&h->body, SIZE_MAX); /* on_body() has the limit */
	h->field = h->first;
	h->cap = FIRST_FIELDS;
	return h;
}

void http_head_destroy(struct http_head *h)
{
	if (!h)
		return;
	buf_fini(&h->raw);
	buf_fini(&h->body);
	if (h->field != h->first)
		free(h->field);
	free(h);
}

/* --- lines --- */

static const bool token_char[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,
	['#'] = true,         ['$'] = true,         ['%'] = true,         ['&'] = true,
	['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true,
	['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true,
	['|'] = true,         ['~'] = true,
};

static bool is_token(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!token_char[s.p[i]])
			return false;
	return s.n > 0;
}

/* RFC 9112, 2.2: CR and LF only as a pair; no other control bytes but HT in a value. */
static bool control_ok(const struct http_head *h, size_t at)
{
	const uint8_t *p = h->raw.p;

	switch (p[at]) {
	case '\r':
		return at + 1 == h->raw.n || p[at + 1] == '\n';
	case '\n':
		return at > h->line_at && p[at - 1] == '\r';
	case '\t':
		return h->headers_at > 0;
	default:
		return false;
	}
}

/* From `from` on; what is before is known to be. */
static bool line_bytes_ok(const struct http_head *h, size_t from)
{
	const uint8_t *p = h->raw.p;

	if (from > h->line_at && from < h->raw.n && p[from - 1] == '\r' &&
	    p[from] != '\n')
		return false;
	for (size_t i = from; i < h->raw.n; i++)
		if (UNLIKELY(p[i] < 0x20 || p[i] == 0x7f) && !control_ok(h, i))
			return false;
	return true;
}

static struct slice line_text(const struct http_head *h)
{
	return slice_of(h->raw.p + h->line_at, h->raw.n - h->line_at - 2);
}

static void parse_line(struct http_head *h)
{
	const char *line = (const char *)h->raw.p + h->line_at;
	llhttp_errno_t err = llhttp_execute(&h->parser, line, h->raw.n - h->line_at);

	if (err == HPE_OK || err == HPE_PAUSED || h->state == HTTP_HEAD_BAD)
		return;
	if (err == HPE_PAUSED_H2_UPGRADE || err == HPE_INVALID_VERSION)
		refuse(h, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	else
		refuse(h, 400, llhttp_get_error_reason(&h->parser));
}

static bool method_is_known(struct slice m)
{
	static const char *const known[] = { "GET",    "HEAD",  "POST",   "PUT",
					     "DELETE", "PATCH", "OPTIONS" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (slice_is(m, known[i]))
			return true;
	return false;
}

/* RFC 9112, 3: method, target and version with one space between; llhttp takes several. */
static bool has_two_spaces(struct slice line)
{
	struct slice part;
	unsigned parts = 0;

	for (struct slice rest = line; slice_split(&rest, ' ', &part); parts++)
		if (part.n == 0)
			return false;
	return parts == 3 && line.p[line.n - 1] != ' ';
}

static void request_line(struct http_head *h)
{
	struct slice line = line_text(h);
	struct slice method = slice_of(line.p, slice_find(line, ' '));

	if (line.n == 0) { /* RFC 9112, 2.2: empty lines in front are skipped */
		h->raw.n = 0;
		if (++h->blank > MAX_BLANK_LINES)
			refuse(h, 400, "nothing but empty lines");
		return;
	}
	if (slice_is(line, "PRI * HTTP/2.0"))
		refuse(h, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	else if (!has_two_spaces(line) || !is_token(method))
		refuse(h, 400, "bad request line");
	else if (!method_is_known(method))
		refuse(h, 501, "unknown method");
	else
		parse_line(h);
	if (h->state == HTTP_HEAD_BAD)
		return;
	if (h->parser.http_major != 1)
		refuse(h, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
	h->headers_at = h->raw.n;
}

static void header_line(struct http_head *h)
{
	struct slice line = line_text(h);
	struct slice name = slice_of(line.p, slice_find(line, ':'));

	if (line.p[0] == ' ' || line.p[0] == '\t')
		refuse(h, 400, "folded header line");
	else if (name.n == line.n)
		refuse(h, 400, "header line without a colon");
	else if (!is_token(name)) /* llhttp 8 lets "Host : a" pass */
		refuse(h, 400, "bad character in a header's name");
	else if (h->count == h->limits.count)
		refuse(h, 431, "too many header fields");
	else
		parse_line(h);
}

/* --- the whole head --- */

static struct slice field_name(const struct http_head *h, unsigned i)
{
	return slice_of(h->raw.p + h->field[i].name, h->field[i].name_len);
}

bool http_head_next(const struct http_head *h, const char *name, size_t *at,
		    struct slice *value)
{
	struct slice wanted = slice_str(name);

	while (*at < h->count) {
		size_t i = (*at)++;
		if (!slice_ieq(field_name(h, (unsigned)i), wanted))
			continue;
		*value = slice_trim(
			slice_of(h->raw.p + h->field[i].value, h->field[i].value_len));
		return true;
	}
	return false;
}

struct slice http_head_field(const struct http_head *h, const char *name)
{
	struct slice value = SLICE_NONE;
	size_t at = 0;

	(void)http_head_next(h, name, &at, &value);
	return value;
}

bool http_head_has(const struct http_head *h, const char *name, const char *token)
{
	struct slice list, item, wanted = slice_str(token);

	for (size_t at = 0; http_head_next(h, name, &at, &list);)
		while (slice_split(&list, ',', &item))
			if (slice_ieq(slice_trim(item), wanted))
				return true;
	return false;
}

static unsigned field_count(const struct http_head *h, const char *name,
			    struct slice *last)
{
	unsigned n = 0;

	for (size_t at = 0; http_head_next(h, name, &at, last);)
		n++;
	return n;
}

static void check_host(struct http_head *h)
{
	unsigned n = field_count(h, "Host", &h->host);

	if (n > 1)
		refuse(h, 400, "more than one Host");
	else if (n == 0 && !http_head_is_1_0(h))
		refuse(h, 400, "no Host");
	else if (n == 1 && !http_uri_host_ok(h->host))
		refuse(h, 400, "bad Host");
}

static void check_target(struct http_head *h)
{
	struct slice url = slice_of(h->raw.p + h->url, h->url_len);
	struct slice host;

	if (!http_uri_chars_ok(url)) {
		refuse(h, 400, "bad character in the request target");
		return;
	}
	/* RFC 9112, 3.2.2: the target's authority counts, so it had better be the Host's. */
	if (http_uri_absolute(url, &host, &url) && !slice_ieq(host, h->host)) {
		refuse(h, 400, "the target is of another host");
		return;
	}
	if (url.n == 0 || url.p[0] == '?') {
		h->path = SLICE("/");
		h->query = slice_from(url, 1);
		return;
	}
	size_t end = slice_find(url, '?');
	h->path = slice_of(url.p, end);
	h->query = slice_from(url, end + 1);
	if (slice_is(url, "*") ? !slice_is(http_head_method(h), "OPTIONS")
			       : url.p[0] != '/')
		refuse(h, 400, "bad form of request target");
}

static void check_framing(struct http_head *h)
{
	struct slice coding = SLICE_NONE, length = SLICE_NONE;
	unsigned codings = field_count(h, "Transfer-Encoding", &coding);
	unsigned lengths = field_count(h, "Content-Length", &length);

	if (lengths > 1 || (lengths && codings))
		refuse(h, 400, "the body's length is given more than once");
	else if (codings && http_head_is_1_0(h))
		refuse(h, 400, "Transfer-Encoding in HTTP/1.0");
	else if (codings > 1)
		refuse(h, 400, "more than one Transfer-Encoding");
	else if (codings && !slice_ieq(coding, SLICE("chunked")))
		refuse(h, 501, "unknown Transfer-Encoding");
	else if (lengths && h->parser.content_length > h->limits.body)
		refuse(h, 413, "the body is too large");
	h->chunked = codings > 0;
}

static void check_rest(struct http_head *h)
{
	struct slice expect = SLICE_NONE;

	if (field_count(h, "Expect", &expect) &&
	    !slice_ieq(expect, SLICE("100-continue")))
		refuse(h, 417, "unknown expectation");
}

static void finish_head(struct http_head *h)
{
	static void (*const check[])(struct http_head *) = {
		check_host,
		check_target,
		check_framing,
		check_rest,
	};

	parse_line(h);
	for (size_t i = 0; i < ARRAY_LEN(check) && h->state == HTTP_HEAD_OPEN; i++)
		check[i](h);
	if (h->state == HTTP_HEAD_BAD)
		return;
	bool body = h->chunked || h->parser.content_length > 0;
	h->state = body ? HTTP_HEAD_BODY : HTTP_HEAD_WHOLE;
}

/* --- feeding --- */

static void end_line(struct http_head *h)
{
	if (h->headers_at == 0)
		request_line(h);
	else if (h->raw.n - h->line_at == 2)
		finish_head(h);
	else
		header_line(h);
	h->line_at = h->raw.n;
}

/* What the line that is coming may still take; `next` is its next byte. The empty line at
 * the end is free. */
static size_t room_left(const struct http_head *h, uint8_t next)
{
	if (h->headers_at == 0)
		return h->limits.line - h->raw.n;
	size_t used = h->raw.n - h->headers_at;
	uint8_t first = h->raw.n == h->line_at ? next : h->raw.p[h->line_at];
	return h->limits.headers + (first == '\r' ? 2 : 0) - used;
}

static size_t feed_line(struct http_head *h, struct slice in)
{
	size_t n = slice_find(in, '\n');
	size_t left = room_left(h, in.p[0]);
	size_t from = h->raw.n;

	n += n < in.n;
	size_t take = n < left ? n : left;
	buf_add(&h->raw, in.p, take);
	if (!line_bytes_ok(h, from))
		refuse(h, 400, "control character, or CR or LF alone");
	else if (take < n && h->headers_at == 0)
		refuse(h, 414, "the request line is too long");
	else if (take < n)
		refuse(h, 431, "the header fields are too large");
	else if (h->raw.p[h->raw.n - 1] == '\n')
		end_line(h);
	return take;
}

static size_t feed_body(struct http_head *h, struct slice in)
{
	size_t used = in.n;

	if (h->streamed)
		buf_clear(&h->body);
	llhttp_resume(&h->parser);
	llhttp_errno_t err = llhttp_execute(&h->parser, (const char *)in.p, in.n);
	if (err == HPE_PAUSED) {
		used = (size_t)(llhttp_get_error_pos(&h->parser) - (const char *)in.p);
		h->state = HTTP_HEAD_WHOLE;
	} else if (err != HPE_OK && h->state != HTTP_HEAD_BAD) {
		refuse(h, 400, llhttp_get_error_reason(&h->parser));
	}
	h->got_fed += used;
	/* Chunks of one byte each are a way to make us work; their heads count as headers. */
	if (h->state != HTTP_HEAD_BAD &&
	    h->got_fed - h->got > h->limits.headers + 8 * h->got)
		refuse(h, 400, "more chunk heads than body");
	return used;
}

size_t http_head_feed(struct http_head *h, struct slice in)
{
	size_t used = 0;

	if (h->state == HTTP_HEAD_BODY)
		return in.n ? feed_body(h, in) : 0;
	if (h->raw.n == 0)
		(void)buf_room(&h->raw, in.n < h->limits.line ? in.n : h->limits.line);
	while (used < in.n && h->state == HTTP_HEAD_OPEN)
		used += feed_line(h, slice_from(in, used));
	return used;
}

void http_head_limit_body(struct http_head *h, size_t max)
{
	h->limits.body = max;
	if (!h->chunked && h->parser.content_length > max)
		refuse(h, 413, "the body is too large");
}

void http_head_stream(struct http_head *h)
{
	h->streamed = true;
}

/* --- questions --- */

enum http_head_state http_head_state(const struct http_head *h)
{
	return h->state;
}

bool http_head_begun(const struct http_head *h)
{
	return h->raw.n > 0;
}

int http_head_status(const struct http_head *h)
{
	return h->status;
}

const char *http_head_why(const struct http_head *h)
{
	return h->why;
}

struct slice http_head_method(const struct http_head *h)
{
	struct slice raw = buf_slice(&h->raw);

	return slice_of(raw.p, slice_find(raw, ' '));
}

struct slice http_head_path(const struct http_head *h)
{
	return h->path;
}

struct slice http_head_query(const struct http_head *h)
{
	return h->query;
}

struct slice http_head_host(const struct http_head *h)
{
	return h->host;
}

struct slice http_head_body(const struct http_head *h)
{
	return buf_slice(&h->body);
}

int64_t http_head_body_length(const struct http_head *h)
{
	return h->chunked ? -1 : (int64_t)h->parser.content_length;
}

bool http_head_is_1_0(const struct http_head *h)
{
	return h->parser.http_minor == 0;
}

bool http_head_keep_alive(const struct http_head *h)
{
	if (http_head_has(h, "Connection", "close"))
		return false;
	return !http_head_is_1_0(h) || http_head_has(h, "Connection", "keep-alive");
}
