/* table_steps: the lines in a block of a dialect's file: what is done, and how a rule is bounded. */
#include "base/err.h"
#include "base/mem.h"
#include "dialect/table_parse.h"

static int parse_size(struct table_lex *l, uint32_t *out)
{
	int err = table_lex_number(l, "a size such as 16kB", out);

	if (err < 0)
		return err;
	if (table_lex_take_word(l, "kB") && *out < (1u << 20))
		*out *= 1024;
	return 0;
}

/* --- messages to be said --- */

/* One name or more, quoted; none for tables whose messages have no name. */
static int parse_names(struct table *t, struct table_lex *l, struct table_span *out)
{
	struct slice name;

	out->first = (uint16_t)t->name_count;
	do {
		int err = 0;

		if (table_lex_peek(l) == '"') {
			err = table_lex_string(l, &name);
		} else {
			err = table_lex_name(l, "the name of a message", &name);
			if (err == 0)
				name = table_keep_quoted(t, name);
		}
		if (err < 0)
			return err;
		*TABLE_ADD(t->names, t->name_count) = name;
	} while (table_lex_take(l, ','));
	out->count = (uint16_t)(t->name_count - out->first);
	return 0;
}

static bool has_names(const struct table *t)
{
	return t->speaks == SPEAKS_JSON || t->speaks == SPEAKS_SOCKETIO;
}

int table_parse_saying(struct table *t, struct table_lex *l, enum table_place place,
		       struct table_saying *out)
{
	int err = has_names(t) ? parse_names(t, l, &out->names) : 0;

	return err < 0 ? err : table_parse_args(t, l, place, &out->args);
}

/* --- steps --- */

/* "key=" of a step's settings; false when the next word is none. */
static bool take_key(struct table_lex *l, const char *key)
{
	size_t at = l->at;

	if (table_lex_take_word(l, key) && table_lex_take(l, '='))
		return true;
	l->at = at;
	return false;
}

static int parse_join(struct table_parse *p, struct table_step *s)
{
	struct table_lex *l = &p->l;
	int err = 0;

	while (err == 0 && !table_lex_at_tests(l)) {
		if (take_key(l, "room"))
			err = table_parse_values(p->t, l, &s->values);
		else if (take_key(l, "name"))
			err = table_parse_values(p->t, l, &s->name);
		else if (take_key(l, "user")) {
			err = table_parse_values(p->t, l, &s->user);
			s->user_needed = table_lex_take(l, '!');
		} else if (take_key(l, "keep"))
			err = table_parse_object(p->t, l, PLACE_HEARD, &s->keep);
		else if (table_lex_take_word(l, "replaces"))
			s->replaces = true;
		else if (table_lex_take_word(l, "once"))
			s->once = true;
		else
			return table_lex_fail(
				l, l->at,
				"a join has room=, name=, user=, keep={...}, "
				"replaces and once");
	}
	if (err == 0 && s->values.count == 0)
		return table_lex_fail(l, l->at,
				      "a join needs room=FIELD, or room=$room "
				      "when the path names it");
	return err;
}

static int parse_leave(struct table_parse *p, struct table_step *s)
{
	if (take_key(&p->l, "room"))
		return table_parse_values(p->t, &p->l, &s->values);
	return 0;
}

static int parse_send(struct table_parse *p, struct table_step *s)
{
	enum table_place place = p->rule ? PLACE_HEARD : PLACE_TOLD;

	return table_parse_saying(p->t, &p->l, place, &s->say);
}

static int parse_ack(struct table_parse *p, struct table_step *s)
{
	enum table_speaks speaks = p->t->speaks;
	struct table_template *args = &s->say.args;

	if (speaks != SPEAKS_SOCKETIO)
		return table_lex_fail(&p->l, 0, "only Socket.IO has acknowledgements");
	p->rule->acks = true;
	return table_parse_args(p->t, &p->l, PLACE_HEARD, args);
}

/* TARGET [| TARGET] [or others] | others | all | self: to whom. */
static int parse_targets(struct table_parse *p, struct table_step *s)
{
	struct table_lex *l = &p->l;

	if (table_lex_take_word(l, "others")) {
		s->others = true;
		return 0;
	}
	if (table_lex_take_word(l, "all")) {
		s->others = s->self = true;
		return 0;
	}
	if (!table_lex_take_word(l, "to"))
		return table_lex_fail(l, l->at,
				      "relay to FIELD, relay others or relay all");
	int err = table_parse_values(p->t, l, &s->values);
	if (err == 0 && table_lex_take_word(l, "or")) {
		s->others = s->or_all = true;
		if (!table_lex_take_word(l, "others"))
			return table_lex_fail(l, l->at, "here should be others");
	} else if (err == 0 && table_lex_take_word(l, "else")) {
		s->others = true;
		if (!table_lex_take_word(l, "others"))
			return table_lex_fail(l, l->at, "here should be others");
	}
	return err;
}

