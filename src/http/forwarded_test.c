#include "http/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_client(const char *peer, const char *field, const char *want)
{
	struct http_proxy list[3];
	struct addr from;
	struct buf b = BUF_INIT(64);

	assert_int_equal(http_proxy_parse(&list[0], SLICE("127.0.0.1")), 0);
	assert_int_equal(http_proxy_parse(&list[1], SLICE("10.0.0.0/9")), 0);
	assert_int_equal(http_proxy_parse(&list[2], SLICE("2001:db8::/33")), 0);
	assert_int_equal(addr_parse(&from, slice_str(peer)), 0);
	struct addr client = http_forwarded(list, 3, &from, slice_str(field));
	addr_print_ip(&client, &b);
	assert_true(slice_is(buf_slice(&b), want));
	buf_fini(&b);
}

static void first_address_from_the_right_that_is_not_ours(void **state)
{
	(void)state;
	assert_client("127.0.0.1:9", "", "127.0.0.1");
	assert_client("127.0.0.1:9", "192.0.2.1", "192.0.2.1");
	assert_client("127.0.0.1:9", "1.1.1.1, 192.0.2.1 , 10.1.2.3", "192.0.2.1");
	assert_client("127.0.0.1:9", "1.1.1.1,10.128.0.1", "10.128.0.1");
	assert_client("127.0.0.1:9", "10.1.1.1,10.2.2.2", "10.1.1.1");
	assert_client("127.0.0.1:9", "2001:db8:1::7", "2001:db8:1::7");
	assert_client("[2001:db8::1]:9", "2001:db8:8000::7", "2001:db8:8000::7");
	assert_client("[::ffff:127.0.0.1]:9", "192.0.2.1", "192.0.2.1");
}

static void who_is_no_proxy_is_not_believed(void **state)
{
	(void)state;
	assert_client("192.0.2.9:9", "1.1.1.1", "192.0.2.9");
	assert_client("10.200.0.1:9", "1.1.1.1", "10.200.0.1");
}

static void what_cannot_be_read_ends_the_list(void **state)
{
	(void)state;
	assert_client("127.0.0.1:9", "unknown", "127.0.0.1");
	assert_client("127.0.0.1:9", "1.1.1.1, , 10.1.1.1", "10.1.1.1");
	assert_client("127.0.0.1:9", ",", "127.0.0.1");
}

static void bad_networks_are_refused(void **state)
{
	static const char *const bad[] = { "",           "/8",        "10.0.0.0/33",
					   "10.0.0.0/x", "10.0.0.0/", "host",
					   "::1/129" };
	struct http_proxy p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(http_proxy_parse(&p, slice_str(bad[i])) < 0);
	assert_int_equal(http_proxy_parse(&p, SLICE("0.0.0.0/0")), 0);
	assert_int_equal(http_proxy_parse(&p, SLICE("::/0")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_address_from_the_right_that_is_not_ours),
		cmocka_unit_test(who_is_no_proxy_is_not_believed),
		cmocka_unit_test(what_cannot_be_read_ends_the_list),
		cmocka_unit_test(bad_networks_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
