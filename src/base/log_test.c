#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"

/* What was written to stderr since capture_begin(). A datagram socket in its place: each
 * write(2) arrives as one message, so the test sees whether a line was one write. */
static int saved_stderr = -1, reader = -1;

static void capture_begin(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(pair[1], STDERR_FILENO);
	close(pair[1]);
	reader = pair[0];
}

static void capture_end(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(reader);
}

/* The next line without its newline, or "" when there is none. */
static const char *next_line(void)
{
	static char line[20000];
	ssize_t n = recv(reader, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return "";
	bool one = line[n - 1] == '\n' && memchr(line, '\n', (size_t)n) == line + n - 1;
	line[n - 1] = '\0';
	return one ? line : "(not one line)";
}

/* Behind the time. */
static const char *next_text(void)
{
	const char *line = next_line();

	return strlen(line) > 25 ? line + 25 : line;
}

/* Looked at only after capture_end(), as a failed assertion must find stderr in place. */
static void keep(char *out, size_t size, const char *line)
{
	size_t n = strnlen(line, size - 1);

	memcpy(out, line, n);
	out[n] = '\0';
}

static int teardown(void **state)
{
	(void)state;
	log_setup(LOG_INFO, false);
	return 0;
}

static void log_text_has_time_level_module_event_fields(void **state)
{
	(void)state;
	char line[200], bare[200], time[32];
	struct buf now = { .p = (uint8_t *)time, .cap = 31, .max = 31 };

	clock_iso(&now, clock_wall());
	time[now.n] = '\0';
	capture_begin();
	log_info("room", "joined", "room=%s n=%d", "amber-fox", 2);
	log_error("tls", "gone", "%s", "");
	keep(line, sizeof(line), next_line());
	keep(bare, sizeof(bare), next_text());
	capture_end();
	assert_int_equal(strlen(time), 24);
	assert_true(strncmp(line, time, 24) >= 0);
	assert_int_equal(line[23], 'Z');
	assert_string_equal(line + 24, " info  room     joined room=amber-fox n=2");
	assert_string_equal(bare, "error tls      gone");
}

static void log_levels_below_the_set_one_are_silent(void **state)
{
	(void)state;
	char first[200], second[200];

	capture_begin();
	log_debug("a", "no", "%d", 1);
	log_setup(LOG_ERROR, false);
	log_warn("a", "no", "%d", 1);
	log_error("a", "yes", "%d", 1);
	log_setup(LOG_DEBUG, false);
	log_debug("a", "yes", "%d", 2);
	keep(first, sizeof(first), next_text());
	keep(second, sizeof(second), next_text());
	capture_end();
	assert_string_equal(first, "error a        yes 1");
	assert_string_equal(second, "debug a        yes 2");
}

static void log_text_cannot_be_broken_into_two_lines(void **state)
{
	(void)state;
	char line[200];

	capture_begin();
	log_info("a", "b", "x=%s", "1\n2026 info fake\x1b[2J\x7f");
	keep(line, sizeof(line), next_text());
	capture_end();
	assert_string_equal(line, "info  a        b x=1?2026 info fake?[2J?");
}

static void log_overlong_line_is_cut(void **state)
{
	(void)state;
	static char longest[10000], line[20000];
	bool json_ok;
	struct json j;
	static struct json_token tok[4096];

	memset(longest, '"', sizeof(longest) - 1);
	capture_begin();
	log_info("a", "b", "x=%s", longest);
	keep(line, sizeof(line), next_line());
	size_t text_len = strlen(line);
	log_setup(LOG_INFO, true);
	log_info("a", "b", "x=%s", longest);
	json_ok = json_parse(&j, slice_str(next_line()), tok, ARRAY_LEN(tok)) == 0;
	capture_end();
	assert_in_range(text_len, 2000, 4096);
	assert_true(json_ok);
}

static void check_json(const char *line, const char *const (*member)[2], size_t count)
{
	struct json_token tok[64];
	struct json j;

	assert_int_equal(json_parse(&j, slice_str(line), tok, ARRAY_LEN(tok)), 0);
	assert_int_equal(tok[0].count, count + 1);
	assert_int_equal(json_kind_of(&j, json_member(&j, 0, SLICE("time"))),
			 JSON_STRING);
	for (size_t i = 0; i < count; i++) {
		uint32_t t = json_member(&j, 0, slice_str(member[i][0]));
		if (t == 0 || !json_string_is(&j, t, slice_str(member[i][1])))
			fail_msg("%s is not \"%s\" in %s", member[i][0], member[i][1],
				 line);
	}
}

static void log_json_splits_fields_into_members(void **state)
{
	static const char *const want[][2] = {
		{ "level", "warn" },
		{ "module", "ws" },
		{ "event", "closed" },
		{ "room", "amber-fox" },
		{ "name", "d \"e\" \\ f=g" },
		{ "err", "message is malformed" },
		{ "n", "" },
		{ "last", "x" },
	};
	char line[500];
	(void)state;

	log_setup(LOG_INFO, true);
	capture_begin();
	log_warn("ws", "closed", "%s",
		 "room=amber-fox name=\"d \\\"e\\\" \\\\ f=g\" err=message is malformed "
		 "n= last=x");
	keep(line, sizeof(line), next_line());
	capture_end();
	check_json(line, want, ARRAY_LEN(want));
}

static void log_json_of_words_without_name(void **state)
{
	static const char *const want[][2] = {
		{ "level", "info" },       { "module", "main" }, { "event", "ready" },
		{ "text", "all is well" }, { "n", "1" },
	};
	char line[500];
	(void)state;

	log_setup(LOG_INFO, true);
	capture_begin();
	log_info("main", "ready", "all is well n=%d", 1);
	keep(line, sizeof(line), next_line());
	capture_end();
	check_json(line, want, ARRAY_LEN(want));
}

/* Bytes that no caller should send must still give one valid line. */
static void log_json_is_always_json(void **state)
{
	static const char *const odd[] = {
		"",
		" ",
		"  a=1  b=2  ",
		"=",
		"a==",
		"a=\"",
		"a=\"b",
		"a=\"b\\",
		"a=\"b\\\"",
		"a=\"\"b",
		"a=\x01\n\t",
		"a=\xff\xfe",
		"a=caf\xc3",
		"a=\"x\" \"y\"",
		"\"a=b\"",
		"a=1 a=2",
	};
	(void)state;

	log_setup(LOG_INFO, true);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct json_token tok[64];
		struct json j;
		capture_begin();
		log_info("a", "b", "%s", odd[i]);
		const char *line = next_line();
		capture_end();
		if (json_parse(&j, slice_str(line), tok, ARRAY_LEN(tok)) < 0)
			fail_msg("fields %zu: %s", i, line);
	}
}

