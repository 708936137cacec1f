#include "store/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static int kind(const char *url, struct buf *why)
{
	buf_clear(why);
	return store_url_kind(url, why);
}

static void urls_say_what_they_are(void **state)
{
	(void)state;
	/* The forms of the manual: https://www.postgresql.org/docs/15/libpq-connect.html, 34.1.1.2 */
	static const char *const fit[] = {
		"postgresql://",
		"postgresql://localhost",
		"postgresql://localhost:5433",
		"postgresql://localhost/mydb",
		"postgresql://user@localhost",
		"postgresql://user:secret@localhost",
		"postgresql://other@localhost/"
		"otherdb?connect_timeout=10&application_name=myapp",
		"postgresql://host1:123,host2:456/"
		"somedb?target_session_attrs=any&application_name=myapp",
		"postgresql://user@localhost:5433/"
		"mydb?options=-c%20synchronous_commit%3Doff",
		"postgresql:///mydb?host=localhost&port=5433",
		"postgresql://[2001:db8::1234]/database",
		"postgresql:///dbname?host=/var/lib/postgresql",
		"postgresql://%2Fvar%2Flib%2Fpostgresql/dbname",
		"postgres://user:p%40ss@host/db",
	};
	struct buf why = BUF_INIT(1024);

	assert_int_equal(kind("sqlite", &why), STORE_URL_SQLITE);
	assert_int_equal(kind("none", &why), STORE_URL_NONE);
	for (size_t i = 0; i < ARRAY_LEN(fit); i++)
		assert_int_equal(kind(fit[i], &why), STORE_URL_POSTGRES);
	assert_int_equal(why.n, 0);
	buf_fini(&why);
}

static void hosts_are_named_with_their_ports(void **state)
{
	(void)state;
	static const struct {
		const char *url, *hosts;
	} v[] = {
		{ "sqlite", "" },
		{ "none", "" },
		{ "postgresql://", "" },
		{ "postgresql:///db", "" },
		{ "postgresql://db.example.org", "db.example.org 5432," },
		{ "postgres://u:p%40ss@db:6432/x?sslmode=require", "db 6432," },
		{ "postgresql://u@[2001:db8::1]:77/x", "2001:db8::1 77," },
		{ "postgresql://[2001:db8::1]/x", "2001:db8::1 5432," },
		{ "postgresql://a:1,b,c:3/x?target_session_attrs=any",
		  "a 1,b 5432,c 3," },
		{ "postgresql://%2Fvar%2Frun,b/x", "b 5432," },
		{ "postgresql:///x?host=/run/postgresql&port=7", "" },
		{ "postgresql:///x?user=u&host=10.0.0.5&port=7", "10.0.0.5 7," },
		{ "postgresql://passed.over:9?host=a,b&port=7,8", "a 7,b 8," },
		{ "postgresql:///x?host=a,b&port=7", "a 7,b 7," },
	};
	struct buf got = BUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct store_host h;
		unsigned at = 0;

		buf_clear(&got);
		while (store_url_next_host(v[i].url, &at, &h))
			buf_printf(&got, "%.*s %u,", SLICE_FMT(h.name), h.port);
		buf_u8(&got, 0);
		assert_string_equal((const char *)got.p, v[i].hosts);
	}
	buf_fini(&got);
}

static void wrong_ones_are_refused_without_telling_them(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"hunter2",
		"SQLITE",
		"sqlite:hunter2",
		"postgresql:/hunter2",
		"postgresql+ssl://u:hunter2@h/db",
		"http://u:hunter2@h/",
		"postgresql://u:hunter2@x@h/db",
		"postgresql://u:hun/ter2@h/db",
		"postgresql://u:hunter2%@h/db",
		"postgresql://u:hunter2%zz@h/db",
		"postgresql://u:hunter2%00@h/db",
		"postgresql://u:hunter2%4",
		"postgresql://u:hunter2 @h/db",
		"postgresql://u:hunter2\n@h/db",
		"postgresql://u:hunter2\xc3\xbc@h/db",
		"postgresql://u:hunter2@h/db?sslmode",
		"postgresql://u:hunter2",
		"postgresql://h:1,u:hunter2/db",
		"postgresql://[::1]:hunter2/db",
		"postgresql://h:65536/db",
	};
	struct buf why = BUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(kind(wrong[i], &why), E_MALFORMED);
		buf_u8(&why, 0);
		assert_non_null(strstr((const char *)why.p, "store.url"));
		assert_null(strstr((const char *)why.p, "hunter2"));
		assert_null(strstr((const char *)why.p, "ter2"));
	}
	buf_fini(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_say_what_they_are),
		cmocka_unit_test(hosts_are_named_with_their_ports),
		cmocka_unit_test(wrong_ones_are_refused_without_telling_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
