#include "ws/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

/* Decodes from a block of exactly n bytes. */
static int decode_exact(struct ws_head *h, const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	memcpy(copy, p, n);
	int err = ws_head_decode(h, copy, n);
	free(copy);
	return err;
}

#define MASK 0x37, 0xfa, 0x21, 0x3d

static const struct {
	uint8_t bytes[WS_CLIENT_HEAD_MAX];
	uint8_t size;
	uint8_t op;
	bool fin, rsv1;
	uint64_t len;
} sound[] = {
	/* RFC 6455, section 5.7 */
	{ { 0x81, 0x85, MASK }, 6, WS_TEXT, true, false, 5 },
	{ { 0x8a, 0x85, MASK }, 6, WS_PONG, true, false, 5 },
	{ { 0x82, 0xfe, 0x01, 0x00, MASK }, 8, WS_BINARY, true, false, 256 },
	{ { 0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, MASK },
	  14,
	  WS_BINARY,
	  true,
	  false,
	  65536 },
	/* the bounds of each length's form */
	{ { 0x01, 0x80, MASK }, 6, WS_TEXT, false, false, 0 },
	{ { 0x00, 0xfd, MASK }, 6, WS_CONT, false, false, 125 },
	{ { 0x80, 0xfe, 0x00, 0x7e, MASK }, 8, WS_CONT, true, false, 126 },
	{ { 0x82, 0xfe, 0xff, 0xff, MASK }, 8, WS_BINARY, true, false, 65535 },
	{ { 0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, MASK },
	  14,
	  WS_BINARY,
	  true,
	  false,
	  INT64_MAX },
	{ { 0x88, 0xfd, MASK }, 6, WS_CLOSE, true, false, 125 },
	{ { 0x89, 0x80, MASK }, 6, WS_PING, true, false, 0 },
	/* RFC 7692, section 7.2.3.1 */
	{ { 0xc1, 0x87, MASK }, 6, WS_TEXT, true, true, 7 },
	{ { 0x42, 0x83, MASK }, 6, WS_BINARY, false, true, 3 },
};

static void ws_head_decode_reads_every_form(void **state)
{
	static const uint8_t mask[] = { MASK };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		struct ws_head h;
		assert_int_equal(decode_exact(&h, sound[i].bytes, sound[i].size), 0);
		assert_int_equal(h.size, sound[i].size);
		assert_int_equal(h.op, sound[i].op);
		assert_int_equal(h.fin, sound[i].fin);
		assert_int_equal(h.rsv1, sound[i].rsv1);
		assert_true(h.masked);
		assert_true(h.len == sound[i].len);
		assert_memory_equal(&h.mask, mask, sizeof(mask));
	}
}

static void ws_head_decode_waits_for_the_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		for (size_t n = 0; n < sound[i].size; n++) {
			struct ws_head h = { .size = 99 };
			assert_int_equal(decode_exact(&h, sound[i].bytes, n), -EAGAIN);
			assert_int_equal(h.size, 99);
		}
	}
}

