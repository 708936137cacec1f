#include "room/internal.h"

void room_registry_watch(struct room_registry *g, room_watch_fn *fn, void *arg)
{
	g->watch = fn;
	g->watch_arg = arg;
}

static struct room_change change_of(const struct room *r, enum room_change_kind kind)
{
	return (struct room_change){
		.kind = kind,
		.members = r->count - r->hidden,
		.made_at = r->made_at,
		.room = room_name(r),
	};
}

void room_tell_watch(const struct room *r, enum room_change_kind kind,
		     const struct member *m)
{
	struct room_change c = change_of(r, kind);
	struct member_info info;

	if (!r->registry->watch || (m && m->hidden))
		return;
	if (m) {
		room_member_info(m, &info);
		c.member = &info;
	}
	r->registry->watch(r->registry->watch_arg, &c);
}

void room_tell_watch_message(const struct room *r, const struct event *e)
{
	struct room_change c = change_of(r, ROOM_MESSAGE);
	const struct member *m = room_member(r, e->member);
	struct member_info info = e->subject;
	struct chat_more more;

	if (!r->registry->watch)
		return;
	if (bus_chat_decode(&more, e->more) == 0)
		c.files = more.file;
	if (m)
		room_member_info(m, &info);
	info.id = e->member;
	c.member = e->member ? &info : NULL;
	c.n = e->n;
	c.text = e->text;
	r->registry->watch(r->registry->watch_arg, &c);
}
