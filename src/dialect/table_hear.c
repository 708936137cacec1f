/* table_hear: what a client says, by its table: a name is looked up, and the steps of its rule are
 * carried out. What is relayed is put together here, once, for all members of the same wording;
 * members of others get the neutral payload of a media signal.
 *
 * `raw` of such a signal is a list of whole messages (a rule may have several names), each behind 32
 * bits: its length, and in the highest whether the receiver's side has to put in its own name.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "bus/address.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"
#include "dialect/relay.h"
#include "dialect/table_run.h"

#define REQUEST_RULE                                                                     \
	48 /* a request: index of the rule + 1, and the client's own number + 1 */

struct hearing {
	struct session *s;
	struct table_session *own;
	const struct table *t;
	const struct table_rule *rule;
	const struct table_message *m;
	struct table_scope sc;
	struct slice text; /* JSON tables: as it came */
	size_t size;       /* of what was said, without attachments */
	bool asked;        /* a command went out with the request */
};

static uint64_t request_of(const struct hearing *h)
{
	uint64_t rule = (uint64_t)(h->rule - h->t->rules) + 1;

	return rule << REQUEST_RULE | h->m->ack;
}

static bool wants_answer(const struct hearing *h)
{
	return h->m->ack != 0 || h->t->traces;
}

static void complain(struct hearing *h, int err, const char *detail)
{
	session_reply(h->s, request_of(h), err, detail);
	h->asked = true; /* that was the answer */
}

/* --- joining --- */

static bool holds(const struct hearing *h, struct table_span tests)
{
	return table_holds(&h->sc, tests);
}

static void choose_wording(struct hearing *h)
{
	const struct table *t = h->t;
	struct table_session *own = h->own;
	struct member_info *self = &table_member(own)->info;

	own->variant = 1;
	for (unsigned i = 0; i < t->variant_count; i++)
		if (holds(h, t->variants[i].tests)) {
			own->variant = (uint8_t)(i + 1);
			break;
		}
	self->offers = OFFERS_TOLD;
	for (unsigned i = 0; i < t->offers_count; i++)
		if (holds(h, t->offers[i].tests)) {
			self->offers = (uint8_t)t->offers[i].offers;
			break;
		}
	self->rank = RANK_NONE;
	for (unsigned i = 0; i < t->rank_count; i++)
		if (holds(h, t->ranks[i].tests)) {
			self->rank = (uint8_t)t->ranks[i].rank;
			break;
		}
}

static void replace_text(char **text, struct slice by)
{
	free(*text);
	*text = by.n > 0 ? slice_dup(by) : NULL;
}

/* What the others may know: all fields of the join, unless the table names some. */
static void put_kept(struct hearing *h, const struct table_step *step, struct buf *b)
{
	const struct json *j = h->sc.json;

	if (step->keep.ops.count > 0) {
		table_write(b, &h->sc, &step->keep);
		return;
	}
	if (!j || h->sc.arg_count == 0 || json_kind_of(j, h->sc.arg[0]) != JSON_OBJECT)
		return;
	buf_put(b, json_raw(j, h->sc.arg[0]));
}

static void send_join(struct hearing *h, const struct table_step *step, struct slice room,
		      struct slice metadata)
{
	const struct table_session *own = h->own;
	struct table_member *me = table_member(h->own);
	const struct command join = {
		.kind = COMMAND_JOIN,
		.named = true,
		.replaces = step->replaces,
		.name = table_own_name(own),
		.user = table_own_id(own),
		.fixed = own->fixed.n > 0 && !me->id,
		.metadata = metadata,
		.offers = me->info.offers,
		.rank = me->info.rank,
		.dialect = (uint16_t)h->t->number,
		.capacity = h->t->capacity,
		.fits = h->t->capacity,
	};

	me->info.user = join.user;
	me->info.named = true;
	me->info.dialect = join.dialect;
	replace_text(&me->joining, metadata);
	h->asked = true;
	route_command(session_add_seat(h->s, room, request_of(h)), request_of(h), &join);
}

