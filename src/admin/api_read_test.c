#include "admin/api_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "bus/member_info.h"

static const struct api_field fields[] = {
	{ "name", API_TEXT, true, 1, 4, "" },
	{ "count", API_NUMBER, false, 2, 5, "" },
	{ "on", API_BOOL, false, 0, 0, "" },
	{ "more", API_OBJECT, false, 0, 10, "" },
	{ "any", API_ANY, false, 0, 10, "" },
	{ "role", API_ROLE, false, 1, 16, "" },
	{ .name = NULL },
};

static void members_are_held_against_their_fields(void **state)
{
	static const struct {
		const char *body;
		int want;
		const char *why;
	} v[] = {
		{ "{\"name\":\"abcd\"}", 0, NULL },
		{ "{\"name\":\"a\",\"unknown\":[]}", 0, NULL },
		{ "{}", E_BAD_FIELD, "name" },
		{ "{\"name\":null}", E_BAD_FIELD, "name" },
		{ "{\"name\":\"\"}", E_BAD_FIELD, "name" },
		{ "{\"name\":\"abcde\"}", E_BAD_FIELD, "name" },
		{ "{\"name\":\"a\",\"count\":1}", E_BAD_FIELD, "count" },
		{ "{\"name\":\"a\",\"count\":6}", E_BAD_FIELD, "count" },
		{ "{\"name\":\"a\",\"count\":\"3\"}", E_BAD_FIELD, "count" },
		{ "{\"name\":\"a\",\"on\":1}", E_BAD_FIELD, "on" },
		{ "{\"name\":\"a\",\"more\":[]}", E_BAD_FIELD, "more" },
		{ "{\"name\":\"a\",\"more\":{\"a\":12345}}", E_BAD_FIELD, "more" },
		{ "{\"name\":\"a\",\"any\":12345678901}", E_BAD_FIELD, "any" },
		{ "{\"name\":\"a\",\"role\":\"king\"}", E_BAD_FIELD, "role" },
		{ "[]", E_MALFORMED, NULL },
		{ "", E_TRUNCATED, NULL },
		{ "{\"name\":", E_TRUNCATED, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct api_value value[API_MAX_FIELDS] = { 0 };
		struct buf text = BUF_INIT(1000);
		const char *why = NULL;

		assert_int_equal(
			api_read_body(fields, slice_str(v[i].body), value, &text, &why),
			v[i].want);
		if (v[i].why)
			assert_string_equal(why, v[i].why);
		else
			assert_null(why);
		buf_fini(&text);
	}
}

static void values_come_in_the_order_of_the_fields(void **state)
{
	struct api_value value[API_MAX_FIELDS] = { 0 };
	struct buf text = BUF_INIT(1000);
	const char *why = NULL;

	(void)state;
	assert_int_equal(
		api_read_body(
			fields,
			SLICE("{\"role\":\"listener\",\"any\":[1],\"more\":{\"a\":1},"
			      "\"on\":true,\"count\":3,\"name\":\"\\u00e9\"}"),
			value, &text, &why),
		0);
	assert_true(slice_is(value[0].text, "\xc3\xa9"));
	assert_int_equal(value[1].number, 3);
	assert_true(value[2].on);
	assert_true(slice_is(value[3].text, "{\"a\":1}"));
	assert_true(slice_is(value[4].text, "[1]"));
	assert_int_equal(value[5].number, ROLE_LISTENER);
	buf_fini(&text);
}

static void operations_fit_their_call(void **state)
{
	(void)state;
	for (size_t i = 0; i < api_op_count; i++) {
		size_t query = 0, body = 0;

		for (const struct api_field *f = api_ops[i].query; f && f->name; f++)
			query++;
		for (const struct api_field *f = api_ops[i].body; f && f->name; f++)
			body++;
		assert_true(query <= API_MAX_FIELDS && body <= API_MAX_FIELDS);
		assert_int_equal(api_ops[i].answer == NULL, api_ops[i].status == 204);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_held_against_their_fields),
		cmocka_unit_test(values_come_in_the_order_of_the_fields),
		cmocka_unit_test(operations_fit_their_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
