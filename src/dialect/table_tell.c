/* table_tell: what a room tells its members, in the words of a table. */
#include <stdlib.h>

#include "base/err.h"
#include "bus/chat.h"
#include "dialect/fanout.h"
#include "dialect/relay.h"
#include "dialect/table_run.h"

#define OPEN_PART (UINT32_C(1) << 31)

/* What a template sees when a room speaks. */
struct telling {
	struct table_scope sc;
	struct json json;
	struct json_token tokens[TABLE_TOKENS];
};

static void see_raw(struct telling *t, struct slice raw)
{
	if (raw.n > 0 && json_parse(&t->json, raw, t->tokens, TABLE_TOKENS) == 0)
		table_see(&t->sc, &t->json);
}

/* The fields that a member's client gave: only members of one dialect understand each other's. */
static void see_member(struct telling *t, const struct member_info *m)
{
	t->sc.subject = m;
	t->sc.json = NULL;
	t->sc.arg_count = 0;
	if (m->dialect == t->sc.table->number)
		see_raw(t, m->metadata);
}

static void start_telling(struct telling *t, const struct table *table,
			  const struct table_session *self, const struct fanout *f,
			  const struct event *e)
{
	t->sc = (struct table_scope){
		.table = table,
		.self = self,
		.event = e,
		.room = f->quoted,
		.wall = loop_wall(f->dialect->loop),
		.settings = f->dialect->settings,
	};
	if (e->kind == EVENT_CHAT) {
		t->sc.subject = &e->subject;
		if (e->flavor == table_flavor(table, 0))
			see_raw(t, e->raw);
	} else {
		see_member(t, &e->subject);
	}
}

/* --- signals --- */

static unsigned variant_of(const struct fanout_channel *c)
{
	const struct table *t = (const struct table *)c->vocabulary;

	return t->speaks == SPEAKS_SOCKETIO ? 1 : c->variant;
}

static bool same_wording(const struct table *t, unsigned variant, const struct event *e)
{
	return e->flavor == table_flavor(t, variant) || e->flavor == table_flavor(t, 0);
}

static unsigned count_parts(struct slice raw)
{
	struct cur in = cur_of_slice(raw);
	unsigned n = 0;

	while (cur_left(&in) > 0) {
		uint32_t size = cur_be32(&in) & ~OPEN_PART;

		cur_skip(&in, size);
		n++;
	}
	return n;
}

static void put_part(struct buf *b, const struct table *t, const struct event *e,
		     struct slice you)
{
	struct cur in = cur_of_slice(e->raw);

	for (unsigned i = 0;; i++) {
		uint32_t size = cur_be32(&in);
		struct slice text = cur_slice(&in, size & ~OPEN_PART);

		if (in.bad)
			return;
		if (i < e->part)
			continue;
		buf_put(b, text);
		if (size & OPEN_PART)
			table_write_you(b, t, you);
		return;
	}
}

/* How members of this wording say an offer, an answer or a candidate. */
static const struct table_rule *media_rule(const struct table *t, unsigned variant,
					   enum media kind)
{
	for (unsigned i = 0; i < t->rule_count; i++) {
		const struct table_rule *r = &t->rules[i];

		if ((r->media.kind == kind || r->media.any) && r->steps.count > 0 &&
		    (r->variants == 0 || (r->variants & BIT(variant))))
			return r;
	}
	return NULL;
}

static const struct table_step *relay_step(const struct table *t,
					   const struct table_rule *r)
{
	for (unsigned i = 0; i < r->steps.count; i++)
		if (t->steps[r->steps.first + i].kind == STEP_RELAY)
			return &t->steps[r->steps.first + i];
	return NULL;
}

/* A media signal of another wording: as if a client of this one had said it. */
static void word_foreign(struct buf *b, struct telling *t, unsigned variant,
			 const struct event *e, struct slice you)
{
	const struct table *table = t->sc.table;
	struct slice payload = SLICE_NONE;
	enum media kind = relay_media(e, &payload);
	const struct table_rule *r =
		kind == MEDIA_NONE ? NULL : media_rule(table, variant, kind);
	const struct table_step *step = r ? relay_step(table, r) : NULL;
	struct buf said = BUF_INIT(1 << 20);

	if (!step)
		return;
	const struct table_span names = step->say.names;
	if (e->part >= (names.count ? names.count : 1))
		return;
	table_from_payload(&said, table, r, payload);
	see_raw(t, buf_slice(&said));
	t->sc.subject = &e->subject;
	t->sc.name = names.count ? table->names[names.first + e->part] : r->quoted;
	t->sc.keep_name = names.count == 0 && step->say.args.has_rest;
	t->sc.you = you;
	if (!said.bad && t->sc.json)
		table_write_message(b, &t->sc, &step->say.args);
	buf_fini(&said);
}