static int parse_relay(struct table_parse *p, struct table_step *s)
{
	struct table_lex *l = &p->l;
	int err = parse_targets(p, s);
	bool renamed = false;

	if (err == 0 && table_lex_take_word(l, "as")) {
		renamed = true;
		err = parse_names(p->t, l, &s->say.names);
	} else if (err == 0 && p->rule && has_names(p->t)) {
		/* Each rule of the block under its own name. */
		s->say.names = (struct table_span){ 0 };
	}
	if (err < 0)
		return err;
	char next = table_lex_peek(l);
	s->say.args.verbatim = next == 0 && (!renamed || p->t->speaks == SPEAKS_SOCKETIO);
	if (s->say.args.verbatim)
		return 0;
	if (next == 0)
		return table_lex_fail(l, l->at, "say what it is made of: {*}");
	err = table_parse_args(p->t, l, PLACE_RELAYED, &s->say.args);
	if (err == 0 && s->say.args.you_last && s->or_all)
		return table_lex_fail(l, 0,
				      "with \"or others\" it is not known who $you is");
	return err;
}

static int parse_chat(struct table_parse *p, struct table_step *s)
{
	return table_parse_values(p->t, &p->l, &s->values);
}

static int parse_close(struct table_parse *p, struct table_step *s)
{
	uint32_t code;
	int err = table_lex_number(&p->l, "a close code", &code);

	if (err < 0)
		return err;
	if (code < 1000 || code > 4999)
		return table_lex_fail(&p->l, 0, "close codes are 1000 to 4999");
	s->code = (uint16_t)code;
	if (table_lex_peek(&p->l) != '"')
		return 0;
	err = table_lex_string(&p->l, &s->text);
	if (err == 0)
		s->text = table_keep_unquoted(p->t, s->text);
	if (s->text.n > 100)
		return table_lex_fail(&p->l, 0, "a reason has at most 100 bytes");
	return err;
}

enum { IN_ON = 1, IN_WHEN = 2 };

static const struct {
	const char *name;
	unsigned in;
	enum table_step_kind kind;
	int (*parse)(struct table_parse *p, struct table_step *s);
} steps[] = {
	{ "join", IN_ON, STEP_JOIN, parse_join },
	{ "leave", IN_ON, STEP_LEAVE, parse_leave },
	{ "send", IN_ON | IN_WHEN, STEP_SEND, parse_send },
	{ "each", IN_WHEN, STEP_EACH, parse_send },
	{ "ack", IN_ON, STEP_ACK, parse_ack },
	{ "relay", IN_ON, STEP_RELAY, parse_relay },
	{ "chat", IN_ON, STEP_CHAT, parse_chat },
	{ "close", IN_ON | IN_WHEN, STEP_CLOSE, parse_close },
};

/* --- what a rule has besides steps --- */

static const struct {
	const char *name;
	enum media kind;
} media_kinds[] = {
	{ "offer", MEDIA_OFFER },
	{ "answer", MEDIA_ANSWER },
	{ "candidate", MEDIA_CANDIDATE },
	{ "signal", MEDIA_NONE },
};

/* media KIND FIELD, or media KIND {to the neutral form} back {from it} */
static int parse_media(struct table_parse *p)
{
	struct table_lex *l = &p->l;
	struct table_media *m = &p->rule->media;
	struct slice word;
	size_t at = l->at, i;
	int err = table_lex_word(l, "offer, answer, candidate or signal", &word);

	if (err == 0)
		err = TABLE_NAMED(l, at, "kind of media", word, media_kinds, &i);
	if (err < 0)
		return err;
	m->kind = media_kinds[i].kind;
	m->any = m->kind == MEDIA_NONE;
	if (table_lex_peek(l) != '{')
		return table_parse_field(l, &m->field);
	if (m->any)
		return table_lex_fail(l, l->at, "media signal is in one field");
	err = table_parse_object(p->t, l, PLACE_HEARD, &m->there);
	if (err == 0 && !table_lex_take_word(l, "back"))
		return table_lex_fail(l, l->at,
				      "here should be back {...}: how it is said");
	return err < 0 ? err : table_parse_object(p->t, l, PLACE_TOLD, &m->back);
}

