/* Allocations: made, refreshed, ended.
 *
 * They end by a wheel of seconds: an allocation lies in the slot of the second in which it is due, and is
 * looked at once a round. So a thousand refreshes cost a thousand moves of a list node, and no timer.
 */
#include "turn/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

/* Where others hold two of three ports that are free to us, one request in 10^11 finds none. */
#define PORT_TRIES 64

/* --- by path --- */

uint64_t turn_path_hash(const struct turn *t, const struct turn_path *path)
{
	uint8_t text[sizeof(path->remote.ip) + sizeof(path->local.ip) +
		     sizeof(path->link) + 2];
	uint8_t *p = text;

	memcpy(p, path->remote.ip, sizeof(path->remote.ip));
	p += sizeof(path->remote.ip);
	memcpy(p, path->local.ip, sizeof(path->local.ip));
	p += sizeof(path->local.ip);
	memcpy(p, &path->link, sizeof(path->link));
	p += sizeof(path->link);
	memcpy(p, &path->remote.port, 2);
	return hash_keyed(slice_of(text, sizeof(text)), t->settings->nonce_key);
}

bool turn_same_path(const struct turn_path *a, const struct turn_path *b)
{
	return a->link == b->link && a->via == b->via &&
	       addr_eq(&a->remote, &b->remote) && addr_eq(&a->local, &b->local);
}

struct turn_alloc *turn_alloc_find(struct turn *t, const struct turn_path *path)
{
	if (t->last && turn_same_path(&t->last->path, path))
		return t->last;
	uint64_t hash = turn_path_hash(t, path);
	struct turn_alloc *a = map_find_u64(&t->allocs, hash);
	if (!a && t->coming.count > 0)
		a = map_find_u64(&t->coming, hash);
	if (!a || !(turn_same_path(&a->path, path) || turn_move_is_next(a, path)))
		return NULL;
	t->last = a;
	return a;
}

/* --- the end --- */

/* With all that goes through it. */
static void relay_close(struct turn_alloc *a, unsigned row)
{
	struct turn *t = a->turn;
	struct turn_relay *r = &a->relay[row];

	if (!r->socket)
		return;
	turn_tcp_end_all(a, r->told.family);
	turn_peer_forget(a, r->told.family);
	t->ops->relay_close(t->arg, r);
	r->socket = NULL;
	map_del_u64(&t->relays[row], r->told.port);
	turn_ledger_release(t->settings->ledger, r->told.family, r->told.port);
}

static bool has_relay(const struct turn_alloc *a)
{
	return a->relay[0].socket || a->relay[1].socket;
}

static void session_remove(struct turn_alloc *a)
{
	struct turn *t = a->turn;

	if (!a->session)
		return;
	if (list_empty(&a->same_session))
		map_del_u64(&t->sessions, a->session);
	else if (map_find_u64(&t->sessions, a->session) == a)
		map_put_u64(&t->sessions, a->session,
			    list_entry(a->same_session.next, struct turn_alloc,
				       same_session));
	list_unlink(&a->same_session);
}

/* The first of a session is in the map, the others in a ring with it. */
static void session_add(struct turn_alloc *a)
{
	struct turn *t = a->turn;

	if (!a->session)
		return;
	struct turn_alloc *first = map_find_u64(&t->sessions, a->session);
	if (first)
		list_append(&first->same_session, &a->same_session);
	else
		map_put_u64(&t->sessions, a->session, a);
}

void turn_alloc_end(struct turn_alloc *a, const char *why)
{
	struct turn *t = a->turn;
	struct addr_text from;

	log_debug("turn", "ended", "client=%s why=%s", addr_text(&a->path.remote, &from),
		  why);
	(void)why;
	relay_close(a, 0);
	relay_close(a, 1);
	turn_ledger_leave(t->settings->ledger, a->user,
			  a->move ? &a->move->counted : &a->path.remote);
	turn_move_end(a);
	session_remove(a);
	list_unlink(&a->wheel);
	map_del_u64(&t->allocs, a->hash);
	if (t->last == a)
		t->last = NULL;
	if (a->peers != a->inside)
		free(a->peers);
	free((void *)a->user.p);
	free(a);
	metric_add(METRIC_TURN_ALLOCATIONS, -1);
}

