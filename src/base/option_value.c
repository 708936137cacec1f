#include "base/option_value.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first, as printing takes the first that divides. */
static const struct unit size_units[] = {
	{ "G", 1 << 30 }, { "M", 1 << 20 }, { "k", 1 << 10 }, { "", 1 }, { NULL, 0 },
};

static const struct unit time_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
	{ "ms", 1 },       { "", 1000 },     { NULL, 0 },
};

static const struct unit ms_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
	{ "ms", 1 },       { "", 1 },        { NULL, 0 },
};

static const struct unit int_units[] = { { "", 1 }, { NULL, 0 } };

static const struct unit *units_of(const struct option *o)
{
	if (o->kind == OPTION_SIZE)
		return size_units;
	if (o->kind == OPTION_TIME)
		return o->plain_ms ? ms_units : time_units;
	return int_units;
}

/* A table may leave out the bounds: then any number from 0 on. */
static int64_t upper(const struct option *o)
{
	return o->min == 0 && o->max == 0 ? INT64_MAX : o->max;
}

static void print_scaled(const struct option *o, int64_t v, struct buf *out)
{
	const struct unit *u = units_of(o);

	while (u->name[0] && v % u->factor != 0)
		u++;
	if (v < 0)
		buf_u8(out, '-');
	int64_t scaled = v == 0 ? 0 : v / u->factor;
	buf_dec(out, scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled);
	if (v != 0)
		buf_str(out, u->name);
}

void option_range_print(const struct option *o, struct buf *out)
{
	if (o->kind != OPTION_INT && o->kind != OPTION_SIZE && o->kind != OPTION_TIME)
		return;
	if (upper(o) == INT64_MAX) {
		buf_str(out, "at least ");
		print_scaled(o, o->min, out);
		return;
	}
	print_scaled(o, o->min, out);
	buf_str(out, "..");
	print_scaled(o, o->max, out);
}

/* "-12", "64k", "30s". E_MALFORMED, or E_LIMIT when it does not fit. */
static int parse_scaled(const struct unit *u, struct slice text, int64_t *out)
{
	bool minus = text.n > 0 && text.p[0] == '-';
	struct slice digits = slice_from(text, minus ? 1 : 0);
	size_t n = 0;
	uint64_t v;

	while (n < digits.n && digits.p[n] >= '0' && digits.p[n] <= '9')
		n++;
	struct slice unit = slice_from(digits, n);
	while (u->name && !slice_ieq(unit, slice_str(u->name)))
		u++;
	if (!u->name)
		return E_MALFORMED;
	int err = slice_to_u64(slice_of(digits.p, n), &v);
	if (err < 0)
		return err;
	if (v > (uint64_t)(INT64_MAX / u->factor))
		return E_LIMIT;
	*out = (minus ? -(int64_t)v : (int64_t)v) * u->factor;
	return 0;
}

static int refuse(const struct option *o, struct slice text, const char *what,
		  struct buf *why)
{
	if (o->secret)
		buf_str(why, "the value");
	else
		buf_printf(why, "\"%.*s\"", SLICE_FMT(text));
	buf_printf(why, " %s", what);
	return E_MALFORMED;
}

static int parse_number(const struct option *o, struct slice text, int64_t *out,
			struct buf *why)
{
	int64_t v = 0;
	int err = parse_scaled(units_of(o), text, &v);

	if (err == 0 && v >= o->min && v <= upper(o)) {
		*out = v;
		return 0;
	}
	if (err == 0 || err == E_LIMIT) {
		refuse(o, text, "is out of range: ", why);
		option_range_print(o, why);
		return E_MALFORMED;
	}
	if (o->kind == OPTION_SIZE)
		return refuse(o, text, "is no size such as 64k, 16M or 1500", why);
	if (o->kind == OPTION_TIME)
		return refuse(o, text, "is no time such as 500ms, 30s, 2m or 1h", why);
	return refuse(o, text, "is no whole number", why);
}

/* The index of `text` in a list of words, or -1. */
static int word_index(const char *words, struct slice text)
{
	struct slice rest = slice_str(words), word;

	for (int i = 0; slice_split(&rest, ' ', &word); i++)
		if (slice_eq(word, text))
			return i;
	return -1;
}

static int parse_bool(const struct option *o, struct slice text, bool *out,
		      struct buf *why)
{
	if (word_index("true yes on 1", text) >= 0)
		*out = true;
	else if (word_index("false no off 0", text) >= 0)
		*out = false;
	else
		return refuse(o, text, "is neither true nor false", why);
	return 0;
}

