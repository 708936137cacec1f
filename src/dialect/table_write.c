/* table_write: templates at work. A template is a flat list of operations; a value that is not
 * there leaves its field out.
 */
#include <assert.h>

#include "base/err.h"
#include "dialect/relay.h"
#include "dialect/table_run.h"

#define NO_TOKEN UINT32_MAX

/* --- what is there --- */

void table_see(struct table_scope *sc, const struct json *j)
{
	sc->json = j;
	if (sc->table->speaks != SPEAKS_SOCKETIO || json_kind_of(j, 0) != JSON_ARRAY) {
		sc->arg[0] = 0;
		sc->arg_count = 1;
		sc->args = json_raw(j, 0);
		return;
	}
	table_see_args(sc, j, 1, j->tok[0].next);
}

void table_see_args(struct table_scope *sc, const struct json *j, uint32_t first,
		    uint32_t end)
{
	struct slice last = SLICE_NONE;

	sc->json = j;
	sc->arg_count = 0;
	for (uint32_t t = first; t < end; t = j->tok[t].next) {
		if (sc->arg_count < TABLE_ARGS)
			sc->arg[sc->arg_count++] = t;
		last = json_raw(j, t);
	}
	sc->args = SLICE_NONE;
	if (first < end) {
		const uint8_t *from = json_raw(j, first).p;
		sc->args = slice_of(from, (size_t)(slice_end(last) - from));
	}
}

uint32_t table_field_token(const struct table_scope *sc, const struct table_field *f)
{
	uint32_t t;

	if (!sc->json || f->arg >= sc->arg_count)
		return NO_TOKEN;
	t = sc->arg[f->arg];
	for (unsigned i = 0; i < f->depth; i++) {
		t = json_member(sc->json, t, f->step[i]);
		if (t == 0)
			return NO_TOKEN;
	}
	return t;
}

struct slice table_shown(const struct table_scope *sc, const struct member_info *m,
			 char room[TABLE_SHOWN])
{
	if (!sc->table->lexical || m->dialect == sc->table->number)
		return relay_shown_id(m, room);
	/* Its client calls whoever has the greater id. Ids of its own begin with a letter from a to y. */
	room[0] = bus_offers(table_self(sc->self), m) ? 'z' : '0';
	bus_member_text(room + 1, m->id);
	return slice_of(room, TABLE_SHOWN);
}

uint64_t table_shown_number(const struct table *t, struct slice id)
{
	if (t->lexical && id.n == TABLE_SHOWN && (id.p[0] == 'z' || id.p[0] == '0'))
		return bus_member_number(slice_from(id, 1));
	return 0;
}

/* --- values --- */

/* A comma where one is due: not behind an opening bracket, at the beginning, or a name. */
static void put_comma(struct buf *b)
{
	if (b->n == 0)
		return;
	uint8_t last = b->p[b->n - 1];
	if (last != '{' && last != '[' && last != ':')
		buf_u8(b, ',');
}

static void put_id(struct buf *b, const struct table_scope *sc)
{
	const struct member_info *m = sc->subject ? sc->subject : table_self(sc->self);
	char room[TABLE_SHOWN];

	if (m->id == 0 && m->user.n == 0)
		buf_str(b, "null");
	else
		json_quote(b, table_shown(sc, m, room));
}

/* Those who are there. Its list is the receiver's: it stands last. */
static void put_ids(struct buf *b, const struct table_scope *sc, enum table_var var)
{
	struct cur in = cur_of_slice(sc->event ? sc->event->roster : SLICE_NONE);
	struct table_scope of = *sc;
	struct member_info m;

	buf_u8(b, '[');
	of.subject = &m;
	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0) {
		put_comma(b);
		put_id(b, &of);
	}
	if (sc->event && var == VAR_MEMBERS) {
		of.subject = &sc->event->subject;
		put_comma(b);
		put_id(b, &of);
	}
	buf_u8(b, ']');
}

static struct slice own_name(const struct table_scope *sc)
{
	return sc->subject ? sc->subject->name : table_own_name(sc->self);
}

static void put_you(struct buf *b, const struct table_scope *sc)
{
	char room[BUS_MEMBER_TEXT];

	json_quote(b, table_you(sc->self, room));
}

static const struct table_rank *rank_word(const struct table *t, enum rank rank)
{
	for (unsigned i = 0; i < t->rank_count; i++)
		if (t->ranks[i].rank == rank)
			return &t->ranks[i];
	return NULL;
}