static void word_signal(struct buf *b, struct telling *t, unsigned variant,
			const struct event *e, struct slice you)
{
	if (same_wording(t->sc.table, variant, e))
		put_part(b, t->sc.table, e, you);
	else if (e->flavor == 0 || e->media != MEDIA_NONE)
		word_foreign(b, t, variant, e, you);
}

static unsigned signal_parts(const struct table *t, unsigned variant,
			     const struct event *e)
{
	const struct table_rule *r;
	const struct table_step *step;
	struct slice payload;

	if (same_wording(t, variant, e))
		return count_parts(e->raw);
	r = media_rule(t, variant, relay_media(e, &payload));
	step = r ? relay_step(t, r) : NULL;
	return step && step->say.names.count ? step->say.names.count : 1;
}

/* --- what is told to many alike --- */

/* Of the past only what the table asks for; and nothing that was deleted since. */
static bool is_silent(const struct table *t, const struct event *e)
{
	struct chat_more m;

	return e->kind == EVENT_CHAT && e->more.n > 0 &&
	       bus_chat_decode(&m, e->more) == 0 &&
	       (m.deleted || (m.replay && t->history == 0));
}

static const enum table_when when_of[EVENT_KINDS] = {
	[EVENT_JOINED] = WHEN_JOINED,
	[EVENT_LEFT] = WHEN_LEFT,
	[EVENT_CHAT] = WHEN_CHAT,
};

static bool has_when(enum event_kind kind)
{
	return kind == EVENT_JOINED || kind == EVENT_LEFT || kind == EVENT_CHAT;
}

/* The step and the name that message number `part` of a "when" has. */
static const struct table_step *step_of_part(const struct table *t, enum table_when when,
					     unsigned part, struct slice *name)
{
	for (unsigned i = 0; i < t->when[when].count; i++) {
		const struct table_step *s = &t->steps[t->when[when].first + i];
		unsigned n = s->say.names.count ? s->say.names.count : 1;

		if (part < n) {
			*name = s->say.names.count ? t->names[s->say.names.first + part]
						   : SLICE_NONE;
			return s;
		}
		part -= n;
	}
	return NULL;
}

unsigned table_parts(const struct fanout_channel *c, const struct event *e)
{
	const struct table *t = (const struct table *)c->vocabulary;
	struct slice name;
	unsigned n = 0;

	if (e->kind == EVENT_SIGNAL)
		return signal_parts(t, variant_of(c), e);
	if (has_when(e->kind))
		while (step_of_part(t, when_of[e->kind], n, &name))
			n++;
	return n;
}

void table_encode(struct buf *b, const struct fanout_channel *c, const struct event *e)
{
	static const struct table_session nobody = { .variant = 0 };
	const struct table *table = (const struct table *)c->vocabulary;
	const struct table_step *step;
	struct telling t;

	if (e->kind == EVENT_SIGNAL && same_wording(table, variant_of(c), e)) {
		put_part(b, table, e, SLICE_NONE);
		return;
	}
	start_telling(&t, table, &nobody, c->fanout, e);
	if (e->kind == EVENT_SIGNAL) {
		word_foreign(b, &t, variant_of(c), e, SLICE_NONE);
	} else if (has_when(e->kind) && !is_silent(table, e)) {
		step = step_of_part(table, when_of[e->kind], e->part, &t.sc.name);
		if (step && table_holds(&t.sc, step->tests))
			table_write_message(b, &t.sc, &step->say.args);
	}
}

/* --- what is told to one --- */

static const char *close_reason(const struct table_step *step,
				const struct table_scope *sc)
{
	if (step->text.n > 0)
		return (const char *)step->text.p;
	return sc->err < 0 ? err_text(sc->err) : "";
}

void table_run_when(struct session *s, enum table_when when, struct table_scope *sc)
{
	const struct table *t = sc->table;

	for (unsigned i = 0; i < t->when[when].count; i++) {
		const struct table_step *step = &t->steps[t->when[when].first + i];

		if (step->kind == STEP_EACH || !table_holds(sc, step->tests))
			continue;
		if (step->kind == STEP_CLOSE)
			session_close(s, step->code, close_reason(step, sc));
		else
			table_say(s, sc, &step->say, SLICE_NONE);
	}
}

/* "each": a message for every member that is there. */
static void tell_each(struct session *s, struct telling *t, const struct event *e)
{
	const struct table *table = t->sc.table;
	struct cur in = cur_of_slice(e->roster);
	struct member_info m;

	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0) {
		see_member(t, &m);
		for (unsigned i = 0; i < table->when[WHEN_WELCOME].count; i++) {
			const struct table_step *step =
				&table->steps[table->when[WHEN_WELCOME].first + i];

			if (step->kind == STEP_EACH && table_holds(&t->sc, step->tests))
				table_say(s, &t->sc, &step->say, SLICE_NONE);
		}
	}
}

