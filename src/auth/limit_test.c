#include "auth/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct auth_limit_settings settings = {
	.per_minute = { [AUTH_CONNECTS] = 6, [AUTH_ROOMS] = 2 },
	.addresses = 3,
};

static void a_minute_at_once_then_at_its_pace(void **state)
{
	struct auth_limits *l = auth_limits_create(&settings);
	struct slice a = SLICE("192.0.2.1");

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(auth_limits_take(l, a, AUTH_CONNECTS, 1000), 0);
	/* One in ten seconds. */
	assert_int_equal(auth_limits_take(l, a, AUTH_CONNECTS, 1000), 10);
	assert_int_equal(auth_limits_take(l, a, AUTH_CONNECTS, 4500), 7);
	assert_int_equal(auth_limits_take(l, a, AUTH_CONNECTS, 11000), 0);
	assert_int_equal(auth_limits_take(l, a, AUTH_CONNECTS, 11000), 10);
	/* Others, and other budgets, have their own; what has none is free. */
	assert_int_equal(auth_limits_take(l, SLICE("192.0.2.2"), AUTH_CONNECTS, 11000),
			 0);
	assert_int_equal(auth_limits_take(l, a, AUTH_ROOMS, 11000), 0);
	assert_int_equal(auth_limits_take(l, a, AUTH_REQUESTS, 11000), 0);
	/* A long rest is worth a minute. */
	for (int i = 0; i < 6; i++)
		assert_int_equal(auth_limits_take(l, a, AUTH_CONNECTS, 99999999), 0);
	assert_int_equal(auth_limits_take(l, a, AUTH_CONNECTS, 99999999), 10);
	/* Nobody knows no address. */
	for (int i = 0; i < 9; i++)
		assert_int_equal(auth_limits_take(l, SLICE_NONE, AUTH_CONNECTS, 1), 0);
	auth_limits_destroy(l);
}

static void who_was_not_seen_longest_is_forgotten(void **state)
{
	struct auth_limits *l = auth_limits_create(&settings);
	char text[16];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(auth_limits_take(l, SLICE("a"), AUTH_ROOMS, 0), 0);
	assert_true(auth_limits_take(l, SLICE("a"), AUTH_ROOMS, 0) > 0);
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "b%d", i);
		assert_int_equal(auth_limits_take(l, slice_str(text), AUTH_ROOMS, 0), 0);
	}
	assert_true(auth_limits_take(l, SLICE("a"), AUTH_ROOMS, 0) > 0);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "c%d", i);
		assert_int_equal(auth_limits_take(l, slice_str(text), AUTH_ROOMS, 0), 0);
	}
	assert_int_equal(auth_limits_take(l, SLICE("a"), AUTH_ROOMS, 0), 0);
	auth_limits_destroy(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_at_once_then_at_its_pace),
		cmocka_unit_test(who_was_not_seen_longest_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
