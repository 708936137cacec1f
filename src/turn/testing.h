/* testing: for tests: a TURN server without sockets, and a client that speaks to it and reads its answers. */
#pragma once
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "turn/internal.h"

#define START 1800000000000 /* wall clock of the tests */

/* What came out last, and how much of it. */
struct bench {
	struct turn_settings settings;
	struct turn *turn;
	struct turn_now now;
	struct stun_hmac *hmac;
	/* to clients */
	uint8_t sent[70000];
	size_t sent_n;
	unsigned sends;
	struct turn_path sent_to;
	struct stun_msg answer; /* decoded, when it is one */
	unsigned code;          /* of an error; 0: success */
	/* to peers */
	unsigned relayed;
	struct addr relayed_to;
	uint8_t relayed_bytes[70000];
	size_t relayed_n;
	unsigned opened;
	int open_error; /* for the next relay_open() */
	unsigned busy;  /* so many calls before that find the port in use */
	unsigned forwards, forwarded_to;
	struct turn_tcp *tcp; /* of the last tcp_connect() */
	struct turn_path joined;
	unsigned passed, passed_to; /* messages for other workers */
	int guests;
};

static inline void bench_send(void *arg, const struct turn_path *to,
			      const struct turn_parts *parts)
{
	struct bench *b = arg;
	struct buf out = { .p = b->sent, .cap = sizeof(b->sent), .max = sizeof(b->sent) };

	turn_parts_put(&out, parts);
	assert_false(out.bad);
	b->sent_n = out.n;
	b->sent_to = *to;
	b->sends++;
}

static inline int bench_relay_open(void *arg, struct turn_relay *r, const struct addr *at)
{
	struct bench *b = arg;
	int err = b->open_error;

	assert_true(at->port != 0);
	if (b->busy > 0) {
		b->busy--;
		return -EADDRINUSE;
	}
	b->open_error = 0;
	if (err < 0)
		return err;
	b->opened++;
	r->socket = b;
	return 0;
}

static inline void bench_relay_close(void *arg, struct turn_relay *r)
{
	struct bench *b = arg;

	assert_ptr_equal(r->socket, b);
	b->opened--;
}

static inline void bench_relay_send(void *arg, struct turn_relay *r,
				    const struct addr *to, struct slice body, bool whole)
{
	struct bench *b = arg;

	(void)r;
	(void)whole;
	b->relayed++;
	b->relayed_to = *to;
	b->relayed_n = body.n;
	memcpy(b->relayed_bytes, body.p, body.n);
}

static inline int bench_tcp_connect(void *arg, struct turn_tcp *c,
				    const struct turn_relay *from)
{
	struct bench *b = arg;

	(void)from;
	b->tcp = c;
	c->wire = b;
	return 0;
}

static inline void bench_tcp_close(void *arg, struct turn_tcp *c)
{
	struct bench *b = arg;

	(void)c;
	b->tcp = NULL;
}

static inline void bench_tcp_join(void *arg, struct turn_tcp *c,
				  const struct turn_path *path)
{
	struct bench *b = arg;

	(void)c;
	b->joined = *path;
}

static inline void bench_forward(void *arg, unsigned worker, const struct addr *to,
				 const struct addr *from, struct slice body)
{
	struct bench *b = arg;

	(void)to;
	(void)from;
	(void)body;
	b->forwards++;
	b->forwarded_to = worker;
}

static inline void bench_pass_on(void *arg, unsigned worker, const struct turn_path *from,
				 struct slice bytes)
{
	struct bench *b = arg;

	(void)from;
	(void)bytes;
	b->passed++;
	b->passed_to = worker;
}

static inline void bench_guest(void *arg, const struct turn_path *path, bool stays)
{
	struct bench *b = arg;

	assert_true(path->via > 0);
	b->guests += stays ? 1 : -1;
}

static const struct turn_ops bench_ops = {
	.send = bench_send,
	.relay_open = bench_relay_open,
	.relay_close = bench_relay_close,
	.relay_send = bench_relay_send,
	.relay_listen = bench_relay_open,
	.tcp_connect = bench_tcp_connect,
	.tcp_close = bench_tcp_close,
	.tcp_join = bench_tcp_join,
	.forward = bench_forward,
	.pass_on = bench_pass_on,
	.guest = bench_guest,
};

/* "s<number>" is a session. */
static inline uint64_t bench_session_of(struct slice user)
{
	uint32_t number;

	if (user.n < 2 || user.p[0] != 's' ||
	    slice_to_u32(slice_from(user, 1), &number) < 0)
		return 0;
	return number;
}

static inline struct addr addr_at(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, slice_str(text)), 0);
	return a;
}

