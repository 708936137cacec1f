#include "http/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct route_table table_of(const char *const *patterns, size_t n)
{
	struct route_table t = { 0 };

	for (size_t i = 0; i < n; i++)
		http_route_add(&t, &(struct route){ .methods = HTTP_GET,
						    .pattern = patterns[i] });
	return t;
}

static const char *found(const struct route_table *t, const char *path,
			 struct route_match *m)
{
	http_route_find(t, slice_str(path), HTTP_GET, m);
	return m->route ? m->route->pattern : "";
}

static void http_route_find_takes_the_most_literal_pattern(void **state)
{
	static const char *const patterns[] = {
		"/{rest*}",   "/",        "/ws/{id}", "/ws",        "/ws/room/{id}",
		"/ws/room/x", "/a/{b}/c", "/a/b/{c}", "/f/{name*}",
	};
	static const struct {
		const char *path, *pattern;
	} v[] = {
		{ "/", "/" },
		{ "/ws", "/ws" },
		{ "/ws/", "/{rest*}" },
		{ "/ws/1", "/ws/{id}" },
		{ "/ws/room", "/ws/{id}" },
		{ "/ws/room/1", "/ws/room/{id}" },
		{ "/ws/room/x", "/ws/room/x" },
		{ "/ws/1/2", "/{rest*}" },
		{ "/a/b/c", "/a/b/{c}" },
		{ "/a/x/c", "/a/{b}/c" },
		{ "/a/x/d", "/{rest*}" },
		{ "/f/x/y", "/f/{name*}" },
		{ "/f", "/{rest*}" },
		{ "/wsx", "/{rest*}" },
	};
	struct route_table t = table_of(patterns, ARRAY_LEN(patterns));
	struct route_match m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_string_equal(found(&t, v[i].path, &m), v[i].pattern);
	http_route_table_fini(&t);
}

static void http_route_find_names_the_parameters(void **state)
{
	static const char *const patterns[] = { "/a/{x}/{y}", "/r/{rest*}" };
	struct route_table t = table_of(patterns, 2);
	struct route_match m;

	(void)state;
	assert_string_equal(found(&t, "/a/1%20/2", &m), "/a/{x}/{y}");
	assert_int_equal(m.param_count, 2);
	assert_true(slice_is(m.param[0].name, "x"));
	assert_true(slice_is(m.param[0].raw, "1%20"));
	assert_true(slice_is(m.param[1].name, "y"));
	assert_true(slice_is(m.param[1].raw, "2"));
	assert_string_equal(found(&t, "/r/a/b//c", &m), "/r/{rest*}");
	assert_true(slice_is(m.param[0].name, "rest"));
	assert_true(slice_is(m.param[0].raw, "a/b//c"));
	assert_string_equal(found(&t, "/r/", &m), "/r/{rest*}");
	assert_int_equal(m.param[0].raw.n, 0);
	assert_string_equal(found(&t, "/a//2", &m), "");
	assert_null(m.path);
	http_route_table_fini(&t);
}

static void http_route_find_tells_path_from_method(void **state)
{
	struct route_table t = { 0 };
	struct route_match m;

	(void)state;
	http_route_add(&t, &(struct route){ .methods = HTTP_GET, .pattern = "/a" });
	http_route_add(&t, &(struct route){ .methods = HTTP_POST, .pattern = "/a" });
	http_route_find(&t, SLICE("/a"), HTTP_POST, &m);
	assert_ptr_equal(m.route, &t.route[1]);
	http_route_find(&t, SLICE("/a"), HTTP_HEAD, &m);
	assert_ptr_equal(m.route, &t.route[0]);
	http_route_find(&t, SLICE("/a"), HTTP_DELETE, &m);
	assert_null(m.route);
	assert_non_null(m.path);
	assert_int_equal(m.allowed, HTTP_GET | HTTP_HEAD | HTTP_POST);
	http_route_find(&t, SLICE("/b"), HTTP_GET, &m);
	assert_null(m.path);
	http_route_table_fini(&t);
}

static void http_method_names_go_both_ways(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	assert_int_equal(http_method_bit(SLICE("PATCH")), HTTP_PATCH);
	assert_int_equal(http_method_bit(SLICE("get")), 0);
	http_method_list(HTTP_GET | HTTP_HEAD | HTTP_OPTIONS, &b);
	assert_true(slice_is(buf_slice(&b), "GET, HEAD, OPTIONS"));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_route_find_takes_the_most_literal_pattern),
		cmocka_unit_test(http_route_find_names_the_parameters),
		cmocka_unit_test(http_route_find_tells_path_from_method),
		cmocka_unit_test(http_method_names_go_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
