#include "room/room.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "room/ban.h"
#include "room/guard.h"
#include "room/keep.h"

#define MEMBER_ID_BITS 40

struct room_registry *room_registry_create(const struct room_settings *s,
					   room_event_fn *fn, room_answer_fn *answer,
					   void *arg)
{
	struct room_registry *g = xzalloc(sizeof(*g));

	map_init(&g->by_name);
	map_init(&g->left_over);
	map_init(&g->doors);
	g->bans = room_bans_create(s);
	g->settings = s;
	g->event = fn;
	g->answer = answer;
	g->limits = s->limits ? auth_limits_create(s->limits) : NULL;
	g->event_arg = arg;
	return g;
}

void room_registry_use(struct room_registry *g, struct store_desk *store, uint64_t boot)
{
	g->store = store;
	g->seq_base = boot << ROOM_BOOT_SHIFT;
}

struct store_desk *room_registry_store(const struct room_registry *g)
{
	return g->store;
}

void room_answer(struct room_registry *g, struct bus_home home, struct slice room,
		 const struct event *e)
{
	if (home.session)
		g->answer(g->event_arg, home, room, e);
	else
		room_answer_desk(home.worker, e);
}

static void member_free(struct member *m)
{
	free(m->name);
	free(m->user);
	free(m->metadata);
	free(m->alias);
	free(m->address);
	free(m->hears);
	metric_add(METRIC_MEMBERS, m->ghost ? 0 : -1);
	free(m);
}

static void room_free(struct room *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		member_free(r->members[i]);
	room_guard_free(r);
	map_fini(&r->by_id);
	room_chat_close(r->chat);
	free(r->members);
	free(r->at_worker);
	free(r);
	metric_add(METRIC_ROOMS, -1);
}

void room_registry_destroy(struct room_registry *g)
{
	size_t at = 0;
	struct room *r;

	if (!g)
		return;
	g->closing = true;
	store_desk_destroy(g->store);
	while ((r = map_next(&g->by_name, &at)))
		room_free(r);
	map_fini(&g->by_name);
	map_fini(&g->left_over);
	room_doors_fini(g);
	room_bans_destroy(g->bans);
	auth_limits_destroy(g->limits);
	free(g);
}

struct room *room_find(const struct room_registry *g, struct slice name)
{
	return map_find(&g->by_name, name);
}

/* This machine has no limit, as in HTTP. */
static bool is_over_limit(const struct room_registry *g, struct slice address, ms_t wall)
{
	if (!g->limits || slice_starts(address, SLICE("127.")) ||
	    slice_is(address, "::1"))
		return false;
	return auth_limits_take(g->limits, address, AUTH_ROOMS, wall) > 0;
}

static int room_make(struct room_registry *g, struct slice name, const struct command *c,
		     ms_t wall, struct room **out)
{
	uint32_t most = g->settings->capacity;

	if (g->by_name.count >= g->settings->max_rooms)
		return E_LIMIT;
	if (is_over_limit(g, c->address, wall)) {
		metric_add(METRIC_ROOMS_LIMITED, 1);
		return E_RATE;
	}
	struct room *r = xzalloc_line(sizeof(*r) + name.n + 1);
	r->registry = g;
	r->capacity = c->capacity > 0 && c->capacity < most ? c->capacity : most;
	r->ring = c->ring;
	r->made_at = wall;
	r->name_len = (uint16_t)name.n;
	memcpy(r->name, name.p, name.n);
	map_init(&r->by_id);
	r->seq = g->seq_base;
	map_put(&g->by_name, room_name(r), r);
	r->chat = room_chat_open(r);
	metric_add(METRIC_ROOMS, 1);
	log_info("room", "made", "room=%s capacity=%u ring=%d",
		 log_value(&(struct log_text){ 0 }, name), r->capacity, r->ring);
	room_tell_watch(r, ROOM_STARTED, NULL);
	*out = r;
	return 0;
}

/* After a stop it may be there again, set as it is. */
static void room_end(struct room *r, enum leave_reason reason)
{
	log_info("room", "ended", "room=%s",
		 log_value(&(struct log_text){ 0 }, room_name(r)));
	room_tell_watch(r, ROOM_FINISHED, NULL);
	if (reason != LEAVE_SHUTDOWN)
		room_drop_door(r);
	map_del(&r->registry->by_name, room_name(r));
	room_free(r);
}