static inline struct bench *bench_open(void)
{
	static const struct turn_quotas quotas = { 20, 10, 15 };
	struct bench *b = xzalloc(sizeof(*b));
	struct turn_settings *s = &b->settings;

	turn_users_init(&s->users);
	*s = (struct turn_settings){
		.realm = "example.org",
		.users = s->users,
		.lifetime = 600000,
		.max_lifetime = 3600000,
		.nonce_lifetime = 3600000,
		.max_peers = 8,
		.nonce_key = { 1, 2 },
		.session_of = bench_session_of,
		.mobility = true,
	};
	s->users.secret = SLICE("north");
	struct slice realm = slice_str(s->realm);
	assert_int_equal(turn_users_add(&s->users, SLICE("ann:secret"), realm), 0);
	assert_int_equal(turn_users_add(&s->users, SLICE("ben:hush:hush"), realm), 0);
	s->told[0] = s->bound[0] = addr_at("198.51.100.1:0");
	s->told[1] = s->bound[1] = addr_at("[2001:db8::1]:0");
	turn_policy_add_own(&s->policy, &s->told[0]);
	turn_policy_add_own(&s->policy, &s->told[1]);
	s->ledger = turn_ledger_create(&quotas, 50000, 50019);
	s->refusals = turn_refusals_create();
	b->now = (struct turn_now){ 5000000, START };
	b->turn = turn_create(s, 0, &bench_ops, b);
	b->hmac = stun_hmac_create();
	return b;
}

static inline void bench_close(struct bench *b)
{
	turn_destroy(b->turn);
	assert_int_equal(b->opened, 0);
	assert_int_equal(b->guests, 0);
	turn_ledger_destroy(b->settings.ledger);
	turn_refusals_destroy(b->settings.refusals);
	turn_users_fini(&b->settings.users);
	stun_hmac_destroy(b->hmac);
	free(b);
}

static inline void bench_pass(struct bench *b, ms_t ms)
{
	b->now.mono += ms;
	b->now.wall += ms;
	if (turn_next_timeout(b->turn) >= 0 && turn_next_timeout(b->turn) <= b->now.mono)
		turn_tick(b->turn, b->now);
}

/* --- the client --- */

struct client {
	struct bench *b;
	struct turn_path path;
	const char *user, *password;
	enum turn_algorithm algorithm;
	enum stun_proof proof;
	bool hashed; /* shows a USERHASH */
	char nonce[TURN_MAX_USER];
	struct buf m; /* the request being made */
	uint32_t serial;
};

static inline struct client client_at(struct bench *b, const char *address)
{
	struct client c = { .b = b,
			    .user = "ann",
			    .password = "secret",
			    .algorithm = TURN_MD5,
			    .proof = STUN_PROOF_SHA1 };

	c.path.remote = addr_at(address);
	c.path.link = b;
	buf_init(&c.m, 70000);
	return c;
}

static inline void client_begin(struct client *c, enum stun_method method)
{
	uint8_t tid[STUN_TID] = { 0 };

	c->serial++;
	memcpy(tid, &c->serial, sizeof(c->serial));
	stun_begin(&c->m, method, STUN_REQUEST, slice_of(tid, sizeof(tid)));
}

static inline void client_prove(struct client *c)
{
	struct turn_users u;
	struct turn_user found;
	uint8_t hash[STUN_SHA256];

	/* The key as a client makes it: by a table that knows only itself. */
	turn_users_init(&u);
	map_put(&u.by_name, slice_str(c->user), xstrdup(c->password));
	assert_int_equal(turn_user_find(&u, c->b->hmac, slice_str(c->user),
					SLICE("example.org"), c->algorithm, &found),
			 0);
	turn_users_fini(&u);
	turn_user_hash(slice_str(c->user), SLICE("example.org"), hash);
	if (c->hashed)
		stun_put(&c->m, STUN_USERHASH, slice_of(hash, sizeof(hash)));
	else
		stun_put(&c->m, STUN_USERNAME, slice_str(c->user));
	stun_put(&c->m, STUN_REALM, SLICE("example.org"));
	stun_put(&c->m, STUN_NONCE, slice_str(c->nonce));
	if (c->algorithm == TURN_SHA256) {
		static const uint8_t sha256[4] = { 0, TURN_SHA256, 0, 0 };
		stun_put(&c->m, STUN_PASSWORD_ALGORITHMS, slice_of(turn_algorithms, 8));
		stun_put(&c->m, STUN_PASSWORD_ALGORITHM, slice_of(sha256, 4));
	}
	stun_put_integrity(c->b->hmac, &c->m, c->proof,
			   slice_of(found.key.p, found.key.n));
}

