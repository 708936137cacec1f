#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cur.h"

static void buf_holds_no_memory_while_empty(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);

	buf_put(&b, SLICE_NONE);
	buf_str(&b, "");
	assert_non_null(buf_room(&b, 0));
	assert_null(b.p);
	assert_false(b.bad);
}

static void buf_fills_up_to_max_exactly(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(300);

	for (int i = 0; i < 300; i++)
		buf_u8(&b, (uint8_t)i);
	assert_false(b.bad);
	assert_true(b.cap <= 300);
	assert_int_equal(b.p[299], (uint8_t)299);
	buf_u8(&b, 1);
	assert_true(b.bad);
	assert_int_equal(buf_at(&b), 300);
	buf_fini(&b);
	assert_null(b.p);
	assert_int_equal(b.max, 300);
	assert_false(b.bad);
}

/* What is half written is worthless, so nothing more goes in, even if it would fit. */
static void buf_bad_stays_bad_until_cleared(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4);

	buf_be16(&b, 7);
	buf_be32(&b, 7);
	assert_true(b.bad);
	buf_u8(&b, 1);
	buf_set_be16(&b, 0, 9);
	assert_int_equal(buf_at(&b), 2);
	assert_int_equal(b.p[1], 7);
	assert_null(buf_room(&b, 1));
	buf_clear(&b);
	buf_be32(&b, 7);
	assert_false(b.bad);
	assert_int_equal(buf_at(&b), 4);
	buf_fini(&b);
}

static void buf_huge_requests_do_not_wrap(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(SIZE_MAX);

	buf_u8(&b, 1);
	assert_null(buf_room(&b, SIZE_MAX));
	assert_true(b.bad);
	buf_fini(&b);
}

static void buf_writes_network_byte_order(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);
	static const uint8_t want[] = { 1, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef,
					1, 2,    3,    4,    5,    6,    7,
					8, 0,    0,    0,    2,    'h',  'i' };

	buf_u8(&b, 1);
	size_t at = buf_at(&b);
	buf_be16(&b, 0);
	buf_be32(&b, 0xdeadbeef);
	buf_be64(&b, 0x0102030405060708);
	buf_prefixed(&b, SLICE("hi"));
	buf_set_be16(&b, at, 0x1234);
	assert_true(slice_eq(buf_slice(&b), slice_of(want, sizeof(want))));
	buf_set_be32(&b, at + 2, 1);
	assert_memory_equal(b.p + 3, "\0\0\0\1", 4);
	buf_fini(&b);
}

static void buf_dec_writes_all_digits(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);

	buf_dec(&b, 0);
	buf_u8(&b, ' ');
	buf_dec(&b, 1000);
	buf_u8(&b, ' ');
	buf_dec(&b, UINT64_MAX);
	assert_true(slice_is(buf_slice(&b), "0 1000 18446744073709551615"));
	buf_fini(&b);
}

static void buf_printf_fits_up_to_max(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(600);

	buf_printf(&b, "%s=%d", "n", 5);
	assert_true(slice_is(buf_slice(&b), "n=5"));
	buf_printf(&b, "%597d", 1); /* longer than the buffer on the stack */
	assert_false(b.bad);
	assert_int_equal(buf_at(&b), 600);
	assert_int_equal(b.p[599], '1');
	buf_printf(&b, "%d", 1);
	assert_true(b.bad);
	buf_clear(&b);
	buf_printf(&b, "%601d", 1);
	assert_true(b.bad);
	assert_int_equal(buf_at(&b), 0);
	buf_fini(&b);
}

static void buf_drop_moves_the_rest_down(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);

	buf_drop(&b, 0);
	buf_str(&b, "abcdef");
	buf_drop(&b, 2);
	assert_true(slice_is(buf_slice(&b), "cdef"));
	buf_drop(&b, 4);
	assert_int_equal(buf_at(&b), 0);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_holds_no_memory_while_empty),
		cmocka_unit_test(buf_fills_up_to_max_exactly),
		cmocka_unit_test(buf_bad_stays_bad_until_cleared),
		cmocka_unit_test(buf_huge_requests_do_not_wrap),
		cmocka_unit_test(buf_writes_network_byte_order),
		cmocka_unit_test(buf_dec_writes_all_digits),
		cmocka_unit_test(buf_printf_fits_up_to_max),
		cmocka_unit_test(buf_drop_moves_the_rest_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