/* --- members --- */

struct member *room_member(const struct room *r, uint64_t id)
{
	if (r->count > ROOM_SCAN)
		return map_find_u64(&r->by_id, id);
	for (uint32_t i = 0; i < r->count; i++)
		if (r->members[i]->id == id)
			return r->members[i];
	return NULL;
}

struct member *room_member_at(const struct room *r, struct bus_home home)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (r->members[i]->home.worker == home.worker &&
		    r->members[i]->home.session == home.session)
			return r->members[i];
	return NULL;
}

static void room_index(struct room *r, struct member *m)
{
	if (r->count > ROOM_SCAN + 1)
		map_put_u64(&r->by_id, m->id, m);
	else if (r->count == ROOM_SCAN + 1)
		for (uint32_t i = 0; i < r->count; i++)
			map_put_u64(&r->by_id, r->members[i]->id, r->members[i]);
}

static void room_unindex(struct room *r, struct member *m)
{
	map_del_u64(&r->by_id, m->id);
	if (r->count == ROOM_SCAN) {
		map_fini(&r->by_id);
		map_init(&r->by_id);
	}
}

static void room_count_worker(struct room *r, const struct member *m, int by)
{
	if (!r->at_worker) {
		struct loop *l = loop_current();

		if (!l || m->home.worker == loop_id(l))
			return;
		r->at_worker = xzalloc(LOOP_MAX * sizeof(*r->at_worker));
	}
	assert(m->home.worker < LOOP_MAX);
	r->at_worker[m->home.worker] = (uint16_t)(r->at_worker[m->home.worker] + by);
}

void room_each_remote(const struct room *r, unsigned self, void (*fn)(void *, unsigned),
		      void *arg)
{
	if (!r->at_worker)
		return;
	for (unsigned w = 0; w < LOOP_MAX; w++)
		if (w != self && r->at_worker[w] > 0)
			fn(arg, w);
}

uint64_t room_new_id(const struct room *r)
{
	uint64_t id;

	do
		id = rand_u64() >> (64 - MEMBER_ID_BITS);
	while (id == 0 || room_member(r, id));
	return id;
}

void room_set_text(char **text, uint32_t *len, struct slice s)
{
	free(*text);
	*text = s.n > 0 ? xmemdup(s.p, s.n) : NULL;
	*len = (uint32_t)s.n;
}

/* Without tokens who makes a room is its owner. */
static enum role role_for(const struct room *r, const struct room_entry *e)
{
	if (e->role < ROLES)
		return e->role;
	return r->count == r->hidden ? ROLE_OWNER : ROLE_SPEAKER;
}

/* What newcomers and those restored have in common. */
static struct member *member_make(struct room *r, const struct room_entry *e,
				  struct bus_home home, uint64_t id, ms_t joined_at)
{
	struct member *m = xzalloc_line(sizeof(*m));

	m->room = r;
	m->id = id;
	m->home = home;
	m->joined_at = joined_at;
	m->barred = e->barred;
	m->denied = e->denied;
	m->verified = e->verified;
	m->hidden = e->hidden;
	room_set_text(&m->name, &m->name_len, e->name);
	room_set_text(&m->user, &m->user_len, e->user);
	room_set_text(&m->metadata, &m->metadata_len, e->metadata);
	room_set_text(&m->address, &m->address_len, e->address);
	return m;
}

static void room_insert(struct room *r, struct member *m)
{
	m->order = ++r->joins;
	r->hidden += m->hidden;
	r->named += m->named;
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 2;
		r->members =
			xrealloc(r->members, size_mul(r->cap, sizeof(struct member *)));
	}
	r->members[r->count++] = m;
	room_index(r, m);
	room_count_worker(r, m, 1);
	room_note_visit(m);
	metric_add(METRIC_MEMBERS, m->ghost ? 0 : 1);
}

