/* Whom an allocation talks to, and how. */
#include "turn/testing.h"

/* --- permissions and channels --- */

static void peers_must_be_permitted(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay = client_relayed(&c);
	client_send(&c, "192.0.2.7:9", "no");
	assert_int_equal(b->relayed, 0);
	unsigned sends = b->sends;
	peer_sends(b, &relay, "192.0.2.7:9", "no");
	assert_int_equal(b->sends, sends);

	assert_int_equal(client_permit(&c, "192.0.2.7:1"), 0);
	client_send(&c, "192.0.2.7:9", "yes");
	assert_int_equal(b->relayed, 1);
	assert_memory_equal(b->relayed_bytes, "yes", 3);
	assert_int_equal(b->relayed_to.port, 9);
	client_send(&c, "192.0.2.8:9", "another");
	assert_int_equal(b->relayed, 1);

	bench_pass(b, 300000);
	client_send(&c, "192.0.2.7:9", "too late");
	assert_int_equal(b->relayed, 1);
	end(&c);
}

static void data_comes_as_an_indication(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct stun_msg m;
	struct addr from;
	struct addr_text t;

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay = client_relayed(&c);
	assert_int_equal(client_permit(&c, "192.0.2.7:1"), 0);
	peer_sends(b, &relay, "192.0.2.7:9", "hello");
	assert_int_equal(stun_decode(&m, b->sent, b->sent_n), 0);
	assert_int_equal(m.method, STUN_DATA);
	assert_int_equal(m.class, STUN_INDICATION);
	assert_true(slice_is(stun_value(&m, STUN_DATA_VALUE), "hello"));
	assert_int_equal(
		stun_get_xor_addr(&m, stun_find(&m, STUN_XOR_PEER_ADDRESS), &from), 0);
	assert_string_equal(addr_text(&from, &t), "192.0.2.7:9");
	assert_true(addr_eq(&b->sent_to.remote, &c.path.remote));
	end(&c);
}

/* RFC 8656, 11.5. */
static void icmp_is_told_to_who_may_send_there(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct addr peer = addr_at("192.0.2.7:9"), other = addr_at("192.0.2.8:9"), from;
	struct stun_msg m;

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay = client_relayed(&c);
	struct turn_relay *r = map_find_u64(&b->turn->relays[0], relay.port);
	assert_int_equal(client_permit(&c, "192.0.2.7:1"), 0);
	unsigned sends = b->sends;
	turn_relay_error(b->turn, r, &other, 3, 3, 0, b->now); /* not permitted */
	turn_relay_error(b->turn, r, &peer, 8, 0, 0, b->now);  /* no such error */
	assert_int_equal(b->sends, sends);

	turn_relay_error(b->turn, r, &peer, 3, 4, 1400, b->now);
	assert_int_equal(stun_decode(&m, b->sent, b->sent_n), 0);
	assert_int_equal(m.method, STUN_DATA);
	assert_int_equal(m.class, STUN_INDICATION);
	assert_null(stun_find(&m, STUN_DATA_VALUE));
	assert_int_equal(
		stun_get_xor_addr(&m, stun_find(&m, STUN_XOR_PEER_ADDRESS), &from), 0);
	assert_true(addr_eq(&from, &peer));
	assert_int_equal(stun_value(&m, STUN_ICMP).n, 8);
	assert_memory_equal(stun_value(&m, STUN_ICMP).p, "\0\0\x06\x04\0\0\x05\x78", 8);
	turn_relay_error(b->turn, r, &peer, 3, 3, 1400, b->now); /* not about size */
	assert_int_equal(stun_decode(&m, b->sent, b->sent_n), 0);
	assert_memory_equal(stun_value(&m, STUN_ICMP).p, "\0\0\x06\x03\0\0\0\0", 8);
	end(&c);
}

static void icmp_floods_are_told_in_part(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct addr peer = addr_at("192.0.2.7:9");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay = client_relayed(&c);
	struct turn_relay *r = map_find_u64(&b->turn->relays[0], relay.port);
	assert_int_equal(client_permit(&c, "192.0.2.7:1"), 0);
	unsigned sends = b->sends;
	for (unsigned second = 1; second <= 3; second++) {
		for (unsigned i = 0; i < 1000; i++)
			turn_relay_error(b->turn, r, &peer, 11, 0, 0, b->now);
		assert_int_equal(b->sends, sends + second * TURN_ICMP_RATE);
		bench_pass(b, 1000);
	}
	end(&c);
}

static void channels_carry_data_both_ways(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay = client_relayed(&c);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.7:9"), 0);
	client_channel_data(&c, 0x4001, "up");
	assert_int_equal(b->relayed, 1);
	assert_memory_equal(b->relayed_bytes, "up", 2);
	client_channel_data(&c, 0x4002, "unbound");
	assert_int_equal(b->relayed, 1);
	peer_sends(b, &relay, "192.0.2.7:9", "down!");
	assert_int_equal(b->sent_n, 9);
	assert_memory_equal(b->sent, "\x40\x01\0\5down!", 9);
	peer_sends(b, &relay, "192.0.2.7:10", "x"); /* another port: by indication */
	assert_int_equal(b->sent[0], 0);

	c.path.transport = TURN_TCP; /* over streams padded (RFC 8656, 12.5) */
	((struct turn_alloc *)map_find_u64(&b->turn->allocs, b->turn->last->hash))
		->path.transport = TURN_TCP;
	peer_sends(b, &relay, "192.0.2.7:9", "down!");
	assert_int_equal(b->sent_n, 12);
	end(&c);
}

