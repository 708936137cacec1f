#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/utf8.h"

/* A line up to PIPE_BUF bytes reaches a pipe in one piece; only JSON that needs much
 * escaping is longer. */
#define FIELDS_MAX 2048
#define LINE_MAX_BYTES (6 * FIELDS_MAX + 1024)
#define VALUE_MAX 100

static _Atomic int min_level = LOG_INFO;
static _Atomic bool as_json;

/* Lines that log_allow() held back, told with the thread's next line. */
static _Thread_local uint32_t left_out;

static const char *const level_name[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

void log_setup(enum log_level level, bool json)
{
	atomic_store_explicit(&min_level, (int)level, memory_order_relaxed);
	atomic_store_explicit(&as_json, json, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

/* One call per line, so lines of different threads do not mix. A line that does not go out
 * (pipe full, terminal gone) is lost: nobody could be told. */
static void write_line(struct slice s)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, s.p, s.n);
	while (n < 0 && errno == EINTR);
}

/* What a name may consist of; decides whether "word=" begins a field. */
static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* The length of the name when s starts with "name=", otherwise 0. */
static size_t field_name(struct slice s)
{
	size_t n = 0;

	while (n < s.n && is_name_byte(s.p[n]))
		n++;
	return n < s.n && s.p[n] == '=' ? n : 0;
}

/* The length of a value: to its closing quote, or to the next " name=". Values without
 * quotes may have spaces in them, as error texts do. */
static size_t field_value(struct slice s)
{
	size_t i = 1;

	if (s.n > 0 && s.p[0] == '"') {
		while (i < s.n && s.p[i] != '"')
			i += s.p[i] == '\\' ? 2 : 1;
		return i < s.n ? i + 1 : s.n;
	}
	for (i = 0; i < s.n; i++)
		if (s.p[i] == ' ' && field_name(slice_from(s, i + 1)) > 0)
			return i;
	return s.n;
}

/* Takes quotes away, and the backslash before a quote or backslash. */
static void unquote(struct buf *b, struct slice s)
{
	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"') {
		buf_put(b, s);
		return;
	}
	for (size_t i = 1; i < s.n - 1; i++) {
		bool pair = s.p[i] == '\\' && (s.p[i + 1] == '"' || s.p[i + 1] == '\\');
		buf_u8(b, s.p[pair ? ++i : i]);
	}
}

static void add_member(struct jsonw *w, struct slice name, struct slice value)
{
	uint8_t text[FIELDS_MAX];
	struct buf plain = { .p = text, .cap = sizeof(text), .max = sizeof(text) };

	unquote(&plain, value);
	/* A path or a cut text need not be UTF-8, a JSON line must. */
	if (!utf8_valid(buf_slice(&plain)))
		for (size_t i = 0; i < plain.n; i++)
			if (text[i] >= 0x80)
				text[i] = '?';
	json_key(w, name);
	json_put_string(w, buf_slice(&plain));
}

static void add_members(struct jsonw *w, struct slice fields)
{
	while (fields.n > 0) {
		size_t n = field_name(fields);
		struct slice name = n > 0 ? slice_of(fields.p, n) : SLICE("text");
		struct slice rest = n > 0 ? slice_from(fields, n + 1) : fields;
		size_t len = field_value(rest);
		add_member(w, name, slice_of(rest.p, len));
		fields = slice_from(rest, len);
		while (fields.n > 0 && fields.p[0] == ' ')
			fields = slice_from(fields, 1);
	}
}

static void line_json(struct buf *b, enum log_level level, const char *module,
		      const char *event, struct slice fields)
{
	uint8_t iso[40];
	struct buf time = { .p = iso, .cap = sizeof(iso), .max = sizeof(iso) };
	struct jsonw w;

	clock_iso(&time, clock_wall());
	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "time", buf_slice(&time));
	json_field_string(&w, "level", slice_str(level_name[level]));
	json_field_string(&w, "module", slice_str(module));
	json_field_string(&w, "event", slice_str(event));
	add_members(&w, fields);
	json_object_end(&w);
}