/* --- its time --- */

ms_t turn_alloc_due(const struct turn_alloc *a)
{
	ms_t at = a->credential_until > 0 ? a->credential_until : INT64_MAX;

	for (unsigned row = 0; row < 2; row++)
		if (a->relay[row].socket && a->relay[row].until < at)
			at = a->relay[row].until;
	return at;
}

void turn_alloc_schedule(struct turn_alloc *a)
{
	list_unlink(&a->wheel);
	/* In the second after it, so that it is due when its slot is looked at. */
	list_append(&a->turn->wheel[(turn_alloc_due(a) / 1000 + 1) % TURN_WHEEL],
		    &a->wheel);
}

void turn_alloc_tick(struct turn_alloc *a, ms_t now)
{
	bool outlived = a->credential_until > 0 && a->credential_until <= now;

	for (unsigned row = 0; row < 2; row++)
		if (a->relay[row].until <= now)
			relay_close(a, row);
	if (outlived || !has_relay(a))
		turn_alloc_end(a, outlived ? "credential" : "expired");
	else
		turn_alloc_schedule(a);
}

/* RFC 8656, 7.2: at least the default, at most our maximum. Seconds. */
static uint32_t lifetime_for(const struct turn_request *r, const struct turn_alloc *a)
{
	const struct turn_settings *s = r->turn->settings;
	uint32_t seconds;
	ms_t life = s->lifetime;

	if (stun_get_u32(r->m, STUN_LIFETIME, &seconds) == 0 &&
	    (ms_t)seconds * 1000 > life)
		life = (ms_t)seconds * 1000;
	if (life > s->max_lifetime)
		life = s->max_lifetime;
	if (a->credential_until > 0 && life > a->credential_until - r->now.mono)
		life = a->credential_until - r->now.mono;
	return life > 0 ? (uint32_t)((life + 999) / 1000) : 0;
}

/* Of the relay of one family, or of all (0). */
static void set_lifetime(struct turn_alloc *a, int family, ms_t until)
{
	for (unsigned row = 0; row < 2; row++)
		if (family == 0 || turn_row(family) == row)
			a->relay[row].until = until;
	turn_alloc_schedule(a);
}

/* --- relay addresses --- */

static int relay_open_at(struct turn_alloc *a, unsigned row, uint16_t port)
{
	struct turn *t = a->turn;
	const struct turn_settings *s = t->settings;
	struct turn_relay *r = &a->relay[row];
	struct addr at = s->bound[row];

	r->alloc = a;
	r->told = s->told[row];
	r->told.port = at.port = port;
	int err = a->protocol == TURN_PROTOCOL_TCP ? t->ops->relay_listen(t->arg, r, &at)
						   : t->ops->relay_open(t->arg, r, &at);
	if (err < 0) {
		turn_ledger_release(s->ledger, at.family, port);
		return err;
	}
	map_put_u64(&t->relays[row], port, r);
	return 0;
}

/* Others on this machine may use ports of the range: another one is tried then. */
static int relay_open(struct turn_alloc *a, unsigned row, bool even, bool pair)
{
	const struct turn_settings *s = a->turn->settings;
	int family = s->told[row].family, err = -EADDRINUSE;
	uint16_t port;

	for (unsigned i = 0; i < PORT_TRIES && err == -EADDRINUSE; i++) {
		err = turn_ledger_claim(s->ledger, family, even, pair, a->turn->worker,
					&port);
		if (err < 0)
			return err;
		err = relay_open_at(a, row, port);
		if (err < 0 && pair)
			turn_ledger_release(s->ledger, family, (uint16_t)(port + 1));
	}
	return err;
}

/* --- Allocate --- */

/* What a request asks for. */
struct wish {
	bool v4, v6;
	bool both; /* by ADDITIONAL-ADDRESS-FAMILY: IPv6 may fail */
	bool even, pair;
	bool ticket;
	uint8_t protocol;
	struct slice token;
};

