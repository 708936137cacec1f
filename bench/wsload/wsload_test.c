#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"
#include "latency.h"
#include "stamp.h"
#include "template.h"
#include "util.h"

static void latency_quantiles_are_within_two_percent(void **state)
{
	static struct latency l;

	(void)state;
	for (uint64_t us = 1; us <= 10000; us++)
		latency_add(&l, us * 1000);
	assert_int_equal(latency_count(&l), 10000);
	assert_true(latency_quantile_us(&l, 0.5) > 4900);
	assert_true(latency_quantile_us(&l, 0.5) < 5100);
	assert_true(latency_quantile_us(&l, 0.99) > 9702);
	assert_true(latency_quantile_us(&l, 0.99) < 10098);
}

static void latency_takes_any_value(void **state)
{
	static struct latency l;

	(void)state;
	latency_add(&l, 0);
	latency_add(&l, UINT64_MAX);
	assert_int_equal(latency_count(&l), 2);
	assert_true(latency_quantile_us(&l, 1) > 1e6);
}

static void stamp_is_found_in_any_envelope(void **state)
{
	static const char *const envelopes[] = { "", "{\"data\":\"", "@@T", "@T12" };
	struct stamp sent = { 0x123456789abcdef0, 0xbeef }, found;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char text[64];
		size_t at = strlen(envelopes[i]);

		memcpy(text, envelopes[i], at);
		memcpy(text + at, "@T", STAMP_MARK);
		stamp_write(text + at + STAMP_MARK, sent);
		assert_true(stamp_find(text, at + STAMP_LEN, &found));
		assert_int_equal(found.time, sent.time);
		assert_int_equal(found.seq, sent.seq);
		assert_false(stamp_find(text, at + STAMP_LEN - 1, &found));
	}
	for (size_t i = 2; i < ARRAY_LEN(envelopes); i++)
		assert_false(stamp_find(envelopes[i], strlen(envelopes[i]), &found));
}

static void template_fills_in_names_and_leaves_json_alone(void **state)
{
	static const char want[] =
		"{\"r\":\"r7\",\"d\":\"@T00000000000000000000ab\",\"i\":12}";
	struct template_names names = { .room = 7, .id = 12, .size = STAMP_LEN };
	char out[100];
	size_t stamp_at, n;

	(void)state;
	n = template_expand("{\"r\":\"{room}\",\"d\":\"{stamp}ab{pad}\",\"i\":{id}}",
			    &names, out, sizeof(out), &stamp_at);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(out, want, n);
	assert_memory_equal(out + stamp_at, "@T", 2);
	template_expand("{pad}", &names, out, sizeof(out), &stamp_at);
	assert_int_equal(stamp_at, TEMPLATE_NO_STAMP);
}

static void template_pads_to_the_size_asked_for(void **state)
{
	struct template_names names = { .size = 64 };
	char out[100];
	size_t stamp_at;

	(void)state;
	assert_int_equal(
		template_expand("{stamp}{pad}", &names, out, sizeof(out), &stamp_at), 64);
}

/* RFC 6455, 5.7: a masked "Hello". */
static void frame_write_masks_as_the_standard_shows(void **state)
{
	static const unsigned char want[] = { 0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
					      0x7f, 0x9f, 0x4d, 0x51, 0x58 };
	unsigned char out[FRAME_MAX_HEAD + 5];

	(void)state;
	assert_int_equal(frame_write(out, FRAME_TEXT, "Hello", 5, want + 2),
			 sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
}

static void frame_read_waits_for_all_and_refuses_masks(void **state)
{
	static char frame[4 + 300] = { (char)0x82, 126, 1, 300 - 256 };
	static const char masked[] = { (char)0x81, (char)0x81, 0, 0, 0, 0, 'a' };
	struct frame f;

	(void)state;
	for (size_t n = 0; n < sizeof(frame); n++)
		assert_int_equal(frame_read(frame, n, &f), 0);
	assert_int_equal(frame_read(frame, sizeof(frame), &f), sizeof(frame));
	assert_int_equal(f.op, FRAME_BINARY);
	assert_int_equal(f.n, 300);
	assert_true(f.fin);
	assert_int_equal(frame_read(masked, sizeof(masked), &f), -1);
}

static void frame_message_carries_each_new_stamp(void **state)
{
	static const unsigned char mask[4] = { 1, 2, 3, 4 };
	char text[] = "ab@T00000000000000000000";
	struct stamp sent = { 77, 5 }, found;
	struct frame_message m;

	(void)state;
	frame_message_init(&m, text, strlen(text), 2, mask);
	frame_message_stamp(&m, sent);
	for (size_t i = 0; i < strlen(text); i++)
		text[i] = (char)(m.p[m.n - strlen(text) + i] ^ mask[i & 3]);
	assert_true(stamp_find(text, strlen(text), &found));
	assert_int_equal(found.time, 77);
	assert_int_equal(found.seq, 5);
	frame_message_fini(&m);
}

static void bare_message_is_its_text_with_each_new_stamp(void **state)
{
	static const char text[] = "ab@T00000000000000000000cd";
	const size_t size = strlen(text);
	struct stamp found;
	struct frame_message m;

	(void)state;
	frame_message_init_bare(&m, text, size, 2);
	assert_int_equal(m.n, size);
	for (uint16_t seq = 5; seq < 7; seq++) {
		frame_message_stamp(&m, (struct stamp){ 77, seq });
		assert_memory_equal(m.p, "ab@T", 4);
		assert_memory_equal(m.p + size - 2, "cd", 2);
		assert_true(stamp_find((const char *)m.p, m.n, &found));
		assert_int_equal(found.time, 77);
		assert_int_equal(found.seq, seq);
	}
	frame_message_fini(&m);
}

static void bare_messages_are_cut_by_their_size_alone(void **state)
{
	static const char text[] = "abcabcab";
	struct frame f;

	(void)state;
	for (size_t n = 0; n < 3; n++)
		assert_int_equal(frame_read_bare(text, n, 3, &f), 0);
	for (size_t at = 0; at < 6; at += 3) {
		assert_int_equal(frame_read_bare(text + at, 8 - at, 3, &f), 3);
		assert_ptr_equal(f.p, text + at);
		assert_int_equal(f.n, 3);
		assert_true(f.fin);
	}
	assert_int_equal(frame_read_bare(text + 6, 2, 3, &f), 0);
	assert_int_equal(frame_read_bare(text, 0, 0, &f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(latency_quantiles_are_within_two_percent),
		cmocka_unit_test(latency_takes_any_value),
		cmocka_unit_test(stamp_is_found_in_any_envelope),
		cmocka_unit_test(template_fills_in_names_and_leaves_json_alone),
		cmocka_unit_test(template_pads_to_the_size_asked_for),
		cmocka_unit_test(frame_write_masks_as_the_standard_shows),
		cmocka_unit_test(frame_read_waits_for_all_and_refuses_masks),
		cmocka_unit_test(frame_message_carries_each_new_stamp),
		cmocka_unit_test(bare_message_is_its_text_with_each_new_stamp),
		cmocka_unit_test(bare_messages_are_cut_by_their_size_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
