#include "room/ban.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/list.h"
#include "base/mem.h"
#include "bus/ask.h"
#include "bus/mail.h"
#include "room/keep.h"

struct room_bans {
	const struct room_settings *settings;
	struct map by_room;
	struct list by_age; /* oldest first */
	uint32_t count;
};

/* A room that keeps somebody out. */
struct banning {
	struct list bans;
	uint32_t count;
	uint16_t name_len;
	char name[];
};

struct ban {
	struct list in_room, by_age;
	struct banning *room;
	ms_t time, until;
	uint16_t user_len, address_len, name_len;
	char text[]; /* user, address, name */
};

static struct slice banning_name(const struct banning *r)
{
	return slice_of(r->name, r->name_len);
}

static struct room_banned ban_who(const struct ban *b)
{
	const char *address = b->text + b->user_len, *name = address + b->address_len;

	return (struct room_banned){ slice_of(b->text, b->user_len),
				     slice_of(address, b->address_len),
				     slice_of(name, b->name_len) };
}

/* Either is enough. */
static bool ban_is_of(const struct ban *b, struct slice user, struct slice address)
{
	const struct room_banned who = ban_who(b);

	return (user.n > 0 && slice_eq(who.user, user)) ||
	       (address.n > 0 && slice_eq(who.address, address));
}

/* --- the lists --- */

static struct banning *banning_of(struct room_bans *b, struct slice room)
{
	struct banning *r = map_find(&b->by_room, room);

	if (r)
		return r;
	r = xzalloc(sizeof(*r) + room.n + 1);
	list_init(&r->bans);
	r->name_len = (uint16_t)room.n;
	memcpy(r->name, room.p, room.n);
	map_put(&b->by_room, room, r);
	return r;
}

static void ban_free(struct room_bans *b, struct ban *ban)
{
	struct banning *r = ban->room;

	list_unlink(&ban->in_room);
	list_unlink(&ban->by_age);
	free(ban);
	b->count--;
	metric_add(METRIC_BANS, -1);
	if (--r->count > 0)
		return;
	map_del(&b->by_room, banning_name(r));
	free(r);
}

/* After those that are older. */
static struct ban *ban_insert(struct room_bans *b, struct slice room,
			      const struct room_banned *who, ms_t time, ms_t until)
{
	size_t size = who->user.n + who->address.n + who->name.n;
	struct ban *ban = xzalloc(sizeof(*ban) + size + 1);
	struct banning *r = banning_of(b, room);
	struct list *at = &b->by_age, *in = &r->bans;

	ban->room = r;
	ban->time = time;
	ban->until = until;
	ban->user_len = (uint16_t)who->user.n;
	ban->address_len = (uint16_t)who->address.n;
	ban->name_len = (uint16_t)who->name.n;
	if (who->user.n > 0)
		memcpy(ban->text, who->user.p, who->user.n);
	if (who->address.n > 0)
		memcpy(ban->text + who->user.n, who->address.p, who->address.n);
	if (who->name.n > 0)
		memcpy(ban->text + size - who->name.n, who->name.p, who->name.n);
	while (at->prev != &b->by_age &&
	       list_entry(at->prev, struct ban, by_age)->time > time)
		at = at->prev;
	while (in->prev != &r->bans &&
	       list_entry(in->prev, struct ban, in_room)->time > time)
		in = in->prev;
	list_add_before(at, &ban->by_age);
	list_add_before(in, &ban->in_room);
	r->count++;
	b->count++;
	metric_add(METRIC_BANS, 1);
	return ban;
}

static struct ban *ban_same(const struct room_bans *b, struct slice room,
			    const struct room_banned *who)
{
	const struct banning *r = map_find(&b->by_room, room);

	if (!r)
		return NULL;
	list_each (n, &r->bans) {
		struct ban *ban = list_entry(n, struct ban, in_room);
		const struct room_banned is = ban_who(ban);

		if (slice_eq(is.user, who->user) && slice_eq(is.address, who->address))
			return ban;
	}
	return NULL;
}

bool room_is_banned(const struct room_bans *b, struct slice room,
		    const struct room_entry *e, ms_t wall)
{
	const struct banning *r = b->count > 0 ? map_find(&b->by_room, room) : NULL;

	if (!r)
		return false;
	list_each (n, &r->bans) {
		const struct ban *ban = list_entry(n, struct ban, in_room);

		if (ban->until > wall && ban_is_of(ban, e->user, e->address))
			return true;
	}
	return false;
}

static void put_ban(const struct ban *b, struct buf *out)
{
	const struct room_banned who = ban_who(b);

	bus_ban_encode(out,
		       &(struct bus_ban){ who.user, who.address, who.name, b->until });
}

void room_list_bans(const struct room_bans *b, struct slice room, ms_t wall,
		    struct buf *out)
{
	const struct banning *r = map_find(&b->by_room, room);

	if (!r)
		return;
	list_each (n, &r->bans) {
		const struct ban *ban = list_entry(n, struct ban, in_room);

		if (ban->until > wall)
			put_ban(ban, out);
	}
}

void room_tell_bans(struct member *m, uint64_t request, ms_t wall)
{
	const struct banning *r =
		map_find(&m->room->registry->bans->by_room, room_name(m->room));
	struct event e = { .kind = EVENT_BANS, .member = m->id, .request = request };
	struct buf bans = BUF_INIT(BUS_LETTER_MAX);
	unsigned told = 0;

	for (const struct list *at = r ? r->bans.prev : NULL; r && at != &r->bans;
	     at = at->prev) {
		const struct ban *ban = list_entry(at, struct ban, in_room);

		if (ban->until <= wall)
			continue;
		e.partial = told == ROOM_BANS_TOLD;
		if (e.partial)
			break;
		put_ban(ban, &bans);
		told++;
	}
	e.backlog = buf_slice(&bans);
	room_tell(m->room, &e, m, NULL);
	buf_fini(&bans);
}

