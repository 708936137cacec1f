#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/coworking_call.h"
#include "store/note.h"

#define ID "abcdefghijkl"

/* As coworking_keep() puts it: a room of two. */
static void put_value(struct buf *b)
{
	buf_u8(b, 1);
	buf_prefixed(b, SLICE("Focus"));
	buf_prefixed(b, SLICE("quiet"));
	buf_prefixed(b, SLICE("#fff"));
	buf_prefixed(b, SLICE("u-ann"));
	buf_be32(b, 3);
	buf_prefixed(b, SLICE("u-ann"));
	buf_prefixed(b, SLICE("Ann"));
	buf_u8(b, 0);
	buf_be64(b, 10);
	buf_prefixed(b, SLICE("7"));
	buf_prefixed(b, SLICE("Bob"));
	buf_u8(b, 1);
	buf_be64(b, 20);
}

static int take(struct coworking *c, const char *id, ms_t made_at, struct slice value)
{
	const struct store_note n = { .kind = STORE_NOTE_HALL,
				      .name = slice_str(id),
				      .value = value,
				      .time = made_at };

	return coworking_take(c, &n);
}

static void room_comes_back_as_it_was(void **state)
{
	(void)state;
	struct coworking *c = xzalloc(sizeof(*c));
	struct buf b = BUF_INIT(512);

	put_value(&b);
	assert_int_equal(take(c, ID, 5, buf_slice(&b)), 0);
	assert_int_equal(take(c, ID, 5, buf_slice(&b)), 0);
	assert_int_equal(c->hall_count, 1);
	const struct hall *h = c->halls[0];
	assert_string_equal(h->id, ID);
	assert_string_equal(h->name, "Focus");
	assert_string_equal(h->maker, "u-ann");
	assert_int_equal(h->max, 3);
	assert_int_equal(h->made_at, 5);
	assert_int_equal(h->people_count, 2);
	assert_string_equal(h->people[1].name, "Bob");
	assert_true(h->people[1].muted);
	assert_int_equal(h->people[1].joined_at, 20);
	buf_fini(&b);
	coworking_destroy(c);
}

static void rooms_are_in_the_order_of_making(void **state)
{
	(void)state;
	struct coworking *c = xzalloc(sizeof(*c));
	struct buf b = BUF_INIT(512);

	put_value(&b);
	assert_int_equal(take(c, "aaaaaaaaaaaa", 7, buf_slice(&b)), 0);
	assert_int_equal(take(c, "bbbbbbbbbbbb", 5, buf_slice(&b)), 0);
	assert_int_equal(take(c, "cccccccccccc", 6, buf_slice(&b)), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(c->halls[i]->made_at, 5 + (ms_t)i);
	buf_fini(&b);
	coworking_destroy(c);
}

/* Between two people it is a room of fewer. */
static void room_that_is_none_is_left_out(void **state)
{
	(void)state;
	struct coworking *c = xzalloc(sizeof(*c));
	struct buf b = BUF_INIT(512);

	put_value(&b);
	const size_t bob = 4 + 1 + 4 + 3 + 1 + 8, both = bob + 4 + 5 + 4 + 3 + 1 + 8;
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *p = n > 0 ? xmemdup(b.p, n) : NULL;

		if (n != b.n - bob && n != b.n - both)
			assert_int_equal(take(c, ID, 5, slice_of(p, n)), E_MALFORMED);
		free(p);
	}
	assert_int_equal(take(c, "short", 5, buf_slice(&b)), E_MALFORMED);
	b.p[0] = 2;
	assert_int_equal(take(c, ID, 5, buf_slice(&b)), E_MALFORMED);
	assert_int_equal(c->hall_count, 0);
	buf_fini(&b);
	coworking_destroy(c);
}

static void more_rooms_than_there_may_be_are_refused(void **state)
{
	(void)state;
	struct coworking *c = xzalloc(sizeof(*c));
	struct buf b = BUF_INIT(512);
	char id[ROOM_ID + 1];

	put_value(&b);
	for (unsigned i = 0; i < COWORKING_ROOMS; i++) {
		snprintf(id, sizeof(id), "%012u", i);
		assert_int_equal(take(c, id, 5, buf_slice(&b)), 0);
	}
	assert_int_equal(take(c, ID, 5, buf_slice(&b)), E_LIMIT);
	buf_fini(&b);
	coworking_destroy(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_comes_back_as_it_was),
		cmocka_unit_test(rooms_are_in_the_order_of_making),
		cmocka_unit_test(room_that_is_none_is_left_out),
		cmocka_unit_test(more_rooms_than_there_may_be_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
