#include "ws/deflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/err.h"

#define MIB (1024u * 1024)

static int setup(void **state)
{
	*state = ws_deflate_create();
	return 0;
}

static int teardown(void **state)
{
	ws_deflate_destroy(*state);
	return 0;
}

static int inflate_exact(struct ws_deflate *d, struct slice payload, size_t max,
			 struct buf *b)
{
	uint8_t *p = malloc(payload.n ? payload.n : 1);

	if (payload.n)
		memcpy(p, payload.p, payload.n);
	int err = ws_inflate_message(d, slice_of(p, payload.n), max, b);
	free(p);
	return err;
}

/* RFC 7692, section 7.2.3 */
static const struct {
	const char *what;
	struct slice payload;
	const char *text;
} vectors[] = {
	{ "compressed block", SLICE_LIT("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello" },
	{ "stored block", SLICE_LIT("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
	  "Hello" },
	{ "last block", SLICE_LIT("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello" },
	{ "two blocks", SLICE_LIT("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
	  "Hello" },
	{ "nothing", SLICE_LIT("\x00"), "" },
	{ "stored nothing", SLICE_LIT("\x00\x00\x00\xff\xff\x00"), "" },
};

static void ws_inflate_reads_the_rfcs_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct buf b = BUF_INIT(64);
		int err = inflate_exact(*state, vectors[i].payload, 64, &b);
		if (err != 0 || !slice_is(buf_slice(&b), vectors[i].text))
			fail_msg("%s: %d", vectors[i].what, err);
		buf_fini(&b);
	}
}

static void ws_deflate_writes_the_rfcs_hello(void **state)
{
	struct buf b = BUF_INIT(1024);

	buf_str(&b, "<");
	assert_int_equal(ws_deflate_message(*state, SLICE("Hello"), &b), 0);
	assert_true(slice_eq(buf_slice(&b), SLICE("<\xf2\x48\xcd\xc9\xc9\x07\x00")));
	/* Without takeover the next is the same again. */
	assert_int_equal(ws_deflate_message(*state, SLICE("Hello"), &b), 0);
	assert_int_equal(buf_at(&b), 15);
	assert_memory_equal(b.p + 1, b.p + 8, 7);
	buf_clear(&b);
	assert_int_equal(ws_deflate_message(*state, SLICE_NONE, &b), 0);
	assert_true(slice_eq(buf_slice(&b), SLICE("\0")));
	buf_fini(&b);
}

/* Text like ours, or noise that does not shrink. */
static void fill(uint8_t *p, size_t n, bool noise)
{
	uint32_t v = 12345;

	for (size_t i = 0; i < n; i++) {
		v = v * 1664525 + 1013904223;
		p[i] = noise ? (uint8_t)(v >> 24)
			     : (uint8_t) "{\"candidate\":1,"[(v >> 16) % 3 + i % 12];
	}
}

static void ws_inflate_gives_back_what_deflate_took(void **state)
{
	static const size_t sizes[] = { 1,    2,     100,   1023,  1024,   1025, 4096,
					5000, 65535, 65536, 65537, 300000, MIB };

	for (size_t i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
		size_t n = sizes[i / 2];
		uint8_t *p = malloc(n);
		struct buf packed = BUF_INIT(2 * MIB), back = BUF_INIT(2 * MIB);
		fill(p, n, i & 1);
		assert_int_equal(ws_deflate_message(*state, slice_of(p, n), &packed), 0);
		buf_str(&back, "<");
		assert_int_equal(inflate_exact(*state, buf_slice(&packed), n, &back), 0);
		assert_true(slice_eq(slice_from(buf_slice(&back), 1), slice_of(p, n)));
		buf_fini(&packed);
		buf_fini(&back);
		free(p);
	}
}

static void ws_inflate_stops_at_the_limit(void **state)
{
	static const size_t limits[] = { 0, 1, 1023, 1024, 3 * 1024, 3 * 1024 - 1, 9999 };
	uint8_t *zeros = calloc(1, 10000);
	struct buf packed = BUF_INIT(MIB), back = BUF_INIT(MIB), small = BUF_INIT(9999);

	assert_int_equal(ws_deflate_message(*state, slice_of(zeros, 10000), &packed), 0);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		buf_str(&back, "<");
		size_t before = buf_at(&back);
		assert_int_equal(
			inflate_exact(*state, buf_slice(&packed), limits[i], &back),
			E_TOO_LARGE);
		assert_int_equal(buf_at(&back), before);
		assert_false(back.bad);
	}
	assert_int_equal(inflate_exact(*state, buf_slice(&packed), MIB, &small),
			 E_TOO_LARGE);
	assert_int_equal(inflate_exact(*state, buf_slice(&packed), 10000, &back), 0);
	free(zeros);
	buf_fini(&packed);
	buf_fini(&back);
	buf_fini(&small);
}

/* 16 MiB of zeroes take 16 KiB; memory must follow the limit, not the bomb. */
static void ws_inflate_of_a_bomb_takes_no_more_than_the_limit(void **state)
{
	size_t n = 16 * MIB;
	uint8_t *zeros = calloc(1, n);
	struct buf packed = BUF_INIT(MIB), back = BUF_INIT(64 * MIB);

	assert_int_equal(ws_deflate_message(*state, slice_of(zeros, n), &packed), 0);
	assert_int_equal(inflate_exact(*state, buf_slice(&packed), 64 * 1024, &back),
			 E_TOO_LARGE);
	assert_true(back.cap <= 256 * 1024);
	free(zeros);
	buf_fini(&packed);
	buf_fini(&back);
}

static void ws_inflate_refuses_noise_and_half_messages(void **state)
{
	static const struct slice v[] = {
		SLICE_LIT(""),
		SLICE_LIT("\xff"),
		SLICE_LIT("\x06\x00"),
		SLICE_LIT("not deflate at all"),
		SLICE_LIT("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"),
		/* a window that reaches before the start */
		SLICE_LIT("\xf2\x00\x11\x00\x00"),
	};
	struct slice hello = SLICE_LIT("\xf2\x48\xcd\xc9\xc9\x07\x00");
	struct buf b = BUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(inflate_exact(*state, v[i], 1024, &b), E_MALFORMED);
	for (size_t n = 0; n < hello.n; n++)
		assert_int_equal(inflate_exact(*state, slice_of(hello.p, n), 1024, &b),
				 E_MALFORMED);
	assert_int_equal(buf_at(&b), 0);
	/* After all that the next message is read as ever. */
	assert_int_equal(inflate_exact(*state, hello, 1024, &b), 0);
	assert_true(slice_is(buf_slice(&b), "Hello"));
	buf_fini(&b);
}

static void ws_deflate_into_a_full_buf_leaves_it_alone(void **state)
{
	uint8_t noise[512];
	struct buf b = BUF_INIT(100);

	fill(noise, sizeof(noise), true);
	buf_str(&b, "before");
	assert_int_equal(ws_deflate_message(*state, slice_of(noise, sizeof(noise)), &b),
			 E_LIMIT);
	assert_true(slice_is(buf_slice(&b), "before"));
	assert_int_equal(ws_deflate_message(*state, SLICE("Hello"), &b), 0);
	assert_int_equal(buf_at(&b), 6 + 7);
	buf_fini(&b);
}

/* A peer that compresses with zlib at any level and window is understood. */
static void ws_inflate_reads_every_level_and_window(void **state)
{
	uint8_t text[20000], out[40000];

	fill(text, sizeof(text), false);
	for (int level = 0; level <= 9; level++) {
		for (int bits = 9; bits <= 15; bits++) {
			z_stream z = { .next_in = text,
				       .avail_in = sizeof(text),
				       .next_out = out,
				       .avail_out = sizeof(out) };
			struct buf b = BUF_INIT(sizeof(text));
			assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -bits, 9, 0),
					 Z_OK);
			assert_int_equal(deflate(&z, Z_SYNC_FLUSH), Z_OK);
			size_t n = sizeof(out) - z.avail_out - 4;
			deflateEnd(&z);
			assert_int_equal(
				inflate_exact(*state, slice_of(out, n), sizeof(text), &b),
				0);
			assert_true(
				slice_eq(buf_slice(&b), slice_of(text, sizeof(text))));
			buf_fini(&b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ws_inflate_reads_the_rfcs_messages),
		cmocka_unit_test(ws_deflate_writes_the_rfcs_hello),
		cmocka_unit_test(ws_inflate_gives_back_what_deflate_took),
		cmocka_unit_test(ws_inflate_stops_at_the_limit),
		cmocka_unit_test(ws_inflate_of_a_bomb_takes_no_more_than_the_limit),
		cmocka_unit_test(ws_inflate_refuses_noise_and_half_messages),
		cmocka_unit_test(ws_deflate_into_a_full_buf_leaves_it_alone),
		cmocka_unit_test(ws_inflate_reads_every_level_and_window),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