/* A join that has no answer yet counts no more when another one is said. */
static void drop_pending(struct session *s)
{
	struct seat *next;

	for (struct seat *seat = s->seats; seat; seat = next) {
		next = seat->next;
		if (!seat->member_id)
			session_drop_seat(seat);
	}
}

/* Who is there already asks how things stand. */
static bool is_there(struct hearing *h, const struct table_step *step, struct slice room)
{
	const struct command sync = { .kind = COMMAND_SYNC };
	struct seat *seat = session_seat(h->s, room);

	if (step->once && h->s->seats)
		return true;
	if (!seat)
		return false;
	h->asked = true;
	if (seat->member_id) {
		drop_pending(h->s);
		route_command(seat, request_of(h), &sync);
	}
	return true;
}

static void leave_seat(struct seat *seat)
{
	const struct command leave = { .kind = COMMAND_LEAVE };

	if (seat && seat->member_id)
		route_command(seat, 0, &leave);
	else if (seat)
		session_drop_seat(seat);
}

/* True: the connection is on its way to the room's worker, where the message is heard again. */
static bool moves_away(struct hearing *h, struct slice room)
{
	struct dialect *d = h->s->dialect;
	unsigned worker = bus_room_worker(room, d->workers);

	/* Not from "on connect": there is no message to be heard again; nor while it sits in a room here. */
	if (worker == d->self || !h->s->transport->move || h->rule == h->t->connect ||
	    h->s->seats)
		return false;
	table_depart(h->s);
	h->s->transport->move(h->s, worker, h->text);
	return true;
}

static void name_member(struct table_session *own, struct slice user, struct slice name)
{
	struct table_member *me = table_member(own);

	replace_text(&me->name, name);
	replace_text(&me->id, user);
}

/* Whom it says it is, else whom its token names. False: nobody, and the table needs somebody. */
static bool find_user(struct hearing *h, const struct table_step *step, struct buf *words,
		      struct slice *user)
{
	if (step->user.count > 0 &&
	    !table_text_of(&h->sc, step->user, ROOM_MAX_NAME, words, user))
		*user = admit_user(h->s);
	return user->n > 0 || !step->user_needed;
}

/* False: the session is not here any more. */
static bool do_join(struct hearing *h, const struct table_step *step)
{
	struct buf words = BUF_INIT(64 * 1024), kept = BUF_INIT(ROOM_MAX_METADATA);
	struct slice room, user = SLICE_NONE, name = SLICE_NONE;
	bool here = true;

	(void)buf_room(&words, 8 * ROOM_MAX_NAME); /* slices of it stay where they are */
	if (!table_text_of(&h->sc, step->values, ROOM_MAX_NAME, &words, &room)) {
		complain(h, E_BAD_FIELD, "room");
	} else if (is_there(h, step, room)) {
		/* nothing changes */
	} else if (!find_user(h, step, &words, &user)) {
		complain(h, E_BAD_FIELD, "user");
	} else if (moves_away(h, room)) {
		here = false;
	} else {
		if (step->name.count > 0)
			(void)table_text_of(&h->sc, step->name, ROOM_MAX_NAME, &words,
					    &name);
		put_kept(h, step, &kept);
		if (kept.bad) {
			complain(h, E_TOO_LARGE, NULL);
		} else {
			drop_pending(h->s);
			name_member(h->own, user, name);
			choose_wording(h);
			send_join(h, step, room, buf_slice(&kept));
		}
	}
	buf_fini(&words);
	buf_fini(&kept);
	return here;
}

static void do_leave(struct hearing *h, const struct table_step *step)
{
	struct seat *seat = h->s->seats;
	struct buf words = BUF_INIT(4096);
	struct slice room;

	/* Whoever was refused says so as well: it is in no room. */
	if (seat && step->values.count > 0 &&
	    table_text_of(&h->sc, step->values, ROOM_MAX_NAME, &words, &room) &&
	    !slice_eq(room, seat->fanout->room))
		seat = NULL;
	leave_seat(seat);
	buf_fini(&words);
}

/* --- relaying --- */

