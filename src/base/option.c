/* Every source spells a name its own way (net.port, PARLEY_NET_PORT, --net.port). To find an
 * option, or the nearest to a misspelt one, its name is spelt as the source would and compared.
 */
#include "base/option.h"

#include <assert.h>
#include <ini.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/option_value.h"

#define CONFIG_MAX (1 << 20)
#define LINE_MAX_BYTES 4096
#define SECRET_MAX 4096

/* Where a value came from; `line` is for files. */
struct origin {
	enum option_source source;
	unsigned line;
};

struct option_set {
	const struct option *table;
	size_t count;
	void *values;
	struct origin *origin;
	char *path; /* of the configuration file, once read */
};

/* Where a value stands that is being read now, and where to complain. */
struct place {
	enum option_source source;
	unsigned line;
	const char *path;
	struct buf *why;
};

struct spelling {
	char s[OPTION_NAME_MAX + 16];
};

static struct slice spell(struct spelling *out, enum option_source source,
			  const char *name, const char *suffix)
{
	struct buf b = { .p = (uint8_t *)out->s,
			 .cap = sizeof(out->s),
			 .max = sizeof(out->s) };

	if (source != OPTION_ENV) {
		buf_printf(&b, "%s%s%s", source == OPTION_FLAG ? "--" : "", name, suffix);
		return buf_slice(&b);
	}
	buf_printf(&b, "PARLEY_%s%s", name, suffix);
	for (size_t i = 0; i < b.n; i++) {
		char *c = &out->s[i];
		if (*c == '-' || *c == '.')
			*c = '_';
		else if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	}
	return buf_slice(&b);
}

static void write_place(const struct place *at)
{
	static const char *const text[] = {
		[OPTION_DEFAULT] = "default",
		[OPTION_FILE] = "config file",
		[OPTION_ENV] = "environment",
		[OPTION_FLAG] = "command line",
	};

	buf_str(at->why, text[at->source]);
	if (at->path)
		buf_printf(at->why, " %s", at->path);
	if (at->line)
		buf_printf(at->why, ", line %u", at->line);
	buf_str(at->why, ": ");
}

static int refuse(const struct place *at, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int refuse(const struct place *at, const char *fmt, ...)
{
	va_list ap;

	write_place(at);
	va_start(ap, fmt);
	buf_vprintf(at->why, fmt, ap);
	va_end(ap);
	return E_MALFORMED;
}

/* Levenshtein's distance, one row of the table at a time. */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[sizeof(struct spelling) + 1];

	if (b.n > sizeof(struct spelling))
		b.n = sizeof(struct spelling);
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b.n; j++) {
			size_t best = diagonal + (a.p[i] != b.p[j]);
			diagonal = row[j + 1];
			if (best > diagonal + 1)
				best = diagonal + 1;
			if (best > row[j] + 1)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[b.n];
}

static int unknown(const struct option_set *s, const struct place *at, struct slice given)
{
	static const char *const what[] = { "key", "key", "variable", "flag" };
	size_t nearest = 0, least = SIZE_MAX;
	struct spelling sp;

	for (size_t i = 0; i < s->count; i++) {
		size_t d = distance(spell(&sp, at->source, s->table[i].name, ""), given);
		if (d < least) {
			least = d;
			nearest = i;
		}
	}
	struct slice meant = spell(&sp, at->source, s->table[nearest].name, "");
	return refuse(at, "unknown %s %.*s; did you mean %.*s?", what[at->source],
		      SLICE_FMT(given), SLICE_FMT(meant));
}

/* The index of the option that the source calls `given`, or -1; `*by_file` is set when it
 * is the path of a file with the secret in it. */
