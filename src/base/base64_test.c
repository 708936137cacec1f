#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/err.h"

/* RFC 4648, section 10. */
static const struct {
	const char *plain;
	const char *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void base64_rfc4648_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct buf text = BUF_INIT(100), plain = BUF_INIT(100);
		base64_encode(&text, slice_str(vectors[i].plain));
		assert_true(slice_is(buf_slice(&text), vectors[i].text));
		assert_int_equal(base64_decode(&plain, buf_slice(&text)), 0);
		assert_true(slice_is(buf_slice(&plain), vectors[i].plain));
		buf_fini(&text);
		buf_fini(&plain);
	}
}

static void base64_all_bytes_come_back(void **state)
{
	(void)state;
	uint8_t all[256];
	struct buf text = BUF_INIT(1000), plain = BUF_INIT(1000);

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	base64_encode(&text, slice_of(all, sizeof(all)));
	assert_int_equal(base64_decode(&plain, buf_slice(&text)), 0);
	assert_true(slice_eq(buf_slice(&plain), slice_of(all, sizeof(all))));
	buf_fini(&text);
	buf_fini(&plain);
}

static void base64_decode_takes_only_the_canonical_form(void **state)
{
	static const char *const bad[] = {
		"Z",     "Zg",       "Zg=",
		"Zg===", "=",        "====",
		"Z===",  "Zg==Zg==", "Zm9v\n",
		"Zm9 ",  "Zm-_",     "Zh==" /* bits set below the padding */,
		"Zm9=",  "Zg=a",     "\xff\xff\xff\xff",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct buf b = BUF_INIT(100);
		buf_str(&b, "kept");
		assert_int_equal(base64_decode(&b, slice_str(bad[i])), E_MALFORMED);
		assert_true(slice_is(buf_slice(&b), "kept"));
		buf_fini(&b);
	}
}

static void base64_decode_beyond_the_buf_is_a_limit(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(5);

	assert_int_equal(base64_decode(&b, SLICE("Zm9vYmFy")), E_LIMIT);
	buf_fini(&b);
}

static void hex_is_lower_case(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);

	hex_encode(&b, SLICE("\x00\x0f\xa5\xff"));
	assert_true(slice_is(buf_slice(&b), "000fa5ff"));
	buf_fini(&b);
}

static void url_form_has_no_padding(void **state)
{
	static const uint8_t bytes[] = { 0xfb, 0xff, 0xfe, 0x01 };
	static const char *const bad[] = { "-__-AQ==", "+//+AQ", "A",
					   "AQ=",      "A B",    "-__-AR" };
	struct buf text = BUF_INIT(100), plain = BUF_INIT(100);

	(void)state;
	base64_url_encode(&text, slice_of(bytes, sizeof(bytes)));
	assert_true(slice_is(buf_slice(&text), "-__-AQ"));
	assert_int_equal(base64_url_decode(&plain, buf_slice(&text)), 0);
	assert_true(slice_eq(buf_slice(&plain), slice_of(bytes, sizeof(bytes))));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(base64_url_decode(&plain, slice_str(bad[i])) < 0);
	assert_int_equal(plain.n, sizeof(bytes));
	buf_fini(&text);
	buf_fini(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(url_form_has_no_padding),
		cmocka_unit_test(base64_rfc4648_vectors),
		cmocka_unit_test(base64_all_bytes_come_back),
		cmocka_unit_test(base64_decode_takes_only_the_canonical_form),
		cmocka_unit_test(base64_decode_beyond_the_buf_is_a_limit),
		cmocka_unit_test(hex_is_lower_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