/* Hands it over; the answer's code, or -1 when there was none. */
static inline int client_say(struct client *c)
{
	struct bench *b = c->b;
	unsigned before = b->sends;

	assert_false(c->m.bad);
	turn_input(b->turn, &c->path, buf_slice(&c->m), b->now);
	if (b->sends == before)
		return -1;
	assert_int_equal(b->sends, before + 1);
	assert_int_equal(stun_decode(&b->answer, b->sent, b->sent_n), 0);
	b->code = 0;
	if (b->answer.class == STUN_ERROR)
		assert_int_equal(stun_get_error(&b->answer, &b->code), 0);
	struct slice nonce = stun_value(&b->answer, STUN_NONCE);
	if (nonce.n > 0) {
		assert_true(nonce.n < sizeof(c->nonce));
		memcpy(c->nonce, nonce.p, nonce.n);
		c->nonce[nonce.n] = 0;
	}
	return (int)b->code;
}

static inline int client_ask(struct client *c)
{
	client_prove(c);
	return client_say(c);
}

static inline void client_put_byte(struct client *c, unsigned type, uint8_t value)
{
	stun_put_u32(&c->m, type, (uint32_t)value << 24);
}

/* The first question of every client: it is told realm and nonce. */
static inline void client_hear(struct client *c)
{
	client_begin(c, STUN_ALLOCATE);
	client_put_byte(c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	assert_int_equal(client_say(c), 401);
	assert_true(slice_is(stun_value(&c->b->answer, STUN_REALM), "example.org"));
}

static inline int client_allocate(struct client *c)
{
	if (!c->nonce[0])
		client_hear(c);
	client_begin(c, STUN_ALLOCATE);
	client_put_byte(c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	return client_ask(c);
}

static inline struct addr client_relayed(const struct client *c)
{
	struct addr a = { 0 };
	const struct stun_attr *x = stun_find(&c->b->answer, STUN_XOR_RELAYED_ADDRESS);

	assert_non_null(x);
	assert_int_equal(stun_get_xor_addr(&c->b->answer, x, &a), 0);
	return a;
}

static inline int client_permit(struct client *c, const char *peer)
{
	struct addr a = addr_at(peer);

	client_begin(c, STUN_CREATE_PERMISSION);
	stun_put_xor_addr(&c->m, STUN_XOR_PEER_ADDRESS, &a);
	return client_ask(c);
}

static inline int client_bind(struct client *c, unsigned channel, const char *peer)
{
	struct addr a = addr_at(peer);

	client_begin(c, STUN_CHANNEL_BIND);
	stun_put_u32(&c->m, STUN_CHANNEL_NUMBER, channel << 16);
	stun_put_xor_addr(&c->m, STUN_XOR_PEER_ADDRESS, &a);
	return client_ask(c);
}

static inline int client_refresh(struct client *c, uint32_t seconds)
{
	client_begin(c, STUN_REFRESH);
	stun_put_u32(&c->m, STUN_LIFETIME, seconds);
	return client_ask(c);
}

static inline void client_send(struct client *c, const char *peer, const char *text)
{
	struct addr a = addr_at(peer);

	stun_begin(&c->m, STUN_SEND, STUN_INDICATION, slice_of("0123456789ab", 12));
	stun_put_xor_addr(&c->m, STUN_XOR_PEER_ADDRESS, &a);
	stun_put(&c->m, STUN_DATA_VALUE, slice_str(text));
	turn_input(c->b->turn, &c->path, buf_slice(&c->m), c->b->now);
}

static inline void client_channel_data(struct client *c, unsigned channel,
				       const char *text)
{
	buf_clear(&c->m);
	buf_be16(&c->m, (uint16_t)channel);
	buf_be16(&c->m, (uint16_t)strlen(text));
	buf_str(&c->m, text);
	turn_input(c->b->turn, &c->path, buf_slice(&c->m), c->b->now);
}

/* A packet of a peer, at the first client's relay of that port. */
static inline void peer_sends(struct bench *b, const struct addr *relay, const char *peer,
			      const char *text)
{
	struct turn_relay *r =
		map_find_u64(&b->turn->relays[turn_row(relay->family)], relay->port);
	struct addr from = addr_at(peer);

	assert_non_null(r);
	turn_relay_input(b->turn, r, &from, slice_str(text), b->now);
}

/* --- one per test --- */

static struct bench *b;

static inline int set_up(void **state)
{
	(void)state;
	b = bench_open();
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	bench_close(b);
	return 0;
}

static inline void end(struct client *c)
{
	buf_fini(&c->m);
}
