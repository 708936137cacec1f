#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

static void clock_mono_never_jumps_back(void **state)
{
	(void)state;
	uint64_t us = clock_mono_us();
	ms_t ms = clock_mono();

	for (int i = 0; i < 1000; i++) {
		uint64_t us_now = clock_mono_us();
		ms_t ms_now = clock_mono();
		assert_true(us_now >= us && ms_now >= ms);
		us = us_now;
		ms = ms_now;
	}
	assert_true((ms_t)(us / 1000) <= clock_mono());
}

static void clock_wall_is_the_time_of_day(void **state)
{
	(void)state;
	time_t before = time(NULL);
	ms_t wall = clock_wall();

	/* time(2) reads a clock that is updated each tick, so it may lag behind. */
	assert_in_range(wall / 1000, before, time(NULL) + 1);
}

static void clock_iso_is_utc_with_milliseconds(void **state)
{
	static const struct {
		ms_t wall;
		const char *want;
	} t[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1795171629123, "2026-11-20T10:47:09.123Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct buf b = BUF_INIT(100);
		clock_iso(&b, t[i].wall);
		assert_true(slice_is(buf_slice(&b), t[i].want));
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_mono_never_jumps_back),
		cmocka_unit_test(clock_wall_is_the_time_of_day),
		cmocka_unit_test(clock_iso_is_utc_with_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
