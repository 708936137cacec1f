/* table_link: the last look at a table: rules are found by name, and what cannot work is said. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "dialect/table_lex.h"
#include "dialect/table_rules.h"

/* FNV-1a: names are short, and strangers choose only what is looked for. */
uint32_t table_hash(struct slice name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ name.p[i]) * 16777619u;
	return h;
}

const struct table_rule *table_rule(const struct table *t, struct slice name)
{
	for (uint32_t at = table_hash(name);; at++) {
		uint16_t slot = t->slots[at & t->slot_mask];

		if (slot == 0)
			return NULL;
		if (slice_eq(t->rules[slot - 1].name, name))
			return &t->rules[slot - 1];
	}
}

static void index_rules(struct table *t)
{
	unsigned size = 8;

	while (size < 2 * t->rule_count)
		size *= 2;
	t->slots = xzalloc(size_mul(size, sizeof(*t->slots)));
	t->slot_mask = size - 1;
	for (unsigned i = 0; i < t->rule_count; i++) {
		struct table_rule *r = &t->rules[i];
		uint32_t at = table_hash(r->name);

		if (r == t->any || r == t->connect)
			continue;
		while (t->slots[at & t->slot_mask])
			at++;
		t->slots[at & t->slot_mask] = (uint16_t)(i + 1);
	}
}

/* --- who must be told alone --- */

static bool is_receivers(const struct table *t, const struct table_value *v)
{
	if (v->source != SOURCE_VAR)
		return false;
	if (v->var == VAR_ID)
		return t->lexical;
	return v->var == VAR_OFFER || v->var == VAR_OFFERS || v->var == VAR_RANK ||
	       v->var == VAR_YOU || v->var == VAR_MINE;
}

static bool ops_depend(const struct table *t, struct table_span ops)
{
	for (unsigned i = ops.first; i < (unsigned)ops.first + ops.count; i++) {
		const struct table_op *op = &t->ops[i];

		for (unsigned k = 0; k < op->values.count; k++)
			if (is_receivers(t, &t->values[op->values.first + k]))
				return true;
	}
	return false;
}

/* Whether what a "when" says is another thing for each receiver. */
static bool when_depends(const struct table *t, enum table_when when)
{
	for (unsigned i = 0; i < t->when[when].count; i++) {
		const struct table_step *s = &t->steps[t->when[when].first + i];

		if (s->kind != STEP_SEND || ops_depend(t, s->say.args.ops))
			return true;
		for (unsigned k = 0; k < s->tests.count; k++)
			if (is_receivers(t, &t->tests[s->tests.first + k].value))
				return true;
	}
	return false;
}

static unsigned personal_events(const struct table *t)
{
	unsigned personal = 0;

	/* Whoever shows lists asks for one then. */
	if (t->when[WHEN_MEMBERS].count > 0)
		personal |= BIT(EVENT_JOINED) | BIT(EVENT_LEFT);
	if (when_depends(t, WHEN_JOINED))
		personal |= BIT(EVENT_JOINED);
	if (when_depends(t, WHEN_LEFT))
		personal |= BIT(EVENT_LEFT);
	if (when_depends(t, WHEN_CHAT))
		personal |= BIT(EVENT_CHAT);
	/* Strangers have another id for each. */
	if (t->lexical)
		personal |= BIT(EVENT_SIGNAL);
	return personal;
}

/* --- paths --- */

static bool has_brace(struct slice s)
{
	return slice_find(s, '{') < s.n || slice_find(s, '}') < s.n;
}

static bool is_param(struct slice part)
{
	return part.n > 2 && part.p[0] == '{' && part.p[part.n - 1] == '}';
}

const char *table_path_wrong(struct slice path)
{
	struct slice rest = path, part;
	unsigned params = 0;

	static_assert(TABLE_MAX_PARAMS == 4, "as the text says");
	if (path.n == 0 || path.p[0] != '/')
		return "a path begins with /";
	while (slice_split(&rest, '/', &part)) {
		bool param = is_param(part);

		if (has_brace(param ? slice_of(part.p + 1, part.n - 2) : part))
			return "between two / of a path is a word or a {name}";
		params += param;
	}
	return params > TABLE_MAX_PARAMS ? "a path has at most 4 {names}" : NULL;
}

