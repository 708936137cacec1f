#include "dialect/restore.h"

#include <stdlib.h>

#include "auth/pass.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"

/* A seat, for its room's worker and for its session's. */
struct item {
	struct list link;
	struct bus_home home;
	struct store_seat seat; /* slices into bytes */
	uint8_t bytes[];
};

struct restored {
	struct list members; /* of rooms of this worker */
	struct list seats; /* of sessions of this worker, those of one session together */
};

/* --- reading --- */

struct reading {
	unsigned workers;
	struct restored **out;
	unsigned count;
	/* The session that the last seat was of, and where it will live: with its first room, as before. */
	uint64_t session;
	unsigned worker;
};

static struct slice keep(uint8_t **at, struct slice s)
{
	struct slice copy = slice_of(*at, s.n);

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static struct item *item_make(const struct store_seat *s, struct bus_home home)
{
	const struct member_info *m = &s->member;
	size_t n = s->session.n + s->secret_hash.n + s->admission.n + s->room.n +
		   m->name.n + m->user.n + m->metadata.n;
	struct item *i = xzalloc(sizeof(*i) + n);
	uint8_t *at = i->bytes;

	list_init(&i->link);
	i->home = home;
	i->seat = *s;
	i->seat.session = keep(&at, s->session);
	i->seat.secret_hash = keep(&at, s->secret_hash);
	i->seat.admission = keep(&at, s->admission);
	i->seat.room = keep(&at, s->room);
	i->seat.member.name = keep(&at, m->name);
	i->seat.member.user = keep(&at, m->user);
	i->seat.member.metadata = keep(&at, m->metadata);
	return i;
}

static struct restored *restored_of(struct reading *r, unsigned worker)
{
	struct restored *one = r->out[worker];

