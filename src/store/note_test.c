#include "store/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

static const struct store_note note = { .kind = STORE_NOTE_TOKEN,
					.name = SLICE_LIT("t1"),
					.value = SLICE_LIT("bytes"),
					.time = 5,
					.until = 6 };

static void note_comes_back_as_it_went(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(256);
	struct store_note got;

	store_note_encode(&b, &note);
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_int_equal(store_note_decode(&got, &in), 0);
	assert_int_equal(got.kind, STORE_NOTE_TOKEN);
	assert_true(slice_is(got.name, "t1"));
	assert_true(slice_is(got.value, "bytes"));
	assert_int_equal(got.time, 5);
	assert_int_equal(got.until, 6);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *p = n > 0 ? xmemdup(b.p, n) : NULL;

		in = cur_of(p, n);
		assert_int_equal(store_note_decode(&got, &in), E_TRUNCATED);
		free(p);
	}
	buf_fini(&b);
}

static void count(void *arg, const struct store_note *n)
{
	size_t *seen = arg;

	assert_int_equal(n->kind, STORE_NOTE_TOKEN);
	++*seen;
}

static void pages_go_on_after_the_last_of_the_one_before(void **state)
{
	(void)state;
	struct store_note last = note;
	struct buf b = BUF_INIT(256), name = BUF_INIT(256);
	struct store_query q = { .op = STORE_KEPT };
	size_t seen = 0;

	last.name = SLICE("t2");
	store_note_encode(&b, &note);
	store_note_encode(&b, &last);
	struct store_answer a = { .partial = true, .body = buf_slice(&b) };
	assert_true(store_notes_next(&q, &name, &a, count, &seen));
	assert_int_equal(seen, 2);
	assert_int_equal(q.n, STORE_NOTE_TOKEN);
	assert_true(slice_is(q.text, "t2"));
	a.partial = false;
	assert_false(store_notes_next(&q, &name, &a, count, &seen));
	a = (struct store_answer){ .partial = true };
	assert_false(store_notes_next(&q, &name, &a, count, &seen));
	assert_int_equal(seen, 4);
	buf_fini(&b);
	buf_fini(&name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(note_comes_back_as_it_went),
		cmocka_unit_test(pages_go_on_after_the_last_of_the_one_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
