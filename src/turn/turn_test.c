/* Who may have an allocation, and how it ends. */
#include <errno.h>

#include "turn/testing.h"

/* --- binding --- */

static void binding_tells_the_address(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct addr got;

	(void)state;
	client_begin(&c, STUN_BINDING);
	stun_put_fingerprint(&c.m);
	assert_int_equal(client_say(&c), 0);
	assert_true(b->answer.fingerprint);
	assert_int_equal(stun_get_xor_addr(&b->answer,
					   stun_find(&b->answer, STUN_XOR_MAPPED_ADDRESS),
					   &got),
			 0);
	assert_true(addr_eq(&got, &c.path.remote));
	end(&c);
}

static void binding_with_unknown_attributes_is_420(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_begin(&c, STUN_BINDING);
	stun_put_u32(&c.m, 0x7fff, 0);
	stun_put_u32(&c.m, 0xffff, 0); /* need not be understood */
	assert_int_equal(client_say(&c), 420);
	struct slice list = stun_value(&b->answer, STUN_UNKNOWN_ATTRIBUTES);
	assert_int_equal(list.n, 2);
	assert_memory_equal(list.p, "\x7f\xff", 2);
	end(&c);
}

/* --- who asks --- */

static void allocate_needs_a_credential(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_hear(&c);
	assert_int_equal(strlen(c.nonce), 29);
	/* RFC 8489, 9.2: algorithms are offered, a hash in place of a name is wanted. */
	assert_int_equal(strncmp(c.nonce, "obMatJos2AAAD", 13), 0);
	assert_int_equal(stun_value(&b->answer, STUN_PASSWORD_ALGORITHMS).n, 8);
	assert_int_equal(b->answer.integrity_at, 0);
	assert_int_equal(turn_count(b->turn), 0);
	end(&c);
}

static void allocate_gives_a_relay(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	uint32_t life;

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay = client_relayed(&c);
	assert_true(relay.port >= 50000 && relay.port <= 50019);
	assert_memory_equal(relay.ip, b->settings.told[0].ip, 4);
	assert_int_equal(stun_get_u32(&b->answer, STUN_LIFETIME, &life), 0);
	assert_int_equal(life, 600);
	assert_true(b->answer.integrity_at > 0);
	assert_int_equal(b->opened, 1);
	end(&c);
}

static void allocate_with_sha256(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	c.algorithm = TURN_SHA256;
	c.proof = STUN_PROOF_SHA256;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(stun_proof(&b->answer), STUN_PROOF_SHA256);
	assert_int_equal(client_refresh(&c, 600), 0);
	end(&c);
}

/* RFC 8489, 9.2.4: the list of algorithms must come back unchanged. */
static void algorithms_cannot_be_bid_down(void **state)
{
	static const uint8_t md5_only[4] = { 0, TURN_MD5, 0, 0 };
	static const uint8_t md4[4] = { 0, 7, 0, 0 };
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_hear(&c);
	client_begin(&c, STUN_ALLOCATE);
	stun_put(&c.m, STUN_PASSWORD_ALGORITHMS, slice_of(md5_only, 4));
	stun_put(&c.m, STUN_PASSWORD_ALGORITHM, slice_of(md5_only, 4));
	assert_int_equal(client_ask(&c), 400);
	client_begin(&c, STUN_ALLOCATE);
	stun_put(&c.m, STUN_PASSWORD_ALGORITHM, slice_of(md5_only, 4));
	assert_int_equal(client_ask(&c), 400);
	client_begin(&c, STUN_ALLOCATE);
	stun_put(&c.m, STUN_PASSWORD_ALGORITHMS, slice_of(turn_algorithms, 8));
	stun_put(&c.m, STUN_PASSWORD_ALGORITHM, slice_of(md4, 4));
	assert_int_equal(client_ask(&c), 400);
	end(&c);
}

static void user_may_be_named_by_hash(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	c.hashed = true;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(client_refresh(&c, 600), 0);
	c.hashed = false; /* the same user */
	assert_int_equal(client_refresh(&c, 600), 0);
	c.hashed = true;
	c.user = "ben";
	c.password = "hush:hush";
	assert_int_equal(client_refresh(&c, 600), 441);
	c.password = "wrong";
	assert_int_equal(client_refresh(&c, 600), 401);
	end(&c);
}

