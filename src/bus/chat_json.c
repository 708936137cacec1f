#include "bus/chat_json.h"

#include "bus/member_json.h"

const char *bus_leave_name(enum leave_reason reason)
{
	static const char *const names[LEAVE_REASONS] = {
		[LEAVE_LEAVE] = "leave",       [LEAVE_DISCONNECT] = "disconnect",
		[LEAVE_TIMEOUT] = "timeout",   [LEAVE_KICK] = "kick",
		[LEAVE_REPLACED] = "replaced", [LEAVE_SHUTDOWN] = "shutdown",
		[LEAVE_CLOSED] = "closed",
	};

	return names[reason];
}

struct chat_more bus_chat_more(const struct event *e)
{
	struct chat_more m;

	if (bus_chat_decode(&m, e->more) < 0)
		m = (struct chat_more){ 0 };
	return m;
}

/* --- what is said --- */

/* In an event, a backlog and a history alike. */
static void put_message(struct jsonw *w, const struct event *e, const struct chat_more *m)
{
	bus_put_member_id(w, "from", e->member);
	json_field_string(w, "name", e->subject.name);
	if (m->user.n > 0)
		json_field_string(w, "user", m->user);
	if (e->to)
		bus_put_member_id(w, "to", e->to);
	json_field_string(w, "text", e->text);
	json_field_u64(w, "time", (uint64_t)e->time);
	json_field_u64(w, "n", e->n);
	json_field_u64(w, "epoch", m->epoch);
	if (m->of)
		json_field_u64(w, "reply", m->of);
	if (m->key.n > 0)
		json_field_string(w, "key", m->key);
	if (m->file.n > 0)
		json_field_raw(w, "files", m->file);
	if (m->reactions.n > 0)
		json_field_raw(w, "reactions", m->reactions);
	if (m->edited)
		json_field_u64(w, "edited", (uint64_t)m->edited);
	if (m->deleted)
		json_field_bool(w, "deleted", true);
	if (m->replay)
		json_field_bool(w, "replay", true);
}

/* Number `n` is the change's own, `of` the message's. */
static void put_change(struct jsonw *w, const struct event *e, const struct chat_more *m)
{
	bus_put_member_id(w, "from", e->member);
	json_field_u64(w, "n", e->n);
	json_field_u64(w, "of", m->of);
	json_field_u64(w, "time", (uint64_t)e->time);
}

static void put_edit(struct jsonw *w, const struct event *e, const struct chat_more *m)
{
	put_change(w, e, m);
	json_field_string(w, "text", e->text);
}

static void put_reaction(struct jsonw *w, const struct event *e,
			 const struct chat_more *m)
{
	put_change(w, e, m);
	json_field_string(w, "emoji", e->text);
	json_field_string(w, "reader", m->reader);
	json_field_bool(w, "on", m->on);
}

static const struct {
	struct slice name;
	void (*put)(struct jsonw *w, const struct event *e, const struct chat_more *m);
} talk[EVENT_KINDS] = {
	[EVENT_CHAT] = { SLICE_LIT("\"chat\""), put_message },
	[EVENT_EDITED] = { SLICE_LIT("\"edited\""), put_edit },
	[EVENT_DELETED] = { SLICE_LIT("\"deleted\""), put_change },
	[EVENT_REACTED] = { SLICE_LIT("\"reacted\""), put_reaction },
};

struct slice bus_talk_name(enum event_kind kind)
{
	return talk[kind].name;
}

void bus_put_talk(struct jsonw *w, const struct event *e)
{
	const struct chat_more m = bus_chat_more(e);

	talk[e->kind].put(w, e, &m);
}

/* --- who was here --- */

static void put_visit(struct jsonw *w, const struct visit *v)
{
	json_object(w);
	json_field_u64(w, "visit", v->number);
	bus_put_member_id(w, "member", v->member);
	json_field_string(w, "name", v->name);
	if (v->user.n > 0)
		json_field_string(w, "user", v->user);
	json_field_u64(w, "joinedAt", (uint64_t)v->joined_at);
	if (v->left_at) {
		json_field_u64(w, "leftAt", (uint64_t)v->left_at);
		json_field_string(w, "reason", slice_str(bus_leave_name(v->reason)));
	}
	json_object_end(w);
}

void bus_put_visits(struct jsonw *w, struct slice backlog)
{
	struct cur in = cur_of_slice(backlog);
	struct visit v;

	json_array(w);
	while (cur_left(&in) > 0 && bus_visit_decode(&v, &in) == 0)
		put_visit(w, &v);
	json_array_end(w);
}
