#include "store/row.h"

#include "base/err.h"
#include "base/json.h"

#define MORE_MAX (64u * 1024)

static const enum event_kind event_kinds[] = {
	[STORE_ROW_CHAT] = EVENT_CHAT,
	[STORE_ROW_EDITED] = EVENT_EDITED,
	[STORE_ROW_DELETED] = EVENT_DELETED,
	[STORE_ROW_REACTED] = EVENT_REACTED,
};

static const uint8_t row_kinds[EVENT_KINDS] = {
	[EVENT_EDITED] = STORE_ROW_EDITED,
	[EVENT_DELETED] = STORE_ROW_DELETED,
	[EVENT_REACTED] = STORE_ROW_REACTED,
};

/* --- from events --- */

static void fill(struct store_row *r, const struct event *e, const struct chat_more *m)
{
	*r = (struct store_row){
		.n = e->n,
		.kind = row_kinds[e->kind],
		.time = e->time,
		.member = e->member,
		.of = m->of,
		.to = e->to,
		.user = m->user,
		.name = e->subject.name,
		.text = e->text,
		.to_user = m->to_user,
		.key = m->key,
		.file = m->file,
	};
}

int store_row_of_message(struct store_row *r, struct chat_more *m,
			 const struct store_query *q)
{
	const struct event *e = q->event;

	if (!e || e->n == 0 || e->n > STORE_ROW_MAX_N || bus_chat_decode(m, e->more) < 0)
		return E_STATE;
	fill(r, e, m);
	return 0;
}

void store_row_of_change(struct store_row *r, const struct store_query *q,
			 const struct chat_more *m, const struct store_row *changed)
{
	bool by_receiver = changed->to == q->event->member;

	fill(r, q->event, m);
	if (r->kind == STORE_ROW_EDITED)
		r->text = SLICE_NONE; /* the message has it */
	if (r->kind == STORE_ROW_REACTED)
		r->edited = !m->on;
	if (!changed->to)
		return;
	r->to = by_receiver ? changed->member : changed->to;
	r->to_user = by_receiver ? changed->user : changed->to_user;
}

/* --- who may --- */

static bool is_own(const struct store_row *r, const struct store_query *q)
{
	return r->member == q->viewer ||
	       (q->viewer_user.n > 0 && slice_eq(r->user, q->viewer_user));
}

static bool may_see(const struct store_row *r, const struct store_query *q)
{
	return q->all || !r->to || r->to == q->viewer || is_own(r, q) ||
	       (q->viewer_user.n > 0 && slice_eq(r->to_user, q->viewer_user));
}

int store_row_may_change(const struct store_row *r, const struct store_query *q)
{
	if (r->kind != STORE_ROW_CHAT || r->deleted || !may_see(r, q))
		return E_NOT_FOUND;
	if (q->event->kind == EVENT_EDITED && !is_own(r, q))
		return E_DENIED;
	if (q->event->kind == EVENT_DELETED && !is_own(r, q) && !q->all)
		return E_DENIED;
	return 0;
}

void store_row_answer_change(const struct store_row *changed, const struct store_query *q,
			     uint64_t epoch, struct store_answer *a)
{
	a->n = q->event->n;
	a->epoch = epoch;
	a->time = q->event->time;
	a->from = changed->member;
	a->to = changed->to;
	/* Asked for again: it is so already. */
	if (a->err == E_ALREADY) {
		a->err = 0;
		a->known = true;
		a->n = changed->n;
	}
}

/* --- to events --- */

void store_row_event(const struct store_row *r, uint64_t epoch, struct buf *out)
{
	struct event e = {
		.kind = event_kinds[r->kind < ARRAY_LEN(event_kinds) ? r->kind : 0],
		.n = r->n,
		.time = r->time,
		.member = r->member,
		.subject.name = r->name,
		.text = r->text,
		.to = r->to,
	};
	struct chat_more m = {
		.epoch = epoch,
		.of = r->of,
		.user = r->user,
		.to_user = r->to_user,
		.key = r->key,
		.file = r->file,
		.reactions = r->reactions,
		.edited = r->edited,
		.deleted = r->kind == STORE_ROW_CHAT && r->deleted,
		.on = r->kind == STORE_ROW_REACTED && !r->edited,
	};
	struct buf more = BUF_INIT(MORE_MAX);
	char reader[BUS_MEMBER_TEXT];

	bus_member_text(reader, e.member);
	if (r->kind == STORE_ROW_REACTED)
		m.reader = m.user.n > 0 ? m.user : slice_of(reader, sizeof(reader));
	bus_chat_encode(&more, &m);
	e.more = buf_slice(&more);
	bus_event_encode(out, &e);
	buf_fini(&more);
}

static void put_text(struct jsonw *w, const char *name, struct slice s)
{
	if (s.n > 0)
		json_field_string(w, name, s);
}

static void put_raw(struct jsonw *w, const char *name, struct slice s)
{
	if (s.n > 0)
		json_field_raw(w, name, s);
}

void store_row_line(const struct store_row *r, struct slice room, struct buf *out)
{
	struct jsonw w;

	json_begin(&w, out);
	json_object(&w);
	json_field_string(&w, "room", room);
	json_field_u64(&w, "n", r->n);
	json_field_u64(&w, "time", (uint64_t)r->time);
	json_field_string(&w, "name", r->name);
	put_text(&w, "user", r->user);
	json_field_string(&w, "text", r->text);
	put_text(&w, "key", r->key);
	put_text(&w, "to", r->to_user);
	put_raw(&w, "file", r->file);
	put_raw(&w, "reactions", r->reactions);
	if (r->edited)
		json_field_u64(&w, "edited", (uint64_t)r->edited);
	if (r->deleted)
		json_field_bool(&w, "deleted", true);
	json_object_end(&w);
	buf_u8(out, '\n');
}

uint32_t store_row_limit(uint32_t limit)
{
	if (limit == 0)
		return STORE_PAGE;
	return limit > STORE_PAGE_MAX ? STORE_PAGE_MAX : limit;
}
