#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void addr_parses_and_prints_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} v[] = {
		{ "192.0.2.1:80", "192.0.2.1:80" },
		{ "0.0.0.0:0", "0.0.0.0:0" },
		{ "[::]:8443", "[::]:8443" },
		{ ":8443", "[::]:8443" },
		{ "[2001:db8::1]:65535", "[2001:db8::1]:65535" },
		{ "localhost:0", "127.0.0.1:0" },
		{ "LocalHost:1", "127.0.0.1:1" },
		{ "[::ffff:192.0.2.1]:80", "192.0.2.1:80" },
		{ "[::1]:9", "[::1]:9" },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct addr a;
		struct addr_text t;
		assert_int_equal(addr_parse(&a, slice_str(v[i].in)), 0);
		assert_string_equal(addr_text(&a, &t), v[i].out);
	}
}

static void addr_refuses_what_is_none(void **state)
{
	(void)state;
	static const char *const v[] = {
		"",
		":",
		"80",
		"1.2.3.4",
		"1.2.3.4:",
		"1.2.3.4:65536",
		"1.2.3.4:-1",
		"1.2.3:80",
		"1.2.3.4.5:80",
		"256.0.0.1:80",
		"::1:80",
		"[::1:80",
		"::1]:80",
		"[1.2.3.4]:80",
		"[]:80",
		"[::g]:80",
		"example.org:80",
		"1.2.3.4:8o",
		" 1.2.3.4:80",
		"[2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1]:1",
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct addr a = { .port = 7 };
		assert_int_equal(addr_parse(&a, slice_str(v[i])), E_MALFORMED);
		assert_int_equal(a.port, 7);
	}
	struct addr a;
	assert_int_equal(addr_parse(&a, SLICE("1.2.3.4\0:80")), E_MALFORMED);
}

static void addr_survives_the_sockets_form(void **state)
{
	(void)state;
	static const char *const v[] = { "192.0.2.1:80", "[2001:db8::1]:443",
					 "[fe80::1]:5" };

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct addr a, back;
		struct sockaddr_storage ss;
		assert_int_equal(addr_parse(&a, slice_str(v[i])), 0);
		a.scope = i == 2 ? 3 : 0;
		assert_true(addr_to_sock(&a, &ss) > 0);
		assert_int_equal(addr_from_sock(&back, (struct sockaddr *)&ss), 0);
		assert_true(addr_eq(&a, &back));
		back.port++;
		assert_false(addr_eq(&a, &back));
	}
	struct sockaddr_storage unix_socket = { .ss_family = AF_UNIX };
	struct addr a;
	assert_true(addr_from_sock(&a, (struct sockaddr *)&unix_socket) < 0);
}

static void mapped_ipv4_is_ipv4(void **state)
{
	(void)state;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	struct addr a, b;

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6.sin6_addr);
	assert_int_equal(addr_from_sock(&a, (struct sockaddr *)&in6), 0);
	assert_int_equal(addr_parse(&b, SLICE("127.0.0.1:80")), 0);
	assert_true(addr_eq(&a, &b));
	assert_true(addr_is_loopback(&a));
}

static void addr_knows_loopback_and_any(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool loopback, any;
	} v[] = {
		{ "127.0.0.1:1", true, false }, { "127.8.9.1:1", true, false },
		{ "[::1]:1", true, false },     { "128.0.0.1:1", false, false },
		{ "[::2]:1", false, false },    { "0.0.0.0:1", false, true },
		{ "[::]:1", false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct addr a;
		assert_int_equal(addr_parse(&a, slice_str(v[i].text)), 0);
		assert_int_equal(addr_is_loopback(&a), v[i].loopback);
		assert_int_equal(addr_is_any(&a), v[i].any);
	}
	struct addr none = { 0 };
	assert_false(addr_is_any(&none));
	assert_false(addr_is_loopback(&none));
}

static void local_addresses_are_for_others(void **state)
{
	(void)state;
	struct addr a[16];
	size_t n = addr_local(a, ARRAY_LEN(a));

	assert_in_range(n, 0, ARRAY_LEN(a));
	for (size_t i = 0; i < n; i++) {
		assert_false(addr_is_loopback(&a[i]));
		assert_false(addr_is_any(&a[i]));
	}
	assert_int_equal(addr_local(a, 0), 0);
}

/* Those of the loopback interface too, where public ones may be. */
static void own_addresses_are_all(void **state)
{
	(void)state;
	struct addr a[1024], local[16];
	size_t n = addr_own(a, ARRAY_LEN(a)),
	       others = addr_local(local, ARRAY_LEN(local));
	bool loopback = false;

	for (size_t i = 0; i < n; i++)
		loopback |= addr_is_loopback(&a[i]);
	assert_true(loopback);
	for (size_t k = 0; k < others; k++) {
		bool found = false;
		for (size_t i = 0; i < n; i++)
			found |= addr_same_ip(&a[i], &local[k]);
		assert_true(found);
	}
	assert_int_equal(addr_own(a, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addr_parses_and_prints_the_same),
		cmocka_unit_test(addr_refuses_what_is_none),
		cmocka_unit_test(addr_survives_the_sockets_form),
		cmocka_unit_test(mapped_ipv4_is_ipv4),
		cmocka_unit_test(addr_knows_loopback_and_any),
		cmocka_unit_test(local_addresses_are_for_others),
		cmocka_unit_test(own_addresses_are_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