static void line_text(struct buf *b, enum log_level level, const char *module,
		      const char *event, struct slice fields)
{
	clock_iso(b, clock_wall());
	buf_printf(b, " %-5s %-8s %s ", level_name[level], module, event);
	for (size_t i = 0; i < fields.n; i++) {
		uint8_t c = fields.p[i];
		buf_u8(b, c < 0x20 || c == 0x7f ? '?' : c); /* one event, one line */
	}
	if (fields.n == 0)
		b->n--;
}

static void format_fields(struct buf *b, const char *fmt, va_list ap)
{
	/* Cut rather than lost, with room left for the count. */
	size_t size = b->max - sizeof(" left_out=4294967295");
	int len = vsnprintf((char *)b->p, size, fmt, ap);

	if (len > 0)
		b->n = (size_t)len < size ? (size_t)len : size - 1;
	if (left_out > 0) {
		buf_str(b, b->n > 0 ? " left_out=" : "left_out=");
		buf_dec(b, left_out);
		left_out = 0;
	}
}

void log_write(enum log_level level, const char *module, const char *event,
	       const char *fmt, ...)
{
	uint8_t text[FIELDS_MAX], line[LINE_MAX_BYTES];
	struct buf fields = { .p = text, .cap = sizeof(text), .max = sizeof(text) };
	struct buf b = { .p = line, .cap = sizeof(line) - 1, .max = sizeof(line) - 1 };
	va_list ap;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	format_fields(&fields, fmt, ap);
	va_end(ap);
	if (atomic_load_explicit(&as_json, memory_order_relaxed))
		line_json(&b, level, module, event, buf_slice(&fields));
	else
		line_text(&b, level, module, event, buf_slice(&fields));
	line[b.n] = '\n';
	write_line(slice_of(line, b.n + 1));
}

bool log_allow(struct log_limit *l, uint32_t burst)
{
	ms_t now = clock_mono();

	if (l->count == 0 || now - l->window >= 1000) {
		l->window = now;
		l->count = 0;
	}
	if (l->count >= burst) {
		l->dropped++;
		return false;
	}
	l->count++;
	left_out = l->dropped;
	l->dropped = 0;
	return true;
}

/* The first `max` bytes, less a character of UTF-8 that would be cut in two. */
static struct slice cut(struct slice s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max > 0 && (s.p[max] & 0xc0) == 0x80)
		max--;
	return slice_of(s.p, max);
}

/* Appends one byte as it may stand between quotes; the length of what was added. */
static size_t put_escaped(char *to, uint8_t c, bool utf8)
{
	if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
		return (size_t)snprintf(to, 5, "\\x%02x", c);
	if (c == '"' || c == '\\')
		return (size_t)snprintf(to, 3, "\\%c", c);
	*to = (char)c;
	return 1;
}

const char *log_value(struct log_text *out, struct slice s)
{
	bool utf8 = utf8_valid(s), quote = s.n == 0;
	struct slice part = utf8 ? cut(s, VALUE_MAX)
				 : slice_of(s.p, s.n < VALUE_MAX ? s.n : VALUE_MAX);
	char *p = out->s + 1; /* out->s[0] is for the quote, if it comes to that */
	size_t n = 0, i = 0;

	/* 100 bytes as \xNN would not fit, so there may be an earlier end; room stays for
	 * one more byte in its longest form, "..", the quote and the NUL. */
	for (; i < part.n && n + 4 + 2 + 1 + 1 < sizeof(out->s); i++) {
		size_t len = put_escaped(p + n, part.p[i], utf8);
		quote = quote || len > 1 || part.p[i] == ' ' || part.p[i] == '=';
		n += len;
	}
	if (i < s.n) {
		p[n++] = '.';
		p[n++] = '.';
	}
	if (quote)
		p[n++] = out->s[0] = '"';
	p[n] = '\0';
	return quote ? out->s : p;
}