/* --- in the store: all but what people call it is in the name, which sorts by time --- */

static void note_name(struct buf *name, const struct ban *b)
{
	const struct room_banned who = ban_who(b);

	buf_be64(name, (uint64_t)b->time);
	buf_prefixed(name, banning_name(b->room));
	buf_prefixed(name, who.user);
	buf_prefixed(name, who.address);
}

static struct store_note note_of(const struct ban *b, struct buf *name, ms_t until)
{
	note_name(name, b);
	return (struct store_note){ .kind = STORE_NOTE_BAN,
				    .name = buf_slice(name),
				    .value = ban_who(b).name,
				    .time = b->time,
				    .until = until };
}

#define NAME_BYTES 1024

/* It is over, and goes from the store soon. */
static void ban_drop(struct room_registry *g, struct ban *b)
{
	struct buf name = BUF_INIT(NAME_BYTES);
	const struct store_note n = note_of(b, &name, 0);

	room_keep_soon(g, &n);
	buf_fini(&name);
	ban_free(g->bans, b);
}

static struct ban *oldest(const struct room_bans *b)
{
	return list_entry(b->by_age.next, struct ban, by_age);
}

/* Those that are over go, and the oldest that one more has no room for. */
static void make_way(struct room_registry *g, ms_t wall)
{
	struct room_bans *b = g->bans;

	while (b->count > 0 && oldest(b)->until <= wall)
		ban_free(b, oldest(b)); /* from the store it goes by itself */
	while (b->count > 0 && b->count >= b->settings->max_bans) {
		metric_add(METRIC_BANS_DROPPED, 1);
		ban_drop(g, oldest(b));
	}
}

/* --- commands --- */

static bool may_be_banned(struct slice room, const struct room_banned *who)
{
	return (who->user.n > 0 || who->address.n > 0) && who->user.n <= ROOM_MAX_NAME &&
	       who->address.n <= ROOM_MAX_NAME && who->name.n <= ROOM_MAX_NAME &&
	       room.n > 0 && room.n <= ROOM_MAX_NAME;
}

int room_ban(struct room_registry *g, struct slice room, const struct room_banned *who,
	     struct bus_home home, uint64_t request, ms_t wall)
{
	struct room_bans *b = g->bans;
	struct buf name = BUF_INIT(NAME_BYTES);

	if (!may_be_banned(room, who))
		return E_BAD_FIELD;
	struct ban *before = ban_same(b, room, who);
	if (before)
		ban_drop(g, before);
	make_way(g, wall);
	const struct banning *r = map_find(&b->by_room, room);
	if (r && r->count >= ROOM_MAX_BANS)
		return E_LIMIT;
	const struct ban *ban =
		ban_insert(b, room, who, wall, wall + b->settings->ban_time);
	const struct store_note n = note_of(ban, &name, ban->until);
	int err = room_keep(g, &n, home, room, request);
	buf_fini(&name);
	return err;
}

int room_unban(struct room_registry *g, struct slice room, const struct room_banned *who,
	       struct bus_home home, uint64_t request)
{
	const struct banning *r = map_find(&g->bans->by_room, room);
	struct list over;
	int err = E_NO_MEMBER;

	list_init(&over);
	if (!r)
		return E_NO_MEMBER;
	list_each_safe (n, &r->bans) {
		if (!ban_is_of(list_entry(n, struct ban, in_room), who->user,
			       who->address))
			continue;
		list_unlink(n);
		list_append(&over, n);
	}
	while (!list_empty(&over)) {
		struct ban *ban = list_entry(over.next, struct ban, in_room);
		struct buf name = BUF_INIT(NAME_BYTES);
		const struct store_note n = note_of(ban, &name, 0);
		bool last = over.next == over.prev;

		/* They are kept in order: the last one's answer is that of all. */
		if (last)
			err = room_keep(g, &n, home, room, request);
		else
			room_keep_soon(g, &n);
		buf_fini(&name);
		ban_free(g->bans, ban);
	}
	return err;
}

/* In the order of the name's parts. */
static struct slice read_note(const struct store_note *n, struct room_banned *who)
{
	struct cur in = cur_of_slice(n->name);

	cur_be64(&in); /* as n->time */
	struct slice room = cur_prefixed(&in);
	who->user = cur_prefixed(&in);
	who->address = cur_prefixed(&in);
	who->name = n->value;
	return in.bad || cur_left(&in) > 0 ? SLICE_NONE : room;
}

struct slice room_of_ban(const struct store_note *n)
{
	struct room_banned who;

	return read_note(n, &who);
}

int room_take_ban(struct room_registry *g, const struct store_note *n)
{
	struct room_bans *b = g->bans;
	struct room_banned who;
	struct slice room = read_note(n, &who);

	if (room.n == 0 || !may_be_banned(room, &who))
		return E_MALFORMED;
	if (ban_same(b, room, &who))
		return 0; /* told already, or said anew meanwhile */
	if (b->count >= b->settings->max_bans) {
		if (oldest(b)->time >= n->time)
			return 0;
		ban_free(b, oldest(b));
	}
	ban_insert(b, room, &who, n->time, n->until);
	return 0;
}

/* --- life --- */

struct room_bans *room_bans_create(const struct room_settings *s)
{
	struct room_bans *b = xzalloc(sizeof(*b));

	b->settings = s;
	map_init(&b->by_room);
	list_init(&b->by_age);
	return b;
}

void room_bans_destroy(struct room_bans *b)
{
	while (b->count > 0)
		ban_free(b, oldest(b));
	map_fini(&b->by_room);
	free(b);
}