static int parse_word(const struct option *o, struct slice text, int *out,
		      struct buf *why)
{
	int i = word_index(o->words, text);

	if (i < 0) {
		refuse(o, text, "is none of: ", why);
		buf_str(why, o->words);
		return E_MALFORMED;
	}
	*out = i;
	return 0;
}

int option_value_parse(const struct option *o, struct slice text, union option_value *v,
		       struct buf *why)
{
	switch (o->kind) {
	case OPTION_BOOL:
		return parse_bool(o, text, &v->truth, why);
	case OPTION_INT:
	case OPTION_SIZE:
	case OPTION_TIME:
		return parse_number(o, text, &v->number, why);
	case OPTION_ENUM:
		return parse_word(o, text, &v->word, why);
	case OPTION_TEXT:
	case OPTION_LIST:
		if (slice_find(text, '\0') < text.n)
			return refuse(o, SLICE("the value"), "has a NUL byte in it", why);
		v->text = slice_dup(text);
		return 0;
	}
	abort();
}

static void free_text(const struct option *o, char *text)
{
	if (o->secret && text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void option_value_free(const struct option *o, union option_value v)
{
	if (o->kind == OPTION_TEXT || o->kind == OPTION_LIST)
		free_text(o, v.text);
}

static void *place_of(const struct option *o, void *values)
{
	return (char *)values + o->offset;
}

static const void *place_of_const(const struct option *o, const void *values)
{
	return (const char *)values + o->offset;
}

static void list_add(struct option_list *l, char *text)
{
	l->item = xrealloc(l->item, size_mul(l->count + 1, sizeof(*l->item)));
	l->item[l->count++] = text;
}

void option_value_store(const struct option *o, void *values, union option_value v)
{
	void *at = place_of(o, values);

	switch (o->kind) {
	case OPTION_BOOL:
		*(bool *)at = v.truth;
		break;
	case OPTION_INT:
	case OPTION_SIZE:
	case OPTION_TIME:
		*(int64_t *)at = v.number;
		break;
	case OPTION_ENUM:
		*(int *)at = v.word;
		break;
	case OPTION_TEXT:
		free_text(o, *(char **)at);
		*(char **)at = v.text;
		break;
	case OPTION_LIST:
		list_add(at, v.text);
		break;
	}
}

size_t option_value_size(const struct option *o)
{
	static const size_t size[] = {
		[OPTION_BOOL] = sizeof(bool),
		[OPTION_INT] = sizeof(int64_t),
		[OPTION_SIZE] = sizeof(int64_t),
		[OPTION_TIME] = sizeof(ms_t),
		[OPTION_TEXT] = sizeof(char *),
		[OPTION_ENUM] = sizeof(int),
		[OPTION_LIST] = sizeof(struct option_list),
	};

	return size[o->kind];
}

size_t option_value_count(const struct option *o, const void *values)
{
	const struct option_list *l = place_of_const(o, values);

	return o->kind == OPTION_LIST ? l->count : 1;
}

void option_value_clear(const struct option *o, void *values)
{
	void *at = place_of(o, values);

	if (o->kind == OPTION_TEXT) {
		free_text(o, *(char **)at);
		*(char **)at = NULL;
	} else if (o->kind == OPTION_LIST) {
		struct option_list *l = at;
		for (size_t i = 0; i < l->count; i++)
			free_text(o, l->item[i]);
		free(l->item);
		*l = (struct option_list){ 0 };
	}
}

static void print_word(const char *words, int i, struct buf *out)
{
	struct slice rest = slice_str(words), word = SLICE_NONE;

	while (i-- >= 0)
		if (!slice_split(&rest, ' ', &word))
			return;
	buf_put(out, word);
}

void option_value_print(const struct option *o, const void *values, size_t i,
			struct buf *out)
{
	const void *at = place_of_const(o, values);

	switch (o->kind) {
	case OPTION_BOOL:
		buf_str(out, *(const bool *)at ? "true" : "false");
		break;
	case OPTION_INT:
	case OPTION_SIZE:
	case OPTION_TIME:
		print_scaled(o, *(const int64_t *)at, out);
		break;
	case OPTION_ENUM:
		print_word(o->words, *(const int *)at, out);
		break;
	case OPTION_TEXT:
		buf_str(out, *(char *const *)at);
		break;
	case OPTION_LIST:
		buf_str(out, ((const struct option_list *)at)->item[i]);
		break;
	}
}
