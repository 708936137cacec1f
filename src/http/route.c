#include "http/route.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* A pattern's segment: literal text, {name}, or {name*} that takes the rest. */
enum segment_kind { SEGMENT_END, SEGMENT_REST, SEGMENT_PARAM, SEGMENT_LITERAL };

struct segment {
	enum segment_kind kind;
	struct slice text; /* literal, or the parameter's name */
};

/* Cuts the next segment off a path that starts with '/'. */
static bool next_part(struct slice *path, struct slice *part)
{
	if (path->n == 0)
		return false;
	struct slice rest = slice_from(*path, 1);
	size_t end = slice_find(rest, '/');
	*part = slice_of(rest.p, end);
	*path = slice_from(rest, end);
	return true;
}

static struct segment next_segment(struct slice *pattern)
{
	struct slice part;

	if (!next_part(pattern, &part))
		return (struct segment){ SEGMENT_END, SLICE_NONE };
	if (part.n < 3 || part.p[0] != '{')
		return (struct segment){ SEGMENT_LITERAL, part };
	bool rest = part.p[part.n - 2] == '*';
	struct slice name = slice_of(part.p + 1, part.n - 2 - rest);
	return (struct segment){ rest ? SEGMENT_REST : SEGMENT_PARAM, name };
}

static void add_param(struct route_match *m, struct slice name, struct slice raw)
{
	m->param[m->param_count++] = (struct route_param){ name, raw };
}

static bool matches(const struct route *r, struct slice path, struct route_match *m)
{
	struct slice pattern = slice_str(r->pattern), part;

	m->param_count = 0;
	for (;;) {
		struct segment s = next_segment(&pattern);
		if (s.kind == SEGMENT_REST && path.n > 0) {
			add_param(m, s.text, slice_from(path, 1));
			return true;
		}
		bool more = next_part(&path, &part);
		if (s.kind == SEGMENT_END || !more)
			return s.kind == SEGMENT_END && !more;
		if (s.kind == SEGMENT_LITERAL && !slice_eq(s.text, part))
			return false;
		if (s.kind == SEGMENT_PARAM && part.n == 0)
			return false;
		if (s.kind == SEGMENT_PARAM)
			add_param(m, s.text, part);
	}
}

/* Of two patterns that fit the same path: above 0 when a is the more literal one. */
static int compare(const char *a, const char *b)
{
	struct slice pa = slice_str(a), pb = slice_str(b);

	for (;;) {
		struct segment sa = next_segment(&pa), sb = next_segment(&pb);
		if (sa.kind != sb.kind)
			return (int)sa.kind - (int)sb.kind;
		if (sa.kind == SEGMENT_END || sa.kind == SEGMENT_REST)
			return 0;
	}
}

void http_route_table_fini(struct route_table *t)
{
	free(t->route);
	*t = (struct route_table){ 0 };
}

void http_route_add(struct route_table *t, const struct route *r)
{
	assert(r->pattern[0] == '/');
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->route = xrealloc(t->route, size_mul(t->cap, sizeof(*t->route)));
	}
	struct route *mine = &t->route[t->count++];
	*mine = *r;
	if (mine->methods & HTTP_GET)
		mine->methods |= HTTP_HEAD;
	mine->literal = strcspn(r->pattern, "{");
	unsigned params = 0;
	for (const char *p = r->pattern; *p; p++)
		params += *p == '{';
	assert(params <= ROUTE_MAX_PARAMS);
}

void http_route_find(const struct route_table *t, struct slice path, unsigned method,
		     struct route_match *m)
{
	struct route_match tried;

	m->route = m->path = NULL;
	m->allowed = m->param_count = 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct route *r = &t->route[i];
		if (!slice_starts(path, slice_of(r->pattern, r->literal)) ||
		    !matches(r, path, &tried))
			continue;
		int better = m->path ? compare(r->pattern, m->path->pattern) : 1;
		if (better < 0)
			continue;
		if (better > 0) {
			m->route = NULL;
			m->path = r;
			m->allowed = 0;
		}
		m->allowed |= r->methods;
		if (m->route || !(r->methods & method))
			continue;
		m->route = r;
		memcpy(m->param, tried.param, sizeof(m->param));
		m->param_count = tried.param_count;
	}
}

static const struct {
	const char *name;
	unsigned bit;
} methods[] = {
	{ "GET", HTTP_GET },         { "HEAD", HTTP_HEAD },     { "POST", HTTP_POST },
	{ "PUT", HTTP_PUT },         { "DELETE", HTTP_DELETE }, { "PATCH", HTTP_PATCH },
	{ "OPTIONS", HTTP_OPTIONS },
};

unsigned http_method_bit(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (slice_is(name, methods[i].name))
			return methods[i].bit;
	return 0;
}

void http_method_list(unsigned set, struct buf *b)
{
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (!(set & methods[i].bit))
			continue;
		buf_str(b, comma);
		buf_str(b, methods[i].name);
		comma = ", ";
	}
}
