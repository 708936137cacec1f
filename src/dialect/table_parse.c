/* table_parse: a dialect's file to its table. The language is described in docs/dialect-tutorial.md
 * and, line by line, in docs/dialects.md.
 */
#include "dialect/table_parse.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

int table_parse_named(struct table_lex *l, size_t at, const char *what, struct slice word,
		      const char *const *first, size_t stride, size_t count, size_t *out)
{
	const char *known[32] = { NULL };

	for (size_t i = 0; i < count && i + 1 < ARRAY_LEN(known); i++) {
		known[i] = *(const char *const *)((const char *)first + i * stride);
		if (slice_is(word, known[i])) {
			*out = i;
			return 0;
		}
	}
	return table_lex_unknown(l, at, what, word, known);
}

static bool full(const struct table *t)
{
	return t->rule_count >= TABLE_MAX_OPS || t->step_count >= TABLE_MAX_OPS ||
	       t->op_count >= TABLE_MAX_OPS || t->value_count >= TABLE_MAX_OPS ||
	       t->name_count >= TABLE_MAX_OPS;
}

/* --- blocks --- */

/* What the block has been given belongs to each of its rules; only the names are their own. */
static void end_block(struct table_parse *p)
{
	struct table *t = p->t;

	if (p->when >= 0)
		t->when[p->when] = p->block;
	for (unsigned i = p->rules_at; p->rule && i < t->rule_count; i++) {
		struct table_rule *r = &t->rules[i];
		struct slice name = r->name, quoted = r->quoted;
		bool is_connect = r->is_connect;

		if (r != p->rule)
			*r = *p->rule;
		r->name = name;
		r->quoted = quoted;
		r->is_connect = is_connect;
		r->steps = p->block;
	}
	p->rule = NULL;
	p->when = -1;
}

static int parse_variants(struct table_parse *p, uint8_t *out)
{
	struct table *t = p->t;
	const char *known[TABLE_VARIANTS + 1] = { NULL };
	struct slice word;

	*out = 0;
	do {
		int err = table_lex_name(&p->l, "a variant", &word);
		unsigned i = 0;

		if (err < 0)
			return err;
		while (i < t->variant_count && !slice_eq(t->variants[i].name, word))
			i++;
		if (i == t->variant_count) {
			for (i = 0; i < t->variant_count; i++)
				known[i] =
					(const char *)table_keep(t, t->variants[i].name)
						.p;
			return table_lex_unknown(&p->l, p->l.at - word.n, "variant", word,
						 known);
		}
		*out |= (uint8_t)BIT(i + 1);
	} while (table_lex_take(&p->l, ','));
	return 0;
}

static int add_rule(struct table_parse *p)
{
	struct table *t = p->t;
	bool quoted = table_lex_peek(&p->l) == '"';
	size_t at = p->l.at;
	struct slice name;
	int err;

	if (quoted) {
		err = table_lex_string(&p->l, &name);
		name = err < 0 ? name : table_keep_unquoted(t, name);
	} else {
		err = table_lex_name(&p->l, "the name of a message", &name);
	}
	if (err < 0)
		return err;
	for (unsigned i = 0; i < t->rule_count; i++)
		if (slice_eq(t->rules[i].name, name))
			return table_lex_fail(&p->l, at, "'%.*s' has a block already",
					      SLICE_FMT(name));
	struct table_rule *r = TABLE_ADD(t->rules, t->rule_count);
	r->name = name;
	r->quoted = table_keep_quoted(t, name);
	r->is_connect = !quoted && slice_is(name, "connect");
	return 0;
}

static void begin_block(struct table_parse *p)
{
	end_block(p);
	p->block = (struct table_span){ (uint16_t)p->t->step_count, 0 };
	p->rules_at = p->t->rule_count;
}

