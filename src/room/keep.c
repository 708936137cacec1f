#include "room/keep.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "room/ban.h"
#include "room/guard.h"

/* Of who asked for a change that is being kept. */
struct keeping {
	struct store_ticket ticket;
	struct room_registry *registry;
	struct bus_home home;
	uint64_t request;
	bool answered;
	uint16_t name_len;
	char name[];
};

static void answer(struct keeping *k)
{
	const struct event e = { .kind = EVENT_REPLY, .request = k->request };

	if (!k->answered && !k->registry->closing)
		room_answer(k->registry, k->home, slice_of(k->name, k->name_len), &e);
	k->answered = true;
}

/* It holds all the same. */
static void lost(int err)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_STORE_LOST, 1);
	log_limited(&limit, "room", "not-kept", "err=%s; it holds until a restart",
		    err_text(err));
}

static void on_kept(struct store_ticket *t, const struct store_answer *a)
{
	struct keeping *k = container_of(t, struct keeping, ticket);

	if (a->err < 0)
		lost(a->err);
	answer(k);
	free(k);
}

static void on_overdue(struct store_ticket *t)
{
	answer(container_of(t, struct keeping, ticket));
}

int room_keep(struct room_registry *g, const struct store_note *n, struct bus_home home,
	      struct slice room, uint64_t request)
{
	if (!g->store || request == 0) {
		room_keep_soon(g, n);
		return 0;
	}
	struct keeping *k = xzalloc(sizeof(*k) + room.n + 1);
	k->ticket.done = on_kept;
	k->ticket.overdue = on_overdue;
	k->registry = g;
	k->home = home;
	k->request = request;
	k->name_len = (uint16_t)room.n;
	memcpy(k->name, room.p, room.n);
	if (store_ask(g->store, &(struct store_query){ .op = STORE_KEEP, .note = n },
		      &k->ticket) == 0)
		return ROOM_LATER;
	lost(E_UNAVAILABLE);
	free(k);
	return 0;
}

void room_keep_soon(const struct room_registry *g, const struct store_note *n)
{
	if (g->store)
		store_tell(g->store,
			   &(struct store_query){ .op = STORE_KEEP, .note = n });
}

/* --- how a room is set --- */

/* The note goes with its room, or at the next start if that does not bring the room back. */
#define DOOR_KEPT (INT64_C(3650) * 86400 * 1000)
#define FORM 1 /* of the value; another one is not read */
#define VALUE_BYTES (16u + 8u * ROOM_MAX_MEMBERS)

enum { DOOR_LOCKED = BIT(0), DOOR_LOBBY = BIT(1), DOOR_RING = BIT(2) };

/* Of before the restart, until all are back. */
struct door {
	bool open; /* its room is there again */
	uint32_t capacity;
	uint8_t set;
	uint16_t name_len;
	uint32_t muted_count;
	uint64_t *muted; /* owned: members */
	char name[];
};

static uint8_t set_of(const struct room *r)
{
	return (uint8_t)((room_is_locked(r) ? DOOR_LOCKED : 0) |
			 (room_has_lobby(r) ? DOOR_LOBBY : 0) |
			 (r->ring ? DOOR_RING : 0));
}

int room_keep_door(struct room *r, struct bus_home home, uint64_t request)
{
	struct buf value = BUF_INIT(VALUE_BYTES);
	ms_t now = clock_wall();
	bool was = r->kept;
	int err = 0;

	buf_u8(&value, FORM);
	buf_u8(&value, set_of(r));
	buf_be32(&value, r->capacity);
	r->kept = set_of(r) != 0 || r->capacity != r->registry->settings->capacity;
	for (uint32_t i = 0; i < r->count; i++)
		if (r->members[i]->muted) {
			buf_be64(&value, r->members[i]->id);
			r->kept = true;
		}
	const struct store_note n = { .kind = STORE_NOTE_DOOR,
				      .name = room_name(r),
				      .value = buf_slice(&value),
				      .time = now,
				      .until = r->kept ? now + DOOR_KEPT : 0 };
	if (r->kept || was)
		err = room_keep(r->registry, &n, home, room_name(r), request);
	buf_fini(&value);
	return err;
}

