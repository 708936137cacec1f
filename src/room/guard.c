#include "room/guard.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/ask.h"
#include "bus/mail.h"
#include "room/ban.h"
#include "room/keep.h"

/* Somebody in the lobby: the join that is carried out once it is admitted. */
struct waiting {
	uint64_t id; /* will be its member's */
	struct bus_home home;
	uint64_t request;
	struct buf join; /* encoded */
};

struct room_guard {
	struct waiting *waiting[ROOM_MAX_WAITING]; /* in the order of coming */
	uint32_t waiting_count;
	bool locked, lobby;
};

static struct room_guard *guard_of(struct room *r)
{
	if (!r->guard)
		r->guard = xzalloc(sizeof(*r->guard));
	return r->guard;
}

bool room_is_locked(const struct room *r)
{
	return r->guard && r->guard->locked;
}

bool room_has_lobby(const struct room *r)
{
	return r->guard && r->guard->lobby;
}

void room_guard_set(struct room *r, bool locked, bool lobby)
{
	guard_of(r)->locked = locked;
	guard_of(r)->lobby = lobby;
}

/* --- the lobby --- */

static void answer_waiting(struct room *r, const struct waiting *w, int err)
{
	const struct event e = { .kind = EVENT_REPLY, .request = w->request, .err = err };

	room_answer(r->registry, w->home, room_name(r), &e);
}

static void waiting_free(struct waiting *w)
{
	buf_fini(&w->join);
	free(w);
}

/* As it would be seen, were it in. */
static int waiting_info(const struct room *r, const struct waiting *w,
			struct command *join, struct member_info *out)
{
	struct cur in = cur_of_slice(buf_slice(&w->join));
	struct room_entry e;
	int err = bus_command_decode(join, &in);

	if (err == 0)
		err = room_entry_of(&e, r->registry, room_name(r), join);
	if (err == 0)
		*out = (struct member_info){ .id = w->id,
					     .role = e.role < ROLES ? e.role
								    : ROLE_SPEAKER,
					     .name = e.name,
					     .user = e.user,
					     .metadata = e.metadata };
	return err;
}

void room_guard_list(const struct room *r, struct buf *out)
{
	const struct room_guard *g = r->guard;
	struct command join;
	struct member_info m;

	for (uint32_t i = 0; g && i < g->waiting_count; i++)
		if (waiting_info(r, g->waiting[i], &join, &m) == 0)
			bus_member_encode(out, &m);
}

static void tell_knock(struct room *r, const struct waiting *w, struct member *to)
{
	struct event e = { .kind = EVENT_KNOCK, .member = w->id };
	struct command join;

	if (waiting_info(r, w, &join, &e.subject) == 0)
		room_tell_one(r, &e, to);
}

void room_guard_brief(struct room *r, struct member *m)
{
	const struct room_guard *g = r->guard;

	for (uint32_t i = 0; g && room_may(m, RIGHT_ADMIN) && i < g->waiting_count; i++)
		tell_knock(r, g->waiting[i], m);
}

static void tell_admins(struct room *r, const struct waiting *w, enum event_kind kind)
{
	struct event over = { .kind = kind, .member = w->id };

	for (uint32_t i = 0; i < r->count; i++) {
		struct member *m = r->members[i];

		if (!room_may(m, RIGHT_ADMIN))
			continue;
		if (kind == EVENT_KNOCK)
			tell_knock(r, w, m);
		else
			room_tell_one(r, &over, m);
	}
}

static int wait_in_lobby(struct room *r, const struct command *c, struct bus_home home,
			 uint64_t request)
{
	struct room_guard *g = r->guard;
	const struct event e = { .kind = EVENT_WAITING, .request = request };

	if (g->waiting_count == ROOM_MAX_WAITING)
		return E_LIMIT;
	struct waiting *w = xzalloc(sizeof(*w));
	w->id = room_new_id(r);
	w->home = home;
	w->request = request;
	buf_init(&w->join, BUS_LETTER_MAX);
	bus_command_encode(&w->join, c);
	g->waiting[g->waiting_count++] = w;
	metric_add(METRIC_WAITING, 1);
	log_info("room", "waits", "room=%s member=%" PRIx64,
		 log_value(&(struct log_text){ 0 }, room_name(r)), w->id);
	room_answer(r->registry, home, room_name(r), &e);
	tell_admins(r, w, EVENT_KNOCK);
	return ROOM_LATER;
}

/* Out of the list; the caller's then. */
static struct waiting *take_waiting(struct room *r, uint32_t at)
{
	struct room_guard *g = r->guard;
	struct waiting *w = g->waiting[at];

	g->waiting_count--;
	memmove(&g->waiting[at], &g->waiting[at + 1],
		(g->waiting_count - at) * sizeof(struct waiting *));
	metric_add(METRIC_WAITING, -1);
	return w;
}

static struct waiting *take_named(struct room *r, uint64_t id)
{
	const struct room_guard *g = r->guard;

	for (uint32_t i = 0; g && i < g->waiting_count; i++)
		if (g->waiting[i]->id == id)
			return take_waiting(r, i);
	return NULL;
}

