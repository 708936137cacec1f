#include "admin/file_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "store/file.h"

static void names_are_made_harmless(void **state)
{
	static const struct {
		const char *raw, *want;
	} v[] = {
		{ "a.png", "a.png" },
		{ "Jahresbericht (2) – final.pdf", "Jahresbericht (2) – final.pdf" },
		{ "../../etc/passwd", "passwd" },
		{ "C:\\Users\\ann\\a.txt", "a.txt" },
		{ "/", "file" },
		{ "", "file" },
		{ ".", "file" },
		{ "..", "file" },
		{ ".profile", "profile" },
		{ "a.exe. ", "a.exe" },
		{ "a\r\nSet-Cookie: x\t.txt", "aSet-Cookie_ x.txt" },
		{ "a\x7f"
		  "b",
		  "ab" },
		{ "a\xc2\x85z", "az" },
		{ "a<b>:\"|?*.txt", "a_b______.txt" },
		/* U+202E: "photo gnp.exe" would read "photo exe.png" */
		{ "photo \xe2\x80\xae"
		  "gnp.exe",
		  "photo gnp.exe" },
		{ "\xff\xfe.png", "file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf b = BUF_INIT(1000);

		api_file_name(&b, slice_str(v[i].raw));
		assert_int_equal(b.n, strlen(v[i].want));
		assert_memory_equal(b.p, v[i].want, b.n);
		buf_fini(&b);
	}
}

static void long_names_keep_their_ending(void **state)
{
	struct buf raw = BUF_INIT(2000), b = BUF_INIT(1000);

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		buf_str(&raw, "\xc3\xa9");
	buf_str(&raw, ".jpeg");
	api_file_name(&b, buf_slice(&raw));
	assert_true(b.n <= STORE_FILE_NAME && b.n >= STORE_FILE_NAME - 1);
	assert_true(utf8_valid(buf_slice(&b)));
	assert_true(slice_ends(buf_slice(&b), SLICE("\xc3\xa9.jpeg")));
	buf_fini(&raw);
	buf_fini(&b);
}

static void types_are_types_or_none(void **state)
{
	static const struct {
		const char *field, *want;
	} v[] = {
		{ "image/PNG", "image/png" },
		{ "text/plain; charset=latin1", "text/plain" },
		{ "application/vnd.api+json", "application/vnd.api+json" },
		{ "", "application/octet-stream" },
		{ "image", "application/octet-stream" },
		{ "/png", "application/octet-stream" },
		{ "image/", "application/octet-stream" },
		{ "image/png\"x", "application/octet-stream" },
		{ "image/png/x", "application/octet-stream" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct buf b = BUF_INIT(1000);

		api_file_type(&b, slice_str(v[i].field));
		assert_int_equal(b.n, strlen(v[i].want));
		assert_memory_equal(b.p, v[i].want, b.n);
		buf_fini(&b);
	}
}

static void only_what_cannot_run_is_shown_in_place(void **state)
{
	static const char *const downloaded[] = {
		"text/html",       "image/svg+xml",          "application/pdf",
		"text/javascript", "application/xhtml+xml",  "text/css",
		"text/xml",        "application/javascript", "multipart/x-mixed-replace",
	};
	bool in_place;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(downloaded); i++) {
		assert_string_equal(
			api_file_sent_type(slice_str(downloaded[i]), &in_place),
			"application/octet-stream");
		assert_false(in_place);
	}
	assert_string_equal(api_file_sent_type(SLICE("image/png"), &in_place),
			    "image/png");
	assert_true(in_place);
	assert_string_equal(api_file_sent_type(SLICE("text/plain"), &in_place),
			    "text/plain; charset=utf-8");
}

static void disposition_has_the_name_twice(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	api_file_disposition(&b, SLICE("\xc3\xa9t\xc3\xa9 50%.png"), false);
	assert_true(slice_is(buf_slice(&b),
			     "attachment; filename=\"_t_ 50_.png\"; "
			     "filename*=UTF-8''%C3%A9t%C3%A9%2050%25.png"));
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_made_harmless),
		cmocka_unit_test(long_names_keep_their_ending),
		cmocka_unit_test(types_are_types_or_none),
		cmocka_unit_test(only_what_cannot_run_is_shown_in_place),
		cmocka_unit_test(disposition_has_the_name_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