static bool is_seated(struct hearing *h)
{
	if (h->s->seats)
		return true;
	complain(h, E_NOT_JOINED, NULL);
	return false;
}

static void put_part(struct hearing *h, struct buf *raw, const struct table_step *step)
{
	size_t at = buf_at(raw);
	bool open = h->sc.you_later && step->say.args.you_last;

	buf_be32(raw, 0);
	table_write_message(raw, &h->sc, &step->say.args);
	if (!raw->bad)
		buf_set_be32(raw, at,
			     (uint32_t)(buf_at(raw) - at - 4) |
				     (open ? UINT32_C(1) << 31 : 0));
}

/* One message for each name that it goes by. */
static void put_parts(struct hearing *h, struct buf *raw, const struct table_step *step)
{
	const struct table_span names = step->say.names;
	struct buf own = BUF_INIT(8 * ROOM_MAX_TEXT);

	h->sc.keep_name = names.count == 0 && step->say.args.has_rest;
	h->sc.name = h->rule->quoted;
	if (h->rule == h->t->any) { /* it has the name that it came with */
		json_quote(&own, h->m->name);
		h->sc.name = buf_slice(&own);
	}
	if (names.count == 0)
		put_part(h, raw, step);
	for (unsigned i = 0; i < names.count; i++) {
		h->sc.name = h->t->names[names.first + i];
		put_part(h, raw, step);
	}
	h->sc.keep_name = false;
	h->sc.name = SLICE_NONE;
	buf_fini(&own);
}

/* What members of no such wording get: of JSON tables the message as it came, of others as it is said. */
static struct slice plain_text(const struct hearing *h, struct slice raw)
{
	if (h->text.n > 0 && h->sc.json)
		return h->text;
	return slice_of(raw.p + 4, raw.n - 4);
}

/* A text that is no JSON is one as a string. */
static void put_json_text(struct buf *b, struct slice text)
{
	static _Thread_local struct json_token tokens[TABLE_TOKENS];
	struct json j;

	if (json_parse(&j, text, tokens, TABLE_TOKENS) == 0)
		buf_put(b, text);
	else
		json_quote(b, text);
}

static void do_relay(struct hearing *h, const struct table_step *step)
{
	struct dialect *d = h->s->dialect;
	struct buf *raw = &d->worded, made = BUF_INIT(1 << 20), to = BUF_INIT(4096);
	struct command signal = {
		.kind = COMMAND_SIGNAL,
		.flavor =
			table_flavor(h->t, step->say.args.verbatim ? 0 : h->own->variant),
		.or_all = step->or_all,
		.echo = step->self,
		.guarded = h->rule->guarded,
		.role = h->rule->least,
		.binary = h->m->binary,
	};
	enum media kind = MEDIA_NONE;

	if (!is_seated(h))
		return;
	if ((h->rule->media.kind != MEDIA_NONE || h->rule->media.any) &&
	    !table_payload(&h->sc, &h->rule->media, &made, &kind, &signal.text))
		goto done; /* without its payload it means nothing */
	signal.media = (uint8_t)kind;
	if (step->values.count > 0)
		(void)table_text_of(&h->sc, step->values, ROOM_MAX_NAME, &to,
				    &signal.to_name);
	if (signal.to_name.n == 0 && !step->others)
		goto done;
	signal.to = table_shown_number(h->t, signal.to_name);
	if (signal.to)
		signal.to_name = SLICE_NONE;
	h->sc.you_later = (signal.to || signal.to_name.n > 0) && !step->or_all;
	buf_clear(raw);
	put_parts(h, raw, step);
	h->sc.you_later = false;
	if (raw->bad)
		goto done;
	signal.raw = buf_slice(raw);
	if (kind == MEDIA_NONE && h->t->speaks == SPEAKS_TEXT) {
		put_json_text(&made, h->text);
		signal.text = buf_slice(&made);
	} else if (kind == MEDIA_NONE) {
		signal.text = plain_text(h, signal.raw);
	}
	h->asked |= h->m->ack != 0;
	route_command(h->s->seats, wants_answer(h) ? request_of(h) : 0, &signal);
done:
	buf_fini(&made);
	buf_fini(&to);
}

