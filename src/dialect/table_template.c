/* table_template: the part of a table's file between a message's name and the end of the line: what
 * the message is made of. It becomes a flat list of operations, which table_write.c runs.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/table_lex.h"
#include "dialect/table_rules.h"

#define MAX_NESTED 8
#define MAX_KEYS 32

/* One template being read. */
struct template
{
	struct table *t;
	struct table_lex *l;
	struct table_template *out;
	enum table_place place;
	unsigned depth;
	struct slice you; /* key of a $you that the receiver's side fills in */
};

/* --- what is kept with the table --- */

struct slice table_keep(struct table *t, struct slice s)
{
	struct table_kept *k = xmalloc(sizeof(*k) + s.n + 1);

	memcpy(k->bytes, s.n ? s.p : (const uint8_t *)"", s.n);
	k->bytes[s.n] = 0;
	k->next = t->kept;
	t->kept = k;
	return slice_of(k->bytes, s.n);
}

struct slice table_keep_quoted(struct table *t, struct slice s)
{
	struct buf b = BUF_INIT(TABLE_MAX_FILE * 8);

	json_quote(&b, s);
	struct slice kept = table_keep(t, buf_slice(&b));
	buf_fini(&b);
	return kept;
}

struct slice table_keep_unquoted(struct table *t, struct slice raw)
{
	struct buf b = BUF_INIT(TABLE_MAX_FILE);
	struct json_token token;
	struct json j;
	struct slice kept = SLICE_NONE;

	if (json_parse(&j, raw, &token, 1) == 0 && json_string(&j, 0, raw.n, &b) == 0)
		kept = table_keep(t, buf_slice(&b));
	buf_fini(&b);
	return kept;
}

/* "name": */
static struct slice keep_key(struct table *t, struct slice name)
{
	struct buf b = BUF_INIT(TABLE_MAX_FILE * 8);

	json_quote(&b, name);
	buf_u8(&b, ':');
	struct slice kept = table_keep(t, buf_slice(&b));
	buf_fini(&b);
	return kept;
}

static struct table_op *add_op(struct template *m, enum table_op_kind kind)
{
	struct table_op *op = TABLE_ADD(m->t->ops, m->t->op_count);

	op->kind = (uint8_t)kind;
	return op;
}

/* --- values --- */

static const char *const var_names[] = {
#define X(id, name, prose) "$" name,
	TABLE_VAR_LIST(X)
#undef X
		NULL,
};

static int find_var(struct table_lex *l, size_t at, struct slice word,
		    enum table_var *out)
{
	for (unsigned i = 0; i < TABLE_VARS; i++)
		if (slice_is(word, var_names[i])) {
			*out = i;
			return 0;
		}
	return table_lex_unknown(l, at, "value", word, var_names);
}

/* $1 .. $9: a field of its own argument. */
static bool is_arg(struct slice word, uint8_t *arg)
{
	if (word.n != 2 || word.p[0] != '$' || word.p[1] < '1' || word.p[1] > '9')
		return false;
	*arg = (uint8_t)(word.p[1] - '1');
	return true;
}

/* What follows the first word of a field: .b.c, or .* for all that is in there. */
static int field_steps(struct table_lex *l, struct table_field *f, bool *all)
{
	while (l->at < l->line.n && l->line.p[l->at] == '.') {
		l->at++;
		if (all && l->at < l->line.n && l->line.p[l->at] == '*') {
			l->at++;
			*all = true;
			return 0;
		}
		if (f->depth == TABLE_DEPTH)
			return table_lex_fail(l, l->at, "a field is at most %d deep",
					      TABLE_DEPTH);
		int err = table_lex_word(l, "the name of a field", &f->step[f->depth++]);
		if (err < 0)
			return err;
	}
	return 0;
}

static int field_from(struct table_lex *l, struct slice word, struct table_field *f,
		      bool *all)
{
	*f = (struct table_field){ 0 };
	if (!is_arg(word, &f->arg))
		f->step[f->depth++] = word;
	return field_steps(l, f, all);
}

