#include "admin/webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void settings_that_cannot_work_are_refused(void **state)
{
	static const char *const good[] = { "https://example.org/hook" };
	static const char *const bad[] = { "ftp://example.org/", "/etc/passwd", "" };
	static const char *const api[] = { "app:a-secret-of-some-length" };
	const struct auth_settings none = { .issuer = "", .audience = "" };
	const struct auth_settings one = {
		.keys = api, .key_count = 1, .issuer = "", .audience = ""
	};
	struct auth_keys *no_keys, *good_keys;
	struct webhook_settings s = { .urls = good, .url_count = 1 };
	struct buf why = BUF_INIT(1000);
	struct webhook *w = NULL;

	(void)state;
	assert_int_equal(auth_keys_create(&no_keys, &none, &why), 0);
	assert_int_equal(auth_keys_create(&good_keys, &one, &why), 0);
	s.keys = no_keys;
	assert_true(webhook_create(&w, &s, &why) < 0); /* nothing to sign with */
	assert_null(w);
	assert_true(why.n > 0);
	s.keys = good_keys;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s.urls = &bad[i];
		assert_true(webhook_create(&w, &s, &why) < 0);
	}
	s.url_count = WEBHOOK_MAX_URLS + 1;
	assert_true(webhook_create(&w, &s, &why) < 0);
	auth_keys_destroy(no_keys);
	auth_keys_destroy(good_keys);
	buf_fini(&why);
}

static void without_urls_there_is_none(void **state)
{
	struct webhook_settings s = { .url_count = 0 };
	struct buf why = BUF_INIT(1000);
	struct webhook *w = (struct webhook *)&s;

	(void)state;
	assert_int_equal(webhook_create(&w, &s, &why), 0);
	assert_null(w);
	webhook_destroy(w, 0);
	buf_fini(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_that_cannot_work_are_refused),
		cmocka_unit_test(without_urls_there_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