/* The code to answer with; 0: all is well. */
static unsigned read_transport(const struct turn_request *r, struct wish *w)
{
	const struct stun_attr *a = stun_find(r->m, STUN_REQUESTED_TRANSPORT);

	if (!a || a->value.n != 4)
		return 400;
	w->protocol = a->value.p[0];
	if (w->protocol != TURN_PROTOCOL_TCP)
		return w->protocol == TURN_PROTOCOL_UDP ? 0 : 442;
	/* RFC 6062, 5.1: over a stream only, and without what is UDP's. */
	bool odd = stun_find(r->m, STUN_EVEN_PORT) ||
		   stun_find(r->m, STUN_DONT_FRAGMENT) ||
		   stun_find(r->m, STUN_RESERVATION_TOKEN);
	return turn_is_stream(r->path) && !odd ? 0 : 400;
}

static unsigned read_even_port(const struct turn_request *r, struct wish *w)
{
	const struct stun_attr *a = stun_find(r->m, STUN_EVEN_PORT);

	if (!a)
		return 0;
	if (a->value.n != 1)
		return 400;
	w->even = true;
	w->pair = a->value.p[0] & 0x80;
	return 0;
}

/* RFC 8656, 7.2, steps 5 to 9. */
static unsigned read_families(const struct turn_request *r, struct wish *w)
{
	const struct stun_attr *one = stun_find(r->m, STUN_REQUESTED_FAMILY);
	const struct stun_attr *more = stun_find(r->m, STUN_ADDITIONAL_FAMILY);
	bool token = stun_find(r->m, STUN_RESERVATION_TOKEN);

	if (token && (one || more || w->even))
		return 400;
	if (one && (more || one->value.n != 4))
		return 400;
	if (more && (w->pair || more->value.n != 4 || more->value.p[0] != STUN_IPV6))
		return 400;
	w->token = stun_value(r->m, STUN_RESERVATION_TOKEN);
	if (token && w->token.n != TURN_TOKEN)
		return 400;
	w->both = more;
	w->v4 = !one || one->value.p[0] == STUN_IPV4;
	w->v6 = w->both || (one && one->value.p[0] == STUN_IPV6);
	return w->v4 || w->v6 ? 0 : 440;
}

/* RFC 8016, 3.1.2. */
static unsigned read_ticket(const struct turn_request *r, struct wish *w)
{
	const struct stun_attr *a = stun_find(r->m, STUN_MOBILITY_TICKET);

	w->ticket = a;
	if (a && a->value.n > 0)
		return 400;
	return a && !r->turn->settings->mobility ? 405 : 0;
}

static unsigned read_wish(const struct turn_request *r, struct wish *w)
{
	const struct turn_settings *s = r->turn->settings;
	uint32_t seconds;
	unsigned code = read_transport(r, w);

	if (code == 0)
		code = read_even_port(r, w);
	if (code == 0)
		code = read_families(r, w);
	if (code == 0)
		code = read_ticket(r, w);
	if (code == 0 && stun_get_u32(r->m, STUN_LIFETIME, &seconds) == E_MALFORMED)
		code = 400;
	if (code > 0 || w->token.n > 0) /* which says its family itself */
		return code;
	if (w->both)
		return s->told[0].family || s->told[1].family ? 0 : 440;
	return s->told[w->v6 ? 1 : 0].family ? 0 : 440;
}

static struct turn_alloc *alloc_create(struct turn_request *r, uint8_t protocol)
{
	struct turn *t = r->turn;
	struct turn_alloc *a = xzalloc(sizeof(*a));

	a->turn = t;
	a->path = *r->path;
	a->hash = turn_path_hash(t, r->path);
	a->peers = a->inside;
	a->peer_cap = TURN_PEERS_INSIDE;
	a->session = r->session;
	a->key = r->user.key;
	a->algorithm = (uint8_t)r->algorithm;
	a->user = slice_of(slice_dup(r->user_name), r->user_name.n);
	if (r->user.until > 0 && !r->session)
		a->credential_until = r->now.mono + (r->user.until - r->now.wall);
	memcpy(a->tid, r->m->tid.p, STUN_TID);
	list_init(&a->wheel);
	list_init(&a->same_session);
	list_init(&a->tcps);
	a->protocol = protocol;
	map_put_u64(&t->allocs, a->hash, a);
	session_add(a);
	metric_add(METRIC_TURN_ALLOCATIONS, 1);
	return a;
}

