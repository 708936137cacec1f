/* The way of the packets. Nothing is allocated and no payload is moved: heads are written beside it.
 *
 * What a client sends to a relay address of this very server takes the short way: from allocation to
 * allocation in memory, on the same worker by a call, else by mail. So such packets never reach a socket, and a
 * client can use our own address as a peer without reaching anything else that listens on it.
 */
#include "turn/internal.h"

#include "base/err.h"

static void drop(void)
{
	metric_add(METRIC_TURN_DROPPED, 1);
}

/* --- down: to the client --- */

#define INDICATION_HEAD 48 /* of a Data indication for an IPv6 peer: 20 + 24 + 4 */

static void send_channel_data(struct turn_alloc *a, uint16_t channel, struct slice body)
{
	struct turn *t = a->turn;
	const uint8_t head[4] = { (uint8_t)(channel >> 8), (uint8_t)channel,
				  (uint8_t)(body.n >> 8), (uint8_t)body.n };
	const struct turn_parts parts = {
		.head = { head, sizeof(head) },
		.body = body,
		/* RFC 8656, 12.5: over streams padded, over UDP not. */
		.pad = turn_is_stream(&a->path) ? (uint8_t)((4 - (body.n & 3)) & 3) : 0,
	};

	t->ops->send(t->arg, &a->path, &parts);
}

/* Nobody answers an indication: its id has to be another one, not a secret one. */
static void next_tid(uint8_t tid[STUN_TID])
{
	static _Thread_local uint64_t serial;

	serial++;
	memset(tid, 0, STUN_TID);
	memcpy(tid, &serial, sizeof(serial));
}

static void send_indication(struct turn_alloc *a, const struct addr *from,
			    struct slice body)
{
	struct turn *t = a->turn;
	uint8_t memory[INDICATION_HEAD], tid[STUN_TID];
	struct buf head = { .p = memory, .cap = sizeof(memory), .max = sizeof(memory) };
	uint8_t pad = (uint8_t)((4 - (body.n & 3)) & 3);

	next_tid(tid);
	stun_begin(&head, STUN_DATA, STUN_INDICATION, slice_of(tid, sizeof(tid)));
	stun_put_xor_addr(&head, STUN_XOR_PEER_ADDRESS, from);
	size_t length = head.n - STUN_HEADER + 4 + body.n + pad;
	buf_be16(&head, STUN_DATA_VALUE);
	buf_be16(&head, (uint16_t)body.n);
	buf_set_be16(&head, 2, (uint16_t)length);
	if (head.bad || length > UINT16_MAX) {
		drop();
		return;
	}
	const struct turn_parts parts = { .head = buf_slice(&head),
					  .body = body,
					  .pad = pad };
	t->ops->send(t->arg, &a->path, &parts);
}

void turn_relay_input(struct turn *t, struct turn_relay *r, const struct addr *from,
		      struct slice body, struct turn_now now)
{
	struct turn_alloc *a = r->alloc;
	uint16_t channel;

	(void)t;
	if (a->protocol != TURN_PROTOCOL_UDP || body.n > UINT16_MAX ||
	    !turn_peer_permitted(a, from, now.mono, &channel)) {
		drop();
		return;
	}
	metric_add(METRIC_TURN_DOWN, 1);
	if (channel)
		send_channel_data(a, channel, body);
	else
		send_indication(a, from, body);
}

/* --- down: what ICMP says (RFC 8656, 11.5) --- */

static bool is_told(const struct addr *peer, uint8_t type)
{
	if (peer->family == AF_INET)
		return type == 3 || type == 11; /* unreachable, time exceeded */
	return type >= 1 && type <= 3;          /* unreachable, too big, time exceeded */
}

/* A client that sends to where nobody is hears of it now and then, not each time. */
static bool has_leave(struct turn_alloc *a, struct turn_now now)
{
	uint32_t second = (uint32_t)(now.mono / 1000);

	if (a->icmp_second != second)
		a->icmps = 0;
	a->icmp_second = second;
	return a->icmps < TURN_ICMP_RATE && ++a->icmps;
}

