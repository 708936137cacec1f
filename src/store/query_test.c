#include "store/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct event said = { .kind = EVENT_CHAT, .n = 5, .text = SLICE_LIT("hi") };
static const struct member_info ann = { .id = 3, .name = SLICE_LIT("Ann") };
static const struct store_file file = { .id = SLICE_LIT("f"),
					.room = SLICE_LIT("room"),
					.name = SLICE_LIT("a.png"),
					.size = 13 };
static const struct store_note note = { .kind = STORE_NOTE_HALL,
					.name = SLICE_LIT("hall"),
					.value = SLICE_LIT("v"),
					.time = 14,
					.until = 15 };
static const struct store_query whole = {
	.op = STORE_HISTORY,
	.limit = 7,
	.forward = true,
	.all = true,
	.reason = LEAVE_KICK,
	.time = 8,
	.viewer = 9,
	.before = 10,
	.after = 11,
	.n = 12,
	.room = SLICE_LIT("room"),
	.viewer_user = SLICE_LIT("ann"),
	.reader = SLICE_LIT("r"),
	.text = SLICE_LIT("words"),
	.session = SLICE_LIT("s"),
	.secret = SLICE_LIT("x"),
	.event = &said,
	.member = &ann,
	.file = &file,
	.note = &note,
};

static void query_comes_back_as_it_went(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct store_letter l;

	store_query_encode(&b, 77, &whole);
	assert_int_equal(store_query_decode(&l, buf_slice(&b)), 0);
	assert_int_equal(l.ticket, 77);
	assert_int_equal(l.q.op, STORE_HISTORY);
	assert_int_equal(l.q.limit, 7);
	assert_true(l.q.forward && l.q.all);
	assert_int_equal(l.q.reason, LEAVE_KICK);
	assert_int_equal(l.q.before, 10);
	assert_int_equal(l.q.after, 11);
	assert_int_equal(l.q.n, 12);
	assert_true(slice_is(l.q.room, "room"));
	assert_true(slice_is(l.q.secret, "x"));
	assert_ptr_equal(l.q.event, &l.event);
	assert_true(slice_is(l.event.text, "hi"));
	assert_int_equal(l.member.id, 3);
	assert_ptr_equal(l.q.file, &l.file);
	assert_true(slice_is(l.file.name, "a.png"));
	assert_int_equal(l.file.size, 13);
	assert_ptr_equal(l.q.note, &l.note);
	assert_int_equal(l.note.kind, STORE_NOTE_HALL);
	assert_true(slice_is(l.note.name, "hall"));
	assert_true(slice_is(l.note.value, "v"));
	assert_int_equal(l.note.until, 15);
	buf_fini(&b);
}

static void query_refuses_every_truncation(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct store_letter l;

	store_query_encode(&b, 1, &whole);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *p = n > 0 ? xmemdup(b.p, n) : NULL;

		assert_true(store_query_decode(&l, slice_of(p, n)) < 0);
		free(p);
	}
	buf_u8(&b, 0);
	assert_true(store_query_decode(&l, buf_slice(&b)) < 0);
	buf_fini(&b);
}

static void answer_comes_back_as_it_went(void **state)
{
	(void)state;
	const struct store_answer want = { .err = -5,
					   .partial = true,
					   .n = 1,
					   .epoch = 2,
					   .from = 3,
					   .to = 4,
					   .time = 5,
					   .body = SLICE("body") };
	struct buf b = BUF_INIT(4096);
	struct store_answer a;
	uint64_t ticket;

	store_answer_encode(&b, 99, &want);
	assert_int_equal(store_answer_decode(&a, &ticket, buf_slice(&b)), 0);
	assert_int_equal(ticket, 99);
	assert_int_equal(a.err, -5);
	assert_true(a.partial);
	assert_false(a.known);
	assert_int_equal(a.to, 4);
	assert_true(slice_is(a.body, "body"));
	for (size_t n = 0; n < b.n; n++)
		assert_true(store_answer_decode(&a, &ticket, slice_of(b.p, n)) < 0);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_comes_back_as_it_went),
		cmocka_unit_test(query_refuses_every_truncation),
		cmocka_unit_test(answer_comes_back_as_it_went),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