static void log_limited_tells_how_many_were_left_out(void **state)
{
	(void)state;
	struct log_limit limit = { 0 };
	char line[200], none[200], next[200];

	capture_begin();
	/* All of this is within one second, whatever the machine does meanwhile. */
	limit.window = clock_mono() + 1000000;
	limit.count = 4;
	for (int i = 0; i < 8; i++)
		log_limited(&limit, "stun", "malformed", "i=%d", i);
	keep(line, sizeof(line), next_text());
	keep(none, sizeof(none), next_text());
	limit.window = clock_mono() - 1000;
	log_limited(&limit, "stun", "malformed", "i=%d", 9);
	keep(next, sizeof(next), next_text());
	capture_end();
	assert_string_equal(line, "warn  stun     malformed i=0");
	assert_string_equal(none, "");
	assert_string_equal(next, "warn  stun     malformed i=9 left_out=7");
	assert_int_equal(limit.dropped, 0);
}

static void log_value_quotes_only_when_needed(void **state)
{
	static const struct {
		const char *in;
		const char *want;
	} t[] = {
		{ "amber-fox", "amber-fox" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"hi\" \\", "\"say \\\"hi\\\" \\\\\"" },
		{ "a\nb\x7f", "\"a\\x0ab\\x7f\"" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "caf\xe9", "\"caf\\xe9\"" },
	};
	struct log_text out;
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_string_equal(log_value(&out, slice_str(t[i].in)), t[i].want);
}

static void log_value_is_cut_at_100_bytes(void **state)
{
	(void)state;
	char in[300], want[120];
	struct log_text out;

	memset(in, 'x', sizeof(in));
	memset(want, 'x', sizeof(want));
	memcpy(want + 100, "..", 3);
	assert_string_equal(log_value(&out, slice_of(in, 300)), want);
	assert_int_equal(strlen(log_value(&out, slice_of(in, 100))), 100);
	/* A character is not cut in two. */
	memcpy(in + 98, "\xf0\x9f\x98\x80", 4);
	memcpy(want + 98, "..", 3);
	assert_string_equal(log_value(&out, slice_of(in, 300)), want);
	/* The longest escapes still leave room for the end. */
	memset(in, '\x01', sizeof(in));
	const char *s = log_value(&out, slice_of(in, 300));
	assert_in_range(strlen(s), 200, sizeof(out.s) - 1);
	assert_string_equal(s + strlen(s) - 7, "\\x01..\"");
}

static void *write_many(void *arg)
{
	for (int i = 0; i < 200; i++) {
		log_info("thread", "line", "a=%d b=%d", i, i);
		log_setup(LOG_INFO, i % 2 == 0);
	}
	return arg;
}

static void *read_many(void *arg)
{
	size_t *bad = arg;
	char line[400];

	for (int i = 0; i < 800; i++) {
		ssize_t n = recv(reader, line, sizeof(line), 0);
		if (n <= 0 || memchr(line, '\n', (size_t)n) != line + n - 1)
			++*bad;
	}
	return NULL;
}

static void log_lines_of_threads_do_not_mix(void **state)
{
	(void)state;
	pthread_t writer[4], drain;
	size_t bad = 0;

	capture_begin();
	pthread_create(&drain, NULL, read_many, &bad);
	for (int i = 0; i < 4; i++)
		pthread_create(&writer[i], NULL, write_many, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(writer[i], NULL);
	pthread_join(drain, NULL);
	capture_end();
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(log_text_has_time_level_module_event_fields,
					  teardown),
		cmocka_unit_test_teardown(log_levels_below_the_set_one_are_silent,
					  teardown),
		cmocka_unit_test_teardown(log_text_cannot_be_broken_into_two_lines,
					  teardown),
		cmocka_unit_test_teardown(log_overlong_line_is_cut, teardown),
		cmocka_unit_test_teardown(log_json_splits_fields_into_members, teardown),
		cmocka_unit_test_teardown(log_json_of_words_without_name, teardown),
		cmocka_unit_test_teardown(log_json_is_always_json, teardown),
		cmocka_unit_test_teardown(log_limited_tells_how_many_were_left_out,
					  teardown),
		cmocka_unit_test_teardown(log_value_quotes_only_when_needed, teardown),
		cmocka_unit_test_teardown(log_value_is_cut_at_100_bytes, teardown),
		cmocka_unit_test_teardown(log_lines_of_threads_do_not_mix, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
