#include "dialect/table_lex.h"

#include <stdarg.h>

#include "base/err.h"
#include "base/json.h"

void table_lex_init(struct table_lex *l, const char *file, struct slice text,
		    struct buf *why)
{
	if (slice_starts(text, SLICE("\xef\xbb\xbf"))) /* some editors put it there */
		text = slice_from(text, 3);
	*l = (struct table_lex){ .file = file, .rest = text, .why = why };
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool table_lex_more(struct table_lex *l)
{
	while (l->at < l->line.n && is_blank(l->line.p[l->at]))
		l->at++;
	if (l->at == l->line.n)
		return false;
	/* A comment begins a line or follows a blank: "#" is a letter of names otherwise. */
	return l->line.p[l->at] != '#' || (l->at > 0 && !is_blank(l->line.p[l->at - 1]));
}

bool table_lex_next(struct table_lex *l)
{
	while (slice_split(&l->rest, '\n', &l->line)) {
		l->number++;
		l->at = 0;
		if (l->line.n > 0 && l->line.p[l->line.n - 1] == '\r')
			l->line.n--;
		l->indented = l->line.n > 0 && is_blank(l->line.p[0]);
		if (table_lex_more(l))
			return true;
	}
	return false;
}

char table_lex_peek(struct table_lex *l)
{
	return table_lex_more(l) ? (char)l->line.p[l->at] : 0;
}

bool table_lex_take(struct table_lex *l, char c)
{
	if (table_lex_peek(l) != c)
		return false;
	l->at++;
	return true;
}

static bool is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static bool is_name(uint8_t c)
{
	return c > ' ' && c != ',' && c != '|' && c != '"' && c != '[' && c != '(' &&
	       c != ')' && c != ']';
}

/* A path has {room}, so a brace belongs to a name unless it begins one. */
static size_t name_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n && is_name(s.p[n]) && !(n == 0 && s.p[n] == '{'))
		n++;
	return n;
}

static size_t word_length(struct slice s)
{
	size_t n = s.n > 0 && s.p[0] == '$';

	while (n < s.n && is_word(s.p[n]))
		n++;
	return n;
}

static int take_run(struct table_lex *l, const char *what, size_t (*length)(struct slice),
		    struct slice *out)
{
	if (!table_lex_more(l))
		return table_lex_fail(l, l->at, "%s is missing", what);
	struct slice rest = slice_from(l->line, l->at);
	size_t n = length(rest);
	if (n == 0)
		return table_lex_fail(l, l->at, "here should be %s", what);
	*out = slice_of(rest.p, n);
	l->at += n;
	return 0;
}

int table_lex_name(struct table_lex *l, const char *what, struct slice *out)
{
	return take_run(l, what, name_length, out);
}

int table_lex_word(struct table_lex *l, const char *what, struct slice *out)
{
	return take_run(l, what, word_length, out);
}

bool table_lex_take_word(struct table_lex *l, const char *w)
{
	size_t n = strlen(w);

	if (!table_lex_more(l))
		return false;
	struct slice rest = slice_from(l->line, l->at);
	if (word_length(rest) != n || memcmp(rest.p, w, n) != 0)
		return false;
	l->at += n;
	return true;
}

bool table_lex_at_tests(struct table_lex *l)
{
	size_t at;

	if (!table_lex_more(l))
		return true;
	at = l->at;
	bool end = table_lex_take_word(l, "if");
	l->at = at;
	return end;
}

int table_lex_string(struct table_lex *l, struct slice *out)
{
	struct json_token token;
	struct json j;
	size_t n = 1;

	if (table_lex_peek(l) != '"')
		return table_lex_fail(l, l->at, "here should be a \"text\" in quotes");
	struct slice rest = slice_from(l->line, l->at);
	while (n < rest.n && rest.p[n] != '"')
		n += rest.p[n] == '\\' ? 2 : 1;
	if (n >= rest.n)
		return table_lex_fail(l, l->at, "the closing quote is missing");
	*out = slice_of(rest.p, n + 1);
	if (json_parse(&j, *out, &token, 1) < 0)
		return table_lex_fail(l, l->at, "a text is written as in JSON");
	l->at += n + 1;
	return 0;
}

int table_lex_number(struct table_lex *l, const char *what, uint32_t *out)
{
	size_t at = l->at, n = 0;
	struct slice rest;

	if (!table_lex_more(l))
		return table_lex_fail(l, l->at, "%s is missing", what);
	rest = slice_from(l->line, l->at);
	while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
		n++;
	if (slice_to_u32(slice_of(rest.p, n), out) < 0)
		return table_lex_fail(l, at, "here should be %s, a number", what);
	l->at += n;
	return 0;
}

struct slice table_lex_tail(struct table_lex *l)
{
	size_t at;

	(void)table_lex_more(l);
	at = l->at;
	while (table_lex_more(l))
		l->at++;
	return slice_trim(slice_of(l->line.p + at, l->at - at));
}

int table_lex_end(struct table_lex *l)
{
	if (!table_lex_more(l))
		return 0;
	return table_lex_fail(l, l->at, "nothing was expected here any more");
}

/* --- errors --- */

/* The line, and a caret below; tabs stay tabs, so that both look alike. */
static void show_place(struct table_lex *l, size_t at)
{
	buf_printf(l->why, "\n    %.*s\n    ", SLICE_FMT(l->line));
	for (size_t i = 0; i < at && i < l->line.n; i++)
		buf_u8(l->why, l->line.p[i] == '\t' ? '\t' : ' ');
	buf_u8(l->why, '^');
}

int table_lex_fail(struct table_lex *l, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_printf(l->why, "%s:%u:%zu: ", l->file, l->number, at + 1);
	buf_vprintf(l->why, fmt, ap);
	va_end(ap);
	show_place(l, at);
	return E_MALFORMED;
}

#define MAX_WORD 24

/* How many letters must be added, dropped or changed (Levenshtein), swaps counting as one. */
static unsigned distance(struct slice a, struct slice b)
{
	unsigned row[3][MAX_WORD + 1];

	if (a.n > MAX_WORD || b.n > MAX_WORD)
		return MAX_WORD;
	for (unsigned k = 0; k <= b.n; k++)
		row[0][k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *now = row[i % 3], *up = row[(i + 2) % 3],
			 *up2 = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			unsigned best = up[k - 1] + (a.p[i - 1] != b.p[k - 1]);

			if (up[k] + 1 < best)
				best = up[k] + 1;
			if (now[k - 1] + 1 < best)
				best = now[k - 1] + 1;
			if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] &&
			    a.p[i - 2] == b.p[k - 1] && up2[k - 2] + 1 < best)
				best = up2[k - 2] + 1;
			now[k] = best;
		}
	}
	return row[a.n % 3][b.n];
}

int table_lex_unknown(struct table_lex *l, size_t at, const char *what, struct slice word,
		      const char *const *known)
{
	const char *best = NULL;
	unsigned least = 3;
	struct buf hint = BUF_INIT(1024);

	for (const char *const *k = known; *k; k++) {
		unsigned d = distance(word, slice_str(*k));

		buf_printf(&hint, "%s%s", hint.n ? ", " : "", *k);
		if (d < least && d < strlen(*k)) {
			least = d;
			best = *k;
		}
	}
	int err;
	if (best)
		err = table_lex_fail(l, at, "unknown %s '%.*s'; did you mean '%s'?", what,
				     SLICE_FMT(word), best);
	else
		err = table_lex_fail(l, at, "unknown %s '%.*s'; there is %.*s", what,
				     SLICE_FMT(word), SLICE_FMT(buf_slice(&hint)));
	buf_fini(&hint);
	return err;
}
