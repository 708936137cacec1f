#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dialect/table_rules.h"
#include "dialect/table_shipped.h"

#define HEAD "dialect x\nspeaks json type\nroute /x/{room}\n"

static void mistakes_are_shown_with_their_place_and_a_hint(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} v[] = {
		{ "", "f:0:1: the first line is: dialect NAME" },
		{ "route /x\n", "f:1:1: the first line is: dialect NAME" },
		{ "dialect x\nspeak json\n",
		  "f:2:1: unknown setting 'speak'; did you mean 'speaks'?" },
		{ "dialect x\nspeaks jsno type\n",
		  "f:2:8: unknown way to speak 'jsno'; did you mean 'json'?" },
		{ HEAD "on a\n    rely others\n",
		  "f:5:5: unknown step 'rely'; did you mean 'relay'?" },
		{ HEAD "on a\n    weather fine\n",
		  "f:5:5: unknown step 'weather'; there is join, " },
		{ HEAD "on a\n    send b {x: $nam}\n",
		  "f:5:16: unknown value '$nam'; did you mean '$name'?" },
		{ HEAD "on a\n    send b {x: 1\n", "f:5:17: here should be , or }" },
		{ HEAD "on a\n    send b {x: \"1}\n",
		  "f:5:16: the closing quote is missing" },
		{ HEAD "on a\n    send b {x: 1} {}\n",
		  "f:5:19: a JSON message is one object" },
		{ HEAD "on a\n    ack {}\n", "only Socket.IO has acknowledgements" },
		{ HEAD "on a\n    relay a\n",
		  "f:5:11: relay to FIELD, relay others or relay all" },
		{ HEAD "on a\n    relay to a or others {you: $you}\n",
		  "with \"or others\" it is not known who $you is" },
		{ HEAD "on a\n    each b\n",
		  "each does not belong into an \"on\" block" },
		{ HEAD "on a\non a\n", "f:5:4: 'a' has a block already" },
		{ HEAD "on a for b\n", "unknown variant 'b'; there is " },
		{ HEAD "when joyned\n",
		  "f:4:6: unknown event 'joyned'; did you mean 'joined'?" },
		{ HEAD "    send a\n", "f:4:5: an indented line belongs" },
		{ HEAD "on a\n    join name=b\n", "a join needs room=FIELD" },
		{ HEAD "on a\n    close 99\n", "close codes are 1000 to 4999" },
		{ HEAD "on a\n    rate 5/min\n", "a rate is 5/s" },
		{ HEAD "on a\n    send b {*, *}\n", "only one * to an object" },
		{ HEAD "on a\n    send b\n", "no rule joins a room" },
		{ "dialect x\nspeaks json\non a\n    join room=r\n",
		  "the table has no route" },
		{ "dialect x\nspeaks json\nroute socketio /\n",
		  "only what speaks socketio has a route socketio" },
		{ "dialect x\nspeaks json\nroute x\n", "f:3:7: a path begins with /" },
		{ "dialect x\nspeaks json\nroute /{a}/{b}/{c}/{d}/{e}\n",
		  "a path has at most 4 {names}" },
		{ "dialect x\nspeaks json\nroute /x/{room\n",
		  "f:3:7: between two / of a path is a word or a {name}" },
		{ "dialect x\nspeaks json\nroute /x{room}\n",
		  "f:3:7: between two / of a path is a word or a {name}" },
		{ "dialect x\nspeaks text\nroute /x/{id}\non connect\n    join "
		  "room=$room\n",
		  "\"join room=$room\" needs a {room} in the path; /x/{id} has none" },
		{ HEAD "on a\n    send b {x: 1, y: {x: 1}, \"x\"?: 2}\n",
		  "f:5:30: 'x' is in this object already" },
		{ HEAD "on a\n    relay others {*, d: {$1.x, x: 1}}\n",
		  "f:5:32: 'x' is in this object already" },
		{ HEAD "on a\n    join room=r keep={a, a}\n",
		  "f:5:26: 'a' is in this object already" },
		{ HEAD "on a\n    send b {x: 1, type: 2}\n",
		  "f:5:19: 'type' is the message's name, which is put in by itself" },
		{ "dialect x\nspeaks json\nroute /metrics\n",
		  "f:3:7: the server itself answers at /metrics; take another path, such "
		  "as /ws/NAME/{room}" },
		{ "dialect x\nspeaks json\nroute /\n",
		  "the server itself answers at /;" },
		{ "dialect x\nspeaks json\nroute /r/{room}\n",
		  "the server itself answers at /r/{room};" },
		{ HEAD "route /x/{id}\n", "f:4:7: '/x/{room}' is a route already" },
		{ HEAD "every 10\n", "a time is 500ms, 10s or 2min" },
		{ HEAD
		  "on join\n    join room=r\nwhen joined\n    send all {a: $members}\n",
		  "$members and $others are known in \"when welcome\"" },
		{ HEAD "on join\n    join room=r\n    send alone if not $others\n",
		  "$members and $others are known in \"when welcome\"" },
		{ HEAD
		  "when welcome\n    send a {l: $others $others $others $others $others "
		  "$others $others $others $others $others}\n",
		  "too much in one table" },
		{ HEAD "when welcome\n    send a {$members: $id}\n",
		  "fields named by ids are alone in an inner object" },
		{ HEAD "when welcome\n    send a {l: {$members: $id, x: 1}}\n",
		  "fields named by ids are alone in an inner object" },
		{ HEAD "when welcome\n    send a {l: {x: 1, $others: $id}}\n",
		  "fields named by ids are alone in an inner object" },
		{ HEAD "when welcome\n    send a {l: {$others}}\n", "here should be :" },
		{ "dialect x\nspeaks json\nroute /\xff\n",
		  "f:3:1: the text is not UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf why = BUF_INIT(4096);
		struct table *t = NULL;

		assert_true(table_parse(&t, "f", slice_str(v[i].text), 1, &why) < 0);
		buf_u8(&why, 0);
		if (!strstr((const char *)why.p, v[i].want))
			fail_msg("%s\nis not\n%s", (const char *)why.p, v[i].want);
		buf_fini(&why);
	}
}

