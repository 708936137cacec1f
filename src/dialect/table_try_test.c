/* What tables say, word for word: small ones, each for a thing that a table can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "dialect/table.h"

#define SIO "dialect x\nspeaks socketio\nroute socketio /\n"
#define JSON "dialect x\nspeaks json type\nroute /x/{room}\n"
#define JOIN "on join\n    join room=r name=n\n"
#define TWO                                                                              \
	"{\"as\":\"a\",\"say\":[\"join\",{\"r\":1}]},{\"as\":\"b\",\"say\":[\"join\",{"  \
	"\"r\":1}]},"
#define TWO_JSON                                                                         \
	"{\"as\":\"a\",\"say\":{\"type\":\"join\",\"r\":1}},"                            \
	"{\"as\":\"b\",\"say\":{\"type\":\"join\",\"r\":1}},"

/* What was told, without what was said. */
static void expect(const char *table, const char *steps, const char *want)
{
	struct buf why = BUF_INIT(4096), out = BUF_INIT(1 << 20),
		   told = BUF_INIT(1 << 20);
	struct table *t = NULL;
	struct slice rest, line;

	if (table_parse(&t, "f", slice_str(table), 1, &why) < 0 ||
	    table_try(t, slice_str(steps), &out, &why) < 0)
		fail_msg("%.*s", SLICE_FMT(buf_slice(&why)));
	rest = buf_slice(&out);
	while (slice_split(&rest, '\n', &line)) {
		line = slice_trim(line);
		size_t at = slice_find(line, '<');

		if (line.n > 0 && at < line.n && at <= 9)
			buf_printf(&told, "%c %.*s\n", line.p[0],
				   SLICE_FMT(slice_from(line, at + 3)));
	}
	buf_u8(&told, 0);
	assert_string_equal((const char *)told.p, want);
	table_destroy(t);
	buf_fini(&why);
	buf_fini(&out);
	buf_fini(&told);
}

static void what_is_relayed_goes_to_whom_it_names_in_the_room_alone(void **state)
{
	(void)state;
	const char *table =
		SIO JOIN "on x\n    relay to to|id as y, z {*-to, from: $id}\n";

	expect(table,
	       "[" TWO "{\"as\":\"c\",\"say\":[\"join\",{\"r\":2}]},"
	       "{\"as\":\"a\",\"say\":[\"x\",{\"to\":\"b\",\"k\":[1],\"from\":\"c\"}]},"
	       "{\"as\":\"a\",\"say\":[\"x\",{\"id\":\"c\"}]},{\"as\":\"a\",\"say\":["
	       "\"x\",{}]},"
	       "{\"as\":\"a\",\"say\":[\"x\",{\"to\":\"1\"}]}]",
	       "b [\"y\",{\"k\":[1],\"from\":\"a\"}]\nb "
	       "[\"z\",{\"k\":[1],\"from\":\"a\"}]\n");
}

static void to_others_to_all_and_to_oneself(void **state)
{
	(void)state;
	expect(SIO JOIN "on x\n    relay others\non y\n    relay all as z $1\non s\n    "
			"send t $args\n",
	       "[" TWO "{\"as\":\"a\",\"say\":[\"x\",1,{\"k\":2}]},"
	       "{\"as\":\"a\",\"say\":[\"y\",\"w\",3]},{\"as\":\"a\",\"say\":[\"s\",4,5]}"
	       "]",
	       "b [\"x\",1,{\"k\":2}]\na [\"z\",\"w\"]\nb [\"z\",\"w\"]\na "
	       "[\"t\",4,5]\n");
}

static void who_is_in_no_room_reaches_nobody_and_is_told(void **state)
{
	(void)state;
	expect(SIO JOIN
	       "on x\n    relay others\nwhen error\n    send oops {code: $code}\n",
	       "[" TWO "{\"as\":\"c\",\"say\":[\"x\"]}]",
	       "c [\"oops\",{\"code\":\"not_joined\"}]\n");
}

