#include "sio/eio_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

#define MAX_PACKETS 4

struct want {
	enum eio_type type;
	bool binary;
	struct slice data;
};

struct vector {
	unsigned version;
	bool bytes;
	struct slice payload;
	unsigned count;
	struct want packet[MAX_PACKETS];
};

/* clang-format off */
static const struct vector sound[] = {
	/* protocol 4, "HTTP long-polling transport", examples of payloads */
	{ 4, false, SLICE_LIT("4hello\x1e" "2\x1e" "4world"), 3,
	  { { EIO_MESSAGE, false, SLICE_LIT("hello") }, { EIO_PING, false, SLICE_LIT("") },
	    { EIO_MESSAGE, false, SLICE_LIT("world") } } },
	{ 4, false, SLICE_LIT("4hello\x1e" "bAQIDBA=="), 2,
	  { { EIO_MESSAGE, false, SLICE_LIT("hello") },
	    { EIO_MESSAGE, true, SLICE_LIT("\x01\x02\x03\x04") } } },
	{ 4, false, SLICE_LIT("2"), 1, { { EIO_PING, false, SLICE_LIT("") } } },
	{ 4, false, SLICE_LIT("b"), 1, { { EIO_MESSAGE, true, SLICE_LIT("") } } },
	/* protocol 3, "Encoding", examples of payloads; lengths are in UTF-16 units */
	{ 3, false, SLICE_LIT("7:4hello\xe2\x82\xac" "1:2"), 2,
	  { { EIO_MESSAGE, false, SLICE_LIT("hello\xe2\x82\xac") }, { EIO_PING, false, SLICE_LIT("") } } },
	{ 3, false, SLICE_LIT("3:4\xf0\x9f\x8e\xb8" "1:1"), 2,
	  { { EIO_MESSAGE, false, SLICE_LIT("\xf0\x9f\x8e\xb8") }, { EIO_CLOSE, false, SLICE_LIT("") } } },
	{ 3, false, SLICE_LIT("2:4\xe2\x82\xac" "10:b4AQIDBA=="), 2,
	  { { EIO_MESSAGE, false, SLICE_LIT("\xe2\x82\xac") },
	    { EIO_MESSAGE, true, SLICE_LIT("\x01\x02\x03\x04") } } },
	{ 3, true, SLICE_LIT("\x00\x04\xff" "4\xe2\x82\xac" "\x01\x05\xff" "\x04\x01\x02\x03\x04"), 2,
	  { { EIO_MESSAGE, false, SLICE_LIT("\xe2\x82\xac") },
	    { EIO_MESSAGE, true, SLICE_LIT("\x01\x02\x03\x04") } } },
	{ 3, true, SLICE_LIT("\x00\x01\x02\xff" "4hello world"), 1,
	  { { EIO_MESSAGE, false, SLICE_LIT("hello world") } } },
};

static const struct { unsigned version; bool bytes; struct slice payload; } broken[] = {
	{ 4, false, SLICE_LIT("") }, { 4, false, SLICE_LIT("abc") }, { 4, false, SLICE_LIT("7") },
	{ 4, false, SLICE_LIT("4a\x1e") }, { 4, false, SLICE_LIT("bAQI") }, { 4, false, SLICE_LIT("b*") },
	{ 4, false, SLICE_LIT("4\xff") }, { 4, false, SLICE_LIT("\x1e" "4a") },
	{ 3, false, SLICE_LIT("") }, { 3, false, SLICE_LIT(":4") }, { 3, false, SLICE_LIT("x:4") },
	{ 3, false, SLICE_LIT("0:") }, { 3, false, SLICE_LIT("99999999999:4") },
	{ 3, false, SLICE_LIT("2:4") }, { 3, false, SLICE_LIT("2:4\xf0\x9f\x8e\xb8") },
	{ 3, false, SLICE_LIT("3:b5A") }, { 3, false, SLICE_LIT("2:4\xff") },
	{ 3, true, SLICE_LIT("\x02\x01\xff" "2") }, { 3, true, SLICE_LIT("\x00\xff" "2") },
	{ 3, true, SLICE_LIT("\x00\x0a\xff" "2") }, { 3, true, SLICE_LIT("\x01\x01\xff\x02") },
	{ 3, true, SLICE_LIT("\x00\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff" "2") },
};
/* clang-format on */

