/* The parts of the server that know nothing of messages: policy, credentials, nonces, the ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "turn/credential.h"
#include "turn/ledger.h"
#include "turn/nonce.h"
#include "turn/policy.h"

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse_ip(&a, slice_str(text)), 0);
	return a;
}

static void policy_permits_public_addresses_only(void **state)
{
	static const char *const open[] = {
		"1.1.1.1",    "9.255.255.255", "11.0.0.0",   "172.15.0.1",
		"172.32.0.1", "192.167.1.1",   "100.63.0.1", "100.128.0.1",
		"198.17.0.1", "223.1.1.1",     "2a00::1",    "2001:4860::1"
	};
	static const char *const closed[] = {
		"0.0.0.0",         "10.0.0.1",     "100.64.0.1",
		"127.0.0.1",       "169.254.1.1",  "172.16.0.1",
		"172.31.9.9",      "192.0.0.1",    "192.168.0.1",
		"198.18.0.1",      "224.0.0.1",    "240.0.0.1",
		"255.255.255.255", "::",           "::1",
		"::ffff:10.0.0.1", "::10.0.0.1",   "64:ff9b::a00:1",
		"fc00::1",         "fd00::1",      "fe80::1",
		"ff02::1",         "2002:a00:1::", "2001::1",
	};
	struct turn_policy p = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(open); i++) {
		struct addr a = ip(open[i]);
		assert_true(turn_policy_permits(&p, &a));
	}
	for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
		struct addr a = ip(closed[i]);
		assert_false(turn_policy_permits(&p, &a));
	}
}

static void policy_opens_what_it_is_told_to(void **state)
{
	static const char *const bad[] = {
		"", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::/129", "x", "10.0.0.0/8/8"
	};
	struct turn_policy p = { 0 };
	struct addr own = ip("203.0.113.1"), inside = ip("10.1.255.3"),
		    beside = ip("10.2.0.1");
	struct addr v6 = ip("fd00:1::5"), odd = ip("192.168.7.129"),
		    even = ip("192.168.7.127");

	(void)state;
	turn_policy_add_own(&p, &own);
	assert_false(turn_policy_permits(&p, &own));
	assert_int_equal(turn_policy_allow(&p, SLICE("10.1.0.0/16")), 0);
	assert_int_equal(turn_policy_allow(&p, SLICE("fd00:1::/32")), 0);
	assert_int_equal(turn_policy_allow(&p, SLICE("192.168.7.128/25")), 0);
	assert_true(turn_policy_permits(&p, &inside));
	assert_false(turn_policy_permits(&p, &beside));
	assert_true(turn_policy_permits(&p, &v6));
	assert_true(turn_policy_permits(&p, &odd));
	assert_false(turn_policy_permits(&p, &even));
	assert_int_equal(turn_policy_allow(&p, SLICE("203.0.113.1")), 0);
	assert_true(turn_policy_permits(&p, &own));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(turn_policy_allow(&p, slice_str(bad[i])), E_MALFORMED);
	while (p.allowed_count < TURN_MAX_RANGES)
		assert_int_equal(turn_policy_allow(&p, SLICE("::/0")), 0);
	assert_int_equal(turn_policy_allow(&p, SLICE("::/0")), E_LIMIT);
}

/* Computed with: printf 1433895918:ninefingers | openssl dgst -sha1 -hmac logen -binary | base64 */
static void credentials_are_those_of_others(void **state)
{
	struct stun_hmac *h = stun_hmac_create();
	struct turn_credential c;
	struct turn_users u;

	(void)state;
	turn_users_init(&u);
	u.secret = SLICE("logen");
	assert_int_equal(
		turn_credential_make(&u, h, SLICE("ninefingers"), 1433895918000, &c), 0);
	assert_string_equal(c.user, "1433895918:ninefingers");
	assert_string_equal(c.password, "HY+Vd729N0UZ/xCzjg1F0GsoMK8=");
	char long_name[100] = { 0 };
	assert_int_equal(turn_credential_make(&u, h, slice_of(long_name, 95), 1, &c),
			 E_LIMIT);
	u.secret = SLICE_NONE;
	assert_int_equal(turn_credential_make(&u, h, SLICE("x"), 1, &c), E_NOT_FOUND);
	turn_users_fini(&u);
	stun_hmac_destroy(h);
}

/* Who has no name gives the time alone. By hand: the MD5 of "1433895918:realm:PASSWORD", that being
 * printf 1433895918 | openssl dgst -sha1 -hmac logen -binary | base64 */