static void who_has_not_joined_is_nobody_yet(void **state)
{
	(void)state;
	expect(SIO "alias from\n" JOIN
		   "on hello\n    send hi {id: $id, name: $name, you: "
		   "$you, offers: $offers, rank: $rank}\n",
	       "[{\"as\":\"a\",\"say\":[\"hello\",{\"from\":\"early\"}]},"
	       "{\"as\":\"a\",\"say\":[\"join\",{\"r\":1,\"n\":\"Ann\"}]},"
	       "{\"as\":\"a\",\"say\":[\"hello\",{}]},"
	       "{\"as\":\"a\",\"say\":[\"hello\",{\"from\":\"late\"}]}]",
	       "a [\"hi\",{\"id\":null,\"you\":\"m_aaaaaaaa\",\"offers\":\"told\"}]\n"
	       "a "
	       "[\"hi\",{\"id\":\"a\",\"name\":\"Ann\",\"you\":\"a\",\"offers\":\"told\"}"
	       "]\n"
	       "a "
	       "[\"hi\",{\"id\":\"a\",\"name\":\"Ann\",\"you\":\"late\",\"offers\":"
	       "\"told\"}]\n");
}

static void acknowledgements_come_when_it_is_done_or_refused(void **state)
{
	(void)state;
	expect(SIO "capacity 1\n" JOIN
		   "    ack {ok: $ok, error: $code}\non x\n    ack $args, 7\n",
	       "[{\"as\":\"a\",\"say\":[\"join\",{\"r\":1}],\"ack\":true},"
	       "{\"as\":\"b\",\"say\":[\"join\",{\"r\":1}],\"ack\":true},"
	       "{\"as\":\"b\",\"say\":[\"x\",1],\"ack\":true},{\"as\":\"b\",\"say\":["
	       "\"x\",1]}]",
	       "a acknowledged [{\"ok\":true}]\n"
	       "b acknowledged [{\"ok\":false,\"error\":\"room_full\"}]\nb acknowledged "
	       "[1,7]\n");
}

static void guards_hold(void **state)
{
	(void)state;
	const char *table = SIO JOIN "on big\n    size 10\n    relay others\n"
				     "on fast\n    rate 1/s\n    relay others\n"
				     "on rule\n    only owner\n    relay others\n"
				     "when error\n    send no $code\n";

	expect(table,
	       "[" TWO "{\"as\":\"a\",\"say\":[\"big\",12345678]},{\"as\":\"a\",\"say\":["
	       "\"big\",123456789]},"
	       "{\"as\":\"a\",\"say\":[\"fast\"]},{\"as\":\"a\",\"say\":[\"fast\"]},"
	       "{\"as\":\"b\",\"say\":[\"rule\"]},{\"as\":\"a\",\"say\":[\"rule\"]}]",
	       "b [\"big\",12345678]\na [\"no\",\"too_large\"]\nb [\"fast\"]\na "
	       "[\"no\",\"rate_limited\"]\n"
	       "b [\"no\",\"denied\"]\nb [\"rule\"]\n");
}

static void a_second_join_changes_the_room_or_tells_again(void **state)
{
	(void)state;
	const char *table = SIO JOIN
		"when welcome\n    send in {room: $room, with: $others {id: $id}}\n"
		"when left\n    send left $id\n";

	expect(table,
	       "[" TWO "{\"as\":\"b\",\"say\":[\"join\",{\"r\":1}]},{\"as\":\"b\","
	       "\"say\":[\"join\",{\"r\":2}]}]",
	       "a [\"in\",{\"room\":\"1\",\"with\":[]}]\nb "
	       "[\"in\",{\"room\":\"1\",\"with\":[{\"id\":\"a\"}]}]\n"
	       "b [\"in\",{\"room\":\"1\",\"with\":[{\"id\":\"a\"}]}]\n"
	       "b [\"in\",{\"room\":\"2\",\"with\":[]}]\n"
	       "a [\"left\",\"b\"]\n");
}

