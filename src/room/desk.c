#include "room/desk.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "loop/mail.h"
#include "room/ban.h"
#include "room/guard.h"
#include "room/internal.h"

#define ROOMS_LIMIT 1000 /* of one worker, in one answer */

struct room_desk {
	struct loop *loop;
	struct room_registry *rooms;
	struct auth_gate *gate;
	unsigned workers;
	uint64_t last_ticket;
	struct map waiting; /* of struct asked, by ticket */
};

/* Something that was asked, until all have answered. */
struct asked {
	uint64_t ticket;
	room_desk_fn *fn;
	void *arg;
	unsigned missing;
	unsigned count;
	struct buf letters[]; /* the answers so far, encoded */
};

/* --- answering --- */

static void room_info_of(const struct room *r, struct room_info *out)
{
	*out = (struct room_info){
		.name = room_name(r),
		.members = r->count,
		.capacity = r->capacity,
		.seq = r->seq,
		.made_at = r->made_at,
		.ring = r->ring,
		.locked = room_is_locked(r),
		.lobby = room_has_lobby(r),
	};
}

static int name_order(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

static int compare_rooms(const void *a, const void *b)
{
	const struct room *const *ra = a, *const *rb = b;

	return name_order(room_name(*ra), room_name(*rb));
}

static void answer_rooms(const struct room_registry *g, const struct bus_ask *a,
			 struct buf *out)
{
	uint32_t limit = a->limit < ROOMS_LIMIT ? a->limit : ROOMS_LIMIT;
	struct room **sorted = xmalloc(size_mul(g->by_name.count + 1, sizeof(*sorted)));
	struct room_info info;
	size_t n = 0, at = 0;
	struct room *r;

	while ((r = map_next(&g->by_name, &at)))
		if (name_order(room_name(r), a->after) > 0)
			sorted[n++] = r;
	qsort(sorted, n, sizeof(*sorted), compare_rooms);
	for (size_t i = 0; i < n && i < limit; i++) {
		room_info_of(sorted[i], &info);
		bus_room_encode(out, &info);
	}
	free(sorted);
}

static void answer_room(const struct room *r, struct buf *room, struct buf *members)
{
	struct member_info m;
	struct room_info info;

	room_info_of(r, &info);
	bus_room_encode(room, &info);
	for (uint32_t i = 0; i < r->count; i++) {
		room_member_info(r->members[i], &m);
		bus_member_encode(members, &m);
	}
}

static int answer_speaker(const struct room *r, struct slice number, struct buf *members)
{
	uint64_t id = bus_member_number(number);
	struct member *m = id ? room_member(r, id) : NULL;
	struct member_info info;

	if (!m)
		return E_NO_MEMBER;
	if (!room_may(m, RIGHT_CHAT))
		return E_DENIED;
	room_member_info(m, &info);
	info.user = room_proven_user(m);
	bus_member_encode(members, &info);
	return 0;
}

/* What was in a room outlives it. */
static bool is_recall(enum command_kind kind)
{
	return kind == COMMAND_HISTORY || kind == COMMAND_SEARCH ||
	       kind == COMMAND_WHOWAS;
}

/* Who is not there is banned, and let in again, whether anybody else is there or not. */
static int order_empty(struct room_registry *g, struct bus_home home,
		       const struct bus_ask *a, ms_t wall)
{
	const struct command *c = &a->command;
	const struct room_banned who = { .user = c->user, .address = c->address };

	if (a->kind != ASK_COMMAND)
		return E_NOT_FOUND;
	if (c->kind == COMMAND_CHAT && c->on)
		return room_say_empty(g, a->room, home, a->ticket, c, wall);
	if (c->kind == COMMAND_BAN && !c->to && c->to_name.n == 0)
		return room_ban(g, a->room, &who, home, a->ticket, wall);
	if (c->kind == COMMAND_UNBAN)
		return room_unban(g, a->room, &who, home, a->ticket);
	return E_NOT_FOUND;
}

static void on_ask(void *arg, unsigned from, struct slice body)
{
	struct room_desk *d = arg;
	struct buf rooms = BUF_INIT(BUS_LETTER_MAX), members = BUF_INIT(BUS_LETTER_MAX);
	struct bus_answer back = { 0 };
	struct bus_ask a;

	if (bus_ask_decode(&a, body) < 0) {
		log_error("room", "bad-letter", "kind=ask from=%u", from);
		return;
	}
	struct room *r = a.room.n > 0 ? room_find(d->rooms, a.room) : NULL;

	back.ticket = a.ticket;
	if (a.kind == ASK_ROOMS)
		answer_rooms(d->rooms, &a, &rooms);
	else if (a.kind == ASK_REVOKE)
		back.err = auth_gate_revoke(d->gate, a.what, a.name, loop_wall(d->loop),
					    a.until);
	else if (a.kind == ASK_COMMAND && is_recall(a.command.kind))
		back.err = room_recall(d->rooms, a.room, NULL,
				       (struct bus_home){ .worker = from }, a.ticket,
				       &a.command);
	else if (a.kind == ASK_BANS)
		room_list_bans(d->rooms->bans, a.room, loop_wall(d->loop), &members);
	else if (!r)
		back.err = order_empty(d->rooms, (struct bus_home){ .worker = from }, &a,
				       loop_wall(d->loop));
	else if (a.kind == ASK_ROOM)
		answer_room(r, &rooms, &members);
	else if (a.kind == ASK_SPEAKER)
		back.err = answer_speaker(r, a.name, &members);
	else if (a.kind == ASK_WAITING)
		room_guard_list(r, &members);
	else
		back.err = room_order(r, (struct bus_home){ .worker = from }, a.ticket,
				      &a.command, loop_wall(d->loop));
	back.rooms = buf_slice(&rooms);
	back.members = buf_slice(&members);
	if (back.err != ROOM_LATER)
		bus_send_answer(from, &back);
	buf_fini(&rooms);
	buf_fini(&members);
}

void room_answer_desk(unsigned worker, const struct event *e)
{
	struct buf event = BUF_INIT(BUS_LETTER_MAX);
	struct bus_answer back = { .ticket = e->request, .err = e->err };

	bus_event_encode(&event, e);
	back.event = buf_slice(&event);
	bus_send_answer(worker, &back);
	buf_fini(&event);
}

/* --- asking --- */

static void asked_end(struct asked *q)
{
	struct bus_answer *answers = xmalloc(size_mul(q->count + 1, sizeof(*answers)));
	room_desk_fn *fn = q->fn;
	unsigned n = 0;

	for (unsigned i = 0; i < q->count; i++)
		n += bus_answer_decode(&answers[n], buf_slice(&q->letters[i])) == 0;
	fn(q->arg, answers, n);
	free(answers);
	for (unsigned i = 0; i < q->count; i++)
		buf_fini(&q->letters[i]);
	free(q);
}

static void on_answer(void *arg, unsigned from, struct slice body)
{
	struct room_desk *d = arg;
	struct bus_answer a;

	if (bus_answer_decode(&a, body) < 0) {
		log_error("room", "bad-letter", "kind=answer from=%u", from);
		return;
	}
	struct asked *q = map_find_u64(&d->waiting, a.ticket);

	if (!q)
		return;
	struct buf *letter = &q->letters[q->count++];
	buf_init(letter, BUS_LETTER_MAX);
	buf_put(letter, body);
	if (--q->missing > 0)
		return;
	map_del_u64(&d->waiting, a.ticket);
	asked_end(q);
}

void room_desk_ask(struct room_desk *d, const struct bus_ask *ask, room_desk_fn *fn,
		   void *arg)
{
	unsigned count = ask->room.n > 0 ? 1 : d->workers;
	unsigned first = ask->room.n > 0 ? bus_room_worker(ask->room, d->workers) : 0;
	struct asked *q = xzalloc(sizeof(*q) + count * sizeof(struct buf));
	struct bus_ask letter = *ask;

	loop_assert(d->loop);
	q->ticket = letter.ticket = ++d->last_ticket;
	q->fn = fn;
	q->arg = arg;
	q->missing = count;
	map_put_u64(&d->waiting, q->ticket, q);
	for (unsigned i = 0; i < count; i++)
		bus_send_ask(first + i, &letter);
}

/* --- life --- */

struct room_desk *room_desk_create(struct loop *l, unsigned workers,
				   struct room_registry *rooms, struct auth_gate *gate)
{
	struct room_desk *d = xzalloc(sizeof(*d));

	d->loop = l;
	d->workers = workers;
	d->rooms = rooms;
	d->gate = gate;
	map_init(&d->waiting);
	loop_mail_handler(l, BUS_ASK, on_ask, d);
	loop_mail_handler(l, BUS_ANSWER, on_answer, d);
	return d;
}

void room_desk_destroy(struct room_desk *d)
{
	struct asked *q;
	size_t at = 0;

	if (!d)
		return;
	while ((q = map_next(&d->waiting, &at))) {
		q->fn(q->arg, NULL, 0);
		for (unsigned i = 0; i < q->count; i++)
			buf_fini(&q->letters[i]);
		free(q);
	}
	map_fini(&d->waiting);
	free(d);
}