static void credentials_need_no_name(void **state)
{
	struct stun_hmac *h = stun_hmac_create();
	struct turn_user found;
	struct turn_users u;

	(void)state;
	turn_users_init(&u);
	u.secret = SLICE("logen");
	assert_int_equal(turn_user_find(&u, h, SLICE("1433895918"), SLICE("realm"),
					TURN_MD5, &found),
			 0);
	assert_memory_equal(
		found.key.p,
		"\xba\xa9\xb5\x50\x48\xa9\x74\x43\xb4\x2c\x07\x5e\xa9\xa0\xd8\x2a", 16);
	assert_int_equal(found.until, 1433895918000);
	assert_int_equal(found.who.n, 0);
	assert_true(turn_user_expires(SLICE("1433895918")));
	assert_false(turn_user_expires(SLICE("ann")));
	assert_false(turn_user_expires(SLICE("")));
	turn_users_fini(&u);
	stun_hmac_destroy(h);
}

static void users_have_names_and_passwords(void **state)
{
	static const char *const bad[] = { "", ":", "a:", ":b", "a", "12345:b" };
	struct stun_hmac *h = stun_hmac_create();
	struct turn_users u;
	struct turn_user found;

	(void)state;
	turn_users_init(&u);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(turn_users_add(&u, slice_str(bad[i]), SLICE("realm")),
				 E_MALFORMED);
	/* RFC 8489, 9.2.2: the MD5 of "user:realm:pass" is 8493fbc53ba582fb4c044c456bdc40eb. */
	assert_int_equal(turn_users_add(&u, SLICE("user:pass"), SLICE("realm")), 0);
	assert_int_equal(
		turn_user_find(&u, h, SLICE("user"), SLICE("realm"), TURN_MD5, &found),
		0);
	assert_int_equal(found.key.n, 16);
	assert_memory_equal(
		found.key.p,
		"\x84\x93\xfb\xc5\x3b\xa5\x82\xfb\x4c\x04\x4c\x45\x6b\xdc\x40\xeb", 16);
	assert_int_equal(found.until, 0);
	assert_int_equal(
		turn_user_find(&u, h, SLICE("user"), SLICE("realm"), TURN_SHA256, &found),
		0);
	assert_int_equal(found.key.n, 32);
	assert_int_equal(
		turn_user_find(&u, h, SLICE("99:x"), SLICE("realm"), TURN_MD5, &found),
		E_NOT_FOUND); /* no secret */
	turn_users_fini(&u);
	stun_hmac_destroy(h);
}

/* RFC 8489, B.1. */
static void users_are_found_by_their_hash(void **state)
{
	static const uint8_t want[] = {
		0x4a, 0x3c, 0xf3, 0x8f, 0xef, 0x69, 0x92, 0xbd, 0xa9, 0x52, 0xc6,
		0x78, 0x04, 0x17, 0xda, 0x0f, 0x24, 0x81, 0x94, 0x15, 0x56, 0x9e,
		0x60, 0xb2, 0x05, 0xc4, 0x6e, 0x41, 0x40, 0x7f, 0x17, 0x04,
	};
	static const char name[] = "マトリックス";
	struct turn_users u;
	uint8_t hash[STUN_SHA256];

	(void)state;
	turn_user_hash(slice_str(name), SLICE("example.org"), hash);
	assert_memory_equal(hash, want, sizeof(want));
	turn_users_init(&u);
	assert_int_equal(
		turn_users_add(&u, SLICE("マトリックス:TheMatrIX"), SLICE("example.org")),
		0);
	assert_true(slice_is(turn_users_unhash(&u, slice_of(want, 32)), name));
	assert_int_equal(turn_users_unhash(&u, slice_of(want, 31)).n, 0);
	hash[0] ^= 1;
	assert_int_equal(turn_users_unhash(&u, slice_of(hash, 32)).n, 0);
	turn_users_fini(&u);
}

static void nonces_are_ours_or_nothing(void **state)
{
	static const uint64_t key[2] = { 1, 2 }, other[2] = { 1, 3 };
	struct addr a = ip("203.0.113.1"), b = ip("203.0.113.2");
	struct turn_nonce n;
	ms_t now = 1800000000000;
	unsigned f;

	(void)state;
	turn_nonce_make(&n, key, &a, now, TURN_ALGORITHMS);
	struct slice s = slice_of(n.text, TURN_NONCE);
	assert_true(turn_nonce_is_good(s, key, &a, now + 60000, 60000, &f));
	assert_false(turn_nonce_is_good(s, key, &a, now + 61000, 60000, &f));
	assert_false(turn_nonce_is_good(s, key, &a, now - 120000, 60000, &f));
	assert_false(turn_nonce_is_good(s, key, &b, now, 60000, &f));
	assert_false(turn_nonce_is_good(s, other, &a, now, 60000, &f));
	assert_memory_equal(n.text, "obMatJos2AAAB", 13);
	struct turn_nonce asks;
	turn_nonce_make(&asks, key, &a, now, TURN_ALGORITHMS | TURN_ANONYMITY);
	assert_memory_equal(asks.text, "obMatJos2AAAD", 13);
	assert_true(turn_nonce_is_good(slice_of(asks.text, 29), key, &a, now, 60000, &f));
	assert_int_equal(f, TURN_ALGORITHMS | TURN_ANONYMITY);
	for (size_t i = 0; i < TURN_NONCE; i++) {
		struct turn_nonce changed = n;
		changed.text[i] ^= 1;
		assert_false(turn_nonce_is_good(slice_of(changed.text, TURN_NONCE), key,
						&a, now, 60000, &f));
		assert_false(
			turn_nonce_is_good(slice_of(n.text, i), key, &a, now, 60000, &f));
	}
}