static int open_reserved(struct turn_alloc *a, const struct wish *w, struct turn_now now)
{
	struct turn *t = a->turn;
	int family;
	uint16_t port;
	int err = turn_ledger_redeem(t->settings->ledger, w->token, t->worker, now.mono,
				     &family, &port);

	return err < 0 ? err : relay_open_at(a, turn_row(family), port);
}

/* Opens what was wished for. With `both` one of them is enough. */
static int open_relays(struct turn_alloc *a, const struct wish *w, struct turn_now now)
{
	const struct turn_settings *s = a->turn->settings;
	int err4 = E_NOT_FOUND, err6 = E_NOT_FOUND;

	if (w->token.n > 0)
		return open_reserved(a, w, now);
	if (w->v4 && s->told[0].family)
		err4 = relay_open(a, 0, w->even, w->pair);
	if (w->v6 && s->told[1].family)
		err6 = relay_open(a, 1, w->even, w->pair);
	if (w->both)
		return err4 == 0 || err6 == 0 ? 0 : err4;
	return w->v4 ? err4 : err6;
}

static void put_relayed(struct turn_request *r, const struct turn_alloc *a, bool both)
{
	struct buf *out = &r->turn->out;

	for (unsigned row = 0; row < 2; row++)
		if (a->relay[row].socket)
			stun_put_xor_addr(out, STUN_XOR_RELAYED_ADDRESS,
					  &a->relay[row].told);
	for (unsigned row = 0; both && row < 2; row++)
		if (!a->relay[row].socket) { /* RFC 8656, 18.12 */
			uint8_t family = row ? STUN_IPV6 : STUN_IPV4;
			unsigned code = r->turn->settings->told[row].family ? 508 : 440;
			stun_put_u32(out, STUN_ADDRESS_ERROR_CODE,
				     (uint32_t)family << 24 | code / 100 << 8 |
					     code % 100);
		}
}

static void reply_allocated(struct turn_request *r, const struct turn_alloc *a, bool both)
{
	struct buf *out = &r->turn->out;

	turn_reply_begin(r, STUN_SUCCESS);
	put_relayed(r, a, both);
	stun_put_xor_addr(out, STUN_XOR_MAPPED_ADDRESS, &r->path->remote);
	ms_t left = a->relay[a->relay[0].socket ? 0 : 1].until - r->now.mono;
	stun_put_u32(out, STUN_LIFETIME, (uint32_t)(left > 0 ? left / 1000 : 0));
	if (a->reserved)
		stun_put(out, STUN_RESERVATION_TOKEN, slice_of(a->token, TURN_TOKEN));
	if (a->move)
		turn_move_put_ticket(a);
	turn_reply_end(r);
}

/* RFC 8656, 7.2, step 2: over UDP a request may come twice. */
static void on_allocated_already(struct turn_request *r)
{
	const struct turn_alloc *a = r->alloc;
	bool again = memcmp(a->tid, r->m->tid.p, STUN_TID) == 0 &&
		     slice_eq(a->user, r->user_name);

	if (again)
		reply_allocated(r, a, stun_find(r->m, STUN_ADDITIONAL_FAMILY));
	else
		turn_reply_error(r, 437);
}

static void on_quota(struct turn_request *r, int err)
{
	struct addr_text from;
	struct log_text user;

	if (err == E_STATE) {
		turn_refuse(r, TURN_REFUSAL_SESSION);
		return;
	}
	log_limited(&r->turn->quota_log, "turn", "quota", "from=%s user=%s",
		    addr_text(&r->path->remote, &from), log_value(&user, r->user_name));
	turn_reply_error(r, 486);
}

static void reply_alternate(struct turn_request *r)
{
	struct turn *t = r->turn;

	turn_reply_begin(r, STUN_ERROR);
	stun_put_error(&t->out, 300, "Try Alternate");
	stun_put_addr(&t->out, STUN_ALTERNATE_SERVER, &t->settings->alternate);
	turn_reply_end(r);
}

