#include <assert.h>
#include <math.h>

#include "base/json.h"
#include "base/json_scan.h"

#define LEVELS 64u

/* A comma where one is due. At the top level and behind a name there is none. */
static void before_value(struct jsonw *w)
{
	if (w->depth == 0)
		return;
	uint64_t bit = UINT64_C(1) << (w->depth - 1);
	if (w->more & bit)
		buf_u8(w->b, ',');
	w->more |= bit;
}

static void open_level(struct jsonw *w, uint8_t bracket)
{
	assert(w->depth < LEVELS);
	before_value(w);
	buf_u8(w->b, bracket);
	w->more &= ~(UINT64_C(1) << w->depth);
	w->depth++;
}

static void close_level(struct jsonw *w, uint8_t bracket)
{
	assert(w->depth > 0);
	w->depth--;
	buf_u8(w->b, bracket);
}

void json_begin(struct jsonw *w, struct buf *b)
{
	*w = (struct jsonw){ .b = b };
}

void json_begin_inside(struct jsonw *w, struct buf *b)
{
	*w = (struct jsonw){ .b = b, .more = 1, .depth = 1 };
}

void json_object(struct jsonw *w)
{
	open_level(w, '{');
}

void json_object_end(struct jsonw *w)
{
	close_level(w, '}');
}

void json_array(struct jsonw *w)
{
	open_level(w, '[');
}

void json_array_end(struct jsonw *w)
{
	close_level(w, ']');
}

void json_key(struct jsonw *w, struct slice name)
{
	assert(w->depth > 0);
	before_value(w);
	uint8_t *p = buf_take(w->b, name.n + 3);
	if (p) {
		p[0] = '"';
		memcpy(p + 1, name.p, name.n);
		p[name.n + 1] = '"';
		p[name.n + 2] = ':';
	}
	w->more &= ~(UINT64_C(1) << (w->depth - 1)); /* the value sets it again */
}

/* How many bytes from the start need no escape. */
static size_t plain_run(struct slice s)
{
	size_t at = 0;

	for (; s.n - at >= JSON_LANES; at += JSON_LANES) {
		uint32_t stop = json_lanes16(s.p + at).stop;
		if (stop)
			return at + (size_t)__builtin_ctz(stop);
	}
	if (at == s.n)
		return at;
	uint32_t stop = json_lanes_tail(s.p + at, (uint32_t)(s.n - at), at).stop;
	return stop ? at + (size_t)__builtin_ctz(stop) : s.n;
}

static void put_escape(struct buf *b, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};

	if (c < sizeof(letter) && !letter[c]) {
		char u[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
		buf_add(b, u, sizeof(u));
		return;
	}
	char two[] = { '\\', c < sizeof(letter) ? letter[c] : (char)c };
	buf_add(b, two, sizeof(two));
}

void json_quote(struct buf *b, struct slice s)
{
	size_t run = plain_run(s);

	buf_u8(b, '"');
	while (UNLIKELY(run < s.n)) {
		buf_add(b, s.p, run);
		put_escape(b, s.p[run]);
		s = slice_from(s, run + 1);
		run = plain_run(s);
	}
	buf_put(b, s);
	buf_u8(b, '"');
}

void json_put_string(struct jsonw *w, struct slice s)
{
	before_value(w);
	json_quote(w->b, s);
}

void json_put_raw(struct jsonw *w, struct slice json)
{
	before_value(w);
	buf_put(w->b, json);
}

void json_put_u64(struct jsonw *w, uint64_t v)
{
	before_value(w);
	buf_dec(w->b, v);
}

void json_put_bool(struct jsonw *w, bool v)
{
	json_put_raw(w, v ? SLICE("true") : SLICE("false"));
}

/* By hand where it fits: printf would ask the locale for its decimal point. */
void json_put_double(struct jsonw *w, double v)
{
	if (!isfinite(v)) {
		json_put_raw(w, SLICE("null"));
		return;
	}
	before_value(w);
	if (v <= -9e15 || v >= 9e15) {
		buf_printf(w->b, "%.0f", v);
		return;
	}
	uint64_t milli = (uint64_t)((v < 0 ? -v : v) * 1000 + 0.5);
	uint64_t part = milli % 1000;
	if (v < 0 && milli > 0)
		buf_u8(w->b, '-');
	buf_dec(w->b, milli / 1000);
	char digits[] = { '.', (char)('0' + part / 100), (char)('0' + part / 10 % 10),
			  (char)('0' + part % 10) };
	buf_add(w->b, digits, sizeof(digits));
}

void json_field_string(struct jsonw *w, const char *name, struct slice s)
{
	json_key(w, slice_str(name));
	json_put_string(w, s);
}

void json_field_raw(struct jsonw *w, const char *name, struct slice json)
{
	json_key(w, slice_str(name));
	json_put_raw(w, json);
}

void json_field_u64(struct jsonw *w, const char *name, uint64_t v)
{
	json_key(w, slice_str(name));
	json_put_u64(w, v);
}

void json_field_bool(struct jsonw *w, const char *name, bool v)
{
	json_key(w, slice_str(name));
	json_put_bool(w, v);
}