static bool put_rank(struct buf *b, const struct table_scope *sc)
{
	const struct member_info *self = table_self(sc->self);
	const struct member_info *m = sc->subject ? sc->subject : self;
	const struct table_rank *r = rank_word(sc->table, bus_rank_shown(m, self));

	if (r)
		buf_put(b, r->word);
	return r != NULL;
}

static bool is_mine(const struct table_scope *sc)
{
	return sc->event && sc->event->member == table_self(sc->self)->id;
}

static void put_bool(struct buf *b, bool v)
{
	buf_str(b, v ? "true" : "false");
}

static void put_time(struct buf *b, const struct table_scope *sc, enum table_var var)
{
	ms_t at = sc->event && sc->event->time ? sc->event->time : sc->wall;

	if (var == VAR_MILLIS) {
		buf_dec(b, (uint64_t)at);
	} else if (var == VAR_SECONDS) {
		buf_printf(b, "%lld.%03d", (long long)(at / 1000), (int)(at % 1000));
	} else {
		buf_u8(b, '"');
		clock_iso(b, at);
		buf_u8(b, '"');
	}
}

static void put_chat_text(struct buf *b, const struct table_scope *sc)
{
	struct buf text = BUF_INIT(0);

	json_quote(b, sc->settings ? dialect_chat_text(sc->settings, sc->event, &text)
				   : sc->event->text);
	buf_fini(&text);
}

/* What only tells of others have; false: it is not there. */
static bool put_event_var(struct buf *b, const struct table_scope *sc, enum table_var var)
{
	const struct event *e = sc->event;

	if (!e || (var == VAR_OFFER && !sc->subject))
		return false;
	if (var == VAR_OFFER)
		put_bool(b, bus_offers(table_self(sc->self), sc->subject));
	else if (var == VAR_REPLACED) /* under the same id, that is */
		put_bool(b, e->reason == LEAVE_REPLACED && e->subject.named &&
				    e->subject.user.n > 0);
	else if (var == VAR_NUMBER)
		buf_dec(b, bus_chat_id(e));
	else if (var == VAR_TEXT)
		put_chat_text(b, sc);
	else
		put_bool(b, is_mine(sc));
	return true;
}

static bool put_error_var(struct buf *b, const struct table_scope *sc, enum table_var var)
{
	if (var == VAR_OK) {
		put_bool(b, sc->err >= 0);
		return true;
	}
	if (sc->err >= 0 || (var == VAR_DETAIL && !sc->detail))
		return false;
	json_quote(b, slice_str(var == VAR_CODE    ? err_name(sc->err)
				: var == VAR_ERROR ? err_text(sc->err)
						   : sc->detail));
	return true;
}

static bool put_text_or_none(struct buf *b, struct slice s, bool quoted)
{
	if (s.n == 0)
		return false;
	if (quoted)
		buf_put(b, s);
	else
		json_quote(b, s);
	return true;
}

static const char *const offers_names[] = {
#define X(id, name) [OFFERS_##id] = name,
	TABLE_OFFERS_LIST(X)
#undef X
};

static bool put_var(struct buf *b, const struct table_scope *sc, enum table_var var)
{
	switch (var) {
	case VAR_ID:
		put_id(b, sc);
		return true;
	case VAR_NAME:
		return put_text_or_none(b, own_name(sc), false);
	case VAR_YOU:
		put_you(b, sc);
		return true;
	case VAR_ROOM:
		return put_text_or_none(b, sc->room, true);
	case VAR_OFFERS:
		json_quote(b, slice_str(offers_names[table_self(sc->self)->offers]));
		return true;
	case VAR_RANK:
		return put_rank(b, sc);
	case VAR_ARGS:
		return put_text_or_none(b, sc->args, true);
	case VAR_TIME:
	case VAR_MILLIS:
	case VAR_SECONDS:
		put_time(b, sc, var);
		return true;
	case VAR_CODE:
	case VAR_ERROR:
	case VAR_DETAIL:
	case VAR_OK:
		return put_error_var(b, sc, var);
	case VAR_OFFER:
	case VAR_MINE:
	case VAR_REPLACED:
	case VAR_NUMBER:
	case VAR_TEXT:
		return put_event_var(b, sc, var);
	case VAR_EVENT:
		return put_text_or_none(b, sc->heard, true);
	case VAR_MEMBERS:
	case VAR_OTHERS:
		put_ids(b, sc, var);
		return true;
	case TABLE_VARS:
		break;
	}
	return false;
}

