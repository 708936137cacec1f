#include "dialect/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

static void assert_text(struct slice got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	if (got.n > 0)
		assert_memory_equal(got.p, want, got.n);
}

static void only_objects_are_messages(void **state)
{
	(void)state;
	struct native_scratch *scratch = xzalloc(sizeof(*scratch));
	struct relay r;

	assert_int_equal(relay_read(&r, SLICE("{\"a\":1}"), scratch), 0);
	assert_int_equal(relay_read(&r, SLICE("[1]"), scratch), E_MALFORMED);
	assert_true(relay_read(&r, SLICE("{"), scratch) < 0);
	buf_fini(&scratch->text);
	free(scratch);
}

static void media_signals_are_told_apart(void **state)
{
	(void)state;
	static const struct {
		const char *neutral;
		enum media kind;
		const char *payload;
	} v[] = {
		{ "{\"description\":{\"type\":\"offer\",\"sdp\":\"v\"}}", MEDIA_OFFER,
		  "{\"type\":\"offer\",\"sdp\":\"v\"}" },
		{ "{\"description\":{\"type\":\"answer\"},\"x\":1}", MEDIA_ANSWER,
		  "{\"type\":\"answer\"}" },
		{ "{\"candidate\":{\"candidate\":\"c\"}}", MEDIA_CANDIDATE,
		  "{\"candidate\":\"c\"}" },
		{ "{\"candidate\":null}", MEDIA_NONE, "" },
		{ "{\"description\":{\"type\":\"rollback\"}}", MEDIA_NONE, "" },
		{ "\"ai_status\"", MEDIA_NONE, "" },
		{ "{", MEDIA_NONE, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct slice payload = SLICE_NONE;

		const struct event e = { .text = slice_str(v[i].neutral) };

		assert_int_equal(relay_media(&e, &payload), v[i].kind);
		assert_text(payload, v[i].payload);
	}
}

static void media_that_was_told_is_not_looked_for(void **state)
{
	(void)state;
	struct slice payload = SLICE_NONE;
	const struct event e = { .media = MEDIA_CANDIDATE,
				 .text = SLICE("{\"candidate\":\"\"}") };

	assert_int_equal(relay_media(&e, &payload), MEDIA_CANDIDATE);
	assert_text(payload, "{\"candidate\":\"\"}");
}

static void named_members_are_shown_by_their_user(void **state)
{
	(void)state;
	char text[BUS_MEMBER_TEXT];
	const struct member_info coach = { .id = 1, .named = true, .user = SLICE("u1") };
	const struct member_info nobody = { .id = 1, .named = true };
	const struct member_info native = { .id = 1, .user = SLICE("u1") };

	assert_text(relay_shown_id(&coach, text), "u1");
	assert_text(relay_shown_id(&nobody, text), "m_aaaaaaab");
	assert_text(relay_shown_id(&native, text), "m_aaaaaaab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_objects_are_messages),
		cmocka_unit_test(media_signals_are_told_apart),
		cmocka_unit_test(media_that_was_told_is_not_looked_for),
		cmocka_unit_test(named_members_are_shown_by_their_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