/* --- chat --- */

/* For members of the same wording: the message, or a list of its arguments. */
static struct slice said_raw(const struct hearing *h, struct buf *list)
{
	if (h->t->speaks != SPEAKS_SOCKETIO)
		return h->sc.json ? json_raw(h->sc.json, 0) : SLICE_NONE;
	buf_u8(list, '[');
	buf_put(list, h->sc.args);
	buf_u8(list, ']');
	return buf_slice(list);
}

static void do_chat(struct hearing *h, const struct table_step *step)
{
	struct buf words = BUF_INIT(2 * ROOM_MAX_TEXT);
	struct buf list = BUF_INIT(h->sc.args.n + 2);
	struct command chat = {
		.kind = COMMAND_CHAT,
		.flavor = table_flavor(h->t, 0),
		.guarded = h->rule->guarded,
		.role = h->rule->least,
	};

	if (!is_seated(h))
		return;
	chat.raw = said_raw(h, &list);
	if (table_text_of(&h->sc, step->values, ROOM_MAX_TEXT, &words, &chat.text)) {
		h->asked |= h->m->ack != 0;
		route_command(h->s->seats, wants_answer(h) ? request_of(h) : 0, &chat);
	} else {
		complain(h, E_BAD_FIELD, "text");
	}
	buf_fini(&words);
	buf_fini(&list);
}

/* --- a rule --- */

/* With the first "ack" that holds. */
static void acknowledge(struct session *s, const struct table_rule *r, uint64_t ack,
			const struct table_scope *sc, struct slice binary)
{
	for (unsigned i = 0; r->acks && i < r->steps.count; i++) {
		const struct table_step *step = &sc->table->steps[r->steps.first + i];

		if (step->kind != STEP_ACK || !table_holds(sc, step->tests))
			continue;
		table_ack(s, ack, sc, &step->say.args, binary);
		return;
	}
}

static void do_send(struct hearing *h, const struct table_step *step)
{
	table_say(h->s, &h->sc, &step->say, h->m->binary);
}

/* False: the session has gone to another worker. */
static bool do_step(struct hearing *h, const struct table_step *step)
{
	if (!table_holds(&h->sc, step->tests))
		return true;
	switch (step->kind) {
	case STEP_JOIN:
		return do_join(h, step);
	case STEP_LEAVE:
		do_leave(h, step);
		break;
	case STEP_SEND:
		do_send(h, step);
		break;
	case STEP_RELAY:
		do_relay(h, step);
		break;
	case STEP_CHAT:
		do_chat(h, step);
		break;
	case STEP_CLOSE:
		session_close(h->s, step->code,
			      step->text.n > 0 ? (const char *)step->text.p : "");
		break;
	case STEP_ACK: /* when all is done */
	case STEP_EACH:
		break;
	}
	return true;
}

static bool within_rate(struct hearing *h)
{
	const struct table_rule *r = h->rule;
	ms_t now = loop_now(h->s->dialect->loop);

	return r->rate == 0 ||
	       session_allows(&h->own->buckets[r->bucket], r->rate, r->rate, now);
}

static int check_rule(struct hearing *h)
{
	const struct table_rule *r = h->rule;

	if (r->size > 0 && h->size + h->m->binary.n > r->size)
		return E_TOO_LARGE;
	if (!within_rate(h))
		return E_RATE;
	return 0;
}

static void run_rule(struct hearing *h)
{
	int err = check_rule(h);

	if (err < 0) {
		complain(h, err, NULL);
		return;
	}
	for (unsigned i = 0; i < h->rule->steps.count; i++)
		if (!do_step(h, &h->t->steps[h->rule->steps.first + i]))
			return;
	if (h->m->ack && !h->asked)
		acknowledge(h->s, h->rule, h->m->ack, &h->sc, h->m->binary);
}