	if (!one) {
		one = r->out[worker] = xzalloc(sizeof(*one));
		list_init(&one->members);
		list_init(&one->seats);
	}
	return one;
}

static void on_seat(void *arg, const struct store_seat *s)
{
	struct reading *r = arg;
	uint64_t number = session_number(s->session);
	unsigned worker = bus_room_worker(s->room, r->workers);

	if (number == 0 || s->room.n == 0)
		return;
	if (number != r->session) {
		r->session = number;
		r->worker = worker;
	}
	const struct bus_home home = { r->worker, number };
	list_append(&restored_of(r, worker)->members, &item_make(s, home)->link);
	list_append(&restored_of(r, r->worker)->seats, &item_make(s, home)->link);
	r->count++;
}

void dialect_restore_read(struct store *s, unsigned workers, struct restored **out)
{
	struct reading r = { .workers = workers, .out = out };

	if (store_each_seat(s, on_seat, &r) < 0)
		log_error("dialect", "not-restored", "err=%s", err_text(E_UNAVAILABLE));
	else if (r.count > 0)
		log_info("dialect", "restored", "seats=%u", r.count);
}

static void drop_items(struct list *items)
{
	while (!list_empty(items)) {
		struct item *i = list_entry(items->next, struct item, link);

		list_unlink(&i->link);
		free(i);
	}
}

void dialect_restore_drop(struct restored *r)
{
	if (!r)
		return;
	drop_items(&r->members);
	drop_items(&r->seats);
	free(r);
}

/* --- bringing back --- */

/* A token that has run out meanwhile is shown anew, with a join. One that was revoked is good no more. */
static bool is_void(const struct dialect *d, const struct command *c, ms_t wall)
{
	struct auth_pass p;

	return c->pass.n > 0 &&
	       (auth_pass_decode(&p, c->pass) < 0 || (ms_t)p.expires * 1000 < wall ||
		auth_gate_has_revoked(d->gate, &p));
}

/* Whether such sessions come back at all, as the server is set now. */
static bool may_come_back(const struct dialect *d, const struct recovery_card *c,
			  bool sio)
{
	return sio ? d->settings->sio_recovery && c->table : d->settings->grace > 0;
}

/* It has left, after all. */
static void forget(struct dialect *d, const struct store_seat *seat, ms_t wall)
{
	struct store_query q = {
		.op = STORE_VISIT_END,
		.room = seat->room,
		.viewer = seat->member.id,
		.session = seat->session,
		.reason = LEAVE_DISCONNECT,
		.time = wall,
	};

	store_tell(room_registry_store(d->rooms), &q);
	q.op = STORE_SEAT_END;
	store_tell(room_registry_store(d->rooms), &q);
}

static void restore_member(struct dialect *d, const struct item *i)
{
	const struct store_seat *seat = &i->seat;
	ms_t wall = loop_wall(d->loop);
	struct recovery_card card;
	bool sio = recovery_read_card(&card, d, seat->admission);
	struct command c = {
		.kind = COMMAND_JOIN,
		.name = seat->member.name,
		.user = seat->member.user,
		.metadata = seat->member.metadata,
		.named = sio,
		.fixed = sio,
		.dialect = card.number,
		.offers = card.offers,
		.rank = card.rank,
		.on = sio,
	};

	struct member_info m = seat->member;

	m.away = card.lost;
	admit_restored(card.admission, &c);
	int err = !may_come_back(d, &card, sio) ? E_CANNOT_RESUME
		  : is_void(d, &c, wall)
			  ? E_UNAUTHORIZED
			  : room_restore(d->rooms, seat->room, &m, &c, i->home, wall);
	if (err < 0) {
		log_info("dialect", "not-restored", "session=%.*s err=%s",
			 SLICE_FMT(seat->session), err_text(err));
		forget(d, seat, wall);
	}
}

static void restore_seat(struct dialect *d, const struct item *i)
{
	const struct store_seat *stored = &i->seat;
	struct session *s = session_find(d, i->home.session);
	struct recovery_card card;
	bool sio = recovery_read_card(&card, d, stored->admission);

	if (!may_come_back(d, &card, sio))
		return;
	if (!s)
		s = sio ? recovery_restore(d, stored, &card) : resume_restore(d, stored);
	if (admit_is_revoked(s)) {
		session_end(s, LEAVE_KICK);
		return;
	}
	if (s->seat_count >= d->settings->session_rooms)
		return;
	struct seat *seat =
		session_restore_seat(s, stored->room, stored->member.id,
				     store_boot(d->settings->store) << ROOM_BOOT_SHIFT);
	if (sio && seat)
		recovery_restore_seat(seat, &stored->member, &card);
	else if (sio && !s->seats)
		session_end(s, LEAVE_DISCONNECT);
}

static int by_joining(const void *a, const void *b)
{
	const struct item *const *x = a, *const *y = b;
	ms_t at = (*x)->seat.member.joined_at, other = (*y)->seat.member.joined_at;

	return (at > other) - (at < other);
}

/* In the order of joining: who offers to whom depends on it. */
static void restore_members(struct dialect *d, struct list *items)
{
	struct buf order = BUF_INIT(SIZE_MAX);

	list_each (n, items) {
		const struct item *i = list_entry(n, struct item, link);

		buf_add(&order, &i, sizeof(i));
	}
	if (order.n > 0)
		qsort(order.p, order.n / sizeof(struct item *), sizeof(struct item *),
		      by_joining);
	for (size_t at = 0; at < order.n; at += sizeof(struct item *)) {
		const struct item *i;

		memcpy(&i, order.p + at, sizeof(i));
		restore_member(d, i);
	}
	buf_fini(&order);
}

void dialect_restore(struct dialect *d, struct restored *r)
{
	if (r) {
		restore_members(d, &r->members);
		list_each (n, &r->seats)
			restore_seat(d, list_entry(n, struct item, link));
		dialect_restore_drop(r);
	}
	room_registry_restored(d->rooms);
}