static void fields_are_kept_renamed_added_and_read_deep(void **state)
{
	(void)state;
	expect(JSON JOIN "on x\n    relay others as y {*-a-b, c: d.e|\"none\", n?: 1, "
			 "k?: 2, s: {t: [1, d.e]}}\n",
	       "[" TWO_JSON "{\"as\":\"a\",\"say\":{\"type\":\"x\",\"a\":1,\"b\":2,\"c\":"
	       "3,\"d\":{\"e\":[4]},\"k\":5}},"
	       "{\"as\":\"a\",\"say\":{\"type\":\"x\"}}]",
	       "b "
	       "{\"type\":\"y\",\"d\":{\"e\":[4]},\"k\":5,\"c\":[4],\"n\":1,\"s\":{\"t\":"
	       "[1,[4]]}}\n"
	       "b {\"type\":\"y\",\"c\":\"none\",\"n\":1,\"k\":2,\"s\":{\"t\":[1]}}\n");
}

static void a_message_has_one_name(void **state)
{
	(void)state;
	expect(JSON JOIN "on x\n    relay others {*, from: 1}\nwhen error\n    send e "
			 "{c: $code}\nunknown error\n",
	       "[" TWO_JSON "{\"as\":\"a\",\"say\":{\"type\":\"x\",\"type\":\"join\"}},"
	       "{\"as\":\"a\",\"say\":{\"ty\\u0070e\":\"\\u0078\",\"from\":2}},{\"as\":"
	       "\"a\",\"say\":{\"type\":\"q\"}}]",
	       "a {\"type\":\"e\",\"c\":\"malformed\"}\nb "
	       "{\"ty\\u0070e\":\"\\u0078\",\"from\":1}\n"
	       "a {\"type\":\"e\",\"c\":\"unknown_type\"}\n");
}

static void keys_name_messages_and_texts_have_no_name(void **state)
{
	(void)state;
	expect("dialect x\nspeaks keys\nroute /x/{room}\non connect\n    join "
	       "room=$room\n"
	       "on audio\n    relay others {*, who: $room}\n",
	       "[{\"as\":\"a\"},{\"as\":\"b\",\"say\":{\"audio\":\"x\"}},{\"as\":\"b\","
	       "\"say\":{\"video\":1}}]",
	       "a {\"audio\":\"x\",\"who\":\"room\"}\n");
	expect("dialect x\nspeaks text\nroute /x/{room}\non connect\n    join "
	       "room=$room\non *\n    relay others\n",
	       "[{\"as\":\"a\"},{\"as\":\"b\",\"say\":\"no {json\"}]", "a no {json\n");
}

static void chat_has_rising_numbers(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(4096), out = BUF_INIT(1 << 20);
	struct table *t;
	struct slice rest, line;
	uint64_t last = 0;

	assert_int_equal(
		table_parse(
			&t, "f",
			SLICE(SIO JOIN
			      "on c\n    chat m\nwhen chat\n    send c $n if $mine\n"),
			1, &why),
		0);
	assert_int_equal(
		table_try(t,
			  SLICE("[" TWO "{\"as\":\"a\",\"say\":[\"c\",{\"m\":\"1\"}]},"
				"{\"as\":\"a\",\"say\":[\"c\",{\"m\":\"2\"}]},"
				"{\"as\":\"a\",\"say\":[\"c\",{\"m\":\"3\"}]}]"),
			  &out, &why),
		0);
	rest = buf_slice(&out);
	unsigned heard = 0;
	while (slice_split(&rest, '\n', &line)) {
		size_t at = slice_find(line, '<');
		uint64_t n;

		if (at == line.n || line.n < at + 9)
			continue;
		struct slice number = slice_from(line, at + 8);
		assert_int_equal(slice_to_u64(slice_of(number.p, number.n - 1), &n), 0);
		assert_true(n > last && n < UINT64_C(1) << 53);
		last = n;
		heard++;
	}
	assert_int_equal(heard, 3);
	table_destroy(t);
	buf_fini(&why);
	buf_fini(&out);
}