static struct member *room_add(struct room *r, const struct command *c,
			       const struct room_entry *e, struct bus_home home,
			       ms_t wall)
{
	uint64_t id = e->id ? e->id : room_new_id(r);
	struct member *m = member_make(r, e, home, id, wall);

	m->role = (uint8_t)role_for(r, e);
	m->state = c->state & PRESENCE_ALL & (uint8_t)~e->barred;
	if (!room_may(m, RIGHT_MEDIA))
		m->state &= (uint8_t)~PRESENCE_MEDIA;
	m->offers = c->offers;
	m->rank = c->rank;
	m->dialect = c->dialect;
	m->named = c->named;
	room_insert(r, m);
	room_tell_watch(r, ROOM_MEMBER_JOINED, m);
	return m;
}

void room_member_info(const struct member *m, struct member_info *out)
{
	*out = (struct member_info){
		.id = m->id,
		.role = m->role,
		.state = m->state,
		.joined_at = m->joined_at,
		.offers = m->offers,
		.rank = m->rank,
		.dialect = m->dialect,
		.order = m->order,
		.away = m->away != 0,
		.muted = m->muted,
		.named = m->named,
		.name = slice_of(m->name, m->name_len),
		.user = slice_of(m->user, m->user_len),
		.metadata = slice_of(m->metadata, m->metadata_len),
	};
}

static void room_roster(const struct room *r, const struct member *newcomer,
			struct buf *out)
{
	struct member_info self, info;
	bool later = false; /* those who came after it (for SYNC) */

	room_member_info(newcomer, &self);
	for (uint32_t i = 0; i < r->count; i++) {
		if (r->members[i] == newcomer) {
			later = true;
			continue;
		}
		if (r->members[i]->hidden)
			continue;
		room_member_info(r->members[i], &info);
		info.offer = later ? !bus_newcomer_offers(&self, &info)
				   : bus_newcomer_offers(&info, &self);
		bus_member_encode(out, &info);
	}
}

#define ROSTER_MAX (64u << 20)

static void room_describe(struct room *r, struct member *m, enum event_kind kind,
			  uint64_t request)
{
	struct buf roster = BUF_INIT(ROSTER_MAX), backlog = BUF_INIT(ROSTER_MAX);
	struct buf more = BUF_INIT(256);
	struct event e = { .kind = kind, .member = m->id, .request = request };

	room_roster(r, m, &roster);
	room_ring_put(&r->chat->ring, m->id, 0, 0, UINT32_MAX, &backlog);
	if (r->chat->state == CHAT_AWAKE) {
		bus_chat_encode(&more, &(struct chat_more){ .epoch = r->chat->epoch });
		e.more = buf_slice(&more);
		e.n = r->chat->told;
	}
	room_member_info(m, &e.subject);
	e.roster = buf_slice(&roster);
	e.backlog = buf_slice(&backlog);
	e.capacity = r->capacity;
	e.ring = r->ring;
	e.locked = room_is_locked(r);
	e.lobby = room_has_lobby(r);
	e.seq = r->seq;
	room_tell(r, &e, m, NULL);
	buf_fini(&roster);
	buf_fini(&backlog);
	buf_fini(&more);
}

void room_sync(struct member *m, uint64_t request)
{
	room_describe(m->room, m, EVENT_SYNCED, request);
}

static void room_remove(struct room *r, struct member *m)
{
	uint32_t i = 0;

	while (r->members[i] != m)
		i++;
	r->count--;
	memmove(&r->members[i], &r->members[i + 1],
		(r->count - i) * sizeof(struct member *));
	r->named -= m->named;
	room_forget_voice(m);
	r->hidden -= m->hidden;
	room_unindex(r, m);
	room_count_worker(r, m, -1);
}

/* The member who has been there longest follows the last owner; with tokens they alone say who is one. */
void room_succeed(struct room *r)
{
	struct member *heir = NULL;

	for (uint32_t i = r->count; i-- > 0;) {
		if (r->members[i]->role == ROLE_OWNER)
			return;
		if (!r->members[i]->hidden)
			heir = r->members[i];
	}
	if (!heir || r->registry->settings->tokens)
		return;
	struct event e = { .kind = EVENT_UPDATED,
			   .member = heir->id,
			   .changed = CHANGED_ROLE };

	heir->role = ROLE_OWNER;
	room_note_visit(heir);
	room_member_info(heir, &e.subject);
	room_tell_all(r, &e, NULL);
}