/* Raw JSON; false when it is not there. */
static bool put_one(struct buf *b, const struct table_scope *sc,
		    const struct table_value *v)
{
	uint32_t t;

	switch (v->source) {
	case SOURCE_TEXT:
		buf_put(b, v->text);
		return true;
	case SOURCE_VAR:
		return put_var(b, sc, v->var);
	case SOURCE_FIELD:
		t = table_field_token(sc, &v->field);
		if (t == NO_TOKEN)
			return false;
		buf_put(b, json_raw(sc->json, t));
		return true;
	}
	return false;
}

static bool put_values(struct buf *b, const struct table_scope *sc,
		       struct table_span values)
{
	const struct table_value *v = &sc->table->values[values.first];

	for (unsigned i = 0; i < values.count; i++)
		if (put_one(b, sc, &v[i]))
			return true;
	return false;
}

/* --- values as text --- */

static bool token_text(const struct json *j, uint32_t t, size_t max, struct buf *b)
{
	if (json_kind_of(j, t) == JSON_STRING)
		return json_string(j, t, max, b) == 0;
	if (json_kind_of(j, t) != JSON_NUMBER || json_raw(j, t).n > max)
		return false;
	buf_put(b, json_raw(j, t));
	return true;
}

bool table_text_of(const struct table_scope *sc, struct table_span values, size_t max,
		   struct buf *b, struct slice *out)
{
	const struct table_value *v = &sc->table->values[values.first];
	size_t at = buf_at(b);

	for (unsigned i = 0; i < values.count; i++) {
		struct buf raw = BUF_INIT(1 << 20);
		struct json_token token;
		struct json j;
		bool there;

		if (v[i].source == SOURCE_FIELD) {
			uint32_t t = table_field_token(sc, &v[i].field);
			there = t != NO_TOKEN && token_text(sc->json, t, max, b);
		} else {
			there = put_one(&raw, sc, &v[i]) &&
				json_parse(&j, buf_slice(&raw), &token, 1) == 0 &&
				token_text(&j, 0, max, b);
		}
		buf_fini(&raw);
		*out = slice_trim(slice_from(buf_slice(b), at));
		if (there && out->n > 0)
			return true;
		b->n = at;
	}
	*out = SLICE_NONE;
	return false;
}

/* --- conditions --- */

/* There, and not null, false or empty. */
static bool is_something(struct slice raw)
{
	return raw.n > 0 && !slice_is(raw, "null") && !slice_is(raw, "false") &&
	       !slice_is(raw, "\"\"") && !slice_is(raw, "[]");
}

static bool is_one_of(const struct table *t, struct slice raw, struct table_span texts)
{
	struct json_token token;
	struct json j;
	bool string = json_parse(&j, raw, &token, 1) == 0;

	for (unsigned i = 0; i < texts.count; i++) {
		struct slice text = t->names[texts.first + i];

		if (slice_eq(raw, text) || (string && json_string_is(&j, 0, text)))
			return true;
	}
	return false;
}

bool table_holds(const struct table_scope *sc, struct table_span tests)
{
	for (unsigned i = 0; i < tests.count; i++) {
		const struct table_test *test = &sc->table->tests[tests.first + i];
		struct buf raw = BUF_INIT(1 << 20);
		bool there = put_one(&raw, sc, &test->value);
		bool holds = there &&
			     (test->texts.count > 0
				      ? is_one_of(sc->table, buf_slice(&raw), test->texts)
				      : is_something(buf_slice(&raw)));

		buf_fini(&raw);
		if (holds == test->negated)
			return false;
	}
	return true;
}

/* --- the rest of a message --- */

static bool is_dropped(const struct table_scope *sc, const struct table_op *op,
		       uint32_t name)
{
	for (unsigned i = 0; i < op->drop.count; i++)
		if (json_string_is(sc->json, name, sc->table->names[op->drop.first + i]))
			return true;
	return sc->table->speaks == SPEAKS_JSON && !sc->keep_name &&
	       json_string_is(sc->json, name, sc->table->naming);
}

/* Whether the object can be copied as it is. */
static bool is_whole(const struct table_scope *sc, const struct table_op *op,
		     uint32_t obj)
{
	const struct json *j = sc->json;

	for (uint32_t t = obj + 1; t < j->tok[obj].next; t = j->tok[t + 1].next)
		if (is_dropped(sc, op, t))
			return false;
	return true;
}

