/* One pass over the text, no recursion: a value is put, then what may follow it is looked
 * at, with the open arrays and objects on a small stack. A string is scanned 16 bytes at
 * a time; the mask of a block is used up before the next is loaded, so that the many \r\n
 * of an SDP do not restart the scan. Whether a string with bytes above 0x7f is UTF-8 is
 * asked when its end is known: all of JSON's own signs are ASCII and cannot be inside a
 * character.
 */
#include "base/json.h"

#include <assert.h>

#include "base/err.h"
#include "base/json_scan.h"
#include "base/utf8.h"

struct level {
	uint32_t token;
	uint32_t commas;
	bool object;
};

struct parser {
	const uint8_t *text;
	const uint8_t *end;
	struct json_token *tok;
	uint32_t count;
	uint32_t max;
	uint32_t depth;
	int err; /* set where NULL is returned */
	struct level level[JSON_MAX_DEPTH];
};

/* What the functions below return is the position after what they read, or NULL. */
static const uint8_t *fail(struct parser *s, int err)
{
	s->err = err;
	return NULL;
}

/* Bad text at p, unless the text merely ends there. */
static const uint8_t *unexpected(struct parser *s, const uint8_t *p)
{
	return fail(s, p == s->end ? E_TRUNCATED : E_MALFORMED);
}