static void ws_head_decode_refuses_what_the_rfc_forbids(void **state)
{
	static const struct {
		uint8_t bytes[WS_CLIENT_HEAD_MAX];
		size_t seen; /* bytes that suffice to know */
		int want;
	} v[] = {
		{ { 0xa1, 0x80, MASK }, 2, E_MALFORMED }, /* rsv2 */
		{ { 0x91, 0x80, MASK }, 2, E_MALFORMED }, /* rsv3 */
		{ { 0xc0, 0x80, MASK }, 2, E_MALFORMED }, /* rsv1 on a continuation */
		{ { 0xc9, 0x80, MASK }, 2, E_MALFORMED }, /* rsv1 on a ping */
		{ { 0x09, 0x80, MASK }, 2, E_MALFORMED }, /* fragmented ping */
		{ { 0x08, 0x80, MASK }, 2, E_MALFORMED }, /* fragmented close */
		{ { 0x89, 0xfe, 0x00, 0x7e, MASK }, 2, E_MALFORMED },
		{ { 0x8a, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, MASK }, 2, E_MALFORMED },
		{ { 0x81, 0xfe, 0x00, 0x7d, MASK }, 4, E_MALFORMED },
		{ { 0x81, 0xfe, 0x00, 0x00, MASK }, 4, E_MALFORMED },
		{ { 0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, MASK }, 10, E_MALFORMED },
		{ { 0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, MASK }, 10, E_MALFORMED },
		{ { 0x81, 0x05, 'H', 'e', 'l', 'l', 'o' }, 2, E_DENIED },
		{ { 0x82, 0x7e, 0x01, 0x00 }, 2, E_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct ws_head h;
		for (size_t n = 0; n < v[i].seen; n++)
			assert_int_equal(decode_exact(&h, v[i].bytes, n), -EAGAIN);
		assert_int_equal(decode_exact(&h, v[i].bytes, v[i].seen), v[i].want);
		assert_int_equal(decode_exact(&h, v[i].bytes, WS_CLIENT_HEAD_MAX),
				 v[i].want);
	}
}

static void ws_head_decode_refuses_unknown_opcodes(void **state)
{
	static const uint8_t unknown[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
		uint8_t p[] = { 0x80 | unknown[i], 0x80, MASK };
		struct ws_head h;
		assert_int_equal(decode_exact(&h, p, sizeof(p)), E_MALFORMED);
	}
}

static void ws_head_encode_takes_the_shortest_form(void **state)
{
	static const struct {
		uint64_t len;
		size_t size;
		uint8_t bytes[WS_HEAD_MAX];
	} v[] = {
		{ 0, 2, { 0x81, 0 } },
		{ 125, 2, { 0x81, 125 } },
		{ 126, 4, { 0x81, 126, 0, 126 } },
		{ 65535, 4, { 0x81, 126, 0xff, 0xff } },
		{ 65536, 10, { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
		{ 0x0102030405060708, 10, { 0x81, 127, 1, 2, 3, 4, 5, 6, 7, 8 } },
	};
	uint8_t out[WS_HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_int_equal(ws_head_encode(out, WS_TEXT, false, v[i].len),
				 v[i].size);
		assert_memory_equal(out, v[i].bytes, v[i].size);
	}
	ws_head_encode(out, WS_BINARY, true, 1);
	assert_int_equal(out[0], 0xc2);
	ws_head_encode(out, WS_CLOSE, false, 2);
	assert_int_equal(out[0], 0x88);
}

/* A server's head with a mask put into it is a client's. */
static void ws_head_decode_reads_what_encode_writes(void **state)
{
	static const uint64_t lens[] = { 0, 1, 125, 126, 127, 65535, 65536, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		uint8_t p[WS_CLIENT_HEAD_MAX] = { 0 };
		struct ws_head h;
		size_t n = ws_head_encode(p, WS_BINARY, i & 1, lens[i]);
		p[1] |= 0x80;
		assert_int_equal(decode_exact(&h, p, n + 4), 0);
		assert_int_equal(h.size, n + 4);
		assert_true(h.len == lens[i] && h.fin && h.rsv1 == (i & 1) &&
			    h.op == WS_BINARY);
	}
}

static void ws_unmask_gives_the_rfcs_hello(void **state)
{
	static const uint8_t key[] = { MASK };
	uint8_t p[] = { 0x7f, 0x9f, 0x4d, 0x51, 0x58 };
	uint32_t mask;

	(void)state;
	memcpy(&mask, key, sizeof(mask));
	ws_unmask(p, sizeof(p), mask, 0);
	assert_memory_equal(p, "Hello", 5);
}

static void ws_unmask_works_at_every_length_place_and_offset(void **state)
{
	static const uint8_t key[] = { 0x11, 0x22, 0x44, 0x88 };
	uint32_t mask;

	(void)state;
	memcpy(&mask, key, sizeof(mask));
	for (size_t n = 0; n < 70; n++) {
		for (size_t place = 0; place < 16; place++) {
			for (size_t offset = 0; offset < 9; offset++) {
				uint8_t *p = calloc(1, place + n + 1);
				p[place + n] = 0x55;
				ws_unmask(p + place, n, mask, offset);
				for (size_t i = 0; i < n; i++)
					assert_int_equal(p[place + i],
							 key[(offset + i) & 3]);
				assert_int_equal(p[place + n], 0x55);
				free(p);
			}
		}
	}
}

static void ws_unmask_in_parts_is_the_same(void **state)
{
	uint8_t whole[64], parts[64];

	(void)state;
	for (size_t cut = 0; cut <= sizeof(whole); cut++) {
		for (size_t i = 0; i < sizeof(whole); i++)
			whole[i] = parts[i] = (uint8_t)(i * 7);
		ws_unmask(whole, sizeof(whole), 0xa1b2c3d4, 0);
		ws_unmask(parts, cut, 0xa1b2c3d4, 0);
		ws_unmask(parts + cut, sizeof(parts) - cut, 0xa1b2c3d4, cut);
		assert_memory_equal(whole, parts, sizeof(whole));
	}
}

static void ws_close_codes_of_the_registry_pass(void **state)
{
	static const struct {
		uint16_t first, last;
		bool ok;
	} v[] = {
		{ 0, 999, false },      { 1000, 1003, true },  { 1004, 1006, false },
		{ 1007, 1014, true },   { 1015, 2999, false }, { 3000, 4999, true },
		{ 5000, 65535, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		for (uint32_t code = v[i].first; code <= v[i].last; code++)
			assert_int_equal(ws_close_code_ok((uint16_t)code), v[i].ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ws_head_decode_reads_every_form),
		cmocka_unit_test(ws_head_decode_waits_for_the_rest),
		cmocka_unit_test(ws_head_decode_refuses_what_the_rfc_forbids),
		cmocka_unit_test(ws_head_decode_refuses_unknown_opcodes),
		cmocka_unit_test(ws_head_encode_takes_the_shortest_form),
		cmocka_unit_test(ws_head_decode_reads_what_encode_writes),
		cmocka_unit_test(ws_unmask_gives_the_rfcs_hello),
		cmocka_unit_test(ws_unmask_works_at_every_length_place_and_offset),
		cmocka_unit_test(ws_unmask_in_parts_is_the_same),
		cmocka_unit_test(ws_close_codes_of_the_registry_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