void room_keep_door_soon(struct room *r)
{
	int err = room_keep_door(r, (struct bus_home){ 0 }, 0);

	assert(err == 0);
}

static void drop(const struct room_registry *g, struct slice room)
{
	room_keep_soon(g, &(struct store_note){ .kind = STORE_NOTE_DOOR, .name = room });
}

void room_drop_door(struct room *r)
{
	if (r->kept)
		drop(r->registry, room_name(r));
	r->kept = false;
}

static struct door *door_of(const struct room *r)
{
	const struct map *doors = &r->registry->doors;

	return doors->count > 0 ? map_find(doors, room_name(r)) : NULL;
}

void room_open_door(struct room *r)
{
	struct door *d = door_of(r);

	if (!d)
		return;
	d->open = true;
	if (d->capacity > 0 && d->capacity < r->capacity)
		r->capacity = d->capacity;
	r->ring = d->set & DOOR_RING;
	r->kept = true;
	room_guard_set(r, d->set & DOOR_LOCKED, d->set & DOOR_LOBBY);
}

bool room_was_muted(const struct room *r, uint64_t member)
{
	const struct door *d = door_of(r);

	for (uint32_t i = 0; d && i < d->muted_count; i++)
		if (d->muted[i] == member)
			return true;
	return false;
}

/* The database was not there at the start, so nobody was brought back: what it says of that time is over. */
static int take_late(struct room_registry *g, struct slice name)
{
	struct room *r = room_find(g, name);

	if (!r) {
		drop(g, name);
		return 0;
	}
	r->kept = true;
	room_keep_door_soon(r);
	return 0;
}

static void door_free(struct door *d)
{
	if (d)
		free(d->muted);
	free(d);
}

static struct door *door_make(struct slice name, uint8_t set, struct cur *in)
{
	struct door *d = xzalloc(sizeof(*d) + name.n + 1);

	d->set = set;
	d->capacity = cur_be32(in);
	d->name_len = (uint16_t)name.n;
	memcpy(d->name, name.p, name.n);
	d->muted_count = (uint32_t)(cur_left(in) / sizeof(*d->muted));
	d->muted = xzalloc(size_mul(d->muted_count + 1, sizeof(*d->muted)));
	for (uint32_t i = 0; i < d->muted_count; i++)
		d->muted[i] = cur_be64(in);
	return d;
}

static int take_door(struct room_registry *g, const struct store_note *n)
{
	struct cur in = cur_of_slice(n->value);
	uint8_t form = cur_u8(&in), set = cur_u8(&in);

	if (in.bad || form != FORM || n->name.n == 0 || n->name.n > ROOM_MAX_NAME ||
	    n->value.n > VALUE_BYTES)
		return E_MALFORMED;
	if (g->restored)
		return take_late(g, n->name);
	if (g->doors.count >= g->settings->max_rooms)
		return E_LIMIT;
	struct door *d = door_make(n->name, set, &in);
	if (in.bad || cur_left(&in) > 0) {
		door_free(d);
		return E_MALFORMED;
	}
	door_free(map_put(&g->doors, n->name, d));
	return 0;
}

void room_doors_fini(struct room_registry *g)
{
	size_t at = 0;
	struct door *d;

	while ((d = map_next(&g->doors, &at))) {
		if (!g->closing && !d->open)
			drop(g, slice_of(d->name, d->name_len));
		door_free(d);
	}
	map_fini(&g->doors);
	map_init(&g->doors);
}

void room_registry_restored(struct room_registry *g)
{
	room_doors_fini(g);
	g->restored = true;
}

int room_registry_take(struct room_registry *g, const struct store_note *n)
{
	return n->kind == STORE_NOTE_BAN ? room_take_ban(g, n) : take_door(g, n);
}

struct slice room_of_note(const struct store_note *n)
{
	return n->kind == STORE_NOTE_BAN ? room_of_ban(n) : n->name;
}
