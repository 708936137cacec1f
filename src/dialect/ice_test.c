#include "dialect/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void expect(const char *const *item, size_t count, int err, const char *want)
{
	struct buf out = BUF_INIT(4096), why = BUF_INIT(4096);

	assert_int_equal(ice_servers_json(item, count, &out, &why), err);
	if (err < 0) {
		assert_true(why.n > 0);
	} else {
		buf_u8(&out, 0);
		assert_string_equal((const char *)out.p, want);
	}
	buf_fini(&out);
	buf_fini(&why);
}

static void no_server_is_an_empty_list(void **state)
{
	(void)state;
	expect(NULL, 0, 0, "[]");
}

static void servers_with_and_without_credentials(void **state)
{
	(void)state;
	static const char *const item[] = {
		"stun:stun.example.org:3478",
		"turn:t.example.org,turns:t.example.org:5349  username=ann "
		"credential=s\"=x",
	};

	expect(item, 2, 0,
	       "[{\"urls\":[\"stun:stun.example.org:3478\"]},"
	       "{\"urls\":[\"turn:t.example.org\",\"turns:t.example.org:5349\"],"
	       "\"username\":\"ann\",\"credential\":\"s\\\"=x\"}]");
}

static void other_forms_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"http://example.org",
		"stun:",
		"turn:a user=b",
		"turn:a username",
		"turn:a,http:b",
		"turn:a username=\xff",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect(&bad[i], 1, E_MALFORMED, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_server_is_an_empty_list),
		cmocka_unit_test(servers_with_and_without_credentials),
		cmocka_unit_test(other_forms_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