/* Nobody knows which name has that hash: the client is asked for the name itself. */
static void expiring_name_cannot_be_hashed(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct turn_credential cred;

	(void)state;
	assert_int_equal(turn_credential_make(&b->settings.users, b->hmac, SLICE("web"),
					      b->now.wall + 60000, &cred),
			 0);
	c.user = cred.user;
	c.password = cred.password;
	c.hashed = true;
	assert_int_equal(client_allocate(&c), 438);
	assert_int_equal(strncmp(c.nonce, "obMatJos2AAAB", 13), 0);
	assert_int_equal(client_allocate(&c), 401); /* it would not listen */
	assert_int_equal(client_allocate(&c), 438);
	c.hashed = false;
	assert_int_equal(client_allocate(&c), 0);
	end(&c);
}

/* The features are under the nonce's hash: who strikes one out is noticed. */
static void anonymity_cannot_be_bid_down(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_hear(&c);
	c.nonce[12] = 'B';
	assert_int_equal(client_allocate(&c), 438);
	assert_int_equal(strncmp(c.nonce, "obMatJos2AAAD", 13), 0);
	end(&c);
}

static void name_and_hash_together_are_400(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_hear(&c);
	client_begin(&c, STUN_ALLOCATE);
	stun_put(&c.m, STUN_USERHASH, slice_of("01234567890123456789012345678901", 32));
	assert_int_equal(client_ask(&c), 400);
	client_begin(&c, STUN_ALLOCATE);
	stun_put(&c.m, STUN_USERHASH, SLICE("short"));
	stun_put(&c.m, STUN_REALM, SLICE("example.org"));
	stun_put(&c.m, STUN_NONCE, slice_str(c.nonce));
	stun_put(&c.m, STUN_INTEGRITY, slice_of("01234567890123456789", 20));
	assert_int_equal(client_say(&c), 438);
	end(&c);
}

static void refusals_say_why(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_hear(&c);
	c.password = "wrong";
	assert_int_equal(client_allocate(&c), 401);
	assert_true(slice_ends(stun_value(&b->answer, STUN_ERROR_CODE),
			       SLICE("Wrong User or Password")));
	c.user = "nobody";
	assert_int_equal(client_allocate(&c), 401);
	c.user = "ben";
	c.password = "hush:hush";
	assert_int_equal(client_allocate(&c), 0);

	client_begin(&c, STUN_REFRESH);
	stun_put(&c.m, STUN_USERNAME, SLICE("ben"));
	stun_put(&c.m, STUN_NONCE, slice_str(c.nonce));
	stun_put(&c.m, STUN_INTEGRITY, slice_of("01234567890123456789", 20));
	assert_int_equal(client_say(&c), 400); /* no realm */

	client_begin(&c, STUN_REFRESH);
	stun_put(&c.m, STUN_USERNAME, SLICE("ben"));
	stun_put(&c.m, STUN_REALM, SLICE("elsewhere"));
	stun_put(&c.m, STUN_NONCE, slice_str(c.nonce));
	stun_put(&c.m, STUN_INTEGRITY, slice_of("01234567890123456789", 20));
	assert_int_equal(client_say(&c), 401);
	assert_true(slice_ends(stun_value(&b->answer, STUN_ERROR_CODE),
			       SLICE("Wrong Realm")));
	end(&c);
}

static void refusals_are_told_to_who_has_the_name(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct turn_credential cred;
	struct turn_refused got[8];

	(void)state;
	assert_int_equal(turn_credential_make(&b->settings.users, b->hmac, SLICE("web"),
					      b->now.wall + 60000, &cred),
			 0);
	struct slice name = slice_str(cred.user);
	c.user = cred.user;
	c.password = "made with another secret";
	assert_int_equal(client_allocate(&c), 401);
	c.password = cred.password;
	bench_pass(b, 90000);
	assert_int_equal(client_allocate(&c), 401);
	assert_int_equal(turn_refusals_of(b->settings.refusals, name, got, 8), 2);
	assert_int_equal(got[0].why, TURN_REFUSAL_EXPIRED);
	assert_int_equal(got[0].expired, 30000);
	assert_int_equal(got[0].at, b->now.wall);
	assert_int_equal(got[1].why, TURN_REFUSAL_PASSWORD);
	assert_int_equal(turn_refusals_of(b->settings.refusals, name, got, 1), 1);
	assert_int_equal(turn_refusals_of(b->settings.refusals, SLICE("1:other"), got, 8),
			 0);
	for (unsigned i = 0; i < TURN_REFUSALS; i++) /* only so many are kept */
		turn_refusals_note(b->settings.refusals, SLICE("1:other"), &got[0]);
	assert_int_equal(turn_refusals_of(b->settings.refusals, name, got, 8), 0);
	end(&c);
}

