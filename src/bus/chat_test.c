#include "bus/chat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

static const struct chat_more all = {
	.epoch = 1763632429123,
	.of = 7,
	.edited = 9,
	.deleted = true,
	.replay = true,
	.on = true,
	.user = SLICE_LIT("ann"),
	.to_user = SLICE_LIT("bob"),
	.reader = SLICE_LIT("r"),
	.key = SLICE_LIT("k"),
	.file = SLICE_LIT("{}"),
	.reactions = SLICE_LIT("{\"a\":[\"b\"]}"),
};

static void chat_comes_back_as_it_went(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct chat_more m;

	bus_chat_encode(&b, &all);
	assert_int_equal(bus_chat_decode(&m, buf_slice(&b)), 0);
	assert_int_equal(m.epoch, all.epoch);
	assert_int_equal(m.of, all.of);
	assert_int_equal(m.edited, all.edited);
	assert_true(m.deleted && m.replay && m.on);
	assert_true(slice_is(m.user, "ann"));
	assert_true(slice_is(m.to_user, "bob"));
	assert_true(slice_is(m.reader, "r"));
	assert_true(slice_is(m.key, "k"));
	assert_true(slice_is(m.file, "{}"));
	assert_true(slice_eq(m.reactions, all.reactions));
	buf_fini(&b);
}

static void chat_refuses_every_truncation(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct chat_more m;

	bus_chat_encode(&b, &all);
	for (size_t n = 1; n < b.n; n++) {
		uint8_t *p = xmemdup(b.p, n);

		assert_true(bus_chat_decode(&m, slice_of(p, n)) < 0);
		free(p);
	}
	assert_int_equal(bus_chat_decode(&m, SLICE_NONE), 0);
	assert_int_equal(m.epoch, 0);
	buf_fini(&b);
}

static void react(const char *before, const char *emoji, const char *who, bool on,
		  const char *after)
{
	struct buf b = BUF_INIT(1 << 20);

	assert_int_equal(bus_chat_react(slice_str(before), slice_str(emoji),
					slice_str(who), on, &b),
			 0);
	assert_true(slice_is(buf_slice(&b), after));
	buf_fini(&b);
}

static void reactions_come_and_go(void **state)
{
	(void)state;
	react("", "+", "ann", true, "{\"+\":[\"ann\"]}");
	react("{\"+\":[\"ann\"]}", "+", "bob", true, "{\"+\":[\"ann\",\"bob\"]}");
	react("{\"+\":[\"ann\",\"bob\"]}", "\"", "x\ty", true,
	      "{\"+\":[\"ann\",\"bob\"],\"\\\"\":[\"x\\ty\"]}");
	react("{\"+\":[\"ann\",\"bob\"],\"-\":[\"x\"]}", "+", "ann", false,
	      "{\"+\":[\"bob\"],\"-\":[\"x\"]}");
	react("{\"+\":[\"bob\"],\"-\":[\"x\"]}", "+", "bob", false, "{\"-\":[\"x\"]}");
	react("{\"-\":[\"x\"]}", "-", "x", false, "");
}

static int try_react(struct slice before, const char *emoji, const char *who, bool on)
{
	struct buf b = BUF_INIT(1 << 20);
	int err = bus_chat_react(before, slice_str(emoji), slice_str(who), on, &b);

	buf_fini(&b);
	return err;
}

static void what_is_so_already_is_said(void **state)
{
	(void)state;
	struct slice one = SLICE("{\"+\":[\"ann\"]}");

	assert_int_equal(try_react(one, "+", "ann", true), E_ALREADY);
	assert_int_equal(try_react(one, "+", "bob", false), E_ALREADY);
	assert_int_equal(try_react(one, "-", "ann", false), E_ALREADY);
	assert_true(try_react(SLICE("{"), "-", "ann", true) < 0);
}

static void reactions_are_limited(void **state)
{
	(void)state;
	struct buf kinds = BUF_INIT(1 << 20), people = BUF_INIT(1 << 20);

	buf_str(&kinds, "{");
	buf_str(&people, "{\"+\":[");
	for (unsigned i = 0; i < CHAT_MAX_REACTIONS; i++)
		buf_printf(&kinds, "%s\"%u\":[\"a\"]", i ? "," : "", i);
	for (unsigned i = 0; i < CHAT_MAX_REACTORS; i++)
		buf_printf(&people, "%s\"%u\"", i ? "," : "", i);
	buf_str(&kinds, "}");
	buf_str(&people, "]}");
	assert_int_equal(try_react(buf_slice(&kinds), "+", "a", true), E_LIMIT);
	assert_int_equal(try_react(buf_slice(&kinds), "3", "b", true), 0);
	assert_int_equal(try_react(buf_slice(&people), "+", "a", true), E_LIMIT);
	assert_int_equal(try_react(buf_slice(&people), "-", "a", true), 0);
	buf_fini(&kinds);
	buf_fini(&people);
}

static void visits_come_back_as_they_went(void **state)
{
	(void)state;
	const struct visit want = { .number = 3,
				    .member = 4,
				    .joined_at = 5,
				    .left_at = 6,
				    .reason = LEAVE_KICK,
				    .name = SLICE("Ann"),
				    .user = SLICE("a") };
	struct buf b = BUF_INIT(4096);
	struct visit v;

	bus_visit_encode(&b, &want);
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_int_equal(bus_visit_decode(&v, &in), 0);
	assert_int_equal(v.number, 3);
	assert_int_equal(v.left_at, 6);
	assert_int_equal(v.reason, LEAVE_KICK);
	assert_true(slice_is(v.user, "a"));
	for (size_t n = 0; n < b.n; n++) {
		in = cur_of(b.p, n);
		assert_true(bus_visit_decode(&v, &in) < 0);
	}
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chat_comes_back_as_it_went),
		cmocka_unit_test(chat_refuses_every_truncation),
		cmocka_unit_test(reactions_come_and_go),
		cmocka_unit_test(what_is_so_already_is_said),
		cmocka_unit_test(reactions_are_limited),
		cmocka_unit_test(visits_come_back_as_they_went),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