static void lists_of_members_are_of_ids_values_or_objects(void **state)
{
	(void)state;
	expect(SIO JOIN
	       "when welcome\n    send one $others, $members\n"
	       "    send two $others $name, $members {id: $id, all: [$others]}\n"
	       "    send first $room if not $others\n    send later if $others\n",
	       "[{\"as\":\"a\",\"say\":[\"join\",{\"r\":1,\"n\":\"Ann\"}]},"
	       "{\"as\":\"b\",\"say\":[\"join\",{\"r\":1}]}]",
	       "a [\"one\",[],[\"a\"]]\na [\"two\",[],[{\"id\":\"a\",\"all\":[[]]}]]\n"
	       "a [\"first\",\"1\"]\nb [\"one\",[\"a\"],[\"a\",\"b\"]]\n"
	       "b [\"two\",[\"Ann\"],[{\"id\":\"a\",\"all\":[[\"a\"]]},{\"id\":\"b\","
	       "\"all\":[[\"a\"]]}]]\nb [\"later\"]\n");
}

static void members_are_fields_named_by_their_ids(void **state)
{
	(void)state;
	expect(SIO JOIN
	       "when welcome\n    send all {$members: $id}, {$others: {n: $name}}\n"
	       "    send names {$others: $name}, {in: {$members: [$others]}}\n",
	       "[{\"as\":\"a\",\"say\":[\"join\",{\"r\":1,\"n\":\"Ann\"}]},"
	       "{\"as\":\"b\",\"say\":[\"join\",{\"r\":1}]},"
	       "{\"as\":\"c\",\"say\":[\"join\",{\"r\":1}]}]",
	       "a [\"all\",{\"a\":\"a\"},{}]\na [\"names\",{},{\"in\":{\"a\":[[]]}}]\n"
	       "b [\"all\",{\"a\":\"a\",\"b\":\"b\"},{\"a\":{\"n\":\"Ann\"}}]\n"
	       "b "
	       "[\"names\",{\"a\":\"Ann\"},{\"in\":{\"a\":[[\"a\"]],\"b\":[[\"a\"]]}}]\n"
	       "c "
	       "[\"all\",{\"a\":\"a\",\"b\":\"b\",\"c\":\"c\"},{\"a\":{\"n\":\"Ann\"},"
	       "\"b\":{}}]\n"
	       "c "
	       "[\"names\",{\"a\":\"Ann\"},{\"in\":{\"a\":[[\"a\",\"b\"]],\"b\":[[\"a\","
	       "\"b\"]],"
	       "\"c\":[[\"a\",\"b\"]]}}]\n");
}

static void who_is_here_is_told_whenever_somebody_comes_or_goes(void **state)
{
	(void)state;
	expect(SIO JOIN "when members\n    send here $members\n",
	       "[" TWO "{\"as\":\"c\",\"say\":[\"join\",{\"r\":2}]},"
	       "{\"as\":\"a\",\"leave\":true}]",
	       "a [\"here\",[\"a\"]]\nb [\"here\",[\"a\",\"b\"]]\n"
	       "a [\"here\",[\"b\",\"a\"]]\nc [\"here\",[\"c\"]]\nb "
	       "[\"here\",[\"b\"]]\n");
}

static void a_join_is_acknowledged_with_who_is_there_by_the_first_that_holds(void **state)
{
	(void)state;
	expect(SIO "capacity 2\non join\n    join room=r\n    ack $code if not $ok\n"
		   "    ack null, $others if $others\n    ack null\n",
	       "[{\"as\":\"a\",\"say\":[\"join\",{\"r\":1}],\"ack\":true},"
	       "{\"as\":\"b\",\"say\":[\"join\",{\"r\":1}],\"ack\":true},"
	       "{\"as\":\"c\",\"say\":[\"join\",{\"r\":1}],\"ack\":true}]",
	       "a acknowledged [null]\nb acknowledged [null,[\"a\"]]\n"
	       "c acknowledged [\"room_full\"]\n");
}

