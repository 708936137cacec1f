/* turn: the input is what happens to a TURN server: records of a kind, a length and bytes. Raw messages of two
 * clients on two paths each, messages made of the bytes' attributes with a right proof, ChannelData, packets of peers, time. It
 * keeps its promises: answers decode, sockets are opened and closed in pairs, no more allocations than the quota.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "turn/internal.h"
#include "turn/nonce.h"
#include "turn/ticket.h"

#define QUOTA 4
#define PATHS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned opened;
static uint8_t ticket[TURN_TICKET]; /* the last one that was given */

static void on_send(void *arg, const struct turn_path *to, const struct turn_parts *parts)
{
	struct buf b = BUF_INIT(70000);
	struct stun_msg m;

	(void)arg;
	(void)to;
	turn_parts_put(&b, parts);
	assert(!b.bad && b.n >= 4);
	if (b.p[0] >> 6 == 0)
		assert(stun_decode(&m, b.p, b.n) == 0);
	if (b.p[0] >> 6 == 0 && stun_find(&m, STUN_MOBILITY_TICKET))
		memcpy(ticket, stun_value(&m, STUN_MOBILITY_TICKET).p, TURN_TICKET);
	buf_fini(&b);
}

static int on_open(void *arg, struct turn_relay *r, const struct addr *at)
{
	(void)at;
	opened++;
	r->socket = arg;
	return 0;
}

static void on_close(void *arg, struct turn_relay *r)
{
	(void)arg;
	(void)r;
	assert(opened-- > 0);
}

static void on_relay(void *arg, struct turn_relay *r, const struct addr *to,
		     struct slice body, bool whole)
{
	const struct turn_settings *s = arg;

	(void)whole;
	assert(r->alloc->protocol == TURN_PROTOCOL_UDP && body.n <= UINT16_MAX);
	assert(turn_policy_permits(&s->policy, to));
}

static void on_forward(void *arg, unsigned worker, const struct addr *to,
		       const struct addr *from, struct slice body)
{
	(void)arg;
	(void)to;
	(void)from;
	(void)body;
	assert(worker == 1);
}

static int on_connect(void *arg, struct turn_tcp *c, const struct turn_relay *from)
{
	(void)from;
	c->wire = arg;
	return 0;
}

static void on_tcp_close(void *arg, struct turn_tcp *c)
{
	(void)arg;
	(void)c;
}

static void on_join(void *arg, struct turn_tcp *c, const struct turn_path *path)
{
	(void)arg;
	(void)path;
	assert(c->state == TURN_TCP_BOUND);
}

static void on_pass(void *arg, unsigned worker, const struct turn_path *from,
		    struct slice bytes)
{
	(void)arg;
	(void)from;
	(void)bytes;
	assert(worker == 1);
}

static int guests;

static void on_guest(void *arg, const struct turn_path *path, bool stays)
{
	(void)arg;
	assert(path->via == 2);
	guests += stays ? 1 : -1;
	assert(guests >= 0 && guests <= 2 * QUOTA);
}

static const struct turn_ops ops = {
	.send = on_send,
	.relay_open = on_open,
	.relay_close = on_close,
	.relay_send = on_relay,
	.relay_listen = on_open,
	.tcp_connect = on_connect,
	.tcp_close = on_tcp_close,
	.tcp_join = on_join,
	.forward = on_forward,
	.pass_on = on_pass,
	.guest = on_guest,
};

struct world {
	struct turn_settings s;
	struct turn *t;
	struct stun_hmac *h;
	struct turn_path path[PATHS];
	struct turn_now now;
};

static void world_open(struct world *w)
{
	static const struct turn_quotas quotas = { QUOTA, 0, 0 };
	uint16_t port;

	w->s = (struct turn_settings){
		.realm = "r",
		.lifetime = 600000,
		.max_lifetime = 3600000,
		.nonce_lifetime = 3600000,
		.max_peers = 4,
		.mobility = true,
		.nonce_key = { 1, 2 },
		.told = { { .family = AF_INET, .ip = { 198, 51, 100, 1 } },
			  { .family = AF_INET6,
			    .ip = { 0x20, 1, 0x0d, 0xb8, [15] = 1 } } },
	};
	memcpy(w->s.bound, w->s.told, sizeof(w->s.told));
	turn_users_init(&w->s.users);
	assert(turn_users_add(&w->s.users, SLICE("a:b"), SLICE("r")) == 0);
	turn_policy_add_own(&w->s.policy, &w->s.told[0]);
	turn_policy_add_own(&w->s.policy, &w->s.told[1]);
	w->s.refusals = turn_refusals_create();
	w->s.ledger = turn_ledger_create(&quotas, 50000, 50007);
	/* A relay of another worker. */
	assert(turn_ledger_claim(w->s.ledger, AF_INET, false, false, 1, &port) == 0);
	w->now = (struct turn_now){ 1000000, 1800000000000 };
	w->h = stun_hmac_create();
	w->t = turn_create(&w->s, 0, &ops, &w->s);
	for (unsigned i = 0; i < PATHS; i++)
		w->path[i] = (struct turn_path){
			.remote = { .family = AF_INET,
				    .ip = { 203, 0, 113, 9 },
				    .port = 1 },
			.link = w,
			.transport = i & 1 ? TURN_TCP : TURN_UDP,
			.via = i < 2 ? 0 : 2, /* the others are guests of worker 1 */
			.local = { .port = (uint16_t)i,
				   .family = AF_INET,
				   .ip = { (uint8_t)i } },
		};
}