static void let_in(struct room *r, struct waiting *w, ms_t wall)
{
	struct room_entry e;
	struct command join;
	struct cur in = cur_of_slice(buf_slice(&w->join));
	int err = bus_command_decode(&join, &in);

	tell_admins(r, w, EVENT_UNKNOCK);
	if (err == 0)
		err = room_entry_of(&e, r->registry, room_name(r), &join);
	e.id = w->id;
	if (err == 0)
		err = room_take_in(r, &join, &e, w->home, w->request, wall);
	if (err < 0)
		answer_waiting(r, w, err);
	waiting_free(w);
}

static void turn_away(struct room *r, struct waiting *w, int err)
{
	tell_admins(r, w, EVENT_UNKNOCK);
	answer_waiting(r, w, err);
	waiting_free(w);
}

bool room_withdraw(struct room *r, struct bus_home home)
{
	const struct room_guard *g = r->guard;

	for (uint32_t i = 0; g && i < g->waiting_count; i++) {
		const struct bus_home *at = &g->waiting[i]->home;

		if (at->worker != home.worker || at->session != home.session)
			continue;
		struct waiting *w = take_waiting(r, i);
		tell_admins(r, w, EVENT_UNKNOCK);
		waiting_free(w);
		return true;
	}
	return false;
}

void room_guard_free(struct room *r)
{
	struct room_guard *g = r->guard;

	if (!g)
		return;
	while (g->waiting_count > 0) {
		struct waiting *w = take_waiting(r, g->waiting_count - 1);

		if (!r->registry->closing)
			answer_waiting(r, w, E_DENIED);
		waiting_free(w);
	}
	free(g);
	r->guard = NULL;
}

/* --- bans --- */

/* By whom one is known: the user that one has, or one's address; by both when asked to. */
static int ban_member(struct room *r, const struct member *m, struct member *to,
		      struct bus_home home, uint64_t request, const struct command *c,
		      ms_t wall)
{
	struct room_banned who = { .user = slice_of(to->user, to->user_len),
				   .name = slice_of(to->name, to->name_len) };

	if (to->role == ROLE_OWNER && m && m->role != ROLE_OWNER)
		return E_DENIED;
	if (who.user.n == 0 || c->on)
		who.address = slice_of(to->address, to->address_len);
	int err = room_ban(r->registry, room_name(r), &who, home, request, wall);
	if (err >= 0)
		room_leave(to, LEAVE_KICK, c->text);
	return err;
}

static int on_ban(struct room *r, const struct member *m, struct bus_home home,
		  uint64_t request, const struct command *c, ms_t wall)
{
	const struct room_banned who = { .user = c->user, .address = c->address };
	struct member *to = c->to ? room_member(r, c->to) : NULL;

	if (c->text.n > ROOM_MAX_REASON)
		return E_BAD_FIELD;
	if (to)
		return ban_member(r, m, to, home, request, c, wall);
	return c->to ? E_NO_MEMBER
		     : room_ban(r->registry, room_name(r), &who, home, request, wall);
}

/* --- settings --- */

static void tell_settings(struct room *r, const struct member *m)
{
	struct event e = { .kind = EVENT_SETTINGS,
			   .member = m ? m->id : 0,
			   .locked = r->guard->locked,
			   .lobby = r->guard->lobby };

	room_tell_all(r, &e, NULL);
}

static int on_lock(struct room *r, const struct member *m, struct bus_home home,
		   uint64_t request, const struct command *c)
{
	struct room_guard *g = guard_of(r);

	if (g->locked == c->on)
		return 0;
	g->locked = c->on;
	tell_settings(r, m);
	return room_keep_door(r, home, request);
}

/* Without a lobby nobody waits: who does is let in. */
static int on_lobby(struct room *r, const struct member *m, struct bus_home home,
		    uint64_t request, const struct command *c, ms_t wall)
{
	struct room_guard *g = guard_of(r);

	if (g->lobby == c->on)
		return 0;
	g->lobby = c->on;
	tell_settings(r, m);
	while (!g->lobby && g->waiting_count > 0)
		let_in(r, take_waiting(r, 0), wall);
	return room_keep_door(r, home, request);
}

int room_guard_command(struct room *r, const struct member *m, struct bus_home home,
		       uint64_t request, const struct command *c, ms_t wall)
{
	const struct room_banned who = { .user = c->user, .address = c->address };
	struct waiting *w;

	switch (c->kind) {
	case COMMAND_LOCK:
		return on_lock(r, m, home, request, c);
	case COMMAND_LOBBY:
		return on_lobby(r, m, home, request, c, wall);
	case COMMAND_ADMIT:
	case COMMAND_DENY:
		w = take_named(r, c->to);
		if (!w)
			return E_NO_MEMBER;
		if (c->kind == COMMAND_ADMIT)
			let_in(r, w, wall);
		else
			turn_away(r, w, E_DENIED);
		return 0;
	case COMMAND_BAN:
		return on_ban(r, m, home, request, c, wall);
	case COMMAND_UNBAN:
		return room_unban(r->registry, room_name(r), &who, home, request);
	default:
		return E_UNKNOWN_TYPE;
	}
}

/* --- newcomers --- */

/* Those who look after the room come in whatever is set. */
int room_guard_check(struct room *r, const struct command *c, const struct room_entry *e,
		     struct bus_home home, uint64_t request)
{
	const struct room_guard *g = r->guard;

	if (!g || r->count == 0)
		return 0;
	if (e->role <= ROLE_MODERATOR)
		return 0;
	if (g->locked)
		return E_LOCKED;
	return g->lobby ? wait_in_lobby(r, c, home, request) : 0;
}