static int parse_on(struct table_parse *p)
{
	uint8_t variants = 0;
	int err;

	begin_block(p);
	do
		err = add_rule(p);
	while (err == 0 && table_lex_take(&p->l, ','));
	if (err == 0 && table_lex_take_word(&p->l, "for"))
		err = parse_variants(p, &variants);
	if (err < 0)
		return err;
	p->rule = &p->t->rules[p->rules_at];
	p->rule->variants = variants;
	return 0;
}

static const struct {
	const char *name;
} whens[] = {
#define X(id, name, prose) { name },
	TABLE_WHEN_LIST(X)
#undef X
};

static int parse_when(struct table_parse *p)
{
	struct slice word;
	size_t i = 0;

	begin_block(p);
	int err = table_lex_word(&p->l, "what happened", &word);
	if (err == 0)
		err = TABLE_NAMED(&p->l, p->l.at - word.n, "event", word, whens, &i);
	if (err < 0)
		return err;
	if (p->t->when[i].count > 0)
		return table_lex_fail(&p->l, p->l.at - word.n,
				      "there is a block for it already");
	p->when = (int)i;
	return 0;
}

/* --- settings --- */

static int parse_duration(struct table_lex *l, ms_t *out)
{
	uint32_t n;
	int err = table_lex_number(l, "a time such as 10s", &n);

	if (err < 0)
		return err;
	if (table_lex_take_word(l, "ms"))
		*out = n;
	else if (table_lex_take_word(l, "s"))
		*out = (ms_t)n * 1000;
	else if (table_lex_take_word(l, "min"))
		*out = (ms_t)n * 60000;
	else
		return table_lex_fail(l, l->at, "a time is 500ms, 10s or 2min");
	return 0;
}

static int parse_dialect(struct table_parse *p)
{
	int err = table_lex_name(&p->l, "the dialect's name", &p->t->name);

	if (err < 0)
		return err;
	if (p->t->name.n > TABLE_MAX_NAME)
		return table_lex_fail(&p->l, 0, "a name has at most %d letters",
				      TABLE_MAX_NAME);
	free(p->t->vocabulary_name);
	p->t->vocabulary_name = slice_dup(p->t->name);
	return 0;
}

static int parse_about(struct table_parse *p)
{
	p->t->about = table_lex_tail(&p->l);
	return 0;
}

static const struct {
	const char *name;
	enum table_speaks speaks;
} tongues[] = {
	{ "json", SPEAKS_JSON },
	{ "keys", SPEAKS_KEYS },
	{ "text", SPEAKS_TEXT },
	{ "socketio", SPEAKS_SOCKETIO },
};

static int parse_speaks(struct table_parse *p)
{
	struct slice word;
	size_t i = 0;
	int err = table_lex_word(&p->l, "json, keys, text or socketio", &word);

	if (err == 0)
		err = TABLE_NAMED(&p->l, p->l.at - word.n, "way to speak", word, tongues,
				  &i);
	if (err < 0)
		return err;
	if (p->t->rule_count > 0 || p->t->keepalive.args.ops.count > 0)
		return table_lex_fail(&p->l, 0,
				      "\"speaks\" comes before the first block");
	p->t->speaks = tongues[i].speaks;
	p->t->naming = SLICE("type");
	if (p->t->speaks == SPEAKS_JSON && table_lex_more(&p->l))
		return table_lex_word(&p->l, "the field that names a message",
				      &p->t->naming);
	return 0;
}

static int parse_route(struct table_parse *p)
{
	struct table *t = p->t;
	struct slice path;
	int err;

	if (t->route_count == TABLE_MAX_ROUTES)
		return table_lex_fail(&p->l, 0, "at most %d routes", TABLE_MAX_ROUTES);
	bool sio = table_lex_take_word(&p->l, "socketio");
	size_t at = p->l.at;
	err = table_lex_name(&p->l, "a path", &path);
	if (err < 0)
		return err;
	const char *wrong = table_path_wrong(path);
	if (wrong)
		return table_lex_fail(&p->l, at, "%s", wrong);
	if (sio != (t->speaks == SPEAKS_SOCKETIO))
		return table_lex_fail(
			&p->l, 0,
			sio ? "only what speaks socketio has a route socketio"
			    : "say \"route socketio /\" for a namespace");
	if (!sio && table_path_is_ours(path))
		return table_lex_fail(&p->l, at, TABLE_OURS, SLICE_FMT(path));
	for (unsigned i = 0; i < t->route_count; i++)
		if (table_paths_same(t->routes[i], path))
			return table_lex_fail(&p->l, at, "'%.*s' is a route already",
					      SLICE_FMT(t->routes[i]));
	t->routes[t->route_count++] = table_keep(t, path);
	return 0;
}

