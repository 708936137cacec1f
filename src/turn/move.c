/* Clients that move (RFC 8016). An allocation that was asked for with an empty MOBILITY-TICKET is given a ticket; who shows
 * it in a Refresh, with the password, may go on from another path. Both paths are the allocation's then: packets of
 * peers go to the old one until the client sends data from the new one, or the old one is closed.
 *
 * The allocation stays on its worker. A client that comes in at another one is that worker's guest: the wiring passes
 * what it says on to here, and what it is told back.
 */
#include "turn/internal.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"
#include "turn/ticket.h"

#define WAIT 30000   /* for who lost the connection, a phone between two networks */
#define REPEAT 30000 /* 3.2.2: the ticket before is good for an answer that got lost */

void turn_move_allow(struct turn_alloc *a)
{
	struct map *all = &a->turn->movable;
	struct turn_move *v = xzalloc(sizeof(*v));

	do
		v->number = rand_u64() & TURN_TICKET_NUMBERS;
	while (map_find_u64(all, v->number));
	v->counted = a->path.remote;
	map_put_u64(all, v->number, a);
	a->move = v;
}

void turn_move_put_ticket(const struct turn_alloc *a)
{
	struct turn *t = a->turn;
	const struct turn_ticket k = { a->move->number, a->move->round,
				       (uint8_t)t->worker };
	uint8_t text[TURN_TICKET];

	turn_ticket_write(&k, t->hmac, t->settings->ticket_key, text);
	stun_put(&t->out, STUN_MOBILITY_TICKET, slice_of(text, sizeof(text)));
}

bool turn_move_is_next(const struct turn_alloc *a, const struct turn_path *path)
{
	return a->move && a->move->moving && turn_same_path(&a->move->next, path);
}

static bool has_path(const struct turn_alloc *a, const struct turn_path *path)
{
	return turn_same_path(&a->path, path) || turn_move_is_next(a, path);
}

/* --- who shows a ticket --- */

static bool is_repeated(const struct turn_alloc *a, const struct turn_request *r,
			uint32_t round)
{
	const struct turn_move *v = a->move;

	return v->round == round + 1 && r->now.mono - v->changed < REPEAT &&
	       has_path(a, r->path);
}

static unsigned find_here(struct turn_request *r, const struct turn_ticket *k)
{
	struct turn_alloc *a = map_find_u64(&r->turn->movable, k->number);

	if (!a || (r->alloc && r->alloc != a))
		return 437;
	r->by_ticket = k->round == a->move->round;
	if (!r->by_ticket && !is_repeated(a, r, k->round))
		return 437;
	r->alloc = a;
	return 0;
}

bool turn_move_find(struct turn_request *r)
{
	struct turn *t = r->turn;
	const struct stun_attr *shown = stun_find(r->m, STUN_MOBILITY_TICKET);
	struct turn_ticket k;

	if (!shown || r->m->method != STUN_REFRESH)
		return true;
	if (!t->settings->mobility) {
		r->ticket_code = 405;
	} else if (turn_ticket_read(&k, shown->value, t->hmac, t->settings->ticket_key) <
		   0) {
		r->ticket_code = 400;
	} else if (k.worker == t->worker) {
		r->ticket_code = find_here(r, &k);
	} else if (r->alloc || r->path->via > 0) {
		r->ticket_code = 437;
	} else {
		t->ops->pass_on(t->arg, k.worker, r->path, r->m->raw);
		return false;
	}
	return true;
}

/* --- the way --- */

static void part(struct turn *t, const struct turn_path *path)
{
	if (path->via > 0)
		t->ops->guest(t->arg, path, false);
}

static void forget_next(struct turn_alloc *a)
{
	struct turn_move *v = a->move;

	if (!v->moving)
		return;
	map_del_u64(&a->turn->coming, v->next_hash);
	part(a->turn, &v->next);
	v->moving = false;
}

static unsigned begin(struct turn_alloc *a, const struct turn_path *to)
{
	struct turn *t = a->turn;
	struct turn_move *v = a->move;

	if (a->protocol == TURN_PROTOCOL_TCP && !turn_is_stream(to))
		return 400; /* RFC 6062, 5.1 */
	if (turn_ledger_move(t->settings->ledger, &v->counted, &to->remote) < 0)
		return 486;
	forget_next(a);
	v->counted = to->remote;
	v->next = *to;
	v->next_hash = turn_path_hash(t, to);
	v->moving = true;
	map_put_u64(&t->coming, v->next_hash, a);
	if (to->via > 0)
		t->ops->guest(t->arg, to, true);
	return 0;
}

static void arrive(struct turn_alloc *a)
{
	struct turn *t = a->turn;
	struct turn_move *v = a->move;
	struct addr_text from, to;

	log_debug("turn", "moved", "client=%s to=%s", addr_text(&a->path.remote, &from),
		  addr_text(&v->next.remote, &to));
	map_del_u64(&t->allocs, a->hash);
	map_del_u64(&t->coming, v->next_hash);
	part(t, &a->path);
	a->path = v->next;
	a->hash = v->next_hash;
	v->moving = false;
	map_put_u64(&t->allocs, a->hash, a);
	metric_add(METRIC_TURN_MOVES, 1);
}

unsigned turn_move_refresh(const struct turn_request *r)
{
	struct turn_alloc *a = r->alloc;

	if (!r->by_ticket)
		return 0;
	unsigned code = has_path(a, r->path) ? 0 : begin(a, r->path);
	if (code == 0) {
		a->move->round++;
		a->move->changed = r->now.mono;
	}
	if (code == 0 && a->path.transport == TURN_NOWHERE)
		arrive(a);
	return code;
}

void turn_move_on(struct turn_alloc *a, const struct turn_path *from)
{
	if (turn_move_is_next(a, from))
		arrive(a);
}

/* Nothing is sent to it until it comes back. */
static void lose(struct turn_alloc *a, ms_t now)
{
	struct turn *t = a->turn;

	map_del_u64(&t->allocs, a->hash);
	part(t, &a->path);
	a->path = (struct turn_path){ .remote = a->path.remote,
				      .link = a, /* nobody else's */
				      .transport = TURN_NOWHERE };
	a->hash = turn_path_hash(t, &a->path);
	map_put_u64(&t->allocs, a->hash, a);
	for (unsigned row = 0; row < 2; row++)
		if (a->relay[row].until > now + WAIT)
			a->relay[row].until = now + WAIT;
	turn_alloc_schedule(a);
}

bool turn_move_closed(struct turn_alloc *a, const struct turn_path *path, ms_t now)
{
	if (!a->move)
		return false;
	if (turn_move_is_next(a, path))
		forget_next(a);
	else if (a->move->moving)
		arrive(a);
	else
		lose(a, now);
	return true;
}

void turn_move_end(struct turn_alloc *a)
{
	struct turn *t = a->turn;

	if (!a->move)
		return;
	forget_next(a);
	part(t, &a->path);
	map_del_u64(&t->movable, a->move->number);
	free(a->move);
}