/* Out of the room's lists, and what is to be told of it. */
static void room_take_out(struct member *m, enum leave_reason reason, struct slice text,
			  struct event *e)
{
	*e = (struct event){
		.kind = EVENT_LEFT,
		.member = m->id,
		.reason = reason,
		.text = text,
	};
	room_remove(m->room, m);
	room_tell_watch(m->room, ROOM_MEMBER_LEFT, m);
	room_note_visit_end(m, reason);
	room_member_info(m, &e->subject);
}

/* All of leaving but the end of the room. */
static void room_depart(struct member *m, enum leave_reason reason, struct slice text)
{
	struct room *r = m->room;
	struct event e;

	room_take_out(m, reason, text, &e);
	log_info("room", "left", "room=%s member=%" PRIx64 " reason=%d n=%u",
		 log_value(&(struct log_text){ 0 }, room_name(r)), m->id, (int)reason,
		 r->count);
	/* Else it was its session that said so. Away: it made way for another. */
	if (reason == LEAVE_KICK || reason == LEAVE_REPLACED ||
	    (m->away && reason == LEAVE_TIMEOUT))
		room_tell_one(r, &e, m);
	if (r->count > 0) {
		if (!m->hidden)
			room_tell_all(r, &e, NULL);
		/* When the server stops all go, and may come back as what they were. */
		if (m->role == ROLE_OWNER && reason != LEAVE_SHUTDOWN)
			room_succeed(r);
	}
	member_free(m);
}

void room_leave(struct member *m, enum leave_reason reason, struct slice text)
{
	struct room *r = m->room;

	room_depart(m, reason, text);
	if (r->count == 0)
		room_end(r, reason);
}

/* Nobody hears of the others' going: all go. */
void room_close(struct room *r, enum leave_reason reason, struct slice text)
{
	log_info("room", "closed", "room=%s n=%u",
		 log_value(&(struct log_text){ 0 }, room_name(r)), r->count);
	while (r->count > 0) {
		struct member *m = r->members[r->count - 1];
		struct event e;

		room_take_out(m, reason, text, &e);
		room_tell_one(r, &e, m);
		member_free(m);
	}
	room_end(r, reason);
}

void room_forget(struct room *r, struct bus_home home, enum leave_reason reason)
{
	if (room_withdraw(r, home))
		return;
	for (uint32_t i = 0; i < r->count; i++) {
		struct member *m = r->members[i];

		if (m->home.worker == home.worker && m->home.session == home.session) {
			room_leave(m, reason, SLICE_NONE);
			return;
		}
	}
}

static struct member *room_named(const struct room *r, struct slice name)
{
	for (uint32_t i = 0; i < r->count; i++) {
		struct member *m = r->members[i];

		if (m->named && !m->ghost &&
		    (slice_eq(slice_of(m->user, m->user_len), name) ||
		     slice_eq(slice_of(m->alias, m->alias_len), name)))
			return m;
	}
	return NULL;
}

struct member *room_addressed(const struct room *r, struct slice name)
{
	uint64_t id = bus_member_number(name);
	struct member *m = id ? room_member(r, id) : NULL;

	return m || r->named == 0 || name.n == 0 ? m : room_named(r, name);
}

/* Who is away the longest, of that user or of all. */
static struct member *room_away(const struct room *r, struct slice user)
{
	struct member *first = NULL;

	for (uint32_t i = 0; i < r->count; i++) {
		struct member *m = r->members[i];

		if (m->away && !m->hidden &&
		    (user.n == 0 || slice_eq(slice_of(m->user, m->user_len), user)) &&
		    (!first || m->away < first->away))
			first = m;
	}
	return first;
}

/* Whom the newcomer takes the place of, being the same user. Of another dialect it is somebody else who happens to
 * go by that name. */
static struct member *room_before(const struct room *r, const struct command *c,
				  const struct room_entry *e)
{
	if (e->user.n == 0)
		return NULL;
	if (!c->replaces)
		return room_away(r, e->user);
	struct member *m = room_named(r, e->user);
	return m && m->dialect == c->dialect ? m : NULL;
}