static void put_rest(struct buf *b, const struct table_scope *sc,
		     const struct table_op *op)
{
	const struct json *j = sc->json;
	uint32_t obj = table_field_token(sc, &sc->table->values[op->values.first].field);

	if (obj == NO_TOKEN || json_kind_of(j, obj) != JSON_OBJECT ||
	    j->tok[obj].next == obj + 1)
		return;
	if (is_whole(sc, op, obj)) {
		struct slice raw = json_raw(j, obj);

		put_comma(b);
		buf_add(b, raw.p + 1, raw.n - 2);
		return;
	}
	for (uint32_t t = obj + 1; t < j->tok[obj].next; t = j->tok[t + 1].next) {
		if (is_dropped(sc, op, t))
			continue;
		put_comma(b);
		buf_put(b, json_raw(j, t));
		buf_u8(b, ':');
		buf_put(b, json_raw(j, t + 1));
	}
}

static bool in_rest(const struct table_scope *sc, const struct table_op *op)
{
	return sc->json && sc->arg_count > 0 &&
	       json_member(sc->json, sc->arg[0], op->bare);
}

/* --- lists of members --- */

/* What is known of a member: the fields that its client gave, if it is one of this dialect. */
static void see_member(struct table_scope *in, const struct table_scope *sc,
		       const struct member_info *m, struct json *j,
		       struct json_token *tokens)
{
	*in = *sc;
	in->subject = m;
	in->json = NULL;
	in->arg_count = 0;
	in->keep_name = false;
	if (m->dialect == sc->table->number && m->metadata.n > 0 &&
	    json_parse(j, m->metadata, tokens, TABLE_TOKENS) == 0)
		table_see(in, j);
}

static void put_ops(struct buf *b, const struct table_scope *sc, struct table_span ops,
		    bool first);

static void put_member(struct buf *b, const struct table_scope *sc,
		       const struct member_info *m, struct table_span item, bool by_id)
{
	struct json_token tokens[TABLE_TOKENS];
	struct table_scope in;
	struct json j;
	size_t at = buf_at(b);

	see_member(&in, sc, m, &j, tokens);
	if (by_id) {
		put_comma(b);
		put_id(b, &in);
		buf_u8(b, ':');
	}
	put_ops(b, &in, item, false);
	if (by_id && !b->bad && b->p[b->n - 1] == ':') /* nothing to be said of it */
		b->n = at;
}

static void put_roster(struct buf *b, const struct table_scope *sc,
		       const struct table_op *op, struct table_span item)
{
	struct member_info m;

	if (!op->by_id) {
		put_comma(b);
		buf_put(b, op->key);
		buf_u8(b, '[');
	}
	if (sc->event) {
		struct cur in = cur_of_slice(sc->event->roster);

		while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0)
			put_member(b, sc, &m, item, op->by_id);
	}
	if (op->var == VAR_MEMBERS && sc->event)
		put_member(b, sc, &sc->event->subject, item, op->by_id);
	if (!op->by_id)
		buf_u8(b, ']');
}

/* --- operations --- */

static void put_value_op(struct buf *b, const struct table_scope *sc,
			 const struct table_op *op)
{
	size_t at = buf_at(b);

	if (op->if_not_kept && in_rest(sc, op))
		return;
	put_comma(b);
	buf_put(b, op->key);
	if (!put_values(b, sc, op->values))
		b->n = at;
}

static void put_naming(struct buf *b, const struct table_scope *sc)
{
	if (sc->keep_name || sc->name.n == 0)
		return;
	buf_u8(b, '"');
	buf_put(b, sc->table->naming);
	buf_put(b, SLICE("\":"));
	buf_put(b, sc->name);
}

/* first: nothing is before it that would want a comma. */
static void put_ops(struct buf *b, const struct table_scope *sc, struct table_span ops,
		    bool first)
{
	const struct table_op *op, *end;

	if (ops.count == 0) /* the table may have none at all */
		return;
	op = &sc->table->ops[ops.first];
	end = op + ops.count;
	for (; op < end; op++, first = false) {
		switch ((enum table_op_kind)op->kind) {
		case OP_OPEN:
			if (!first)
				put_comma(b);
			buf_put(b, op->key);
			buf_put(b, op->text);
			break;
		case OP_CLOSE:
			buf_put(b, op->text);
			break;
		case OP_NAMING:
			put_naming(b, sc);
			break;
		case OP_VALUE:
			put_value_op(b, sc, op);
			break;
		case OP_REST:
			put_rest(b, sc, op);
			break;
		case OP_ROSTER:
			put_roster(
				b, sc, op,
				(struct table_span){ (uint16_t)(op + 1 - sc->table->ops),
						     op->skip });
			op += op->skip;
			break;
		case OP_YOU:
			if (sc->you_later || sc->you.n > 0) {
				put_comma(b);
				buf_put(b, op->key);
			}
			if (sc->you_later)
				return;
			if (sc->you.n > 0)
				json_quote(b, sc->you);
			break;
		}
	}
}