/* A name with other letters is written in quotes. */
static int quoted_field(struct table *t, struct table_lex *l, struct table_field *f)
{
	struct slice raw;
	int err = table_lex_string(l, &raw);

	if (err < 0)
		return err;
	*f = (struct table_field){ .depth = 1 };
	f->step[0] = table_keep_unquoted(t, raw);
	return 0;
}

int table_parse_field(struct table_lex *l, struct table_field *out)
{
	struct slice word;
	int err = table_lex_word(l, "the name of a field", &word);

	return err < 0 ? err : field_from(l, word, out, NULL);
}

static bool is_literal(struct slice word)
{
	if (slice_is(word, "true") || slice_is(word, "false") || slice_is(word, "null"))
		return true;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
	return word.n == 1 || word.p[0] != '0';
}

static int one_value(struct table *t, struct table_lex *l, struct table_value *out)
{
	size_t at;
	struct slice word;
	int err;

	*out = (struct table_value){ .source = SOURCE_TEXT };
	if (table_lex_peek(l) == '"')
		return table_lex_string(l, &out->text);
	at = l->at;
	err = table_lex_word(l, "a field, a $value or a \"text\"", &word);
	if (err < 0)
		return err;
	(void)t;
	if (is_literal(word)) {
		out->text = word;
		return 0;
	}
	if (word.p[0] == '$' && !is_arg(word, &out->field.arg)) {
		out->source = SOURCE_VAR;
		return find_var(l, at, word, &out->var);
	}
	out->source = SOURCE_FIELD;
	return field_from(l, word, &out->field, NULL);
}

int table_parse_values(struct table *t, struct table_lex *l, struct table_span *out)
{
	struct table_value v;

	out->first = (uint16_t)t->value_count;
	do {
		int err = one_value(t, l, &v);

		if (err < 0)
			return err;
		if (t->value_count >= TABLE_MAX_OPS)
			return table_lex_fail(l, l->at, "the table is too large");
		*TABLE_ADD(t->values, t->value_count) = v;
	} while (table_lex_take(l, '|'));
	out->count = (uint16_t)(t->value_count - out->first);
	return 0;
}

/* --- conditions --- */

/* "= a|b|"c d"" */
static int test_texts(struct table *t, struct table_lex *l, struct table_span *out)
{
	struct slice text;
	int err;

	out->first = (uint16_t)t->name_count;
	do {
		if (table_lex_peek(l) == '"') {
			err = table_lex_string(l, &text);
			text = err < 0 ? text : table_keep_unquoted(t, text);
		} else {
			err = table_lex_name(l, "what it should be", &text);
		}
		if (err < 0)
			return err;
		*TABLE_ADD(t->names, t->name_count) = text;
	} while (table_lex_take(l, '|'));
	out->count = (uint16_t)(t->name_count - out->first);
	return 0;
}

static int one_test(struct table *t, struct table_lex *l)
{
	struct table_test test = { .negated = table_lex_take_word(l, "not") };
	int err = one_value(t, l, &test.value);

	if (err == 0 && table_lex_take(l, '='))
		err = test_texts(t, l, &test.texts);
	if (err == 0)
		*TABLE_ADD(t->tests, t->test_count) = test;
	return err;
}

int table_parse_tests(struct table *t, struct table_lex *l, struct table_span *out)
{
	out->first = (uint16_t)t->test_count;
	if (!table_lex_take_word(l, "if"))
		return 0;
	do {
		int err = one_test(t, l);

		if (err < 0)
			return err;
		if (t->test_count >= TABLE_MAX_OPS)
			return table_lex_fail(l, l->at, "the table is too large");
	} while (table_lex_take_word(l, "and"));
	out->count = (uint16_t)(t->test_count - out->first);
	return 0;
}

/* --- objects --- */

