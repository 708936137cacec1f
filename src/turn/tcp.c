/* TCP allocations (RFC 6062): the protocol side. A peer's connection waits for a connection of the client, which
 * names it by its id; from then on the wiring joins the two and the protocol has no part in it.
 *
 * The id's upper bits name the worker, so that a client's second connection finds its way when it comes in
 * elsewhere.
 */
#include "turn/internal.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"

#define ID_WORKER_SHIFT 26 /* 6 bits: LOOP_MAX is 64 */

unsigned turn_tcp_worker(uint32_t id)
{
	return id >> ID_WORKER_SHIFT;
}

static struct turn_tcp *tcp_create(struct turn_alloc *a, const struct addr *peer)
{
	struct turn *t = a->turn;
	struct turn_tcp *c = xzalloc(sizeof(*c));

	c->alloc = a;
	c->peer = *peer;
	do
		c->id = t->worker << ID_WORKER_SHIFT |
			((uint32_t)rand_u64() & ((1u << ID_WORKER_SHIFT) - 1));
	while (c->id == 0 || map_find_u64(&t->tcps, c->id));
	map_put_u64(&t->tcps, c->id, c);
	list_append(&a->tcps, &c->link);
	a->tcp_count++;
	return c;
}

void turn_tcp_end(struct turn_tcp *c)
{
	struct turn *t = c->alloc->turn;

	map_del_u64(&t->tcps, c->id);
	list_unlink(&c->link);
	c->alloc->tcp_count--;
	if (c->wire)
		t->ops->tcp_close(t->arg, c);
	free(c);
}

void turn_tcp_end_all(struct turn_alloc *a, int family)
{
	list_each_safe (n, &a->tcps) {
		struct turn_tcp *c = list_entry(n, struct turn_tcp, link);
		if (c->peer.family == family)
			turn_tcp_end(c);
	}
}

static struct turn_tcp *tcp_to(const struct turn_alloc *a, const struct addr *peer)
{
	list_each (n, &a->tcps) {
		struct turn_tcp *c = list_entry(n, struct turn_tcp, link);
		if (addr_eq(&c->peer, peer))
			return c;
	}
	return NULL;
}

static bool has_room(const struct turn_alloc *a)
{
	return a->tcp_count < a->turn->settings->max_peers;
}

/* --- Connect (RFC 6062, 5.2): answered when the peer has --- */

static unsigned judge_connect(const struct turn_request *r, struct addr *peer)
{
	const struct turn_alloc *a = r->alloc;
	const struct stun_attr *to = stun_find(r->m, STUN_XOR_PEER_ADDRESS);

	if (a->protocol != TURN_PROTOCOL_TCP)
		return 437;
	if (!to || stun_get_xor_addr(r->m, to, peer) < 0 || peer->port == 0)
		return 400;
	unsigned code = turn_peer_judge(r, peer);
	/* There is no short way for streams: to our own address only where the settings allow it. */
	if (code == 0 && !turn_policy_permits(&r->turn->settings->policy, peer))
		code = 403;
	if (code == 0 && tcp_to(a, peer))
		code = 446;
	return code == 0 && !has_room(a) ? 508 : code;
}

void turn_on_connect(struct turn_request *r)
{
	struct turn *t = r->turn;
	struct addr peer;
	unsigned code = judge_connect(r, &peer);

	if (code > 0) {
		turn_reply_error(r, code);
		return;
	}
	struct turn_tcp *c = tcp_create(r->alloc, &peer);
	memcpy(c->tid, r->m->tid.p, STUN_TID);
	c->proof = r->proof;
	c->fingerprint = r->m->fingerprint;
	c->state = TURN_TCP_CONNECTING;
	if (t->ops->tcp_connect(t->arg, c, &r->alloc->relay[turn_row(peer.family)]) < 0) {
		turn_tcp_end(c);
		turn_reply_error(r, 447);
	}
}

/* The request as it was, as far as an answer needs it. */
static void answer_later(struct turn_tcp *c, unsigned code)
{
	struct turn_alloc *a = c->alloc;
	const struct stun_msg m = { .method = STUN_CONNECT,
				    .fingerprint = c->fingerprint,
				    .tid = { c->tid, STUN_TID } };
	struct turn_request r = { .turn = a->turn,
				  .path = &a->path,
				  .m = &m,
				  .alloc = a,
				  .proof = c->proof,
				  .user.key = a->key };

	if (code > 0) {
		turn_reply_error(&r, code);
		return;
	}
	turn_reply_begin(&r, STUN_SUCCESS);
	stun_put_u32(&a->turn->out, STUN_CONNECTION_ID, c->id);
	turn_reply_end(&r);
}

void turn_tcp_connected(struct turn_tcp *c, int err)
{
	if (err < 0) {
		answer_later(c, 447);
		turn_tcp_end(c);
		return;
	}
	c->state = TURN_TCP_WAITING;
	answer_later(c, 0);
}

/* --- a peer connects to the relay address --- */

struct turn_tcp *turn_tcp_accepted(struct turn_relay *relay, const struct addr *peer,
				   struct turn_now now)
{
	struct turn_alloc *a = relay->alloc;
	struct turn *t = a->turn;
	uint16_t unused;

	if (!turn_peer_permitted(a, peer, now.mono, &unused) || !has_room(a)) {
		metric_add(METRIC_TURN_DROPPED, 1);
		return NULL;
	}
	struct turn_tcp *c = tcp_create(a, peer);
	uint8_t tid[STUN_TID];
	rand_bytes(tid, sizeof(tid));
	c->state = TURN_TCP_WAITING;
	stun_begin(&t->out, STUN_CONNECTION_ATTEMPT, STUN_INDICATION,
		   slice_of(tid, sizeof(tid)));
	stun_put_u32(&t->out, STUN_CONNECTION_ID, c->id);
	stun_put_xor_addr(&t->out, STUN_XOR_PEER_ADDRESS, peer);
	turn_send_out(t, &a->path);
	return c;
}

/* --- ConnectionBind (RFC 6062, 5.4): on a connection of its own --- */

void turn_on_connection_bind(struct turn_request *r)
{
	struct turn *t = r->turn;
	uint32_t id;
	struct turn_tcp *c = NULL;

	if (!turn_is_stream(r->path) || r->alloc ||
	    stun_get_u32(r->m, STUN_CONNECTION_ID, &id) < 0 ||
	    !(c = map_find_u64(&t->tcps, id)) || c->state != TURN_TCP_WAITING) {
		turn_reply_error(r, 400);
		return;
	}
	if (!slice_eq(c->alloc->user, r->user_name)) {
		turn_reply_error(r, 441);
		return;
	}
	c->state = TURN_TCP_BOUND;
	turn_reply_begin(r, STUN_SUCCESS);
	turn_reply_end(r);
	t->ops->tcp_join(t->arg, c, r->path);
}
