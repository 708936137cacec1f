#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"

static void err_codes_are_distinct_and_below_errno(void **state)
{
	(void)state;
#define X(id, code, name, http, ws, text) id,
	static const int all[] = { ERR_LIST(X) };
#undef X

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		assert_true(all[i] <= -5001);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(all[i], all[j]);
	}
}

static void err_rows_answer_each_wire(void **state)
{
	(void)state;
	assert_string_equal(err_text(E_ROOM_FULL), "the room is full");
	assert_string_equal(err_name(E_ROOM_FULL), "room_full");
	assert_int_equal(err_http_status(E_NOT_FOUND), 404);
	assert_int_equal(err_http_status(E_TOO_LARGE), 413);
	assert_int_equal(err_ws_code(E_UTF8), 1007);
	assert_int_equal(err_ws_code(E_MALFORMED), 1002);
}

/* RFC 9110, 15 and RFC 6455, 7.4: what a row may hold at all. */
static void err_rows_hold_valid_statuses(void **state)
{
	(void)state;
#define X(id, code, name, http, ws, text)                                                \
	assert_in_range(http, 400, 599);                                                 \
	assert_true((ws >= 1001 && ws <= 1014) || (ws >= 4000 && ws <= 4999));           \
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));     \
	assert_true(strlen(text) > 0);
	ERR_LIST(X)
#undef X
}

static void err_system_errors_are_internal(void **state)
{
	(void)state;
	assert_string_equal(err_text(-ENOENT), "No such file or directory");
	assert_string_equal(err_name(-ENOENT), "internal");
	assert_int_equal(err_http_status(-ENOENT), 500);
	assert_int_equal(err_ws_code(-ENOENT), 1011);
}

static void err_any_number_has_a_text(void **state)
{
	(void)state;
	static const int odd[] = { 0, 1, INT_MAX, INT_MIN, -4999, -5000, -5999 };

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_non_null(err_text(odd[i]));
		assert_string_equal(err_name(odd[i]), "internal");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_codes_are_distinct_and_below_errno),
		cmocka_unit_test(err_rows_answer_each_wire),
		cmocka_unit_test(err_rows_hold_valid_statuses),
		cmocka_unit_test(err_system_errors_are_internal),
		cmocka_unit_test(err_any_number_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