static void an_error_knows_which_message_was_refused(void **state)
{
	(void)state;
	expect(SIO JOIN "on call, ice\n    relay to to\n"
			"when error\n    send absent $code if $event = call\n",
	       "[" TWO "{\"as\":\"a\",\"say\":[\"call\",{\"to\":\"z\"}]},"
	       "{\"as\":\"a\",\"say\":[\"ice\",{\"to\":\"z\"}]},"
	       "{\"as\":\"a\",\"say\":[\"call\",{\"to\":\"b\"}]},"
	       "{\"as\":\"c\",\"say\":[\"call\",{\"to\":\"b\"}]}]",
	       "a [\"absent\",\"no_such_member\"]\nb [\"call\",{\"to\":\"b\"}]\n"
	       "c [\"absent\",\"not_joined\"]\n");
}

static void who_says_a_user_is_called_so_over_socketio_too(void **state)
{
	(void)state;
	expect(SIO "on connect\n    join room=\"people\" user=uid\n"
		   "on call\n    relay to to as ring {from: $id}\n",
	       "[{\"as\":\"a\",\"auth\":{\"uid\":\"ann\"}},{\"as\":\"b\"},"
	       "{\"as\":\"b\",\"say\":[\"call\",{\"to\":\"ann\"}]},"
	       "{\"as\":\"a\",\"say\":[\"call\",{\"to\":\"b\"}]},"
	       "{\"as\":\"b\",\"say\":[\"call\",{\"to\":\"a\"}]}]",
	       "a [\"ring\",{\"from\":\"b\"}]\nb [\"ring\",{\"from\":\"ann\"}]\n");
}

static void a_steps_file_is_checked_too(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "{}",
					   "[1]",
					   "[{\"say\":1}]",
					   "[{\"as\":\"a\",\"say\":1}]",
					   "[{\"as\":\"a\",\"say\":[1]}]" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf why = BUF_INIT(4096), out = BUF_INIT(1 << 20);
		struct table *t;

		assert_int_equal(table_parse(&t, "f", SLICE(SIO JOIN), 1, &why), 0);
		assert_true(table_try(t, slice_str(bad[i]), &out, &why) < 0);
		assert_true(why.n > 0);
		table_destroy(t);
		buf_fini(&why);
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_relayed_goes_to_whom_it_names_in_the_room_alone),
		cmocka_unit_test(to_others_to_all_and_to_oneself),
		cmocka_unit_test(who_is_in_no_room_reaches_nobody_and_is_told),
		cmocka_unit_test(who_has_not_joined_is_nobody_yet),
		cmocka_unit_test(acknowledgements_come_when_it_is_done_or_refused),
		cmocka_unit_test(guards_hold),
		cmocka_unit_test(a_second_join_changes_the_room_or_tells_again),
		cmocka_unit_test(fields_are_kept_renamed_added_and_read_deep),
		cmocka_unit_test(a_message_has_one_name),
		cmocka_unit_test(keys_name_messages_and_texts_have_no_name),
		cmocka_unit_test(chat_has_rising_numbers),
		cmocka_unit_test(lists_of_members_are_of_ids_values_or_objects),
		cmocka_unit_test(members_are_fields_named_by_their_ids),
		cmocka_unit_test(who_is_here_is_told_whenever_somebody_comes_or_goes),
		cmocka_unit_test(
			a_join_is_acknowledged_with_who_is_there_by_the_first_that_holds),
		cmocka_unit_test(an_error_knows_which_message_was_refused),
		cmocka_unit_test(who_says_a_user_is_called_so_over_socketio_too),
		cmocka_unit_test(a_steps_file_is_checked_too),
	};
	log_setup(LOG_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