static void what_is_near_a_mistake_is_none(void **state)
{
	(void)state;
	static const char *const v[] = {
		/* A name that is kept as it came, and one that hides it from the rest. */
		HEAD "on join\n    join room=r keep={type}\non a\n    relay others {*-x, "
		     "x: 1, "
		     "y: {x: 1, type: 2}, z?: 3}\n",
		"dialect x\nspeaks json\nroute /{room}\nroute /rx/{room}\nroute "
		"/{a}/{room}\nroute /api/v2\nroute /x/\nroute /x\non connect\n    join "
		"room=r\n",
		("dialect x\nspeaks socketio\nroute socketio /\nroute socketio /metrics\n"
		 "on a\n    send b {type: 1}\n"),
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf why = BUF_INIT(4096);
		struct table *t = NULL;
		int err = table_parse(&t, "f", slice_str(v[i]), 1, &why);

		buf_u8(&why, 0);
		if (err < 0)
			fail_msg("%s", (const char *)why.p);
		table_destroy(t);
		buf_fini(&why);
	}
}

/* Whatever is left of a table when it ends early: an answer, and no byte is read behind it. */
static void every_truncation_of_the_shipped_tables_is_taken_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_shipped_count; i++) {
		size_t size = strlen(table_shipped[i].text);

		for (size_t n = 0; n <= size; n++) {
			struct buf why = BUF_INIT(8192);
			uint8_t *exact = xmemdup(table_shipped[i].text, n ? n : 1);
			struct table *t = NULL;
			int err = table_parse(&t, table_shipped[i].name,
					      slice_of(exact, n), 1, &why);

			if (n == size)
				assert_int_equal(err, 0);
			if (err == 0)
				table_destroy(t);
			free(exact);
			buf_fini(&why);
		}
	}
}

static void comments_blanks_and_line_ends_mean_nothing(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(4096);
	struct table *t;

	assert_int_equal(table_parse(&t, "f", SLICE("# all\r\n\r\n dialect\n"), 1, &why),
			 -5002);
	buf_clear(&why);
	assert_int_equal(
		table_parse(
			&t, "f",
			SLICE("\xef\xbb\xbf# about\r\n\ndialect x # here\r\nspeaks json "
			      "kind\nroute /x/{room}\n"
			      "on \"a b\", c#d   # two names\n\tjoin  room=$room\n"),
			1, &why),
		0);
	assert_true(slice_is(t->naming, "kind"));
	assert_non_null(table_rule(t, SLICE("a b")));
	assert_non_null(table_rule(t, SLICE("c#d")));
	assert_null(table_rule(t, SLICE("a")));
	assert_int_equal(table_rule(t, SLICE("a b"))->steps.count, 1);
	assert_int_equal(table_rule(t, SLICE("c#d"))->steps.count, 1);
	table_destroy(t);
	buf_fini(&why);
}

static void only_what_differs_by_receiver_is_told_one_by_one(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(4096);
	struct table *t;

	assert_int_equal(
		table_parse(&t, "f",
			    SLICE(HEAD "on join\n    join room=r\n"
				       "when joined\n    send a {id: $id}\n"
				       "when left\n    send b {you: $you}\n"
				       "when chat\n    send c {t: $text} if not $mine\n"),
			    1, &why),
		0);
	assert_int_equal(t->vocabulary.personal, BIT(EVENT_LEFT) | BIT(EVENT_CHAT));
	table_destroy(t);
	buf_fini(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_shown_with_their_place_and_a_hint),
		cmocka_unit_test(what_is_near_a_mistake_is_none),
		cmocka_unit_test(
			every_truncation_of_the_shipped_tables_is_taken_or_refused),
		cmocka_unit_test(comments_blanks_and_line_ends_mean_nothing),
		cmocka_unit_test(only_what_differs_by_receiver_is_told_one_by_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