static void start_hearing(struct hearing *h, struct session *s,
			  const struct table_message *m)
{
	struct seat *seat = s->seats;

	*h = (struct hearing){ .s = s, .own = s->own, .t = table_of(s), .m = m };
	h->sc = (struct table_scope){ .table = h->t,
				      .self = h->own,
				      .room = seat ? seat->fanout->quoted
						   : table_text_or_none(h->own->path),
				      .wall = loop_wall(s->dialect->loop) };
}

/* --- what is learned on the way --- */

static bool has_required(const struct hearing *h)
{
	const struct table_span need = h->t->required;

	for (unsigned i = 0; i < need.count; i++) {
		const struct table_value *v = &h->t->values[need.first + i];
		uint32_t t = table_field_token(&h->sc, &v->field);

		if (t == UINT32_MAX || slice_is(json_raw(h->sc.json, t), "\"\""))
			return false;
	}
	return true;
}

static void learn_alias(struct hearing *h)
{
	struct buf word = BUF_INIT(4 * ROOM_MAX_NAME);
	uint32_t t = table_field_token(&h->sc, &h->t->alias);
	char **known;

	if (t == UINT32_MAX || !h->s->seats)
		return;
	known = &table_member(h->own)->alias;
	if (json_string(h->sc.json, t, ROOM_MAX_NAME, &word) == 0 && word.n > 0 &&
	    !(*known && slice_is(buf_slice(&word), *known))) {
		const struct command alias = { .kind = COMMAND_ALIAS,
					       .text = buf_slice(&word) };

		replace_text(known, alias.text);
		route_command(h->s->seats, 0, &alias);
	}
	buf_fini(&word);
}

static void hear(struct hearing *h, const struct table_rule *rule)
{
	h->rule = rule ? rule : h->t->any;
	metric_add(METRIC_COMMANDS, 1);
	if (!has_required(h))
		return;
	if (h->t->has_alias && rule)
		learn_alias(h);
	if (h->rule)
		run_rule(h);
	else if (h->t->unknown_is_error)
		session_reply(h->s, 0, E_UNKNOWN_TYPE, NULL);
}

/* --- Socket.IO --- */

static void see_args(struct hearing *h, const struct json *j, uint32_t first,
		     uint32_t end)
{
	table_see_args(&h->sc, j, first, end);
	h->size = h->sc.args.n + 2; /* with brackets */
}

void table_hear(struct session *s, const struct table_message *m)
{
	struct hearing h;

	start_hearing(&h, s, m);
	see_args(&h, m->json, m->first, m->end);
	s->malformed = 0;
	hear(&h, table_rule(h.t, m->name));
}

bool table_greets(const struct table *t)
{
	return t->connect != NULL;
}

void table_connected(struct session *s, struct slice auth)
{
	const struct table_message nothing = { 0 };
	struct table_session *own = s->own;
	struct hearing h;
	struct json j;

	start_hearing(&h, s, &nothing);
	own->connected = true;
	table_keepalive_start(s);
	h.rule = h.t->connect;
	if (!h.rule)
		return;
	if (auth.n > 0 &&
	    json_parse(&j, auth, s->dialect->scratch.tokens, NATIVE_MAX_TOKENS) == 0)
		see_args(&h, &j, 0, j.count);
	run_rule(&h);
}

/* --- JSON and text --- */

static void malformed(struct session *s, int err)
{
	if (session_malformed(s, err, NULL))
		session_reply(s, 0, err == E_LIMIT ? E_TOO_LARGE : err, NULL);
}

/* The value that names the message. A second one is a trick: its readers take the last. */
static int find_name(const struct json *j, struct slice naming, uint32_t *out)
{
	uint32_t found = 0;

	for (uint32_t t = 1; t < j->tok[0].next; t = j->tok[t + 1].next) {
		if (!json_string_is(j, t, naming))
			continue;
		if (found)
			return E_MALFORMED;
		found = t + 1;
	}
	*out = found;
	return 0;
}

static const struct table_rule *rule_by_key(const struct table *t, const struct json *j)
{
	for (unsigned i = 0; i < t->rule_count; i++)
		if (&t->rules[i] != t->connect && &t->rules[i] != t->any &&
		    json_member(j, 0, t->rules[i].name))
			return &t->rules[i];
	return NULL;
}

