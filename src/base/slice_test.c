#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void slice_compare_by_bytes_and_length(void **state)
{
	(void)state;
	assert_true(slice_eq(SLICE("ab"), SLICE("ab")));
	assert_true(slice_eq(SLICE(""), SLICE_NONE));
	assert_false(slice_eq(SLICE("ab"), SLICE("abc")));
	assert_false(slice_eq(SLICE("ab\0c"), SLICE("ab\0d")));
	assert_true(slice_is(SLICE("room"), "room"));
}

static void slice_ieq_folds_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(slice_ieq(SLICE("Content-LENGTH"), SLICE("content-length")));
	assert_false(slice_ieq(SLICE("a"), SLICE("ab")));
	/* '@' and '`', '[' and '{' differ by the same bit as letters do. */
	assert_false(slice_ieq(SLICE("@["), SLICE("`{")));
	assert_false(slice_ieq(SLICE("\xc4"), SLICE("\xe4")));
}

static void slice_starts_and_ends(void **state)
{
	(void)state;
	assert_true(slice_starts(SLICE("/r/fox"), SLICE("/r/")));
	assert_true(slice_starts(SLICE("x"), SLICE_NONE));
	assert_false(slice_starts(SLICE("/r"), SLICE("/r/")));
	assert_true(slice_ends(SLICE("app.js"), SLICE(".js")));
	assert_true(slice_ends(SLICE_NONE, SLICE_NONE));
	assert_false(slice_ends(SLICE("js"), SLICE(".js")));
}

static void slice_from_past_the_end_is_empty(void **state)
{
	(void)state;
	assert_true(slice_is(slice_from(SLICE("abc"), 1), "bc"));
	assert_int_equal(slice_from(SLICE("abc"), 3).n, 0);
	assert_int_equal(slice_from(SLICE("abc"), 99).n, 0);
	assert_null(slice_end(SLICE_NONE));
}

static void slice_trim_takes_spaces_and_tabs(void **state)
{
	(void)state;
	assert_true(slice_is(slice_trim(SLICE(" \t a b\t")), "a b"));
	assert_true(slice_is(slice_trim(SLICE("\na\n")), "\na\n"));
	assert_int_equal(slice_trim(SLICE(" \t ")).n, 0);
	assert_int_equal(slice_trim(SLICE_NONE).n, 0);
}

static void slice_find_is_the_first_or_the_length(void **state)
{
	(void)state;
	assert_int_equal(slice_find(SLICE("a=b=c"), '='), 1);
	assert_int_equal(slice_find(SLICE("abc"), '='), 3);
	assert_int_equal(slice_find(SLICE_NONE, '='), 0);
}

static void slice_split_gives_each_part(void **state)
{
	(void)state;
	static const char *const want[] = { "", "a", "", "b" };
	struct slice rest = SLICE(",a,,b,"), part;
	size_t n = 0;

	while (slice_split(&rest, ',', &part)) {
		assert_true(n < ARRAY_LEN(want));
		assert_true(slice_is(part, want[n++]));
	}
	assert_int_equal(n, ARRAY_LEN(want));
	assert_false(slice_split(&rest, ',', &part));
}

static void slice_numbers_are_digits_that_fit(void **state)
{
	static const struct {
		const char *text;
		int err64;
		uint64_t v;
		int err32;
	} t[] = {
		{ "0", 0, 0, 0 },
		{ "007", 0, 7, 0 },
		{ "4294967295", 0, UINT32_MAX, 0 },
		{ "4294967296", 0, 4294967296, E_LIMIT },
		{ "18446744073709551615", 0, UINT64_MAX, E_LIMIT },
		{ "18446744073709551616", E_LIMIT, 0, E_LIMIT },
		{ "99999999999999999999x", E_MALFORMED, 0, E_MALFORMED },
		{ "", E_MALFORMED, 0, E_MALFORMED },
		{ "+1", E_MALFORMED, 0, E_MALFORMED },
		{ "-1", E_MALFORMED, 0, E_MALFORMED },
		{ " 1", E_MALFORMED, 0, E_MALFORMED },
		{ "0x1", E_MALFORMED, 0, E_MALFORMED },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint64_t v64 = 77;
		uint32_t v32 = 77;
		assert_int_equal(slice_to_u64(slice_str(t[i].text), &v64), t[i].err64);
		assert_int_equal(v64, t[i].err64 ? 77 : t[i].v);
		assert_int_equal(slice_to_u32(slice_str(t[i].text), &v32), t[i].err32);
		assert_int_equal(v32, t[i].err32 ? 77 : t[i].v);
	}
}

static void slice_dup_ends_with_nul(void **state)
{
	(void)state;
	char *a = slice_dup(slice_of("abc", 2)), *b = slice_dup(SLICE_NONE);

	assert_string_equal(a, "ab");
	assert_string_equal(b, "");
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_compare_by_bytes_and_length),
		cmocka_unit_test(slice_ieq_folds_ascii_letters_only),
		cmocka_unit_test(slice_starts_and_ends),
		cmocka_unit_test(slice_from_past_the_end_is_empty),
		cmocka_unit_test(slice_trim_takes_spaces_and_tabs),
		cmocka_unit_test(slice_find_is_the_first_or_the_length),
		cmocka_unit_test(slice_split_gives_each_part),
		cmocka_unit_test(slice_numbers_are_digits_that_fit),
		cmocka_unit_test(slice_dup_ends_with_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