void turn_relay_error(struct turn *t, struct turn_relay *r, const struct addr *peer,
		      uint8_t type, uint8_t code, uint32_t info, struct turn_now now)
{
	struct turn_alloc *a = r->alloc;
	bool too_big = peer->family == AF_INET ? type == 3 && code == 4 : type == 2;
	uint8_t tid[STUN_TID];
	uint16_t channel;

	if (!is_told(peer, type) || !turn_peer_permitted(a, peer, now.mono, &channel) ||
	    !has_leave(a, now))
		return;
	next_tid(tid);
	stun_begin(&t->out, STUN_DATA, STUN_INDICATION, slice_of(tid, sizeof(tid)));
	stun_put_xor_addr(&t->out, STUN_XOR_PEER_ADDRESS, peer);
	stun_put_icmp(&t->out, type, code, too_big ? info : 0);
	turn_send_out(t, &a->path);
}

void turn_from_relay(struct turn *t, const struct addr *to, const struct addr *from,
		     struct slice body, struct turn_now now)
{
	struct turn_relay *r = map_find_u64(&t->relays[turn_row(to->family)], to->port);

	if (r)
		turn_relay_input(t, r, from, body, now);
	else
		drop();
}

/* --- up: to the peer --- */

static void send_up(struct turn_alloc *a, const struct addr *to, struct slice body,
		    bool whole, struct turn_now now)
{
	struct turn *t = a->turn;
	const struct turn_settings *s = t->settings;
	unsigned row = turn_row(to->family);
	struct turn_relay *r = &a->relay[row];

	if (!r->socket || a->protocol != TURN_PROTOCOL_UDP) {
		drop();
		return;
	}
	if (addr_same_ip(to, &s->told[row])) {
		int worker = turn_ledger_worker(s->ledger, to->family, to->port);
		if (worker >= 0) {
			metric_add(METRIC_TURN_UP, 1);
			if ((unsigned)worker == t->worker)
				turn_from_relay(t, to, &r->told, body, now);
			else
				t->ops->forward(t->arg, (unsigned)worker, to, &r->told,
						body);
			return;
		}
	}
	/* Permissions outlive neither the policy nor this: a channel or a permission for our own address was for
	 * relays only. */
	if (addr_same_ip(to, &s->told[row]) && !turn_policy_permits(&s->policy, to)) {
		drop();
		return;
	}
	metric_add(METRIC_TURN_UP, 1);
	t->ops->relay_send(t->arg, r, to, body, whole);
}

/* Whose data it is. */
static struct turn_alloc *sender(struct turn *t, const struct turn_path *from)
{
	struct turn_alloc *a = turn_alloc_find(t, from);

	if (a && a->move)
		turn_move_on(a, from);
	return a;
}

void turn_on_send(struct turn *t, const struct turn_path *from, const struct stun_msg *m,
		  struct turn_now now)
{
	struct turn_alloc *a = sender(t, from);
	const struct stun_attr *to = stun_find(m, STUN_XOR_PEER_ADDRESS);
	const struct stun_attr *data = stun_find(m, STUN_DATA_VALUE);
	struct addr peer;
	uint16_t channel;

	if (!a || !to || !data || stun_get_xor_addr(m, to, &peer) < 0 ||
	    !turn_peer_permitted(a, &peer, now.mono, &channel)) {
		drop();
		return;
	}
	send_up(a, &peer, data->value, stun_find(m, STUN_DONT_FRAGMENT), now);
}

void turn_on_channel_data(struct turn *t, const struct turn_path *from,
			  struct slice bytes, struct turn_now now)
{
	struct turn_alloc *a = sender(t, from);
	struct cur c = cur_of_slice(bytes);
	uint16_t channel = cur_be16(&c), unused;
	uint16_t length = cur_be16(&c);
	struct slice body = cur_slice(&c, length);
	struct turn_peer *p =
		a && !c.bad ? turn_peer_by_channel(a, channel, now.mono) : NULL;

	/* A channel lives longer than its permission. */
	if (!p || !turn_peer_permitted(a, &p->addr, now.mono, &unused)) {
		drop();
		return;
	}
	send_up(a, &p->addr, body, false, now);
}