struct object {
	struct slice key[MAX_KEYS]; /* that the rest does not have */
	unsigned keys;
	struct slice said[MAX_KEYS]; /* the fields that are written out */
	unsigned said_count;
	unsigned rest; /* index of the op + 1 */
	unsigned maps; /* lists of members with their ids as names */
	bool named;    /* the message's name is in it */
};

static int too_many(struct template *m)
{
	return table_lex_fail(m->l, m->l->at, "an object has at most %d fields",
			      MAX_KEYS);
}

static int drop_key(struct template *m, struct object *o, struct slice key)
{
	if (o->keys == MAX_KEYS)
		return too_many(m);
	o->key[o->keys++] = key;
	return 0;
}

/* Of two fields of one name most readers of JSON see the last, some the first, and some refuse both. */
static int say_key(struct template *m, struct object *o, struct slice key, size_t at)
{
	if (o->named && slice_eq(key, m->t->naming))
		return table_lex_fail(m->l, at,
				      "'%.*s' is the message's name, which is put in by "
				      "itself",
				      SLICE_FMT(key));
	for (unsigned i = 0; i < o->said_count; i++)
		if (slice_eq(o->said[i], key))
			return table_lex_fail(m->l, at,
					      "'%.*s' is in this object already",
					      SLICE_FMT(key));
	if (o->said_count == MAX_KEYS)
		return too_many(m);
	o->said[o->said_count++] = key;
	return 0;
}

/* "*" or "data.*", then "-name" for each field that is left out. */
static int put_rest(struct template *m, struct object *o, const struct table_field *from)
{
	struct table_lex *l = m->l;

	if (o->rest)
		return table_lex_fail(l, l->at, "only one * to an object");
	struct table_op *op = add_op(m, OP_REST);
	struct table_value *v = TABLE_ADD(m->t->values, m->t->value_count);
	v->field = *from;
	v->source = SOURCE_FIELD;
	op->values = (struct table_span){ (uint16_t)(m->t->value_count - 1), 1 };
	o->rest = m->t->op_count;
	m->out->has_rest |= m->depth == 1;
	while (l->at < l->line.n && l->line.p[l->at] == '-') {
		struct slice name;

		l->at++;
		int err = table_lex_word(l, "the field to leave out", &name);
		if (err == 0)
			err = drop_key(m, o, name);
		if (err < 0)
			return err;
	}
	return 0;
}

static int put_object(struct template *m, struct slice key);
static int put_array(struct template *m, struct slice key);
static int put_value(struct template *m, struct slice key, bool if_not_kept);

/* What stands for each member follows. */
static int put_roster(struct template *m, struct slice key, enum table_var var,
		      bool by_id)
{
	struct table_op *op = add_op(m, OP_ROSTER);
	unsigned at = m->t->op_count;

	op->key = key;
	op->var = (uint8_t)var;
	op->by_id = by_id;
	m->depth++;
	int err = put_value(m, SLICE_NONE, false);
	m->depth--;
	if (err == 0)
		m->t->ops[at - 1].skip = (uint16_t)(m->t->op_count - at);
	return err;
}

/* $members {...} and $others VALUE are lists; alone they are values, the lists of ids. */
static bool starts_roster(struct table_lex *l, enum table_var *var)
{
	size_t at = l->at;

	*var = table_lex_take_word(l, "$members")  ? VAR_MEMBERS
	       : table_lex_take_word(l, "$others") ? VAR_OTHERS
						   : TABLE_VARS;
	char next = table_lex_peek(l);
	if (*var != TABLE_VARS && next != ',' && next != '|' && next != '}' &&
	    next != ']' && !table_lex_at_tests(l))
		return true;
	l->at = at;
	return false;
}