static int parse_alias(struct table_parse *p)
{
	p->t->has_alias = true;
	return table_parse_field(&p->l, &p->t->alias);
}

static int parse_require(struct table_parse *p)
{
	struct table *t = p->t;
	int err;

	t->required.first = (uint16_t)t->value_count;
	do {
		struct table_value v = { .source = SOURCE_FIELD };

		err = table_parse_field(&p->l, &v.field);
		*TABLE_ADD(t->values, t->value_count) = v;
	} while (err == 0 && table_lex_take(&p->l, ','));
	t->required.count = (uint16_t)(t->value_count - t->required.first);
	return err;
}

static int parse_capacity(struct table_parse *p)
{
	return table_lex_number(&p->l, "how many members", &p->t->capacity);
}

static int parse_history(struct table_parse *p)
{
	return table_lex_number(&p->l, "how many messages", &p->t->history);
}

static int parse_unknown(struct table_parse *p)
{
	p->t->unknown_is_error = table_lex_take_word(&p->l, "error");
	if (!p->t->unknown_is_error && !table_lex_take_word(&p->l, "ignore"))
		return table_lex_fail(&p->l, p->l.at, "unknown ignore, or unknown error");
	return 0;
}

static const struct {
	const char *name;
	enum offers offers;
} offer_rules[] = {
#define X(id, name) { name, OFFERS_##id },
	TABLE_OFFERS_LIST(X)
#undef X
};

static int parse_offers(struct table_parse *p)
{
	struct table *t = p->t;
	struct slice word;
	size_t i = 0;
	int err = table_lex_word(&p->l, "who sends the first offer", &word);

	if (err == 0)
		err = TABLE_NAMED(&p->l, p->l.at - word.n, "rule for offers", word,
				  offer_rules, &i);
	if (err < 0)
		return err;
	struct table_offers *o = TABLE_ADD(t->offers, t->offers_count);
	o->offers = offer_rules[i].offers;
	t->lexical |= o->offers == OFFERS_LEXICAL;
	return table_parse_tests(t, &p->l, &o->tests);
}

/* rank 3 coach if userRole = coach */
static int parse_rank(struct table_parse *p)
{
	struct table *t = p->t;
	struct table_rank *r = TABLE_ADD(t->ranks, t->rank_count);
	struct slice word;
	uint32_t n;
	int err = table_lex_number(&p->l, "a rank from 1 to 3", &n);

	if (err < 0)
		return err;
	if (n < RANK_AI || n > RANK_COACH)
		return table_lex_fail(&p->l, 0,
				      "ranks are 1, 2 and 3: higher offers to lower");
	err = table_lex_word(&p->l, "the word for that rank", &word);
	if (err < 0)
		return err;
	r->rank = n;
	r->word = table_keep_quoted(t, word);
	return table_parse_tests(t, &p->l, &r->tests);
}

static int parse_variant(struct table_parse *p)
{
	struct table *t = p->t;

	if (t->variant_count == TABLE_VARIANTS)
		return table_lex_fail(&p->l, 0, "at most %d variants", TABLE_VARIANTS);
	if (t->speaks == SPEAKS_SOCKETIO)
		return table_lex_fail(&p->l, 0,
				      "Socket.IO tables have no variants; a namespace "
				      "each is the way");
	struct table_variant *v = TABLE_ADD(t->variants, t->variant_count);
	int err = table_lex_name(&p->l, "a name for the variant", &v->name);
	return err < 0 ? err : table_parse_tests(t, &p->l, &v->tests);
}

