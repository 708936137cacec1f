#include "base/cur.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static void cur_reads_network_byte_order(void **state)
{
	(void)state;
	static const uint8_t p[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct cur c = cur_of(p, sizeof(p));

	assert_int_equal(cur_u8(&c), 1);
	assert_int_equal(cur_be16(&c), 0x0203);
	assert_int_equal(cur_be32(&c), 0x04050607);
	assert_int_equal(cur_be64(&c), 0x08090a0b0c0d0e0f);
	assert_int_equal(cur_left(&c), 0);
	assert_false(c.bad);
}

/* All lengths that are too short, in memory of just that size: the sanitizer sees a read
 * past the end. */
static void cur_every_truncation_is_bad_and_zero(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++) {
		uint8_t *p = xmemdup("\xff\xff\xff\xff\xff\xff\xff\xff", n);
		struct cur c = cur_of(p, n);
		assert_int_equal(cur_be64(&c), 0);
		assert_true(c.bad);
		assert_int_equal(cur_left(&c), 0);
		assert_int_equal(cur_u8(&c), 0);
		free(p);
	}
}

static void cur_slice_compares_with_what_is_left(void **state)
{
	(void)state;
	struct cur c = cur_of_slice(SLICE("abc"));

	assert_true(slice_is(cur_slice(&c, 2), "ab"));
	assert_int_equal(cur_slice(&c, SIZE_MAX).n, 0);
	assert_true(c.bad);
	assert_int_equal(cur_slice(&c, 1).n, 0);
}

static void cur_empty_input_is_not_bad(void **state)
{
	(void)state;
	struct cur c = cur_of_slice(SLICE_NONE);

	cur_skip(&c, 0);
	assert_int_equal(cur_left(&c), 0);
	assert_false(c.bad);
	cur_skip(&c, 1);
	assert_true(c.bad);
}

static void cur_sub_sees_only_its_part(void **state)
{
	(void)state;
	struct cur c = cur_of_slice(SLICE("abcd"));
	struct cur sub = cur_sub(&c, 2);

	assert_int_equal(cur_be16(&sub), 'a' << 8 | 'b');
	assert_int_equal(cur_u8(&sub), 0);
	assert_true(sub.bad);
	assert_false(c.bad);
	assert_int_equal(cur_u8(&c), 'c');
	sub = cur_sub(&c, 2);
	assert_true(sub.bad);
	assert_true(c.bad);
}

static void cur_prefixed_reads_what_buf_prefixed_wrote(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);

	buf_prefixed(&b, SLICE("first"));
	buf_prefixed(&b, SLICE_NONE);
	struct cur c = cur_of_slice(buf_slice(&b));
	assert_true(slice_is(cur_prefixed(&c), "first"));
	assert_int_equal(cur_prefixed(&c).n, 0);
	assert_false(c.bad);

	struct cur lying = cur_of_slice(SLICE("\xff\xff\xff\xff"
					      "abc"));
	assert_int_equal(cur_prefixed(&lying).n, 0);
	assert_true(lying.bad);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cur_reads_network_byte_order),
		cmocka_unit_test(cur_every_truncation_is_bad_and_zero),
		cmocka_unit_test(cur_slice_compares_with_what_is_left),
		cmocka_unit_test(cur_empty_input_is_not_bad),
		cmocka_unit_test(cur_sub_sees_only_its_part),
		cmocka_unit_test(cur_prefixed_reads_what_buf_prefixed_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