static inline const uint8_t *skip_space(const struct parser *s, const uint8_t *p)
{
	while (p < s->end && *p <= ' ' &&
	       (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* `next` and `count` are right for scalars; close_level() corrects the others. */
static inline struct json_token *put_token(struct parser *s, const uint8_t *from,
					   const uint8_t *to, enum json_kind kind)
{
	if (UNLIKELY(s->count == s->max)) {
		s->err = E_LIMIT;
		return NULL;
	}
	struct json_token *t = &s->tok[s->count++];
	*t = (struct json_token){
		.at = (uint32_t)(from - s->text),
		.len = (uint32_t)(to - from),
		.next = s->count,
		.kind = (uint8_t)kind,
	};
	return t;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number in \uXXXX; p is at the backslash. E_TRUNCATED, E_MALFORMED. */
static int hex_escape(const uint8_t *p, const uint8_t *end)
{
	static const uint8_t start[2] = { '\\', 'u' };
	int v = 0;

	for (unsigned i = 0; i < 6; i++) {
		if (p + i == end)
			return E_TRUNCATED;
		if (i < 2 && p[i] == start[i])
			continue;
		int digit = i < 2 ? -1 : hex_digit(p[i]);
		if (digit < 0)
			return E_MALFORMED;
		v = v << 4 | digit;
	}
	return v;
}

static const uint8_t escape_value[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* Reads one escape at p (a backslash): its length in *size. Returns the character.
 * RFC 8259, section 7: beyond the BMP two escapes make a pair; either alone is no text.
 */
static int read_escape(const uint8_t *p, const uint8_t *end, uint32_t *size)
{
	if (end - p < 2)
		return E_TRUNCATED;
	*size = 2;
	if (p[1] != 'u')
		return escape_value[p[1]] ? escape_value[p[1]] : E_MALFORMED;
	*size = 6;
	int high = hex_escape(p, end);
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high > 0xdbff)
		return E_MALFORMED;
	*size = 12;
	int low = hex_escape(p + 6, end);
	if (low < 0)
		return low;
	if (low < 0xdc00 || low > 0xdfff)
		return E_MALFORMED;
	return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

/* Checks the escape at p. 0 when it is bad. */
static inline uint32_t escape_size(struct parser *s, const uint8_t *p)
{
	uint32_t size = 2;

	if (LIKELY(s->end - p >= 2 && escape_value[p[1]]))
		return size;
	int c = read_escape(p, s->end, &size);
	if (c >= 0)
		return size;
	s->err = c;
	return 0;
}

static const uint8_t *end_string(struct parser *s, const uint8_t *from, const uint8_t *to,
				 uint32_t high)
{
	if (UNLIKELY(high) && !utf8_valid(slice_of(from, (size_t)(to - from))))
		return fail(s, E_UTF8);
	return to + 1;
}

/* Goes over a string from behind its opening quote. */
static const uint8_t *scan_string(struct parser *s, const uint8_t *from, bool *escaped)
{
	const uint8_t *p = from;
	uint32_t high = 0;

	while (p < s->end) {
		uint32_t n = JSON_LANES;
		struct json_lanes l;
		if (LIKELY(s->end - p >= JSON_LANES)) {
			l = json_lanes16(p);
		} else {
			n = (uint32_t)(s->end - p);
			l = json_lanes_tail(p, n, (size_t)(p - s->text));
		}
		high |= l.high;
		uint32_t used = 0;
		for (uint32_t stop = l.stop; stop; stop = stop >> used << used) {
			uint32_t i = (uint32_t)__builtin_ctz(stop);
			if (LIKELY(p[i] == '"'))
				return end_string(s, from, p + i, high);
			if (p[i] != '\\')
				return fail(s, E_MALFORMED);
			uint32_t size = escape_size(s, p + i);
			if (size == 0)
				return NULL;
			*escaped = true;
			used = i + size; /* at most 15 + 12 */
		}
		p += used > n ? used : n;
	}
	return fail(s, E_TRUNCATED);
}

static const uint8_t *put_any_string(struct parser *s, const uint8_t *p)
{
	bool escaped = false;
	const uint8_t *to = scan_string(s, p + 1, &escaped);

	if (UNLIKELY(!to))
		return NULL;
	struct json_token *t = put_token(s, p, to, JSON_STRING);
	if (UNLIKELY(!t))
		return NULL;
	t->escaped = escaped;
	return to;
}

/* Most names and many values are plain and end within one block. */
static inline const uint8_t *put_string(struct parser *s, const uint8_t *p)
{
	if (UNLIKELY(s->end - p <= JSON_LANES))
		return put_any_string(s, p);
	struct json_lanes l = json_lanes16(p + 1);
	uint32_t n = l.stop ? (uint32_t)__builtin_ctz(l.stop) : 0;
	if (l.high || p[1 + n] != '"')
		return put_any_string(s, p);
	return put_token(s, p, p + n + 2, JSON_STRING) ? p + n + 2 : NULL;
}

static inline const uint8_t *skip_digits(const struct parser *s, const uint8_t *p)
{
	while (p < s->end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static const uint8_t *some_digits(struct parser *s, const uint8_t *p)
{
	const uint8_t *to = skip_digits(s, p);
	return to == p ? unexpected(s, p) : to;
}

static const uint8_t *scan_number(struct parser *s, const uint8_t *p)
{
	if (*p == '-')
		p++;
	if (p < s->end && *p == '0')
		p++; /* a digit behind it is what may not follow a value */
	else
		p = some_digits(s, p);
	if (p && p < s->end && *p == '.')
		p = some_digits(s, p + 1);
	if (p && p < s->end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < s->end && (*p == '+' || *p == '-'))
			p++;
		p = some_digits(s, p);
	}
	return p;
}

static const uint8_t *put_number(struct parser *s, const uint8_t *p)
{
	const uint8_t *to = scan_number(s, p);
	return to && put_token(s, p, to, JSON_NUMBER) ? to : NULL;
}

static const uint8_t *put_word(struct parser *s, const uint8_t *p, const char *word,
			       enum json_kind kind)
{
	const uint8_t *to = p;

	for (; *word; word++, to++)
		if (to == s->end || *to != (uint8_t)*word)
			return unexpected(s, to);
	return put_token(s, p, to, kind) ? to : NULL;
}

/* A member's name, its colon, and the space up to the value. */
static const uint8_t *put_name(struct parser *s, const uint8_t *p)
{
	p = skip_space(s, p);
	if (UNLIKELY(p == s->end || *p != '"'))
		return unexpected(s, p);
	p = put_string(s, p);
	if (UNLIKELY(!p))
		return NULL;
	p = skip_space(s, p);
	if (UNLIKELY(p == s->end || *p != ':'))
		return unexpected(s, p);
	return skip_space(s, p + 1);
}

static const uint8_t *close_level(struct parser *s, const uint8_t *p, bool empty)
{
	const struct level *l = &s->level[--s->depth];
	struct json_token *t = &s->tok[l->token];
	uint32_t count = empty ? 0 : l->commas + 1;

	t->len = (uint32_t)(p + 1 - s->text) - t->at;
	t->next = s->count;
	t->count = count < UINT16_MAX ? (uint16_t)count : UINT16_MAX;
	return p + 1;
}

/* An opening bracket. *more: a value must follow, else the level is closed again. */
static const uint8_t *open_level(struct parser *s, const uint8_t *p, bool object,
				 bool *more)
{
	if (UNLIKELY(s->depth == JSON_MAX_DEPTH))
		return fail(s, E_LIMIT);
	s->level[s->depth++] = (struct level){ s->count, 0, object };
	if (UNLIKELY(!put_token(s, p, p + 1, object ? JSON_OBJECT : JSON_ARRAY)))
		return NULL;
	p = skip_space(s, p + 1);
	if (UNLIKELY(p == s->end))
		return unexpected(s, p);
	if (*p == (object ? '}' : ']'))
		return close_level(s, p, true);
	*more = true;
	return object ? put_name(s, p) : p;
}

static const uint8_t *put_value(struct parser *s, const uint8_t *p, bool *more)
{
	*more = false;
	if (UNLIKELY(p == s->end))
		return unexpected(s, p);
	switch (*p) {
	case '"':
		return put_string(s, p);
	case '{':
		return open_level(s, p, true, more);
	case '[':
		return open_level(s, p, false, more);
	case 't':
		return put_word(s, p, "true", JSON_TRUE);
	case 'f':
		return put_word(s, p, "false", JSON_FALSE);
	case 'n':
		return put_word(s, p, "null", JSON_NULL);
	default:
		if (*p == '-' || (*p >= '0' && *p <= '9'))
			return put_number(s, p);
		return fail(s, E_MALFORMED);
	}
}

/* What follows a value: closing brackets, then a comma (*more), or the end of all. */
static const uint8_t *after_value(struct parser *s, const uint8_t *p, bool *more)
{
	*more = false;
	while (s->depth > 0) {
		struct level *l = &s->level[s->depth - 1];
		p = skip_space(s, p);
		if (UNLIKELY(p == s->end))
			return unexpected(s, p);
		if (*p == ',') {
			*more = true;
			l->commas++;
			return l->object ? put_name(s, p + 1) : skip_space(s, p + 1);
		}
		if (*p != (l->object ? '}' : ']'))
			return unexpected(s, p);
		p = close_level(s, p, false);
	}
	p = skip_space(s, p);
	return p == s->end ? p : fail(s, E_MALFORMED);
}

int json_parse(struct json *j, struct slice text, struct json_token *tok, uint32_t max)
{
	if (text.n > UINT32_MAX)
		return E_LIMIT;
	if (text.n == 0)
		return E_TRUNCATED;

	struct parser s; /* the levels stay as they are: 768 bytes for nothing */
	s.text = text.p;
	s.end = text.p + text.n;
	s.tok = tok;
	s.max = max;
	s.count = s.depth = 0;
	s.err = 0;

	const uint8_t *p = skip_space(&s, text.p);
	bool more;
	do {
		p = put_value(&s, p, &more);
		if (p && !more)
			p = after_value(&s, p, &more);
	} while (p && more);
	if (!p)
		return s.err;
	*j = (struct json){ text.p, tok, s.count };
	return 0;
}

enum json_kind json_kind_of(const struct json *j, uint32_t t)
{
	assert(t < j->count);
	return (enum json_kind)j->tok[t].kind;
}

struct slice json_raw(const struct json *j, uint32_t t)
{
	assert(t < j->count);
	return slice_of(j->text + j->tok[t].at, j->tok[t].len);
}

struct slice json_string_raw(const struct json *j, uint32_t t)
{
	struct slice raw = json_raw(j, t);

	if (j->tok[t].kind != JSON_STRING)
		return SLICE_NONE;
	return slice_of(raw.p + 1, raw.n - 2);
}

static size_t encode_utf8(uint8_t out[4], uint32_t c)
{
	/* 0xxxxxxx | 110xxxxx 10xxxxxx | 1110xxxx 10.. 10.. | 11110xxx 10.. 10.. 10.. */
	static const uint8_t lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(lead[n] | c);
	return n;
}

/* Cuts the next piece of unescaped text off a string that was checked: a run without
 * escapes, or one character, which is written to room[]. Empty at the end.
 */
static struct slice next_piece(struct slice *raw, uint8_t room[4])
{
	size_t run = slice_find(*raw, '\\');
	uint32_t size = 0;

	if (run > 0 || raw->n == 0) {
		struct slice piece = slice_of(raw->p, run);
		*raw = slice_from(*raw, run);
		return piece;
	}
	int c = read_escape(raw->p, raw->p + raw->n, &size);
	assert(c >= 0);
	*raw = slice_from(*raw, size);
	return slice_of(room, encode_utf8(room, (uint32_t)c));
}

int json_string(const struct json *j, uint32_t t, size_t max, struct buf *b)
{
	struct slice raw = json_string_raw(j, t);
	size_t start = buf_at(b);
	uint8_t room[4];

	if (json_kind_of(j, t) != JSON_STRING)
		return E_BAD_FIELD;
	while (raw.n > 0) {
		struct slice piece = next_piece(&raw, room);
		if (piece.n > max - (buf_at(b) - start)) {
			b->n = start;
			return E_LIMIT;
		}
		buf_put(b, piece);
		if (b->bad)
			return E_LIMIT;
	}
	return 0;
}

static bool unescaped_eq(struct slice raw, struct slice text)
{
	uint8_t room[4];

	while (raw.n > 0) {
		struct slice piece = next_piece(&raw, room);
		if (piece.n > text.n || memcmp(piece.p, text.p, piece.n) != 0)
			return false;
		text = slice_from(text, piece.n);
	}
	return text.n == 0;
}

bool json_string_same(const struct json *j, uint32_t t, struct slice text)
{
	struct slice raw = json_string_raw(j, t);

	return j->tok[t].escaped ? unescaped_eq(raw, text) : slice_eq(raw, text);
}

uint32_t json_member(const struct json *j, uint32_t obj, struct slice name)
{
	if (json_kind_of(j, obj) != JSON_OBJECT)
		return 0;
	for (uint32_t t = obj + 1; t < j->tok[obj].next; t = j->tok[t + 1].next)
		if (json_string_is(j, t, name))
			return t + 1;
	return 0;
}

#define U53_MAX ((UINT64_C(1) << 53) - 1)
#define U53_DIGITS 16

int json_u53(const struct json *j, uint32_t t, uint64_t *out)
{
	struct slice raw = json_raw(j, t);
	uint64_t v = 0;

	if (json_kind_of(j, t) != JSON_NUMBER || raw.n > U53_DIGITS)
		return E_BAD_FIELD;
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] < '0' || raw.p[i] > '9')
			return E_BAD_FIELD;
		v = v * 10 + (uint64_t)(raw.p[i] - '0');
	}
	if (v > U53_MAX)
		return E_BAD_FIELD;
	*out = v;
	return 0;
}

int json_bool(const struct json *j, uint32_t t, bool *out)
{
	enum json_kind kind = json_kind_of(j, t);

	if (kind != JSON_TRUE && kind != JSON_FALSE)
		return E_BAD_FIELD;
	*out = kind == JSON_TRUE;
	return 0;
}