void table_write(struct buf *b, const struct table_scope *sc,
		 const struct table_template *m)
{
	put_ops(b, sc, m->ops, true);
}

void table_write_message(struct buf *b, const struct table_scope *sc,
			 const struct table_template *m)
{
	bool sio = sc->table->speaks == SPEAKS_SOCKETIO;

	if (sio) {
		buf_u8(b, '[');
		buf_put(b, sc->name);
	}
	if (m->verbatim && sc->args.n > 0) {
		if (sio)
			buf_u8(b, ',');
		buf_put(b, sc->args);
	} else if (!m->verbatim) {
		put_ops(b, sc, m->ops, !sio);
	}
	if (sio && !(m->you_last && sc->you_later))
		buf_u8(b, ']');
}

void table_write_args(struct buf *b, const struct table_scope *sc,
		      const struct table_template *m)
{
	buf_u8(b, '[');
	put_ops(b, sc, m->ops, true);
	buf_u8(b, ']');
}

void table_write_you(struct buf *b, const struct table *t, struct slice you)
{
	json_quote(b, you);
	buf_u8(b, '}');
	if (t->speaks == SPEAKS_SOCKETIO)
		buf_u8(b, ']');
}

/* --- media --- */

static enum media kind_of(const struct table_scope *sc, uint32_t t, uint32_t *payload)
{
	const struct json *j = sc->json;
	uint32_t type = json_member(j, t, SLICE("type"));
	uint32_t candidate = json_member(j, t, SLICE("candidate"));

	*payload = t;
	if (type && json_string_is(j, type, SLICE("offer")))
		return MEDIA_OFFER;
	if (type && json_string_is(j, type, SLICE("answer")))
		return MEDIA_ANSWER;
	if (!candidate)
		return MEDIA_NONE;
	if (json_kind_of(j, candidate) == JSON_OBJECT)
		*payload = candidate;
	return MEDIA_CANDIDATE;
}

bool table_payload(const struct table_scope *sc, const struct table_media *m,
		   struct buf *b, enum media *kind, struct slice *out)
{
	*kind = m->kind;
	if (m->there.ops.count > 0) {
		size_t at = buf_at(b);

		table_write(b, sc, &m->there);
		*out = slice_from(buf_slice(b), at);
		return true;
	}
	uint32_t t = table_field_token(sc, &m->field);
	if (t == NO_TOKEN)
		return false;
	if (m->any)
		*kind = kind_of(sc, t, &t);
	*out = json_raw(sc->json, t);
	return true;
}

/* {"type":"offer","a":{"b":PAYLOAD}}, or the same as arguments: what a client of this table would have said. */
static void put_nested(struct buf *b, const struct table *t, const struct table_rule *r,
		       struct slice payload)
{
	const struct table_field *f = &r->media.field;
	bool sio = t->speaks == SPEAKS_SOCKETIO;

	for (unsigned i = 0; sio && i < f->arg; i++)
		buf_str(b, "null,");
	for (unsigned i = 0; i < f->depth; i++) {
		buf_u8(b, '{');
		if (i == 0 && t->speaks == SPEAKS_JSON) {
			buf_u8(b, '"');
			buf_put(b, t->naming);
			buf_put(b, SLICE("\":"));
			buf_put(b, r->quoted);
			buf_u8(b, ',');
		}
		json_quote(b, f->step[i]);
		buf_u8(b, ':');
	}
	buf_put(b, payload);
	for (unsigned i = 0; i < f->depth; i++)
		buf_u8(b, '}');
}

void table_from_payload(struct buf *b, const struct table *t, const struct table_rule *r,
			struct slice payload)
{
	struct json_token tokens[TABLE_TOKENS];
	bool sio = t->speaks == SPEAKS_SOCKETIO;
	struct json j;

	if (sio)
		buf_u8(b, '[');
	if (r->media.back.ops.count == 0) {
		put_nested(b, t, r, payload);
	} else if (json_parse(&j, payload, tokens, ARRAY_LEN(tokens)) == 0) {
		struct table_scope sc = { .table = t, .name = r->quoted };

		sc.json = &j;
		sc.arg_count = 1;
		table_write(b, &sc, &r->media.back);
	}
	if (sio)
		buf_u8(b, ']');
}
