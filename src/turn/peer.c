/* Whom an allocation may talk to: permissions by address, channels by address and port. */
#include "turn/internal.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

/* --- look-up --- */

struct turn_peer *turn_peer_by_channel(struct turn_alloc *a, uint16_t channel, ms_t now)
{
	for (uint32_t i = 0; i < a->peer_count; i++)
		if (a->peers[i].channel == channel && a->peers[i].until > now)
			return &a->peers[i];
	return NULL;
}

static struct turn_peer *channel_of(struct turn_alloc *a, const struct addr *peer,
				    ms_t now)
{
	for (uint32_t i = 0; i < a->peer_count; i++) {
		struct turn_peer *p = &a->peers[i];
		if (p->channel && p->until > now && p->addr.port == peer->port &&
		    addr_same_ip(&p->addr, peer))
			return p;
	}
	return NULL;
}

static struct turn_peer *permission_of(struct turn_alloc *a, const struct addr *peer)
{
	for (uint32_t i = 0; i < a->peer_count; i++)
		if (!a->peers[i].channel && addr_same_ip(&a->peers[i].addr, peer))
			return &a->peers[i];
	return NULL;
}

bool turn_peer_permitted(const struct turn_alloc *a, const struct addr *peer, ms_t now,
			 uint16_t *channel)
{
	bool permitted = false;

	*channel = 0;
	for (uint32_t i = 0; i < a->peer_count; i++) {
		const struct turn_peer *p = &a->peers[i];
		if (p->until <= now || !addr_same_ip(&p->addr, peer))
			continue;
		if (!p->channel)
			permitted = true;
		else if (p->addr.port == peer->port)
			*channel = p->channel;
	}
	return permitted;
}

/* --- change --- */

static void forget_old(struct turn_alloc *a, ms_t now)
{
	for (uint32_t i = 0; i < a->peer_count;)
		if (a->peers[i].until <= now)
			a->peers[i] = a->peers[--a->peer_count];
		else
			i++;
}

void turn_peer_forget(struct turn_alloc *a, int family)
{
	for (uint32_t i = 0; i < a->peer_count;)
		if (a->peers[i].addr.family == family)
			a->peers[i] = a->peers[--a->peer_count];
		else
			i++;
}

/* Room for `n` more; false: over turn.max-peers. */
static bool make_room(struct turn_alloc *a, uint32_t n, ms_t now)
{
	if (a->peer_count + n <= a->peer_cap)
		return true;
	forget_old(a, now);
	if (a->peer_count + n > a->turn->settings->max_peers)
		return false;
	uint32_t cap = a->peer_cap;
	while (cap < a->peer_count + n)
		cap *= 2;
	if (cap == a->peer_cap)
		return true;
	bool inside = a->peers == a->inside;
	a->peers = xrealloc(inside ? NULL : a->peers, size_mul(cap, sizeof(*a->peers)));
	if (inside)
		memcpy(a->peers, a->inside, sizeof(a->inside));
	a->peer_cap = cap;
	return true;
}

static struct turn_peer *add(struct turn_alloc *a, const struct addr *peer,
			     uint16_t channel)
{
	struct turn_peer *p = &a->peers[a->peer_count++];

	*p = (struct turn_peer){ .addr = *peer, .channel = channel };
	if (!channel)
		p->addr.port = 0;
	return p;
}

static void permit(struct turn_alloc *a, const struct addr *peer, ms_t now)
{
	struct turn_peer *p = permission_of(a, peer);

	if (!p)
		p = add(a, peer, 0);
	p->until = now + TURN_PERMISSION_LIFE;
}

/* --- who may be a peer at all --- */

/* Own relay addresses are the way to other clients of this server; their packets never touch a socket. */
static bool is_own_relay(const struct turn *t, const struct addr *peer)
{
	return addr_same_ip(peer, &t->settings->told[turn_row(peer->family)]);
}

unsigned turn_peer_judge(const struct turn_request *r, const struct addr *peer)
{
	const struct turn *t = r->turn;

	if (!r->alloc->relay[turn_row(peer->family)].socket)
		return 443;
	if (is_own_relay(t, peer) || turn_policy_permits(&t->settings->policy, peer))
		return 0;
	return 403;
}

static void log_denied(struct turn_request *r, const struct addr *peer)
{
	struct addr_text from, to;

	log_debug("turn", "peer-denied", "client=%s peer=%s",
		  addr_text(&r->path->remote, &from), addr_text(peer, &to));
}

/* --- CreatePermission (RFC 8656, 10.2): all of them or none --- */

void turn_on_create_permission(struct turn_request *r)
{
	struct addr peer[STUN_MAX_ATTRS];
	unsigned n = 0, code = 0;

	for (unsigned i = 0; i < r->m->count && code == 0; i++) {
		const struct stun_attr *a = &r->m->attr[i];
		if (a->type != STUN_XOR_PEER_ADDRESS)
			continue;
		if (stun_get_xor_addr(r->m, a, &peer[n]) < 0)
			code = 400;
		else
			code = turn_peer_judge(r, &peer[n++]);
	}
	if (code == 403)
		log_denied(r, &peer[n - 1]);
	if (code == 0 && n == 0)
		code = 400;
	if (code == 0 && !make_room(r->alloc, n, r->now.mono))
		code = 508;
	if (code > 0) {
		turn_reply_error(r, code);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		permit(r->alloc, &peer[i], r->now.mono);
	turn_reply_begin(r, STUN_SUCCESS);
	turn_reply_end(r);
}

/* --- ChannelBind (RFC 8656, 12.2) --- */

static unsigned read_channel(const struct turn_request *r, uint16_t *channel,
			     struct addr *peer)
{
	const struct stun_attr *a = stun_find(r->m, STUN_XOR_PEER_ADDRESS);
	uint32_t number;

	if (stun_get_u32(r->m, STUN_CHANNEL_NUMBER, &number) < 0 || !a ||
	    stun_get_xor_addr(r->m, a, peer) < 0)
		return 400;
	*channel = (uint16_t)(number >> 16);
	if (*channel < TURN_CHANNEL_FIRST || *channel > TURN_CHANNEL_LAST ||
	    peer->port == 0)
		return 400;
	return turn_peer_judge(r, peer);
}

void turn_on_channel_bind(struct turn_request *r)
{
	struct turn_alloc *a = r->alloc;
	ms_t now = r->now.mono;
	struct addr peer;
	uint16_t channel = 0;
	unsigned code = read_channel(r, &channel, &peer);

	if (code == 403)
		log_denied(r, &peer);
	struct turn_peer *by_number = turn_peer_by_channel(a, channel, now);
	struct turn_peer *by_addr = code == 0 ? channel_of(a, &peer, now) : NULL;
	if (code == 0 && by_number != by_addr)
		code = 400; /* bound otherwise, one of them or both */
	if (code == 0 && !make_room(a, 2, now))
		code = 508;
	if (code > 0) {
		turn_reply_error(r, code);
		return;
	}
	permit(a, &peer, now);
	by_addr = channel_of(a, &peer, now); /* permit() may have moved it */
	if (!by_addr)
		by_addr = add(a, &peer, channel);
	by_addr->until = now + TURN_CHANNEL_LIFE;
	turn_reply_begin(r, STUN_SUCCESS);
	turn_reply_end(r);
}
