#include "http/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct example {
	const char *origin, *host;
	bool tls;
	enum origin_verdict verdict;
};

static void judge_all(const struct http_settings *s, const struct example *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum origin_verdict got = http_origin_judge(
			s, slice_str(v[i].origin), slice_str(v[i].host), v[i].tls);
		if (got != v[i].verdict)
			print_error("origin %s at host %s\n", v[i].origin, v[i].host);
		assert_int_equal(got, v[i].verdict);
	}
}

static void http_origin_none_is_not_a_browser(void **state)
{
	struct http_settings s = { 0 };

	(void)state;
	assert_int_equal(http_origin_judge(&s, SLICE_NONE, SLICE("a"), false),
			 ORIGIN_NONE);
}

static void http_origin_same_is_allowed(void **state)
{
	static const struct example v[] = {
		{ "http://a.example:8443", "a.example:8443", false, ORIGIN_ALLOWED },
		{ "http://A.example", "a.EXAMPLE", false, ORIGIN_ALLOWED },
		{ "http://a.example", "a.example:80", false, ORIGIN_ALLOWED },
		{ "https://a.example", "a.example:443", true, ORIGIN_ALLOWED },
		{ "https://a.example:443", "a.example", true, ORIGIN_ALLOWED },
		{ "https://[2001:db8::1]:8443", "[2001:db8::1]:8443", true,
		  ORIGIN_ALLOWED },
		/* a proxy that speaks TLS for us */
		{ "https://a.example", "a.example", false, ORIGIN_ALLOWED },
		/* a page that came in plain speaks to the TLS side: no */
		{ "http://a.example:8443", "a.example:8443", true, ORIGIN_FOREIGN },
	};
	struct http_settings s = { .authenticated = true };

	(void)state;
	judge_all(&s, v, ARRAY_LEN(v));
}

static void http_origin_foreign_is_foreign(void **state)
{
	static const struct example v[] = {
		{ "https://b.example", "a.example", true, ORIGIN_FOREIGN },
		{ "https://a.example:8444", "a.example:8443", true, ORIGIN_FOREIGN },
		{ "https://a.example.b.example", "a.example", true, ORIGIN_FOREIGN },
		{ "null", "a.example", true, ORIGIN_FOREIGN },
		{ "file://", "a.example", true, ORIGIN_FOREIGN },
		{ "https://a.example/", "a.example", true, ORIGIN_FOREIGN },
		{ "https://u@a.example", "a.example", true, ORIGIN_FOREIGN },
		{ "https://a.example https://b.example", "a.example", true,
		  ORIGIN_FOREIGN },
		{ "chrome-extension://abc", "abc", false, ORIGIN_FOREIGN },
		{ "https://127.0.0.1.b.example", "a", false, ORIGIN_FOREIGN },
		{ "https://localhost.b.example", "a", false, ORIGIN_FOREIGN },
		{ "https://127.0.0.1x", "a", false, ORIGIN_FOREIGN },
		{ "https://127.0.0.256", "a", false, ORIGIN_FOREIGN },
		{ "https://127.1.2", "a", false, ORIGIN_FOREIGN },
		{ "https://x", "", false, ORIGIN_FOREIGN },
	};
	struct http_settings s = { 0 };

	(void)state;
	judge_all(&s, v, ARRAY_LEN(v));
}

static void http_origin_loopback_is_allowed_in_open_mode_only(void **state)
{
	static const char *const loopback[] = {
		"http://localhost:5173", "http://LOCALHOST", "https://app.localhost:1",
		"http://127.0.0.1:3000", "http://127.9.9.9", "http://[::1]:3000",
	};
	struct http_settings open = { 0 }, closed = { .authenticated = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
		struct example v = { loopback[i], "a.example:8443", true,
				     ORIGIN_ALLOWED };
		judge_all(&open, &v, 1);
		v.verdict = ORIGIN_FOREIGN;
		judge_all(&closed, &v, 1);
	}
}

static void http_origin_listed_is_allowed(void **state)
{
	static const char *const list[] = { "https://app.example.org", "http://b:81" };
	static const char *const any[] = { "*" };
	static const struct example v[] = {
		{ "https://app.example.org", "a", true, ORIGIN_ALLOWED },
		{ "http://b:81", "a", true, ORIGIN_ALLOWED },
		{ "http://b:8", "a", true, ORIGIN_FOREIGN },
		{ "http://app.example.org", "a", true, ORIGIN_FOREIGN },
	};
	struct http_settings s = { .authenticated = true,
				   .allowed_origins = list,
				   .allowed_origin_count = 2 };
	struct http_settings all = { .allowed_origins = any, .allowed_origin_count = 1 };
	struct example null = { "null", "a", true, ORIGIN_ALLOWED };

	(void)state;
	judge_all(&s, v, ARRAY_LEN(v));
	judge_all(&all, &null, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_origin_none_is_not_a_browser),
		cmocka_unit_test(http_origin_same_is_allowed),
		cmocka_unit_test(http_origin_foreign_is_foreign),
		cmocka_unit_test(http_origin_loopback_is_allowed_in_open_mode_only),
		cmocka_unit_test(http_origin_listed_is_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
