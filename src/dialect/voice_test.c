#include "dialect/voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "bus/member_info.h"

static const struct voice_limits limits = { .listeners = 2, .size = 4 };

/* docs/protocol.md, "Voice through the server": for m_aaaaaaab and m_baaaaaaa in the room "fox", Opus, the
 * 258th piece, at 20 ms. */
static const uint8_t vector[] = {
	0x11, 3,    'f',  'o',  'x',  2,    0x00, 0x00, 0x00, 0x00, 0x01, 0x08,
	0x00, 0x00, 0x00, 0x00, 0x01, 0x01, 0x02, 0x00, 0x00, 0x03, 0xc0, 0xf8,
};

static void a_piece_is_read_as_the_protocol_draws_it(void **state)
{
	(void)state;
	const char *detail = NULL;
	struct voice v;

	assert_int_equal(
		voice_decode(&v, slice_of(vector, sizeof(vector)), &limits, &detail), 0);
	assert_true(slice_is(v.room, "fox"));
	struct cur in = cur_of_slice(v.members);
	assert_int_equal(bus_member_read(&in), bus_member_number(SLICE("m_aaaaaaab")));
	assert_int_equal(bus_member_read(&in), bus_member_number(SLICE("m_baaaaaaa")));
	assert_int_equal(cur_left(&in), 0);
	assert_int_equal(v.sound.n, 8);
	assert_int_equal(v.sound.p[0], VOICE_OPUS);
	assert_int_equal(v.sound.p[7], 0xf8);
}

static void every_truncation_is_an_error(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(vector); n++) {
		uint8_t *exact = xmemdup(vector, n ? n : 1);
		const char *detail = NULL;
		struct voice v;

		assert_int_equal(voice_decode(&v, slice_of(exact, n), &limits, &detail),
				 E_TRUNCATED);
		assert_non_null(detail);
		free(exact);
	}
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	static const struct {
		uint8_t bytes[24];
		size_t n;
		int err;
		const char *detail;
	} v[] = {
		{ { 0x12, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 9 },
		  16,
		  E_MALFORMED,
		  "kind" },
		{ { 0x11, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9 }, 11, E_MALFORMED, "members" },
		{ { 0x11, 0, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0 },
		  20,
		  E_LIMIT,
		  "members" },
		{ { 0x11, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9 },
		  16,
		  E_MALFORMED,
		  "codec" },
		{ { 0x11, 0, 1, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 9 },
		  16,
		  E_MALFORMED,
		  "codec" },
		{ { 0x11, 0, 1, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5 },
		  20,
		  E_LIMIT,
		  "payload" },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		const char *detail = NULL;
		struct voice out;

		assert_int_equal(voice_decode(&out, slice_of(v[i].bytes, v[i].n), &limits,
					      &detail),
				 v[i].err);
		assert_string_equal(detail, v[i].detail);
	}
}

static void what_is_passed_on_reads_the_same(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(512);
	const char *detail = NULL;
	struct voice v, back;

	assert_int_equal(
		voice_decode(&v, slice_of(vector, sizeof(vector)), &limits, &detail), 0);
	voice_encode(&b, v.room, 7, v.sound);
	assert_int_equal(voice_decode(&back, buf_slice(&b), &limits, &detail), 0);
	assert_true(slice_eq(back.room, v.room));
	assert_true(slice_eq(back.sound, v.sound));
	struct cur in = cur_of_slice(back.members);
	assert_int_equal(bus_member_read(&in), 7);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_piece_is_read_as_the_protocol_draws_it),
		cmocka_unit_test(every_truncation_is_an_error),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(what_is_passed_on_reads_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