static int find(const struct option_set *s, enum option_source source, struct slice given,
		bool *by_file)
{
	struct spelling sp;

	for (size_t i = 0; i < s->count; i++) {
		const struct option *o = &s->table[i];
		*by_file = false;
		if (slice_eq(given, spell(&sp, source, o->name, "")))
			return (int)i;
		*by_file = true;
		if (o->secret && (slice_eq(given, spell(&sp, source, o->name, "-file")) ||
				  slice_eq(given, spell(&sp, source, o->name, "_file"))))
			return (int)i;
	}
	return -1;
}

/* Parses one value; stores it unless a stronger source has spoken. */
static int store_one(struct option_set *s, size_t i, const struct place *at,
		     struct slice text)
{
	const struct option *o = &s->table[i];
	size_t start = buf_at(at->why);
	struct spelling sp;
	union option_value v;

	write_place(at);
	buf_put(at->why, spell(&sp, at->source, o->name, ""));
	buf_str(at->why, ": ");
	int err = option_value_parse(o, text, &v, at->why);
	if (err < 0)
		return err;
	at->why->n = start;
	if (at->source < s->origin[i].source)
		option_value_free(o, v);
	else
		option_value_store(o, s->values, v);
	return 0;
}

static int store_list(struct option_set *s, size_t i, const struct place *at,
		      struct slice text)
{
	bool many = at->source == OPTION_DEFAULT || at->source == OPTION_ENV;
	struct slice item;
	int err = 0;

	if (at->source > s->origin[i].source)
		option_value_clear(&s->table[i], s->values);
	while (err == 0 && slice_split(&text, many ? ' ' : '\0', &item))
		if (item.n > 0)
			err = store_one(s, i, at, item);
	return err;
}

static int store(struct option_set *s, size_t i, const struct place *at,
		 struct slice text)
{
	struct origin *from = &s->origin[i];
	struct spelling sp;
	int err;

	if (s->table[i].kind == OPTION_LIST) {
		err = store_list(s, i, at, text);
	} else if (at->source == OPTION_FILE && from->source == OPTION_FILE) {
		struct slice name = spell(&sp, at->source, s->table[i].name, "");
		return refuse(at, "%.*s is set again, first in line %u", SLICE_FMT(name),
			      from->line);
	} else {
		err = store_one(s, i, at, text);
	}
	if (err == 0 && at->source >= from->source)
		*from = (struct origin){ at->source, at->line };
	return err;
}

static void warn_when_readable(const char *name, const char *path)
{
	struct log_text shown;
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
		log_warn("option", "secret-readable-by-all",
			 "name=%s file=%s: chmod 600 it", name,
			 log_value(&shown, slice_str(path)));
}

static struct slice without_line_end(struct slice text)
{
	if (slice_ends(text, SLICE("\n")))
		text.n--;
	if (slice_ends(text, SLICE("\r")))
		text.n--;
	return text;
}

/* Each line is an item. One without any says less than was meant. */
static int store_lines(struct option_set *s, size_t i, const struct place *at,
		       const char *path, struct slice text)
{
	struct slice line;
	bool any = false;
	int err = 0;

	while (err == 0 && slice_split(&text, '\n', &line)) {
		line = without_line_end(line);
		if (line.n == 0)
			continue;
		any = true;
		err = store(s, i, at, line);
	}
	return any ? err : refuse(at, "%s: %s is empty", s->table[i].name, path);
}

static int store_from_file(struct option_set *s, size_t i, const struct place *at,
			   const char *path)
{
	struct buf secret = BUF_INIT(SECRET_MAX);
	int err = file_read(path, SECRET_MAX, &secret);

	if (err == E_LIMIT) {
		refuse(at, "%s: %s is larger than %d bytes", s->table[i].name, path,
		       SECRET_MAX);
	} else if (err < 0) {
		refuse(at, "%s: cannot read %s: %s", s->table[i].name, path,
		       err_text(err));
	} else {
		warn_when_readable(s->table[i].name, path);
		err = s->table[i].kind == OPTION_LIST
			      ? store_lines(s, i, at, path, buf_slice(&secret))
			      : store(s, i, at, without_line_end(buf_slice(&secret)));
	}
	if (secret.p)
		explicit_bzero(secret.p, secret.cap);
	buf_fini(&secret);
	return err;
}