static int put_value(struct template *m, struct slice key, bool if_not_kept)
{
	struct table_span values;
	enum table_var var;

	if (m->depth > MAX_NESTED || m->t->op_count >= TABLE_MAX_OPS)
		return table_lex_fail(m->l, m->l->at, "too much in one table");
	char next = table_lex_peek(m->l);
	if (if_not_kept && (next == '{' || next == '['))
		return table_lex_fail(m->l, m->l->at, "after ? only a plain value");
	if (next == '{')
		return put_object(m, key);
	if (next == '[')
		return put_array(m, key);
	if (!if_not_kept && starts_roster(m->l, &var))
		return put_roster(m, key, var, false);
	int err = table_parse_values(m->t, m->l, &values);
	if (err < 0)
		return err;
	const struct table_value *v = &m->t->values[values.first];
	bool you = v->source == SOURCE_VAR && v->var == VAR_YOU;
	if (you && m->place == PLACE_RELAYED) {
		if (m->depth != 1 || key.n == 0 || m->you.n > 0 || values.count > 1)
			return table_lex_fail(
				m->l, m->l->at,
				"in what is relayed, $you stands alone and once, as a "
				"field of the outer object");
		m->you = key;
		return 0;
	}
	struct table_op *op = add_op(m, OP_VALUE);
	op->key = key;
	op->values = values;
	op->if_not_kept = if_not_kept;
	return 0;
}

/* {$members: VALUE}: a field for each member, named by its id. */
static int put_map(struct template *m, struct object *o, enum table_var var)
{
	if (!table_lex_take(m->l, ':'))
		return table_lex_fail(m->l, m->l->at, "here should be :");
	o->maps++;
	int err = put_roster(m, SLICE_NONE, var, true);
	/* Ids are their members' choice: no field of ours may be beside them. */
	if (err == 0 && (o->maps > 1 || o->said_count > 0 || o->rest || o->named ||
			 table_lex_peek(m->l) != '}'))
		return table_lex_fail(m->l, m->l->at,
				      "fields named by ids are alone in an inner object: "
				      "{all: {$members: $name}}");
	return err;
}

/* name, name?, name: value, name?: value */
static int put_member(struct template *m, struct object *o)
{
	struct table_lex *l = m->l;
	struct table_field f = { 0 };
	bool all = false;
	int err;

	if (table_lex_take(l, '*'))
		return put_rest(m, o, &f);
	if (table_lex_take_word(l, "$members"))
		return put_map(m, o, VAR_MEMBERS);
	if (table_lex_take_word(l, "$others"))
		return put_map(m, o, VAR_OTHERS);
	bool quoted = table_lex_peek(l) == '"';
	size_t at = l->at;
	if (quoted) {
		err = quoted_field(m->t, l, &f);
	} else {
		struct slice word;

		err = table_lex_word(l, "the name of a field, or *", &word);
		if (err == 0)
			err = field_from(l, word, &f, &all);
	}
	if (err < 0)
		return err;
	if (all)
		return put_rest(m, o, &f);
	if (f.depth == 0)
		return table_lex_fail(l, l->at, "a field needs a name: \"x: $1\"");
	struct slice name = f.step[f.depth - 1], key = keep_key(m->t, name);
	bool if_not_kept = table_lex_take(l, '?');
	err = say_key(m, o, name, at);
	if (err == 0 && !if_not_kept)
		err = drop_key(m, o, name);
	if (err < 0)
		return err;
	if (table_lex_take(l, ':'))
		err = put_value(m, key, if_not_kept);
	else {
		struct table_value *v = TABLE_ADD(m->t->values, m->t->value_count);
		struct table_op *op = add_op(m, OP_VALUE);

		v->field = f;
		op->key = key;
		op->if_not_kept = if_not_kept;
		op->values = (struct table_span){ (uint16_t)(m->t->value_count - 1), 1 };
	}
	if (err == 0 && if_not_kept)
		m->t->ops[m->t->op_count - 1].bare = name;
	return err;
}

static void end_object(struct template *m, struct object *o)
{
	struct table *t = m->t;
	struct table_span drop = { (uint16_t)t->name_count, (uint16_t)o->keys };

	for (unsigned i = 0; i < o->keys; i++)
		*TABLE_ADD(t->names, t->name_count) = o->key[i];
	if (o->rest)
		t->ops[o->rest - 1].drop = drop;
	if (m->depth == 1 && m->you.n > 0) {
		add_op(m, OP_YOU)->key = m->you;
		m->out->you_last = true;
	}
	add_op(m, OP_CLOSE)->text = SLICE("}");
	m->depth--;
}

