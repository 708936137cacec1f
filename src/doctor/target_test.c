#include "doctor/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"

static void target_reads_urls(void **state)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
		bool tls;
	} v[] = {
		{ "https://call.example.org", "call.example.org", 443, true },
		{ "http://localhost:8443/r/amber-fox", "localhost", 8443, false },
		{ "https://[2001:db8::1]:8443?x", "2001:db8::1", 8443, true },
		{ "http://[::1]", "::1", 80, false },
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_int_equal(target_parse(&t, slice_str(v[i].url)), 0);
		assert_true(slice_is(t.host, v[i].host));
		assert_int_equal(t.port, v[i].port);
		assert_int_equal(t.tls, v[i].tls);
	}
}

static void target_refuses_what_is_no_url(void **state)
{
	static const char *const v[] = {
		"",
		"call.example.org",
		"ftp://x",
		"https://",
		"https://:80",
		"http://[::1",
		"http://[::1]x",
		"http://x:0",
		"http://x:65536",
		"http://x:y",
		"https:///r",
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(target_parse(&t, slice_str(v[i])), E_MALFORMED);
}

/* RFC 7064, 3.3 and RFC 7065, 3.3 */
static void target_reads_ice_uris(void **state)
{
	static const struct {
		const char *uri, *host;
		uint16_t port;
		bool turn, tls, tcp;
	} v[] = {
		{ "stun:example.org", "example.org", 3478, false, false, false },
		{ "stuns:example.org", "example.org", 5349, false, true, true },
		{ "stun:example.org:8000", "example.org", 8000, false, false, false },
		{ "turn:example.org", "example.org", 3478, true, false, false },
		{ "turns:example.org", "example.org", 5349, true, true, true },
		{ "turn:192.0.2.1:443?transport=tcp", "192.0.2.1", 443, true, false,
		  true },
		{ "turn:[::1]:1?transport=udp", "::1", 1, true, false, false },
	};
	struct ice_target t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_int_equal(target_parse_ice(&t, slice_str(v[i].uri)), 0);
		assert_true(slice_is(t.at.host, v[i].host));
		assert_int_equal(t.at.port, v[i].port);
		assert_int_equal(t.turn, v[i].turn);
		assert_int_equal(t.tls, v[i].tls);
		assert_int_equal(t.tcp, v[i].tcp);
	}
	assert_int_equal(target_parse_ice(&t, SLICE("https://x")), E_MALFORMED);
	assert_int_equal(target_parse_ice(&t, SLICE("turn:")), E_MALFORMED);
	assert_int_equal(target_parse_ice(&t, SLICE("")), E_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(target_reads_urls),
		cmocka_unit_test(target_refuses_what_is_no_url),
		cmocka_unit_test(target_reads_ice_uris),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