/* every 10s send ping {...} */
static int parse_every(struct table_parse *p)
{
	int err = parse_duration(&p->l, &p->t->every);

	if (err < 0)
		return err;
	if (p->t->every < 1000)
		return table_lex_fail(&p->l, 0, "at most once a second");
	if (!table_lex_take_word(&p->l, "send"))
		return table_lex_fail(&p->l, p->l.at, "here should be send");
	return table_parse_saying(p->t, &p->l, PLACE_TOLD, &p->t->keepalive);
}

static int parse_ping_timeout(struct table_parse *p)
{
	return parse_duration(&p->l, &p->t->ping_timeout);
}

static const struct {
	const char *name;
	int (*parse)(struct table_parse *p);
} headers[] = {
	{ "dialect", parse_dialect },
	{ "about", parse_about },
	{ "speaks", parse_speaks },
	{ "route", parse_route },
	{ "require", parse_require },
	{ "alias", parse_alias },
	{ "capacity", parse_capacity },
	{ "history", parse_history },
	{ "unknown", parse_unknown },
	{ "offers", parse_offers },
	{ "rank", parse_rank },
	{ "variant", parse_variant },
	{ "every", parse_every },
	{ "ping_timeout", parse_ping_timeout },
	{ "on", parse_on },
	{ "when", parse_when },
};

static int parse_line(struct table_parse *p)
{
	struct slice word;
	size_t i = 0;
	int err;

	if (full(p->t))
		return table_lex_fail(&p->l, 0, "the table is too large");
	if (p->l.indented) {
		err = table_parse_block_line(p);
		return err < 0 ? err : table_lex_end(&p->l);
	}
	err = table_lex_word(&p->l, "a setting, \"on\" or \"when\"", &word);
	if (err == 0)
		err = TABLE_NAMED(&p->l, 0, "setting", word, headers, &i);
	if (err < 0)
		return err;
	if (p->t->name.n == 0 && i != 0)
		return table_lex_fail(&p->l, 0, "the first line is: dialect NAME");
	err = headers[i].parse(p);
	return err < 0 ? err : table_lex_end(&p->l);
}

/* Which line it is. */
static int not_utf8(struct table_lex *l)
{
	do
		l->number++;
	while (slice_split(&l->rest, '\n', &l->line) && utf8_valid(l->line));
	return table_lex_fail(l, 0, "the text is not UTF-8");
}

int table_parse(struct table **out, const char *file, struct slice text, unsigned number,
		struct buf *why)
{
	struct table_parse p = { .t = xzalloc(sizeof(*p.t)), .when = -1 };
	struct table *t = p.t;
	int err = 0;

	t->number = number;
	t->text_size = text.n;
	t->text = xmemdup(text.n ? text.p : (const uint8_t *)"", text.n ? text.n : 1);
	table_lex_init(&p.l, file, slice_of(t->text, text.n), why);
	if (!utf8_valid(text))
		err = not_utf8(&p.l);
	while (err == 0 && table_lex_next(&p.l))
		err = parse_line(&p);
	if (err == 0 && t->name.n == 0)
		err = table_lex_fail(&p.l, 0, "the first line is: dialect NAME");
	if (err == 0)
		end_block(&p);
	if (err == 0)
		err = table_link(t, &p.l);
	if (err < 0) {
		table_destroy(t);
		return err;
	}
	*out = t;
	return 0;
}

void table_destroy(struct table *t)
{
	struct table_kept *k;

	if (!t)
		return;
	while ((k = t->kept)) {
		t->kept = k->next;
		free(k);
	}
	free(t->offers);
	free(t->ranks);
	free(t->variants);
	free(t->steps);
	free(t->rules);
	free(t->ops);
	free(t->values);
	free(t->tests);
	free(t->names);
	free(t->slots);
	free(t->text);
	free(t->vocabulary_name);
	free(t);
}