/* What the server itself answers, now and with later versions. docs/dialects.md tells them. */
static const char *const own_paths[] = {
	"/livez",       "/readyz",       "/health",
	"/metrics",     "/ice-servers",  "/api/turn-credentials",
	"/api/v1",      "/api/auth",     "/api/turn-refusals",
	"/v1",          "/socket.io",    "/api/coworking",
	"/engine.io",   "/openapi.json", "/asyncapi.json",
	"/r",           "/check",        "/files",
	"/index.html",  "/assets",       "/sdk",
	"/favicon.svg",
};

/* A {name} of theirs is no danger: the words of ours go before it. */
bool table_path_is_ours(struct slice path)
{
	if (slice_is(path, "/"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(own_paths); i++) {
		struct slice own = slice_str(own_paths[i]);

		if (slice_starts(path, own) && (path.n == own.n || path.p[own.n] == '/'))
			return true;
	}
	return false;
}

bool table_paths_same(struct slice a, struct slice b)
{
	struct slice x, y;

	if ((a.p[a.n - 1] == '/') != (b.p[b.n - 1] == '/'))
		return false;
	while (slice_split(&a, '/', &x)) {
		if (!slice_split(&b, '/', &y))
			return false;
		if (!(is_param(x) && is_param(y)) && !slice_eq(x, y))
			return false;
	}
	return b.n == 0;
}

/* Whether every room that is joined is the one that the path names. */
static bool joins_by_path(const struct table *t)
{
	bool joins = false;

	for (unsigned i = 0; i < t->step_count; i++) {
		const struct table_step *s = &t->steps[i];

		if (s->kind != STEP_JOIN)
			continue;
		const struct table_value *room = &t->values[s->values.first];
		if (room->source != SOURCE_VAR || room->var != VAR_ROOM)
			return false;
		joins = true;
	}
	return joins;
}

static bool names_room(struct slice path)
{
	struct slice part;

	while (slice_split(&path, '/', &part))
		if (slice_is(part, "{room}"))
			return true;
	return false;
}

const char *table_wrong_at(const struct table *t, struct slice path)
{
	if (names_room(path) || !joins_by_path(t))
		return NULL;
	return "\"join room=$room\" needs a {room} in the path";
}

/* --- what cannot work --- */

static bool joins(const struct table *t)
{
	for (unsigned i = 0; i < t->step_count; i++)
		if (t->steps[i].kind == STEP_JOIN)
			return true;
	return false;
}

static int check(struct table *t, struct table_lex *l)
{
	l->line = SLICE_NONE;
	if (t->route_count == 0)
		return table_lex_fail(l, 0,
				      "the table has no route: nobody can speak to it");
	if (!joins(t) && t->speaks != SPEAKS_SOCKETIO)
		return table_lex_fail(l, 0,
				      "no rule joins a room: \"on connect\" with "
				      "\"join room=$room\", or a message of the client");
	if (t->lexical && t->speaks != SPEAKS_SOCKETIO)
		return table_lex_fail(l, 0,
				      "offers lexical is for Socket.IO: its ids begin "
				      "with a letter");
	for (unsigned i = 0; i < t->route_count; i++) {
		const char *wrong = table_wrong_at(t, t->routes[i]);

		if (wrong)
			return table_lex_fail(l, 0, "%s; %.*s has none", wrong,
					      SLICE_FMT(t->routes[i]));
	}
	return 0;
}

int table_link(struct table *t, struct table_lex *l)
{
	int err = check(t, l);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < t->rule_count; i++) {
		if (slice_is(t->rules[i].name, "*"))
			t->any = &t->rules[i];
		if (t->rules[i].is_connect)
			t->connect = &t->rules[i];
	}
	index_rules(t);
	for (unsigned i = 0; i < t->value_count; i++)
		t->traces |= t->values[i].source == SOURCE_VAR &&
			     t->values[i].var == VAR_EVENT;
	for (unsigned i = 0; i < t->test_count; i++)
		t->traces |= t->tests[i].value.source == SOURCE_VAR &&
			     t->tests[i].value.var == VAR_EVENT;
	t->vocabulary.personal = personal_events(t);
	table_fill_vocabulary(t);
	return 0;
}