static void channel_data_may_not_lie_about_its_length(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	uint8_t bad[] = { 0x40, 0x01, 0x00, 0x05, 'a', 'b', 'c', 'd' };

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.7:9"), 0);
	for (size_t n = 0; n <= sizeof(bad); n++)
		turn_input(b->turn, &c.path, slice_of(bad, n), b->now);
	assert_int_equal(b->relayed, 0);
	bad[3] = 4;
	turn_input(b->turn, &c.path, slice_of(bad, sizeof(bad)), b->now);
	assert_int_equal(b->relayed, 1);
	bad[3] = 0; /* an empty one is a packet, too */
	turn_input(b->turn, &c.path, slice_of(bad, 4), b->now);
	assert_int_equal(b->relayed, 2);
	assert_int_equal(b->relayed_n, 0);
	end(&c);
}

static void channels_are_bound_one_to_one(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.7:9"), 0);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.7:9"), 0);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.7:10"), 400);
	assert_int_equal(client_bind(&c, 0x4002, "192.0.2.7:9"), 400);
	assert_int_equal(client_bind(&c, 0x3fff, "192.0.2.7:11"), 400);
	assert_int_equal(client_bind(&c, 0x8000, "192.0.2.7:11"), 400);
	bench_pass(b, 599999);
	assert_int_equal(client_refresh(&c, 600), 0);
	assert_int_equal(client_bind(&c, 0x4002, "192.0.2.7:9"), 400);
	bench_pass(b, 1);
	assert_int_equal(client_bind(&c, 0x4002, "192.0.2.7:9"), 0);
	end(&c);
}

static void channel_outlives_its_permission_without_effect(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.7:9"), 0);
	bench_pass(b, 300001);
	client_channel_data(&c, 0x4001, "x");
	assert_int_equal(b->relayed, 0);
	assert_int_equal(client_permit(&c, "192.0.2.7:9"), 0);
	client_channel_data(&c, 0x4001, "x");
	assert_int_equal(b->relayed, 1);
	end(&c);
}

static void peers_are_limited(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	char peer[32];

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(peer, sizeof(peer), "192.0.2.%u:9", i + 1);
		assert_int_equal(client_permit(&c, peer), 0);
	}
	assert_int_equal(client_permit(&c, "192.0.2.99:9"), 508);
	assert_int_equal(client_permit(&c, "192.0.2.1:9"), 508);
	bench_pass(b, 300000);
	assert_int_equal(client_bind(&c, 0x4001, "192.0.2.99:9"), 0);
	end(&c);
}

static void private_peers_are_denied(void **state)
{
	static const char *const list[] = {
		"127.0.0.1:1",   "10.0.0.1:1",    "172.31.0.1:1",
		"192.168.1.1:1", "169.254.1.1:1", "100.64.0.1:1",
		"0.0.0.0:1",     "224.0.0.1:1",   "255.255.255.255:1",
	};
	struct client c = client_at(b, "203.0.113.9:4711");

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		assert_int_equal(client_permit(&c, list[i]), 403);
		assert_int_equal(client_bind(&c, 0x4001, list[i]), 403);
	}
	assert_int_equal(turn_policy_allow(&b->settings.policy, SLICE("10.0.0.0/8")), 0);
	assert_int_equal(client_permit(&c, "10.0.0.1:1"), 0);
	assert_int_equal(client_permit(&c, "192.168.1.1:1"), 403);
	end(&c);
}

/* --- the short way --- */

static void relays_of_one_server_meet_in_memory(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct client d = client_at(b, "203.0.113.10:4711");
	char at_c[64], at_d[64];
	struct addr_text t;

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	struct addr relay_c = client_relayed(&c);
	snprintf(at_c, sizeof(at_c), "%s", addr_text(&relay_c, &t));
	assert_int_equal(client_allocate(&d), 0);
	struct addr relay_d = client_relayed(&d);
	snprintf(at_d, sizeof(at_d), "%s", addr_text(&relay_d, &t));

	assert_int_equal(client_permit(&c, at_d), 0);
	unsigned sends = b->sends;
	client_send(&c, at_d, "knock");
	assert_int_equal(b->sends, sends); /* d has not permitted c */
	assert_int_equal(client_bind(&d, 0x4005, at_c), 0);
	client_send(&c, at_d, "knock");
	assert_true(addr_eq(&b->sent_to.remote, &d.path.remote));
	assert_memory_equal(b->sent, "\x40\x05\0\5knock", 9);
	assert_int_equal(b->relayed, 0);

	/* Nothing else at our own address. */
	struct addr other = relay_d;
	other.port = 8443;
	client_send(&c, addr_text(&other, &t), "knock");
	assert_int_equal(b->relayed, 0);
	end(&c);
	end(&d);
}

static void relays_of_other_workers_get_mail(void **state)
{
	struct client c = client_at(b, "203.0.113.9:4711");
	struct addr other = b->settings.told[0];
	struct addr_text t;

	(void)state;
	assert_int_equal(client_allocate(&c), 0);
	assert_int_equal(turn_ledger_claim(b->settings.ledger, AF_INET, false, false, 3,
					   &other.port),
			 0);
	assert_int_equal(client_permit(&c, addr_text(&other, &t)), 0);
	client_send(&c, addr_text(&other, &t), "over there");
	assert_int_equal(b->forwards, 1);
	assert_int_equal(b->forwarded_to, 3);
	end(&c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(peers_must_be_permitted),
		T(data_comes_as_an_indication),
		T(icmp_is_told_to_who_may_send_there),
		T(icmp_floods_are_told_in_part),
		T(channels_carry_data_both_ways),
		T(channel_data_may_not_lie_about_its_length),
		T(channels_are_bound_one_to_one),
		T(channel_outlives_its_permission_without_effect),
		T(peers_are_limited),
		T(private_peers_are_denied),
		T(relays_of_one_server_meet_in_memory),
		T(relays_of_other_workers_get_mail),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