static void nonces_grow_stale_and_belong_to_one_address(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client d = client_at(b, "203.0.113.10:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	memcpy(d.nonce, c.nonce, sizeof(c.nonce));
	assert_int_equal(client_allocate(&d), 438);
	assert_int_equal(client_allocate(&d), 0);

	assert_int_equal(client_refresh(&c, 3600), 0);
	bench_pass(b, 3599000);
	assert_int_equal(client_refresh(&c, 3600), 0);
	bench_pass(b, 2000);
	assert_int_equal(client_refresh(&c, 3600), 438);
	assert_int_equal(client_refresh(&c, 3600), 0);
	c.nonce[20] ^= 1;
	assert_int_equal(client_refresh(&c, 3600), 438);
	end(&c);
	end(&d);
}

/* --- credentials that expire --- */

static struct turn_credential credential(const char *who, ms_t life)
{
	struct turn_credential out;

	assert_int_equal(turn_credential_make(&b->settings.users, b->hmac, slice_str(who),
					      b->now.wall + life, &out),
			 0);
	return out;
}

static void credential_without_session_ends_its_relay(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct turn_credential cred = credential("web", 60000);
	uint32_t life;

	(void)state;
	c.user = cred.user;
	c.password = cred.password;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(stun_get_u32(&b->answer, STUN_LIFETIME, &life), 0);
	assert_int_equal(life, 60);
	bench_pass(b, 30000);
	assert_int_equal(client_refresh(&c, 600), 0);
	assert_int_equal(stun_get_u32(&b->answer, STUN_LIFETIME, &life), 0);
	assert_int_equal(life, 30);
	bench_pass(b, 31500);
	assert_int_equal(turn_count(b->turn), 0);
	assert_int_equal(b->opened, 0);
	assert_int_equal(client_allocate(&c), 401);
	assert_true(slice_ends(stun_value(&b->answer, STUN_ERROR_CODE),
			       SLICE("Credential Expired")));
	end(&c);
}

static void credential_of_a_session_lives_with_it(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client late = client_at(b, "203.0.113.9:4712");
	struct turn_credential cred = credential("s77", 60000);

	(void)state;
	c.user = late.user = cred.user;
	c.password = late.password = cred.password;
	assert_int_equal(client_allocate(&c), 401); /* no such session */
	turn_ledger_open_session(b->settings.ledger, 77);
	assert_int_equal(client_allocate(&c), 0);
	bench_pass(b, 300000);
	assert_int_equal(client_refresh(&c, 600), 0); /* expired, but its session lives */
	assert_int_equal(client_allocate(&late), 401);

	assert_int_equal(turn_ledger_close_session(b->settings.ledger, 77), 1);
	turn_end_session(b->turn, 77, b->now);
	assert_int_equal(turn_count(b->turn), 0);
	assert_int_equal(client_refresh(&c, 600), 401);
	end(&c);
	end(&late);
}

static void barred_session_loses_its_relays(void **state)
{
	struct client c[3];
	struct turn_credential cred = credential("s5", 60000);

	(void)state;
	turn_ledger_open_session(b->settings.ledger, 5);
	for (unsigned i = 0; i < 3; i++) {
		c[i] = client_at(b, "203.0.113.9:4711");
		c[i].path.remote.port = (uint16_t)(c[i].path.remote.port + i);
		c[i].user = cred.user;
		c[i].password = cred.password;
		assert_int_equal(client_allocate(&c[i]), 0);
	}
	assert_int_equal(client_refresh(&c[1], 0), 0);
	assert_int_equal(turn_count(b->turn), 2);
	assert_int_equal(turn_ledger_bar_session(b->settings.ledger, 5, true), 1);
	turn_end_session(b->turn, 5, b->now);
	assert_int_equal(turn_count(b->turn), 0);
	assert_int_equal(client_allocate(&c[0]), 401);
	turn_ledger_bar_session(b->settings.ledger, 5, false);
	assert_int_equal(client_allocate(&c[0]), 0);
	for (unsigned i = 0; i < 3; i++)
		end(&c[i]);
}

/* --- allocations --- */

static void allocate_again_answers_the_same(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay = client_relayed(&c), again;
	assert_int_equal(client_say(&c), 0); /* the very same message */
	again = client_relayed(&c);
	assert_true(addr_eq(&relay, &again));
	assert_int_equal(client_allocate(&c), 437);
	assert_int_equal(b->opened, 1);
	end(&c);
}

static void allocate_refuses_odd_wishes(void **state)
{
	static const struct {
		unsigned type;
		uint32_t value;
		int code;
	} v[] = {
		{ STUN_REQUESTED_FAMILY, 3u << 24, 440 },
		{ STUN_ADDITIONAL_FAMILY, (uint32_t)STUN_IPV4 << 24, 400 },
		{ STUN_EVEN_PORT, 0, 400 }, /* of 4 bytes */
		{ STUN_RESERVATION_TOKEN, 0, 400 },
		{ 0x7001, 0, 420 },
	};
	static const uint8_t short_life[2] = { 0 };
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_hear(&c);
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		client_begin(&c, STUN_ALLOCATE);
		client_put_byte(&c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
		stun_put_u32(&c.m, v[i].type, v[i].value);
		assert_int_equal(client_ask(&c), v[i].code);
	}
	client_begin(&c, STUN_ALLOCATE);
	client_put_byte(&c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	stun_put(&c.m, STUN_LIFETIME, slice_of(short_life, sizeof(short_life)));
	assert_int_equal(client_ask(&c), 400);
	client_begin(&c, STUN_ALLOCATE);
	assert_int_equal(client_ask(&c), 400); /* no transport */
	client_begin(&c, STUN_ALLOCATE);
	client_put_byte(&c, STUN_REQUESTED_TRANSPORT, 33);
	assert_int_equal(client_ask(&c), 442);
	assert_int_equal(turn_count(b->turn), 0);
	end(&c);
}

static int allocate_both(struct client *c)
{
	client_hear(c);
	client_begin(c, STUN_ALLOCATE);
	client_put_byte(c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	client_put_byte(c, STUN_ADDITIONAL_FAMILY, STUN_IPV6);
	return client_ask(c);
}

static void allocate_of_both_families(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(allocate_both(&c), 0);
	assert_int_equal(b->opened, 2);
	assert_int_equal(client_relayed(&c).family, AF_INET);
	assert_int_equal(client_permit(&c, "[2001:4860::1]:1"), 0);
	assert_int_equal(client_permit(&c, "192.0.2.7:1"), 0);
	client_send(&c, "[2001:4860::1]:53", "six");
	assert_int_equal(b->relayed, 1);
	assert_int_equal(client_refresh(&c, 0), 0);
	assert_int_equal(b->opened, 0);

	b->open_error = -EMFILE; /* of the first */
	assert_int_equal(allocate_both(&c), 0);
	assert_int_equal(client_relayed(&c).family, AF_INET6);
	assert_memory_equal(stun_value(&b->answer, STUN_ADDRESS_ERROR_CODE).p,
			    "\x01\x00\x05\x08", 4); /* IPv4: 508 */
	assert_int_equal(client_refresh(&c, 0), 0);

	b->settings.told[1].family = 0; /* no IPv6 here */
	assert_int_equal(allocate_both(&c), 0);
	struct slice error = stun_value(&b->answer, STUN_ADDRESS_ERROR_CODE);
	assert_int_equal(error.n, 4);
	assert_memory_equal(error.p, "\x02\x00\x04\x28", 4); /* IPv6: 440 */
	end(&c);
}

/* RFC 8656, 8.1: of an allocation that has both. */
static int refresh_of(struct client *c, uint8_t family, uint32_t seconds)
{
	client_begin(c, STUN_REFRESH);
	stun_put_u32(&c->m, STUN_LIFETIME, seconds);
	client_put_byte(c, STUN_REQUESTED_FAMILY, family);
	return client_ask(c);
}

static void one_family_of_two_is_released(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(allocate_both(&c), 0);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.7:9"), 0);
	assert_int_equal(client_bind(&c, 0x4002, "[2001:4860::1]:9"), 0);
	assert_int_equal(refresh_of(&c, 3, 600), 443);
	assert_int_equal(refresh_of(&c, STUN_IPV6, 0), 0);
	assert_int_equal(b->opened, 1);
	assert_int_equal(refresh_of(&c, STUN_IPV6, 600), 443);
	assert_int_equal(client_permit(&c, "[2001:4860::1]:9"), 443);
	client_channel_data(&c, 0x4002, "six");
	assert_int_equal(b->relayed, 0);
	client_channel_data(&c, 0x4001, "four"); /* the other one has lost nothing */
	assert_int_equal(b->relayed, 1);
	/* A channel of the family that is gone is free. */
	assert_int_equal(client_bind(&c, 0x4002, "192.0.2.8:9"), 0);
	assert_int_equal(refresh_of(&c, STUN_IPV4, 0), 0);
	assert_int_equal(turn_count(b->turn), 0);
	end(&c);
}

static void each_family_has_its_lifetime(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(allocate_both(&c), 0);
	assert_int_equal(refresh_of(&c, STUN_IPV6, 1200), 0);
	for (unsigned i = 0; i < 602; i++)
		bench_pass(b, 1000);
	assert_int_equal(b->opened, 1);
	assert_int_equal(client_permit(&c, "192.0.2.7:1"), 443);
	assert_int_equal(client_permit(&c, "[2001:4860::1]:1"), 0);
	for (unsigned i = 0; i < 600; i++)
		bench_pass(b, 1000);
	assert_int_equal(turn_count(b->turn), 0);
	end(&c);
}

static void allocate_of_ipv6_alone(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	client_hear(&c);
	client_begin(&c, STUN_ALLOCATE);
	client_put_byte(&c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	client_put_byte(&c, STUN_REQUESTED_FAMILY, STUN_IPV6);
	assert_int_equal(client_ask(&c), 0);
	assert_int_equal(client_relayed(&c).family, AF_INET6);
	assert_int_equal(client_permit(&c, "192.0.2.7:1"), 443);
	end(&c);
}

/* An even port; the token for the next one. */
static struct addr allocate_pair(struct client *c, uint8_t family, uint8_t token[8])
{
	client_hear(c);
	client_begin(c, STUN_ALLOCATE);
	client_put_byte(c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	client_put_byte(c, STUN_REQUESTED_FAMILY, family);
	stun_put(&c->m, STUN_EVEN_PORT, slice_of("\x80", 1));
	assert_int_equal(client_ask(c), 0);
	assert_int_equal(stun_value(&b->answer, STUN_RESERVATION_TOKEN).n, 8);
	memcpy(token, stun_value(&b->answer, STUN_RESERVATION_TOKEN).p, 8);
	return client_relayed(c);
}

static int redeem(struct client *c, const uint8_t token[8])
{
	if (!c->nonce[0])
		client_hear(c);
	client_begin(c, STUN_ALLOCATE);
	client_put_byte(c, STUN_REQUESTED_TRANSPORT, TURN_PROTOCOL_UDP);
	stun_put(&c->m, STUN_RESERVATION_TOKEN, slice_of(token, 8));
	return client_ask(c);
}

static void even_port_reserves_the_next(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client d = client_at(b, "203.0.113.9:4712");
	uint8_t token[8];

	(void)state;
	struct addr even = allocate_pair(&c, STUN_IPV4, token);
	assert_int_equal(even.port & 1, 0);
	assert_int_equal(client_say(&c), 0); /* the answer got lost: it comes again */
	struct slice told = stun_value(&b->answer, STUN_RESERVATION_TOKEN);
	assert_true(slice_eq(told, slice_of(token, sizeof(token))));
	assert_int_equal(redeem(&d, token), 0);
	assert_int_equal(client_relayed(&d).port, even.port + 1);
	assert_int_equal(client_refresh(&d, 0), 0);
	assert_int_equal(redeem(&d, token), 508); /* good once only */
	end(&c);
	end(&d);
}

static void reservation_knows_its_family(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client d = client_at(b, "203.0.113.9:4712");
	uint8_t token[8];

	(void)state;
	b->settings.told[0].family = 0; /* no IPv4 here */
	struct addr even = allocate_pair(&c, STUN_IPV6, token);
	assert_int_equal(redeem(&d, token), 0);
	assert_int_equal(client_relayed(&d).family, AF_INET6);
	assert_int_equal(client_relayed(&d).port, even.port + 1);
	end(&c);
	end(&d);
}

static void busy_ports_are_passed_over(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	b->busy = 40;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(b->busy, 0);
	assert_int_equal(client_refresh(&c, 0), 0);
	b->open_error = -EMFILE;
	assert_int_equal(client_allocate(&c), 508);
	assert_int_equal(turn_count(b->turn), 0);
	assert_int_equal(client_allocate(&c), 0);
	end(&c);
}

static void quotas_hold(void **state)
{
	struct client c[21];
	unsigned made = 0;

	(void)state;
	for (unsigned i = 0; i < 21; i++) {
		c[i] = client_at(b, i < 16 ? "203.0.113.9:4711" : "203.0.113.10:4711");
		c[i].path.remote.port = (uint16_t)(4000 + i);
		if (i >= 10) {
			c[i].user = "ben";
			c[i].password = "hush:hush";
		}
		int want = i == 15 ? 486 : 0; /* 15 of an address */
		if (i == 20)
			c[i].user = "ann", c[i].password = "secret",
			want = 486; /* 10 of a user */
		assert_int_equal(client_allocate(&c[i]), want);
		made += want == 0;
	}
	assert_int_equal(turn_count(b->turn), made);
	assert_int_equal(client_refresh(&c[0], 0), 0);
	assert_int_equal(client_allocate(&c[20]), 0);
	for (unsigned i = 0; i < 21; i++)
		end(&c[i]);
}

static void port_exhaustion_is_508(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	uint16_t port;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(turn_ledger_claim(b->settings.ledger, AF_INET, false,
						   false, 3, &port),
				 0);
	assert_int_equal(client_allocate(&c), 508);
	turn_ledger_release(b->settings.ledger, AF_INET, port);
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(client_relayed(&c).port, port);
	end(&c);
}

static void allocations_end_in_time(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client d = client_at(b, "203.0.113.9:4712");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(client_allocate(&d), 0);
	bench_pass(b, 599000);
	assert_int_equal(client_refresh(&d, 1200), 0);
	bench_pass(b, 3000);
	assert_int_equal(turn_count(b->turn), 1);
	assert_int_equal(client_refresh(&c, 600), 437);
	for (unsigned i = 0; i < 1195; i++)
		bench_pass(b, 1000);
	assert_int_equal(turn_count(b->turn), 1);
	bench_pass(b, 4000);
	assert_int_equal(turn_count(b->turn), 0);
	assert_int_equal(turn_next_timeout(b->turn), -1);
	end(&c);
	end(&d);
}

static void others_cannot_touch_an_allocation(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	c.user = "ben";
	c.password = "hush:hush";
	assert_int_equal(client_refresh(&c, 0), 441);
	assert_int_equal(turn_count(b->turn), 1);
	end(&c);
}

static void alternate_server_is_named(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	b->settings.alternate = addr_at("192.0.2.99:3478");
	assert_int_equal(client_allocate(&c), 300);
	assert_memory_equal(stun_value(&b->answer, STUN_ALTERNATE_SERVER).p,
			    "\0\1\x0d\x96\xc0\0\2\x63", 8);
	/* RFC 8489, 14.15: of the client's family only; whom it is no use to is served here. */
	b->settings.alternate = addr_at("[2001:db8::99]:3478");
	assert_int_equal(client_allocate(&c), 0);
	end(&c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(binding_tells_the_address),
		T(binding_with_unknown_attributes_is_420),
		T(allocate_needs_a_credential),
		T(allocate_gives_a_relay),
		T(allocate_with_sha256),
		T(algorithms_cannot_be_bid_down),
		T(user_may_be_named_by_hash),
		T(expiring_name_cannot_be_hashed),
		T(anonymity_cannot_be_bid_down),
		T(name_and_hash_together_are_400),
		T(refusals_say_why),
		T(refusals_are_told_to_who_has_the_name),
		T(nonces_grow_stale_and_belong_to_one_address),
		T(credential_without_session_ends_its_relay),
		T(credential_of_a_session_lives_with_it),
		T(barred_session_loses_its_relays),
		T(allocate_again_answers_the_same),
		T(allocate_refuses_odd_wishes),
		T(allocate_of_both_families),
		T(one_family_of_two_is_released),
		T(each_family_has_its_lifetime),
		T(allocate_of_ipv6_alone),
		T(even_port_reserves_the_next),
		T(reservation_knows_its_family),
		T(busy_ports_are_passed_over),
		T(quotas_hold),
		T(port_exhaustion_is_508),
		T(allocations_end_in_time),
		T(others_cannot_touch_an_allocation),
		T(alternate_server_is_named),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