static void world_close(struct world *w)
{
	turn_destroy(w->t);
	assert(opened == 0 && guests == 0);
	turn_ledger_destroy(w->s.ledger);
	turn_refusals_destroy(w->s.refusals);
	turn_users_fini(&w->s.users);
	stun_hmac_destroy(w->h);
}

/* The bytes: method, then attributes as they are; and what a client that knows the password adds. */
static void say_proven(struct world *w, const struct turn_path *from, struct cur c)
{
	struct turn_user user;
	struct turn_nonce nonce;
	struct buf b = BUF_INIT(8192);
	uint8_t tid[STUN_TID] = { 0 };
	unsigned method = cur_u8(&c);

	tid[0] = cur_u8(&c);
	stun_begin(&b, (enum stun_method)method, STUN_REQUEST,
		   slice_of(tid, sizeof(tid)));
	while (cur_left(&c) > 2) {
		unsigned type = cur_u8(&c);
		size_t n = cur_u8(&c) & 31;
		struct slice value = cur_slice(&c, n);
		if (type == (STUN_MOBILITY_TICKET & 0xff) + 0x80 && n == 31)
			value = slice_of(ticket, sizeof(ticket));
		/* A byte for the type: most are small, those above 0x7f of the upper half. */
		stun_put(&b, type < 0x80 ? type : (type & 0x7f) | 0x8000, value);
	}
	turn_nonce_make(&nonce, w->s.nonce_key, &from->remote, w->now.wall,
			TURN_ALGORITHMS);
	assert(turn_user_find(&w->s.users, w->h, SLICE("a"), SLICE("r"), TURN_MD5,
			      &user) == 0);
	stun_put(&b, STUN_USERNAME, SLICE("a"));
	stun_put(&b, STUN_REALM, SLICE("r"));
	stun_put(&b, STUN_NONCE, slice_of(nonce.text, sizeof(nonce.text)));
	stun_put_integrity(w->h, &b, STUN_PROOF_SHA1, slice_of(user.key.p, user.key.n));
	if (!b.bad)
		turn_input(w->t, from, buf_slice(&b), w->now);
	buf_fini(&b);
}

static void peer_packet(struct world *w, struct slice bytes)
{
	struct addr from = { .family = AF_INET, .ip = { 192, 0, 2, 7 }, .port = 9 };
	size_t at = 0;
	struct turn_relay *r = map_next(&w->t->relays[0], &at);

	if (r && r->alloc->protocol == TURN_PROTOCOL_UDP && bytes.n == 2)
		turn_relay_error(w->t, r, &from, bytes.p[0], bytes.p[1], 1400, w->now);
	else if (r && r->alloc->protocol == TURN_PROTOCOL_UDP)
		turn_relay_input(w->t, r, &from, bytes, w->now);
	else if (r)
		(void)turn_tcp_accepted(r, &from, w->now);
}

static void peer_answers(struct world *w, bool well)
{
	size_t at = 0;
	struct turn_tcp *c;

	while ((c = map_next(&w->t->tcps, &at)))
		if (c->state == TURN_TCP_CONNECTING) {
			turn_tcp_connected(c, well ? 0 : E_TIMEOUT);
			return;
		}
}

static void pass(struct world *w, unsigned seconds)
{
	w->now.mono += (ms_t)seconds * 1000;
	w->now.wall += (ms_t)seconds * 1000;
	if (turn_next_timeout(w->t) >= 0)
		turn_tick(w->t, w->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_of(data, size);
	static struct world w;

	world_open(&w);
	while (cur_left(&c) >= 2) {
		unsigned kind = cur_u8(&c);
		size_t n = cur_u8(&c);
		struct slice bytes = cur_slice(&c, n < cur_left(&c) ? n : cur_left(&c));
		const struct turn_path *from = &w.path[kind >> 3 & (PATHS - 1)];

		switch (kind & 7) {
		case 0:
			turn_input(w.t, from, bytes, w.now);
			break;
		case 1:
			peer_packet(&w, bytes);
			break;
		case 2:
			pass(&w, (unsigned)n);
			break;
		case 3:
			turn_path_closed(w.t, from, w.now);
			break;
		case 4:
			peer_answers(&w, n & 1);
			break;
		default:
			say_proven(&w, from, cur_of_slice(bytes));
		}
		assert(turn_count(w.t) <= QUOTA);
	}
	world_close(&w);
	return 0;
}
