#include "admin/jwks_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

#define HOUR 3600000

static void next_look_is_between_gap_and_interval(void **state)
{
	static const struct {
		const char *cache_control;
		ms_t want;
	} v[] = {
		{ "", HOUR },
		{ "no-store", HOUR },
		{ "max-age=60", 60000 },
		{ "public, max-age=60", 60000 },
		{ "Max-Age=60 , must-revalidate", 60000 },
		{ "max-age=0", 10000 },
		{ "max-age=1", 10000 },
		{ "max-age=86400", HOUR },
		{ "max-age=99999999999999999999", HOUR },
		{ "max-age=18446744073709551615", HOUR },
		{ "max-age=-1", HOUR },
		{ "max-age=", HOUR },
		{ "s-maxage=60", HOUR },
		{ ",,,", HOUR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(
			jwks_source_next(slice_str(v[i].cache_control), 10000, HOUR),
			v[i].want);
	assert_int_equal(jwks_source_next(SLICE(""), 2 * HOUR, HOUR), 2 * HOUR);
}

static void urls_are_told_from_files(void **state)
{
	(void)state;
	assert_true(jwks_source_is_url("https://idp.example/keys"));
	assert_true(jwks_source_is_url("http://127.0.0.1/keys"));
	assert_false(jwks_source_is_url(""));
	assert_false(jwks_source_is_url("/etc/keys.json"));
	assert_false(jwks_source_is_url("file:///etc/keys.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_look_is_between_gap_and_interval),
		cmocka_unit_test(urls_are_told_from_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