/* What was said before, the last messages of it. */
static void tell_history(struct seat *to, const struct event *e)
{
	const struct table *table = table_of(to->session);
	unsigned count = 0, skip;
	struct event said;
	struct cur in = cur_of_slice(e->backlog);

	if (table->history == 0 || e->kind != EVENT_WELCOME)
		return;
	while (cur_left(&in) > 0 && bus_event_decode(&said, &in) == 0)
		count++;
	skip = count > table->history ? count - table->history : 0;
	in = cur_of_slice(e->backlog);
	while (cur_left(&in) > 0 && bus_event_decode(&said, &in) == 0) {
		if (skip > 0)
			skip--;
		else
			table_tell(to, &said);
	}
}

/* These clients are in one room: they leave the one before when they have come into the next. */
static void leave_others(const struct seat *to)
{
	const struct command leave = { .kind = COMMAND_LEAVE };
	struct seat *next;

	for (struct seat *seat = to->session->seats; seat; seat = next) {
		next = seat->next;
		if (seat != to)
			route_command(seat, 0, &leave);
	}
}

static void tell_welcome(struct seat *to, struct telling *t, const struct event *e)
{
	struct table_member *me = table_member(to->session->own);

	me->info.id = e->subject.id;
	me->info.order = e->subject.order;
	me->asked_members = false;
	table_run_when(to->session, WHEN_WELCOME, &t->sc);
	tell_each(to->session, t, e);
	table_run_when(to->session, WHEN_MEMBERS, &t->sc);
	tell_history(to, e);
	table_on_welcome(to->session, e);
	free(me->joining);
	me->joining = NULL;
	leave_others(to);
}

/* Somebody came or went: tables that show lists ask for the new one. Whoever waits for one gets what is new with it. */
static void ask_members(struct seat *to)
{
	const struct command sync = { .kind = COMMAND_SYNC };
	struct table_member *me = table_member(to->session->own);

	if (table_of(to->session)->when[WHEN_MEMBERS].count == 0 || me->asked_members)
		return;
	me->asked_members = true;
	route_command(to, TABLE_REQUEST_MEMBERS, &sync);
}

static void tell_members(struct seat *to, struct telling *t)
{
	table_member(to->session->own)->asked_members = false;
	table_run_when(to->session, WHEN_MEMBERS, &t->sc);
}

static void tell_left(struct seat *to, struct telling *t, const struct event *e)
{
	if (e->member != to->member_id) {
		table_run_when(to->session, WHEN_LEFT, &t->sc);
		ask_members(to);
	} else if (e->reason == LEAVE_REPLACED) {
		table_run_when(to->session, WHEN_REPLACED, &t->sc);
	} else if (e->reason == LEAVE_KICK) {
		table_run_when(to->session, WHEN_KICKED, &t->sc);
	}
}

/* The receiver's name for itself, when it was meant alone. */
static struct slice name_of(const struct seat *to, const struct event *e,
			    char room[BUS_MEMBER_TEXT])
{
	return e->to ? table_you(to->session->own, room) : SLICE_NONE;
}

static void tell_signal(struct seat *to, struct telling *t, const struct event *e)
{
	const struct table_session *own = to->session->own;
	struct buf *out = &to->session->dialect->out;
	unsigned parts = signal_parts(table_of(to->session), own->variant, e);
	char room[BUS_MEMBER_TEXT];
	struct event part = *e;

	for (unsigned i = 0; i < parts; i++) {
		part.part = (uint8_t)i;
		buf_clear(out);
		word_signal(out, t, own->variant, &part, name_of(to, e, room));
		if (out->n > 0)
			session_send_with(to->session, buf_slice(out), e->binary);
	}
}

void table_tell(struct seat *to, const struct event *e)
{
	struct telling t;

	start_telling(&t, table_of(to->session), to->session->own, to->fanout, e);
	switch (e->kind) {
	case EVENT_WELCOME:
	case EVENT_SYNCED:
		if (e->request == TABLE_REQUEST_MEMBERS)
			tell_members(to, &t);
		else
			tell_welcome(to, &t, e);
		break;
	case EVENT_JOINED:
		table_run_when(to->session, WHEN_JOINED, &t.sc);
		ask_members(to);
		break;
	case EVENT_LEFT:
		tell_left(to, &t, e);
		break;
	case EVENT_CHAT:
		recovery_told(to->session, e->n);
		if (!is_silent(t.sc.table, e))
			table_run_when(to->session, WHEN_CHAT, &t.sc);
		break;
	case EVENT_ACCEPT:
		table_run_when(to->session, WHEN_ACCEPTED, &t.sc);
		break;
	case EVENT_REJECT:
		table_run_when(to->session, WHEN_REJECTED, &t.sc);
		break;
	case EVENT_SIGNAL:
		tell_signal(to, &t, e);
		break;
	default: /* these clients know nothing of the rest */
		break;
	}
}