static int put_object(struct template *m, struct slice key)
{
	struct object o = { .keys = 0 };
	struct table_op *op = add_op(m, OP_OPEN);
	int err = 0;

	op->key = key;
	op->text = SLICE("{");
	m->depth++;
	if (!table_lex_take(m->l, '{'))
		return table_lex_fail(m->l, m->l->at, "here should be {");
	o.named = m->depth == 1 && m->t->speaks == SPEAKS_JSON && m->place != PLACE_HEARD;
	if (o.named)
		add_op(m, OP_NAMING);
	while (err == 0 && !table_lex_take(m->l, '}')) {
		if (!table_lex_more(m->l))
			return table_lex_fail(m->l, m->l->at, "a } is missing");
		err = put_member(m, &o);
		if (err == 0 && table_lex_peek(m->l) != '}' && !table_lex_take(m->l, ','))
			return table_lex_fail(m->l, m->l->at, "here should be , or }");
	}
	if (err == 0)
		end_object(m, &o);
	return err;
}

static int put_array(struct template *m, struct slice key)
{
	struct table_op *op = add_op(m, OP_OPEN);
	int err = 0;

	op->key = key;
	op->text = SLICE("[");
	(void)table_lex_take(m->l, '[');
	m->depth += 1;
	while (err == 0 && !table_lex_take(m->l, ']')) {
		if (!table_lex_more(m->l))
			return table_lex_fail(m->l, m->l->at, "a ] is missing");
		err = put_value(m, SLICE_NONE, false);
		if (err == 0 && table_lex_peek(m->l) != ']' && !table_lex_take(m->l, ','))
			return table_lex_fail(m->l, m->l->at, "here should be , or ]");
	}
	if (err == 0)
		add_op(m, OP_CLOSE)->text = SLICE("]");
	m->depth--;
	return err;
}

/* --- arguments --- */

/* A message of a JSON table without more: {"type":"name"}. */
static void put_name_alone(struct template *m)
{
	add_op(m, OP_OPEN)->text = SLICE("{");
	add_op(m, OP_NAMING);
	add_op(m, OP_CLOSE)->text = SLICE("}");
}

static struct template start_template(struct table *t, struct table_lex *l,
				      enum table_place place, struct table_template *out)
{
	out->ops.first = (uint16_t)t->op_count;
	return (struct template){ .t = t, .l = l, .out = out, .place = place };
}

int table_parse_args(struct table *t, struct table_lex *l, enum table_place place,
		     struct table_template *out)
{
	bool json = t->speaks == SPEAKS_JSON || t->speaks == SPEAKS_KEYS;
	enum table_place in = json && place == PLACE_HEARD ? PLACE_TOLD : place;
	struct template m = start_template(t, l, in, out);
	int err = 0;

	if (json) {
		if (table_lex_at_tests(l))
			put_name_alone(&m);
		else if (table_lex_peek(l) != '{')
			return table_lex_fail(l, l->at,
					      "a JSON message is one object: {...}");
		else
			err = put_object(&m, SLICE_NONE);
		if (err == 0 && !table_lex_at_tests(l))
			return table_lex_fail(l, l->at,
					      "a JSON message is one object, no more");
	} else {
		while (err == 0 && !table_lex_at_tests(l)) {
			err = put_value(&m, SLICE_NONE, false);
			(void)table_lex_take(l, ',');
		}
	}
	out->ops.count = (uint16_t)(t->op_count - out->ops.first);
	return err;
}

int table_parse_object(struct table *t, struct table_lex *l, enum table_place place,
		       struct table_template *out)
{
	struct template m = start_template(t, l, place, out);
	int err = put_object(&m, SLICE_NONE);

	out->ops.count = (uint16_t)(t->op_count - out->ops.first);
	return err;
}