static void ledger_lends_each_port_once(void **state)
{
	static const struct turn_quotas none;
	struct turn_ledger *l = turn_ledger_create(&none, 1001, 1006);
	bool seen[6] = { false };
	uint16_t port;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(turn_ledger_claim(l, AF_INET, false, false, i, &port),
				 0);
		assert_true(port >= 1001 && port <= 1006 && !seen[port - 1001]);
		seen[port - 1001] = true;
		assert_int_equal(turn_ledger_worker(l, AF_INET, port), i);
		assert_int_equal(turn_ledger_worker(l, AF_INET6, port), -1);
	}
	assert_int_equal(turn_ledger_claim(l, AF_INET, false, false, 0, &port), E_LIMIT);
	for (uint16_t p = 1001; p <= 1006; p++)
		turn_ledger_release(l, AF_INET, p);
	/* Pairs are even and odd and inside the range: 1002 and 1004 begin one, 1006 does not. */
	assert_int_equal(turn_ledger_claim(l, AF_INET, false, true, 0, &port), 0);
	assert_int_equal(turn_ledger_claim(l, AF_INET, false, true, 0, &port), 0);
	assert_int_equal(turn_ledger_claim(l, AF_INET, false, true, 0, &port), E_LIMIT);
	assert_int_equal(turn_ledger_claim(l, AF_INET, true, false, 0, &port), 0);
	assert_int_equal(port, 1006);
	turn_ledger_destroy(l);
}

static void ledger_keeps_reserved_ports_for_a_while(void **state)
{
	static const struct turn_quotas none;
	struct turn_ledger *l = turn_ledger_create(&none, 1000, 1001);
	uint8_t token[TURN_TOKEN];
	uint16_t port;
	int family;

	(void)state;
	assert_int_equal(turn_ledger_claim(l, AF_INET, true, true, 0, &port), 0);
	turn_ledger_reserve(l, AF_INET, 1001, 5000, token);
	assert_int_equal(
		turn_ledger_redeem(l, SLICE("01234567"), 1, 5000, &family, &port),
		E_NOT_FOUND);
	assert_int_equal(
		turn_ledger_redeem(l, slice_of(token, 8), 1, 34999, &family, &port), 0);
	assert_int_equal(port, 1001);
	assert_int_equal(turn_ledger_worker(l, AF_INET, 1001), 1);

	turn_ledger_reserve(l, AF_INET, 1001, 40000, token);
	assert_int_equal(
		turn_ledger_redeem(l, slice_of(token, 8), 1, 70000, &family, &port),
		E_NOT_FOUND);
	assert_int_equal(turn_ledger_worker(l, AF_INET, 1001), -1);
	turn_ledger_destroy(l);
}

static void ledger_knows_which_workers_a_session_uses(void **state)
{
	static const struct turn_quotas none;
	struct turn_ledger *l = turn_ledger_create(&none, 1000, 1001);
	struct addr a = ip("203.0.113.1");

	(void)state;
	assert_int_equal(turn_ledger_admit(l, SLICE("u"), &a, 7, 2), E_STATE);
	turn_ledger_open_session(l, 7);
	assert_int_equal(turn_ledger_admit(l, SLICE("u"), &a, 7, 2), 0);
	assert_int_equal(turn_ledger_admit(l, SLICE("u"), &a, 7, 5), 0);
	assert_int_equal(turn_ledger_bar_session(l, 7, true), 1 << 2 | 1 << 5);
	assert_int_equal(turn_ledger_admit(l, SLICE("u"), &a, 7, 2), E_STATE);
	assert_int_equal(turn_ledger_bar_session(l, 7, false), 0);
	assert_int_equal(turn_ledger_admit(l, SLICE("u"), &a, 7, 3), 0);
	assert_int_equal(turn_ledger_close_session(l, 7), 1 << 3);
	assert_int_equal(turn_ledger_close_session(l, 7), 0);
	for (unsigned i = 0; i < 3; i++)
		turn_ledger_leave(l, SLICE("u"), &a);
	turn_ledger_destroy(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_permits_public_addresses_only),
		cmocka_unit_test(policy_opens_what_it_is_told_to),
		cmocka_unit_test(credentials_are_those_of_others),
		cmocka_unit_test(credentials_need_no_name),
		cmocka_unit_test(users_have_names_and_passwords),
		cmocka_unit_test(users_are_found_by_their_hash),
		cmocka_unit_test(nonces_are_ours_or_nothing),
		cmocka_unit_test(ledger_lends_each_port_once),
		cmocka_unit_test(ledger_keeps_reserved_ports_for_a_while),
		cmocka_unit_test(ledger_knows_which_workers_a_session_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