static const struct {
	const char *name;
	enum role role;
} roles[] = {
	{ "owner", ROLE_OWNER },
	{ "moderator", ROLE_MODERATOR },
	{ "speaker", ROLE_SPEAKER },
};

static int parse_only(struct table_parse *p)
{
	struct slice word;
	size_t at = p->l.at, i;
	int err = table_lex_word(&p->l, "owner, moderator or speaker", &word);

	if (err == 0)
		err = TABLE_NAMED(&p->l, at, "role", word, roles, &i);
	if (err < 0)
		return err;
	p->rule->guarded = true;
	p->rule->least = roles[i].role;
	return 0;
}

static int parse_rule_size(struct table_parse *p)
{
	return parse_size(&p->l, &p->rule->size);
}

/* rate 5/s */
static int parse_rate(struct table_parse *p)
{
	int err = table_lex_number(&p->l, "a rate such as 5/s", &p->rule->rate);

	if (err == 0 &&
	    (!table_lex_take(&p->l, '/') || !table_lex_take_word(&p->l, "s") ||
	     p->rule->rate == 0 || p->rule->rate > 100000))
		return table_lex_fail(&p->l, p->l.at, "a rate is 5/s");
	p->rule->bucket = (uint16_t)p->t->buckets++;
	return err;
}

static const struct {
	const char *name;
	int (*parse)(struct table_parse *p);
} settings[] = {
	{ "media", parse_media },
	{ "only", parse_only },
	{ "size", parse_rule_size },
	{ "rate", parse_rate },
};

/* --- lines in a block --- */

static bool is_list(const struct table_value *v)
{
	return v->source == SOURCE_VAR && (v->var == VAR_MEMBERS || v->var == VAR_OTHERS);
}

/* Whether the step, which the table's last operations and tests belong to, speaks of who is there. */
static bool lists_members(const struct table *t, const struct table_step *s)
{
	const struct table_span ops = s->say.args.ops, tests = s->tests;

	for (unsigned i = ops.first; i < (unsigned)ops.first + ops.count; i++) {
		if (t->ops[i].kind == OP_ROSTER)
			return true;
		for (unsigned k = 0; k < t->ops[i].values.count; k++)
			if (is_list(&t->values[t->ops[i].values.first + k]))
				return true;
	}
	for (unsigned i = 0; i < tests.count; i++)
		if (is_list(&t->tests[tests.first + i].value))
			return true;
	return false;
}

/* Who is there is told with a welcome alone: a list anywhere else would be empty. */
static bool knows_members(const struct table_parse *p, const struct table_step *s)
{
	if (p->rule)
		return s->kind == STEP_ACK;
	return p->when == WHEN_WELCOME || p->when == WHEN_MEMBERS;
}

static int parse_step(struct table_parse *p, size_t at, size_t i)
{
	struct table_step s = { .kind = steps[i].kind };

	if (!(steps[i].in & (p->rule ? IN_ON : IN_WHEN)))
		return table_lex_fail(&p->l, at, "%s does not belong into %s",
				      steps[i].name,
				      p->rule ? "an \"on\" block" : "a \"when\" block");
	int err = steps[i].parse(p, &s);
	if (err == 0)
		err = table_parse_tests(p->t, &p->l, &s.tests);
	if (err == 0 && !knows_members(p, &s) && lists_members(p->t, &s))
		return table_lex_fail(
			&p->l, at,
			"$members and $others are known in \"when welcome\", "
			"\"when members\" and the \"ack\" of a join");
	*TABLE_ADD(p->t->steps, p->t->step_count) = s;
	p->block.count = (uint16_t)(p->t->step_count - p->block.first);
	return err;
}

int table_parse_block_line(struct table_parse *p)
{
	struct slice word;
	const char *known[ARRAY_LEN(steps) + ARRAY_LEN(settings) + 1] = { NULL };
	int err = table_lex_word(&p->l, "what to do", &word);
	size_t at = p->l.at - word.n, n = 0;

	if (err < 0)
		return err;
	if (!p->rule && p->when < 0)
		return table_lex_fail(&p->l, at,
				      "an indented line belongs to an \"on\" or "
				      "\"when\" above it");
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (slice_is(word, steps[i].name))
			return parse_step(p, at, i);
		if (steps[i].in & (p->rule ? IN_ON : IN_WHEN))
			known[n++] = steps[i].name;
	}
	for (size_t i = 0; p->rule && i < ARRAY_LEN(settings); i++) {
		if (slice_is(word, settings[i].name))
			return settings[i].parse(p);
		known[n++] = settings[i].name;
	}
	return table_lex_unknown(&p->l, at, "step", word, known);
}