static int find_rule(struct hearing *h, struct relay *r, const struct table_rule **out)
{
	const struct table *t = h->t;
	struct slice name;
	uint32_t at = 0;
	int err;

	*out = NULL;
	if (t->speaks == SPEAKS_KEYS) {
		*out = rule_by_key(t, &r->j);
		return 0;
	}
	err = find_name(&r->j, t->naming, &at);
	if (err < 0 || at == 0)
		return err;
	name = json_string_raw(&r->j, at);
	if (r->j.tok[at].escaped) {
		size_t from = r->texts->n;

		if (json_string(&r->j, at, ROOM_MAX_NAME, r->texts) < 0)
			return 0;
		name = slice_of(r->texts->p + from, r->texts->n - from);
	}
	*out = table_rule(t, name);
	return 0;
}

void table_on_text(struct session *s, struct slice text)
{
	const struct table_message nothing = { 0 };
	const struct table_rule *rule = NULL;
	struct hearing h;
	struct relay r;
	int err = 0;

	start_hearing(&h, s, &nothing);
	h.text = text;
	h.size = text.n;
	if (h.t->speaks == SPEAKS_TEXT) {
		h.sc.args = text;
	} else {
		err = relay_read(&r, text, &s->dialect->scratch);
		if (err == 0)
			err = find_rule(&h, &r, &rule);
		if (err == 0)
			table_see(&h.sc, &r.j);
	}
	if (err < 0) {
		malformed(s, err);
		return;
	}
	s->malformed = 0;
	hear(&h, rule);
}

/* --- answers --- */

static bool has_join(const struct table *t, const struct table_rule *r)
{
	for (unsigned i = 0; i < r->steps.count; i++)
		if (t->steps[r->steps.first + i].kind == STEP_JOIN)
			return true;
	return false;
}

static enum table_when refusal(const struct table *t, const struct table_rule *r, int err)
{
	if (r && has_join(t, r) && err == E_ROOM_FULL && t->when[WHEN_FULL].count > 0)
		return WHEN_FULL;
	if (r && has_join(t, r) && t->when[WHEN_REFUSED].count > 0)
		return WHEN_REFUSED;
	return WHEN_ERROR;
}

static void on_answer(struct session *s, uint64_t request, int err, const char *detail,
		      const struct event *welcome)
{
	const struct table *t = table_of(s);
	const struct table_session *own = s->own;
	const struct table_member *me = own->member;
	uint64_t at = request >> REQUEST_RULE,
		 ack = request & ((UINT64_C(1) << REQUEST_RULE) - 1);
	const struct table_rule *r =
		at > 0 && at <= t->rule_count ? &t->rules[at - 1] : NULL;
	struct json_token tokens[TABLE_TOKENS];
	struct json j;
	struct table_scope sc = {
		.table = t,
		.self = own,
		.event = welcome,
		.room = s->seats ? s->seats->fanout->quoted
				 : table_text_or_none(own->path),
		.heard = r ? r->quoted : SLICE_NONE,
		.err = err,
		.detail = detail,
		.wall = loop_wall(s->dialect->loop),
	};

	if (r && has_join(t, r) && me && me->joining &&
	    json_parse(&j, slice_str(me->joining), tokens, TABLE_TOKENS) == 0) {
		sc.json = &j;
		sc.arg_count = 1;
	}
	if (err < 0)
		table_run_when(s, refusal(t, r, err), &sc);
	if (r && ack)
		acknowledge(s, r, ack, &sc, SLICE_NONE);
}

void table_on_reply(struct session *s, uint64_t request, int err, const char *detail)
{
	if (request == TABLE_REQUEST_MEMBERS) /* it is not there any more */
		table_member(s->own)->asked_members = false;
	else
		on_answer(s, request, err, detail, NULL);
}

void table_on_welcome(struct session *s, const struct event *e)
{
	/* Without a rule nobody waits: a path's room was joined. */
	on_answer(s, e->request >> REQUEST_RULE ? e->request : 0, 0, NULL, e);
}