/* The seat that a join will take: an own one again, a free one, or one that nobody sits in. */
static int room_make_way(struct room *r, const struct command *c,
			 const struct room_entry *e)
{
	struct member *before = room_before(r, c, e);

	if (!room_may_be(r, e) || (before && !room_may_replace(e, before)))
		return E_DENIED;
	if (before) {
		room_depart(before, LEAVE_REPLACED, SLICE_NONE);
		return 0;
	}
	uint32_t there = r->count - r->hidden;
	uint32_t most = c->fits > 0 && c->fits < r->capacity ? c->fits : r->capacity;
	if (e->hidden || (there < most && r->count < ROOM_MAX_MEMBERS))
		return 0;
	before = there <= most ? room_away(r, SLICE_NONE) : NULL;
	if (!before)
		return E_ROOM_FULL;
	room_depart(before, LEAVE_TIMEOUT, SLICE_NONE);
	return 0;
}

int room_join(struct room_registry *g, struct slice name, const struct command *c,
	      struct bus_home home, uint64_t request, ms_t wall)
{
	struct room_entry entry;
	int err = room_entry_of(&entry, g, name, c);
	if (err < 0)
		return err;
	if (room_is_banned(g->bans, name, &entry, wall))
		return E_BANNED;
	struct room *r = room_find(g, name);
	if (!r)
		err = room_make(g, name, c, wall, &r);
	if (err == 0)
		err = room_guard_check(r, c, &entry, home, request);
	return err == 0 ? room_take_in(r, c, &entry, home, request, wall) : err;
}

int room_take_in(struct room *r, const struct command *c, const struct room_entry *e,
		 struct bus_home home, uint64_t request, ms_t wall)
{
	int err = room_make_way(r, c, e);
	if (err < 0)
		return err;
	struct member *m = room_add(r, c, e, home, wall);
	if (r->count == 1 && c->lobby && m->role == ROLE_OWNER)
		room_guard_set(r, false, true);
	if (r->count == 1)
		room_keep_door_soon(r);
	room_describe(r, m, EVENT_WELCOME, request);
	if (r->count > 1 && !m->hidden) {
		struct event joined = { .kind = EVENT_JOINED, .member = m->id };

		room_member_info(m, &joined.subject);
		room_tell_all(r, &joined, m);
	}
	log_info("room", "joined", "room=%s member=%" PRIx64 " n=%u",
		 log_value(&(struct log_text){ 0 }, room_name(r)), m->id, r->count);
	room_guard_brief(r, m);
	return 0;
}

int room_restore(struct room_registry *g, struct slice name, const struct member_info *m,
		 const struct command *c, struct bus_home home, ms_t wall)
{
	struct room *r = room_find(g, name);
	struct room_entry e;
	int err = room_entry_of(&e, g, name, c);

	if (err == 0 && room_is_banned(g->bans, name, &e, wall))
		err = E_BANNED;
	if (err == 0 && !r) {
		err = room_make(g, name, c, wall, &r);
		if (err == 0)
			room_open_door(r);
	}
	if (err < 0)
		return err;
	struct member *back = member_make(r, &e, home, m->id, m->joined_at);

	back->role = (uint8_t)m->role;
	back->muted = room_was_muted(r, m->id);
	back->ghost = m->away && !e.hidden;
	back->hidden |= back->ghost;
	back->away = r->seq + 1;
	back->offers = c->offers;
	back->rank = c->rank;
	back->dialect = c->dialect;
	back->named = c->named;
	/* It is told, without being asked for, what the chat has come to. */
	back->replays = c->on;
	back->known = UINT64_MAX;
	room_insert(r, back);
	return 0;
}

struct slice room_name(const struct room *r)
{
	return slice_of(r->name, r->name_len);
}

size_t room_count(const struct room *r)
{
	return r->count;
}

struct room *member_room(const struct member *m)
{
	return m->room;
}

uint64_t member_id(const struct member *m)
{
	return m->id;
}

uint32_t member_order(const struct member *m)
{
	return m->order;
}

struct bus_home member_home(const struct member *m)
{
	return m->home;
}

void *room_user(const struct room *r)
{
	return r->user_data;
}

void room_set_user(struct room *r, void *user)
{
	r->user_data = user;
}

void *member_user(const struct member *m)
{
	return m->user_data;
}

void member_set_user(struct member *m, void *user)
{
	m->user_data = user;
}
