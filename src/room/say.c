/* say: what members say and do in the chat: who may, and what becomes of it. */
#include "base/err.h"
#include "room/internal.h"
#include "store/file.h"

/* Under what a member's reactions and marks are kept. */
struct slice room_reader(const struct member *m, char text[BUS_MEMBER_TEXT])
{
	if (m->user_len > 0)
		return slice_of(m->user, m->user_len);
	bus_member_text(text, m->id);
	return slice_of(text, BUS_MEMBER_TEXT);
}

struct slice room_proven_user(const struct member *m)
{
	return m->verified ? slice_of(m->user, m->user_len) : SLICE_NONE;
}

/* What all entries of `m` (NULL: the server) have. */
static void begin_entry(struct chat_entry *e, const struct member *m,
			struct bus_home home, uint64_t request, enum event_kind kind,
			ms_t wall)
{
	*e = (struct chat_entry){ .home = home, .request = request, .all = !m };
	e->event.kind = kind;
	e->event.time = wall;
	if (!m)
		return;
	e->all = room_may(m, RIGHT_ADMIN);
	e->viewer = e->event.member = m->id;
	e->viewer_user = room_proven_user(m);
	room_member_info(m, &e->event.subject);
	e->event.subject.metadata = SLICE_NONE;
	e->more.user = slice_of(m->user, m->user_len);
}

static bool text_fits(const struct command *c)
{
	return (c->text.n > 0 || c->file.n > 0) && c->text.n <= ROOM_MAX_TEXT &&
	       c->name.n <= ROOM_MAX_NAME && c->key.n <= CHAT_MAX_KEY &&
	       c->file.n <= (size_t)STORE_FILES_MAX * STORE_FILE_ID;
}

static int room_on_chat(struct room *r, const struct member *m, struct chat_entry *e,
			const struct command *c)
{
	const struct member *to = NULL;

	if (!text_fits(c))
		return E_BAD_FIELD;
	if (c->file.n > 0 && !r->registry->store)
		return E_UNAVAILABLE;
	if (c->to || c->to_name.n > 0) {
		to = c->to ? room_member(r, c->to) : room_addressed(r, c->to_name);
		if (!to)
			return E_NO_MEMBER;
		e->event.to = to->id;
		e->more.to_user = slice_of(to->user, to->user_len);
	}
	if (!m) {
		e->event.subject.name = c->name;
		e->more.user = c->user;
	}
	e->event.text = c->text;
	e->event.flavor = c->flavor;
	e->event.raw = c->raw.n <= ROOM_MAX_METADATA ? c->raw : SLICE_NONE;
	e->more.of = c->n;
	e->more.key = c->key;
	e->more.file = c->file;
	return 0;
}

static int room_on_change(const struct room *r, struct chat_entry *e,
			  const struct command *c)
{
	if (c->n == 0 || (r->chat->state == CHAT_AWAKE && c->n > r->chat->n))
		return E_NOT_FOUND;
	e->more.of = c->n;
	e->more.on = c->on;
	if (c->kind == COMMAND_DELETE)
		return 0;
	e->event.text = c->text;
	return c->text.n == 0 || c->text.n > (c->kind == COMMAND_REACT
						      ? CHAT_MAX_REACTION
						      : (size_t)ROOM_MAX_TEXT)
		       ? E_BAD_FIELD
		       : 0;
}

int room_say(struct room *r, const struct member *m, struct bus_home home,
	     uint64_t request, const struct command *c, ms_t wall)
{
	static const enum event_kind kinds[COMMAND_KINDS] = {
		[COMMAND_CHAT] = EVENT_CHAT,
		[COMMAND_EDIT] = EVENT_EDITED,
		[COMMAND_DELETE] = EVENT_DELETED,
		[COMMAND_REACT] = EVENT_REACTED,
	};
	char reader[BUS_MEMBER_TEXT];
	struct chat_entry e;

	if (!room_may(m, RIGHT_CHAT) || (m && room_is_below(m, c)))
		return E_DENIED;
	begin_entry(&e, m, home, request, kinds[c->kind], wall);
	e.more.reader =
		m && c->kind == COMMAND_REACT ? room_reader(m, reader) : SLICE_NONE;
	int err = c->kind == COMMAND_CHAT ? room_on_chat(r, m, &e, c)
					  : room_on_change(r, &e, c);
	if (err < 0)
		return err;
	room_chat_enter(r->chat, &e);
	return ROOM_LATER;
}

int room_say_empty(struct room_registry *g, struct slice name, struct bus_home home,
		   uint64_t request, const struct command *c, ms_t wall)
{
	struct chat_entry e;

	if (name.n == 0 || name.n > ROOM_MAX_NAME || !text_fits(c))
		return E_BAD_FIELD;
	begin_entry(&e, NULL, home, request, EVENT_CHAT, wall);
	e.event.subject.name = c->name;
	e.event.text = c->text;
	e.more.user = c->user;
	e.more.key = c->key;
	room_chat_enter_empty(g, name, &e, wall);
	return ROOM_LATER;
}

/* --- what is not kept, or only as a mark --- */

static void tell_more(struct member *m, struct event *e, struct chat_more more,
		      struct member *to)
{
	struct buf b = BUF_INIT(256);

	bus_chat_encode(&b, &more);
	e->more = buf_slice(&b);
	if (to)
		room_tell_one(m->room, e, to);
	else
		room_tell_all(m->room, e, m);
	buf_fini(&b);
}

int room_on_typing(struct member *m, const struct command *c)
{
	struct event e = { .kind = EVENT_TYPING, .member = m->id, .to = c->to };
	struct member *to = c->to ? room_member(m->room, c->to) : NULL;

	if (!room_may(m, RIGHT_CHAT))
		return E_DENIED;
	if (c->to && !to)
		return E_NO_MEMBER;
	tell_more(m, &e, (struct chat_more){ .on = c->on }, to);
	return 0;
}

int room_on_read(struct member *m, const struct command *c)
{
	struct event e = { .kind = EVENT_READ, .member = m->id, .n = c->n };
	struct room *r = m->room;
	char reader[BUS_MEMBER_TEXT];

	if (c->n == 0 || (r->chat->state == CHAT_AWAKE && c->n > r->chat->n))
		return E_NOT_FOUND;
	if (c->n <= m->read)
		return 0;
	m->read = c->n;
	room_tell_all(r, &e, m);
	if (r->registry->store)
		store_tell(r->registry->store, &(struct store_query){
						       .op = STORE_READ,
						       .room = room_name(r),
						       .reader = room_reader(m, reader),
						       .n = c->n,
					       });
	return 0;
}