static void allocate(struct turn_request *r, const struct wish *w)
{
	struct turn *t = r->turn;
	struct turn_alloc *a = alloc_create(r, w->protocol);
	int err = open_relays(a, w, r->now);

	if (err < 0) {
		log_limited(&t->quota_log, "turn", "no-relay", "err=%s", err_text(err));
		turn_alloc_end(a, "no relay");
		turn_reply_error(r, 508);
		return;
	}
	if (w->pair) {
		const struct addr *told = &a->relay[w->v6 ? 1 : 0].told;
		turn_ledger_reserve(t->settings->ledger, told->family,
				    (uint16_t)(told->port + 1), r->now.mono, a->token);
		a->reserved = true;
	}
	set_lifetime(a, 0, r->now.mono + (ms_t)lifetime_for(r, a) * 1000);
	if (t->allocs.count == 1)
		t->second = r->now.mono / 1000;
	if (w->ticket)
		turn_move_allow(a);
	metric_add(METRIC_TURN_ALLOCATES, 1);
	log_debug("turn", "allocated", "client=%s relay=%s",
		  addr_text(&a->path.remote, &(struct addr_text){ 0 }),
		  addr_text(&a->relay[a->relay[0].socket ? 0 : 1].told,
			    &(struct addr_text){ 0 }));
	reply_allocated(r, a, w->both);
}

void turn_on_allocate(struct turn_request *r)
{
	struct turn *t = r->turn;
	struct wish w = { 0 };

	if (r->alloc) {
		on_allocated_already(r);
		return;
	}
	unsigned code = read_wish(r, &w);
	if (code > 0) {
		turn_reply_error(r, code);
	} else if (t->settings->alternate.family == r->path->remote.family) {
		reply_alternate(r);
	} else if (t->draining) {
		turn_reply_error(r, 508);
	} else {
		int err = turn_ledger_admit(t->settings->ledger, r->user_name,
					    &r->path->remote, r->session, t->worker);
		if (err < 0)
			on_quota(r, err);
		else
			allocate(r, &w);
	}
}

/* --- Refresh --- */

/* RFC 8656, 8.2: which of the allocation's families is meant; without a word all (0). */
static unsigned read_family(const struct turn_request *r, int *family)
{
	const struct stun_attr *a = stun_find(r->m, STUN_REQUESTED_FAMILY);

	*family = 0;
	if (!a)
		return 0;
	if (a->value.n != 4)
		return 400;
	if (a->value.p[0] != STUN_IPV4 && a->value.p[0] != STUN_IPV6)
		return 443;
	*family = a->value.p[0] == STUN_IPV6 ? AF_INET6 : AF_INET;
	return r->alloc->relay[turn_row(*family)].socket ? 0 : 443;
}

static void release(struct turn_alloc *a, int family)
{
	if (family != 0)
		relay_close(a, turn_row(family));
	if (family != 0 && has_relay(a))
		turn_alloc_schedule(a);
	else
		turn_alloc_end(a, "released");
}

void turn_on_refresh(struct turn_request *r)
{
	struct turn_alloc *a = r->alloc;
	uint32_t seconds = 1, life = 0;
	int family;
	unsigned code = read_family(r, &family);

	if (code == 0 && stun_get_u32(r->m, STUN_LIFETIME, &seconds) == E_MALFORMED)
		code = 400;
	if (code == 0 && seconds > 0) {
		life = lifetime_for(r, a);
		code = life > 0 ? turn_move_refresh(r) : 0;
	}
	if (code > 0) {
		turn_reply_error(r, code);
		return;
	}
	turn_reply_begin(r, STUN_SUCCESS);
	stun_put_u32(&r->turn->out, STUN_LIFETIME, life);
	if (life > 0 && a->move && stun_find(r->m, STUN_MOBILITY_TICKET))
		turn_move_put_ticket(a);
	turn_reply_end(r);
	if (life == 0)
		release(a, family);
	else
		set_lifetime(a, family, r->now.mono + (ms_t)life * 1000);
}