/* Reads from a block of exactly n bytes; the number of packets, or the error. */
static int read_all(const struct vector *v, size_t n, struct want *out)
{
	uint8_t *exact = xmemdup(n ? v->payload.p : (const uint8_t *)"", n ? n : 1);
	struct buf text = BUF_INIT(1 << 16);
	struct eio_payload in;
	struct eio_packet p;
	int count = 0, more;

	eio_payload_open(&in, v->version, v->bytes, slice_of(exact, n));
	while ((more = eio_payload_next(&in, &p, &text)) > 0) {
		if (out) {
			assert_true((unsigned)count < v->count);
			assert_int_equal(p.type, out[count].type);
			assert_int_equal(p.binary, out[count].binary);
			assert_true(slice_eq(p.data, out[count].data));
		}
		count++;
	}
	free(exact);
	buf_fini(&text);
	return more < 0 ? more : count;
}

static void eio_payload_reads_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		struct vector v = sound[i];
		assert_int_equal(read_all(&v, v.payload.n, v.packet), v.count);
	}
}

/* A part is a shorter payload or none, never something else. */
static void eio_payload_reads_truncations_as_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++)
		for (size_t n = 0; n < sound[i].payload.n; n++)
			assert_true(read_all(&sound[i], n, NULL) <= (int)sound[i].count);
}

static void eio_payload_refuses_what_is_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct vector v = { broken[i].version,
				    broken[i].bytes,
				    broken[i].payload,
				    MAX_PACKETS,
				    { { 0 } } };
		assert_true(read_all(&v, v.payload.n, NULL) < 0);
	}
}

static void eio_payload_put_writes_what_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sound); i++) {
		const struct vector *v = &sound[i];
		struct eio_form form = { (uint8_t)v->version, !v->bytes };
		struct buf b = BUF_INIT(1 << 16);

		for (unsigned k = 0; k < v->count; k++) {
			struct eio_packet p = { v->packet[k].type, v->packet[k].binary,
						v->packet[k].data };
			eio_payload_put(&b, form, v->bytes, &p);
		}
		assert_true(slice_eq(buf_slice(&b), v->payload));
		buf_fini(&b);
	}
}

static void eio_packet_binary_has_a_type_in_version_3_alone(void **state)
{
	static const uint8_t bytes[] = { 4, 1, 2 }, ping[] = { 2, 1 };
	struct buf text = BUF_INIT(100);
	struct eio_packet p;
	uint8_t head[1];

	(void)state;
	assert_int_equal(eio_packet_decode(&p, 4, true, slice_of(bytes, 3), &text), 0);
	assert_int_equal(p.data.n, 3);
	assert_int_equal(eio_packet_decode(&p, 3, true, slice_of(bytes, 3), &text), 0);
	assert_int_equal(p.data.n, 2);
	assert_true(eio_packet_decode(&p, 3, true, slice_of(ping, 2), &text) < 0);
	assert_true(eio_packet_decode(&p, 3, true, SLICE_NONE, &text) < 0);
	assert_int_equal(eio_binary_head(4, head), 0);
	assert_int_equal(eio_binary_head(3, head), 1);
	assert_int_equal(head[0], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eio_payload_reads_every_form),
		cmocka_unit_test(eio_payload_reads_truncations_as_prefixes),
		cmocka_unit_test(eio_payload_refuses_what_is_broken),
		cmocka_unit_test(eio_payload_put_writes_what_is_read),
		cmocka_unit_test(eio_packet_binary_has_a_type_in_version_3_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