static int assign(struct option_set *s, struct slice given, const struct place *at,
		  const char *text)
{
	bool by_file;
	int i = find(s, at->source, given, &by_file);

	if (i < 0)
		return unknown(s, at, given);
	if (by_file)
		return store_from_file(s, (size_t)i, at, text);
	return store(s, (size_t)i, at, slice_str(text));
}

/* The table is ours: whatever is wrong with it shows at the first start. */
static void check_table(const struct option *table, size_t count)
{
	struct spelling a, b;

	for (size_t i = 0; i < count; i++) {
		const struct option *o = &table[i];
		assert(strlen(o->name) < OPTION_NAME_MAX && o->help && o->preset);
		assert(!o->secret || o->kind == OPTION_TEXT || o->kind == OPTION_LIST);
		assert(o->kind != OPTION_ENUM || o->words);
		for (size_t j = 0; j < i; j++)
			assert(!slice_eq(spell(&a, OPTION_ENV, o->name, ""),
					 spell(&b, OPTION_ENV, table[j].name, "")));
	}
}

struct option_set *option_create(const struct option *table, size_t count, void *values)
{
	struct option_set *s = xzalloc(sizeof(*s));
	struct buf why = BUF_INIT(1024);
	struct place at = { .source = OPTION_DEFAULT, .why = &why };

	assert(count > 0);
	check_table(table, count);
	s->table = table;
	s->count = count;
	s->values = values;
	s->origin = xzalloc(size_mul(count, sizeof(*s->origin)));
	for (size_t i = 0; i < count; i++) {
		memset((char *)values + table[i].offset, 0, option_value_size(&table[i]));
		int err = store(s, i, &at, slice_str(table[i].preset));
		assert(err == 0);
		(void)err;
	}
	buf_fini(&why);
	return s;
}

void option_destroy(struct option_set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		option_value_clear(&s->table[i], s->values);
	free(s->origin);
	free(s->path);
	free(s);
}

/* A configuration file on its way through the INI parser. */
struct ini {
	struct option_set *set;
	struct slice rest;
	struct place at;
	int err;
};

/* fgets() over the text; counts lines, which the handler is not told. */
static char *next_line(char *to, int size, void *arg)
{
	struct ini *in = arg;
	size_t n = slice_find(in->rest, '\n');

	if (in->rest.n == 0 || in->err < 0)
		return NULL;
	in->at.line++;
	if (n + 2 > (size_t)size) {
		in->err = refuse(&in->at, "longer than %d bytes", size - 2);
		return NULL;
	}
	memcpy(to, in->rest.p, n);
	to[n] = '\n';
	to[n + 1] = '\0';
	in->rest = slice_from(in->rest, n + 1);
	return to;
}

static int on_pair(void *arg, const char *section, const char *name, const char *value)
{
	struct ini *in = arg;
	char key[2 * OPTION_NAME_MAX + 8];
	struct buf b = { .p = (uint8_t *)key, .cap = sizeof(key), .max = sizeof(key) };

	buf_printf(&b, "%s%s%s", section, section[0] ? "." : "", name);
	in->err = assign(in->set, buf_slice(&b), &in->at, value);
	return in->err == 0;
}

static int parse_ini(struct ini *in)
{
	if (slice_find(in->rest, '\0') < in->rest.n)
		return refuse(&in->at, "has a NUL byte in it");
	/* Indented lines are lines like others: people indent keys below their section. */
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	ini_use_stack = false;
	ini_initial_alloc = ini_max_line = LINE_MAX_BYTES;
	int line = ini_parse_stream(next_line, in, on_pair, in);
	if (in->err < 0 || line == 0)
		return in->err;
	return refuse(&in->at, "neither [section] nor key = value");
}

