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

static void fields_are_read_raw_and_unescaped(void **state)
{
	(void)state;
	struct native_scratch *scratch = xzalloc(sizeof(*scratch));
	struct relay r;

	assert_int_equal(relay_read(&r,
				    SLICE("{\"a\":\"x\\u0041\",\"b\":{\"c\":1},\"d\":5}"),
				    scratch),
			 0);
	assert_text(relay_text(&r, "a", 10), "xA");
	assert_text(relay_text(&r, "a", 1), "");
	assert_text(relay_text(&r, "d", 10), "");
	assert_text(relay_text(&r, "none", 10), "");
	assert_text(relay_raw(&r, "b"), "{\"c\":1}");
	assert_int_equal(relay_raw(&r, "none").n, 0);
	assert_int_equal(relay_read(&r, SLICE("[1]"), scratch), E_MALFORMED);
	assert_true(relay_read(&r, SLICE("{"), scratch) < 0);
	buf_fini(&scratch->text);
	free(scratch);
}

static void a_message_is_passed_on_without_what_is_dropped(void **state)
{
	(void)state;
	static const char *const drop[] = { "from", "fromId", NULL };
	struct buf b = BUF_INIT(4096);
	struct jsonw w;

	relay_reopen(&b, &w,
		     SLICE("{\"type\":\"x\",\"fr\\u006fm\":\"forged\",\"n\":[1, "
			   "2],\"fromId\":1}"),
		     drop);
	json_field_string(&w, "from", SLICE("me"));
	json_object_end(&w);
	assert_text(buf_slice(&b), "{\"type\":\"x\",\"n\":[1, 2],\"from\":\"me\"}");
	buf_fini(&b);
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

static void an_untouched_message_is_extended_as_it_is(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct jsonw w;

	relay_extend(&b, &w, SLICE("{ \"type\" : \"x\", \"n\":{} } \r\n"));
	json_field_string(&w, "from", SLICE("me"));
	json_object_end(&w);
	assert_text(buf_slice(&b), "{ \"type\" : \"x\", \"n\":{} ,\"from\":\"me\"}");
	buf_fini(&b);
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
		cmocka_unit_test(fields_are_read_raw_and_unescaped),
		cmocka_unit_test(a_message_is_passed_on_without_what_is_dropped),
		cmocka_unit_test(media_signals_are_told_apart),
		cmocka_unit_test(media_that_was_told_is_not_looked_for),
		cmocka_unit_test(an_untouched_message_is_extended_as_it_is),
		cmocka_unit_test(named_members_are_shown_by_their_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
