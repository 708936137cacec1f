#include "store/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static const struct event edit = { .kind = EVENT_EDITED, .n = 9, .member = 1 };
static const struct event deletion = { .kind = EVENT_DELETED, .n = 9, .member = 1 };
static const struct event reaction = { .kind = EVENT_REACTED, .n = 9, .member = 1 };

static int may(const struct store_row *r, const struct event *e, uint64_t viewer,
	       const char *user, bool all)
{
	const struct store_query q = {
		.event = e, .viewer = viewer, .viewer_user = slice_str(user), .all = all
	};

	return store_row_may_change(r, &q);
}

static void own_messages_are_changed(void **state)
{
	(void)state;
	const struct store_row said = { .n = 5, .member = 1, .user = SLICE("ann") };

	assert_int_equal(may(&said, &edit, 1, "", false), 0);
	assert_int_equal(may(&said, &edit, 7, "ann", false), 0);
	assert_int_equal(may(&said, &edit, 7, "", false), E_DENIED);
	assert_int_equal(may(&said, &edit, 7, "bob", true), E_DENIED);
	assert_int_equal(may(&said, &deletion, 7, "bob", false), E_DENIED);
	assert_int_equal(may(&said, &deletion, 7, "bob", true), 0);
	assert_int_equal(may(&said, &reaction, 7, "bob", false), 0);
}

static void what_one_may_not_see_is_not_there(void **state)
{
	(void)state;
	struct store_row said = { .n = 5,
				  .member = 1,
				  .to = 2,
				  .user = SLICE("ann"),
				  .to_user = SLICE("bob") };

	assert_int_equal(may(&said, &reaction, 2, "", false), 0);
	assert_int_equal(may(&said, &reaction, 7, "bob", false), 0);
	assert_int_equal(may(&said, &reaction, 7, "eve", false), E_NOT_FOUND);
	assert_int_equal(may(&said, &reaction, 7, "", true), 0);
	said.deleted = 1;
	assert_int_equal(may(&said, &edit, 1, "", false), E_NOT_FOUND);
	said.deleted = 0;
	said.kind = STORE_ROW_EDITED;
	assert_int_equal(may(&said, &edit, 1, "", false), E_NOT_FOUND);
}

static void a_change_is_for_the_same_two(void **state)
{
	(void)state;
	const struct store_row said = { .n = 5,
					.member = 1,
					.to = 2,
					.user = SLICE("ann"),
					.to_user = SLICE("bob") };
	const struct chat_more off = { .of = 5, .on = false };
	struct event e = reaction;
	struct store_row r;

	store_row_of_change(&r, &(struct store_query){ .event = &e }, &off, &said);
	assert_int_equal(r.to, 2);
	assert_true(slice_is(r.to_user, "bob"));
	assert_int_equal(r.edited, 1);
	e.member = 2;
	store_row_of_change(&r, &(struct store_query){ .event = &e }, &off, &said);
	assert_int_equal(r.to, 1);
	assert_true(slice_is(r.to_user, "ann"));
}

static void a_row_becomes_its_event(void **state)
{
	(void)state;
	const struct store_row r = { .n = 5,
				     .kind = STORE_ROW_REACTED,
				     .member = 0x2a,
				     .of = 3,
				     .text = SLICE("+1") };
	struct buf b = BUF_INIT(4096);
	struct chat_more m;
	struct event e;

	store_row_event(&r, 77, &b);
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_int_equal(bus_event_decode(&e, &in), 0);
	assert_int_equal(bus_chat_decode(&m, e.more), 0);
	assert_int_equal(e.kind, EVENT_REACTED);
	assert_int_equal(m.epoch, 77);
	assert_int_equal(m.of, 3);
	assert_true(m.on);
	assert_int_equal(m.reader.n, BUS_MEMBER_TEXT);
	buf_fini(&b);
}

static void a_row_becomes_a_line(void **state)
{
	(void)state;
	const struct store_row r = { .n = 5,
				     .time = 6,
				     .name = SLICE("Ann"),
				     .text = SLICE("\"hi\""),
				     .reactions = SLICE("{\"+1\":[\"a\"]}"),
				     .deleted = 1 };
	struct buf b = BUF_INIT(4096);

	store_row_line(&r, SLICE("hall"), &b);
	assert_true(slice_is(buf_slice(&b),
			     "{\"room\":\"hall\",\"n\":5,\"time\":6,\"name\":\"Ann\","
			     "\"text\":\"\\\"hi\\\"\",\"reactions\":{\"+1\":[\"a\"]},"
			     "\"deleted\":true}\n"));
	buf_fini(&b);
}

static void rows_that_are_no_messages(void **state)
{
	(void)state;
	struct event e = { .kind = EVENT_CHAT, .n = STORE_ROW_MAX_N };
	struct store_row r;
	struct chat_more m;

	assert_int_equal(store_row_of_message(&r, &m, &(struct store_query){ 0 }),
			 E_STATE);
	assert_int_equal(
		store_row_of_message(&r, &m, &(struct store_query){ .event = &e }), 0);
	e.n++;
	assert_int_equal(
		store_row_of_message(&r, &m, &(struct store_query){ .event = &e }),
		E_STATE);
	e.n = 0;
	assert_int_equal(
		store_row_of_message(&r, &m, &(struct store_query){ .event = &e }),
		E_STATE);
	assert_int_equal(store_row_limit(0), STORE_PAGE);
	assert_int_equal(store_row_limit(7), 7);
	assert_int_equal(store_row_limit(UINT32_MAX), STORE_PAGE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_messages_are_changed),
		cmocka_unit_test(what_one_may_not_see_is_not_there),
		cmocka_unit_test(a_change_is_for_the_same_two),
		cmocka_unit_test(a_row_becomes_its_event),
		cmocka_unit_test(a_row_becomes_a_line),
		cmocka_unit_test(rows_that_are_no_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