int option_read_file(struct option_set *s, const char *path, struct buf *why)
{
	struct buf text = BUF_INIT(CONFIG_MAX);
	int err = file_read(path, CONFIG_MAX, &text);

	struct ini in = {
		.set = s,
		.rest = buf_slice(&text),
		.at = { .source = OPTION_FILE, .path = path, .why = why },
	};

	assert(!s->path);
	if (err < 0) {
		refuse(&in.at, "%s", err_text(err));
	} else {
		s->path = xstrdup(path);
		err = parse_ini(&in);
	}
	if (text.p)
		explicit_bzero(text.p, text.cap); /* secrets may be in it */
	buf_fini(&text);
	return err;
}

int option_read_env(struct option_set *s, char **environ_list, struct buf *why)
{
	struct place at = { .source = OPTION_ENV, .why = why };
	int err = 0;

	for (char **e = environ_list; *e && err == 0; e++) {
		struct slice pair = slice_str(*e);
		size_t n = slice_find(pair, '=');
		if (slice_starts(pair, SLICE("PARLEY_")) && n < pair.n)
			err = assign(s, slice_of(pair.p, n), &at, *e + n + 1);
	}
	return err;
}

int option_read_flag(struct option_set *s, int argc, char **argv, struct buf *why)
{
	struct place at = { .source = OPTION_FLAG, .why = why };
	struct slice arg = argc > 0 ? slice_str(argv[0]) : SLICE_NONE;
	bool by_file;

	if (!slice_starts(arg, SLICE("--")) || arg.n == 2)
		return 0;
	size_t n = slice_find(arg, '=');
	struct slice name = slice_of(arg.p, n);
	int i = find(s, at.source, name, &by_file);
	if (i < 0)
		return unknown(s, &at, name);

	const char *text = n < arg.n ? argv[0] + n + 1 : NULL;
	int used = 1;
	if (!text && s->table[i].kind == OPTION_BOOL) {
		text = "true";
	} else if (!text) {
		if (argc < 2 || strncmp(argv[1], "--", 2) == 0)
			return refuse(&at, "%.*s wants a value", SLICE_FMT(name));
		text = argv[1];
		used = 2;
	}
	int err = assign(s, name, &at, text);
	return err < 0 ? err : used;
}

/* For option_print(). */
static void print_origin(const struct option_set *s, size_t i, struct buf *out)
{
	const struct origin *from = &s->origin[i];
	struct spelling sp;

	switch (from->source) {
	case OPTION_DEFAULT:
		buf_str(out, "default");
		break;
	case OPTION_FILE:
		buf_printf(out, "file %s", s->path);
		if (s->table[i].kind != OPTION_LIST) /* each item has its own */
			buf_printf(out, ", line %u", from->line);
		break;
	case OPTION_ENV:
		buf_str(out, "environment ");
		buf_put(out, spell(&sp, OPTION_ENV, s->table[i].name, ""));
		break;
	case OPTION_FLAG:
		buf_str(out, "flag");
		break;
	}
}

static void print_line(const struct option_set *s, size_t i, size_t item, struct buf *out)
{
	struct buf value = BUF_INIT(SIZE_MAX);
	const struct option *o = &s->table[i];

	if (item < option_value_count(o, s->values))
		option_value_print(o, s->values, item, &value);
	buf_printf(out, "%s = ", o->name);
	if (o->secret && value.n > 0)
		buf_str(out, "***");
	else
		buf_put(out, buf_slice(&value));
	buf_str(out, "   # ");
	print_origin(s, i, out);
	buf_u8(out, '\n');
	buf_fini(&value);
}

void option_print(const struct option_set *s, struct buf *out)
{
	for (size_t i = 0; i < s->count; i++) {
		size_t count = option_value_count(&s->table[i], s->values), item = 0;
		do
			print_line(s, i, item++, out);
		while (item < count);
	}
}
