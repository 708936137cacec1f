#include "base/option.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"

struct settings {
	char *name;
	int64_t port;
	int64_t offset;
	int64_t memory;
	int64_t free_size;
	ms_t wait;
	bool echo;
	int level;
	char *key;
	struct option_list servers;
};

#define AT(field) offsetof(struct settings, field)

static const struct option table[] = {
	{ .name = "name",
	  .kind = OPTION_TEXT,
	  .offset = AT(name),
	  .preset = "parley",
	  .help = "How it calls itself." },
	{ .name = "net.port",
	  .kind = OPTION_INT,
	  .offset = AT(port),
	  .preset = "8443",
	  .min = 1,
	  .max = 65535,
	  .help = "The port." },
	{ .name = "net.offset",
	  .kind = OPTION_INT,
	  .offset = AT(offset),
	  .preset = "-5",
	  .min = -10,
	  .max = 10,
	  .help = "May be negative." },
	{ .name = "net.max-memory",
	  .kind = OPTION_SIZE,
	  .offset = AT(memory),
	  .preset = "64k",
	  .min = 1024,
	  .max = 1 << 30,
	  .help = "Bytes." },
	{ .name = "net.free",
	  .kind = OPTION_SIZE,
	  .offset = AT(free_size),
	  .preset = "0",
	  .help = "Any size." },
	{ .name = "net.wait",
	  .kind = OPTION_TIME,
	  .offset = AT(wait),
	  .preset = "30s",
	  .min = 100,
	  .max = 3600000,
	  .help = "How long." },
	{ .name = "debug.echo",
	  .kind = OPTION_BOOL,
	  .offset = AT(echo),
	  .preset = "false",
	  .help = "Echo." },
	{ .name = "log.level",
	  .kind = OPTION_ENUM,
	  .offset = AT(level),
	  .preset = "info",
	  .words = "debug info warn",
	  .help = "What to log: a | b." },
	{ .name = "auth.key",
	  .kind = OPTION_TEXT,
	  .offset = AT(key),
	  .preset = "",
	  .secret = true,
	  .help = "Signs tokens." },
	{ .name = "ice.server",
	  .kind = OPTION_LIST,
	  .offset = AT(servers),
	  .preset = "",
	  .help = "One per server." },
};

static char dir[] = "/tmp/parley-option-XXXXXX";
static struct settings v;
static struct option_set *set;
static struct buf why;

static int setup(void **state)
{
	(void)state;
	buf_init(&why, 10000);
	memset(&v, 0xa5, sizeof(v)); /* option_create() relies on nothing in there */
	set = option_create(table, ARRAY_LEN(table), &v);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	option_destroy(set);
	buf_fini(&why);
	return 0;
}

static int enter_dir(void **state)
{
	(void)state;
	umask(022);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave_dir(void **state)
{
	(void)state;
	static const char *const made[] = { "x.ini", "secret" };

	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		unlink(made[i]);
	return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

static int read_text(const char *text)
{
	assert_int_equal(file_write("x.ini", slice_str(text), 0644), 0);
	return option_read_file(set, "x.ini", &why);
}

static int read_env(const char *pair)
{
	char *list[] = { (char *)"HOME=/root", (char *)pair, NULL };

	return option_read_env(set, list, &why);
}

static int read_flag(const char *a, const char *b)
{
	char *argv[] = { (char *)a, (char *)b, NULL };

	return option_read_flag(set, b ? 2 : 1, argv, &why);
}

static void check_why(const char *want)
{
	buf_u8(&why, '\0');
	assert_string_equal((char *)why.p, want);
	buf_clear(&why);
}

static void option_defaults_hold_at_once(void **state)
{
	(void)state;
	assert_string_equal(v.name, "parley");
	assert_int_equal(v.port, 8443);
	assert_int_equal(v.offset, -5);
	assert_int_equal(v.memory, 65536);
	assert_int_equal(v.free_size, 0);
	assert_int_equal(v.wait, 30000);
	assert_false(v.echo);
	assert_int_equal(v.level, 1);
	assert_string_equal(v.key, "");
	assert_int_equal(v.servers.count, 0);
}

static void option_file_sets_every_kind(void **state)
{
	(void)state;
	assert_int_equal(read_text("# a comment\n"
				   "name = the house ; and another\n"
				   "\n"
				   "[net]\n"
				   "  port = 1\n"
				   "\toffset=10\n"
				   "max-memory: 16M\r\n"
				   "wait = 1500ms\n"
				   "[debug]\necho = on\n"
				   "[log]\nlevel = warn\n"
				   "[auth]\nkey = s3 cret\n"
				   "[ice]\nserver = stun:a\nserver = turn:b c\n"
				   "[net]\nfree = 5G"),
			 0);
	assert_string_equal(v.name, "the house");
	assert_int_equal(v.port, 1);
	assert_int_equal(v.offset, 10);
	assert_int_equal(v.memory, 16 << 20);
	assert_int_equal(v.free_size, 5ll << 30);
	assert_int_equal(v.wait, 1500);
	assert_true(v.echo);
	assert_int_equal(v.level, 2);
	assert_string_equal(v.key, "s3 cret");
	assert_int_equal(v.servers.count, 2);
	assert_string_equal(v.servers.item[0], "stun:a");
	assert_string_equal(v.servers.item[1], "turn:b c");
	assert_int_equal(why.n, 0);
}

static void option_stronger_source_wins_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(read_flag("--net.port=4", NULL), 1);
	assert_int_equal(read_env("PARLEY_NET_PORT=3"), 0);
	assert_int_equal(read_env("PARLEY_NAME=env"), 0);
	assert_int_equal(read_text("name = file\n[net]\nport = 2\nwait = 5\n"), 0);
	assert_int_equal(v.port, 4);
	assert_string_equal(v.name, "env");
	assert_int_equal(v.wait, 5000);
}

static void option_list_of_a_stronger_source_replaces(void **state)
{
	(void)state;
	assert_int_equal(read_text("[ice]\nserver = a\nserver = b\n"), 0);
	assert_int_equal(read_env("PARLEY_ICE_SERVER=c  d e"), 0);
	assert_int_equal(v.servers.count, 3);
	assert_string_equal(v.servers.item[0], "c");
	assert_string_equal(v.servers.item[2], "e");
	assert_int_equal(read_flag("--ice.server", "f g"), 2);
	assert_int_equal(read_flag("--ice.server=h", NULL), 1);
	assert_int_equal(v.servers.count, 2);
	assert_string_equal(v.servers.item[0], "f g");
	assert_string_equal(v.servers.item[1], "h");
	assert_int_equal(read_env("PARLEY_ICE_SERVER=late"), 0);
	assert_int_equal(v.servers.count, 2);
}

static void option_empty_value_empties_a_list(void **state)
{
	(void)state;
	assert_int_equal(read_text("[ice]\nserver = a\n"), 0);
	assert_int_equal(read_env("PARLEY_ICE_SERVER="), 0);
	assert_int_equal(v.servers.count, 0);
}

static void option_unknown_names_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(read_text("[net]\nport = 1\nprot = 2\n"), E_MALFORMED);
	check_why("config file x.ini, line 3: unknown key net.prot; did you mean "
		  "net.port?");
	assert_int_equal(read_env("PARLEY_DEBUG_ECO=1"), E_MALFORMED);
	check_why("environment: unknown variable PARLEY_DEBUG_ECO; "
		  "did you mean PARLEY_DEBUG_ECHO?");
	assert_int_equal(read_flag("--ice.servers=x", NULL), E_MALFORMED);
	check_why("command line: unknown flag --ice.servers; did you mean --ice.server?");
}

static void option_file_outside_a_secret_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(read_flag("--name-file=secret", NULL), E_MALFORMED);
	check_why("command line: unknown flag --name-file; did you mean --name?");
}

static void option_values_are_checked_with_the_reason(void **state)
{
	static const struct {
		const char *flag;
		const char *why;
	} t[] = {
		{ "--net.port=0", "--net.port: \"0\" is out of range: 1..65535" },
		{ "--net.port=65536", "--net.port: \"65536\" is out of range: 1..65535" },
		{ "--net.port=99999999999999999999",
		  "--net.port: \"99999999999999999999\" is out of range: 1..65535" },
		{ "--net.port=", "--net.port: \"\" is no whole number" },
		{ "--net.port=80x", "--net.port: \"80x\" is no whole number" },
		{ "--net.offset=-11", "--net.offset: \"-11\" is out of range: -10..10" },
		{ "--net.offset=--1", "--net.offset: \"--1\" is no whole number" },
		{ "--net.max-memory=1023",
		  "--net.max-memory: \"1023\" is out of range: 1k..1G" },
		{ "--net.max-memory=9999999999G",
		  "--net.max-memory: \"9999999999G\" is out of range: 1k..1G" },
		{ "--net.max-memory=5q",
		  "--net.max-memory: \"5q\" is no size such as 64k, 16M or 1500" },
		{ "--net.free=-1", "--net.free: \"-1\" is out of range: at least 0" },
		{ "--net.wait=99ms", "--net.wait: \"99ms\" is out of range: 100ms..1h" },
		{ "--net.wait=soon",
		  "--net.wait: \"soon\" is no time such as 500ms, 30s, 2m or 1h" },
		{ "--debug.echo=maybe",
		  "--debug.echo: \"maybe\" is neither true nor false" },
		{ "--log.level=loud",
		  "--log.level: \"loud\" is none of: debug info warn" },
		{ "--log.level=", "--log.level: \"\" is none of: debug info warn" },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char want[200];
		assert_int_equal(read_flag(t[i].flag, NULL), E_MALFORMED);
		snprintf(want, sizeof(want), "command line: %s", t[i].why);
		check_why(want);
	}
	option_defaults_hold_at_once(state);
}

static void option_bool_words(void **state)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };
	char flag[40];
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		snprintf(flag, sizeof(flag), "--debug.echo=%s", yes[i]);
		assert_int_equal(read_flag(flag, NULL), 1);
		assert_true(v.echo);
		snprintf(flag, sizeof(flag), "--debug.echo=%s", no[i]);
		assert_int_equal(read_flag(flag, NULL), 1);
		assert_false(v.echo);
	}
}

static void option_flag_takes_one_or_two_arguments(void **state)
{
	(void)state;
	assert_int_equal(read_flag("--net.port", "99"), 2);
	assert_int_equal(v.port, 99);
	assert_int_equal(read_flag("--debug.echo", "false"), 1);
	assert_true(v.echo);
	assert_int_equal(read_flag("--net.offset", "-1"), 2);
	assert_int_equal(v.offset, -1);
	assert_int_equal(read_flag("--name=a=b", NULL), 1);
	assert_string_equal(v.name, "a=b");
	assert_int_equal(read_flag("config", NULL), 0);
	assert_int_equal(read_flag("--", "x"), 0);
	assert_int_equal(read_flag("-v", NULL), 0);
	assert_int_equal(option_read_flag(set, 0, NULL, &why), 0);
	assert_int_equal(read_flag("--net.port", NULL), E_MALFORMED);
	check_why("command line: --net.port wants a value");
	assert_int_equal(read_flag("--net.port", "--debug.echo"), E_MALFORMED);
	check_why("command line: --net.port wants a value");
}

static void option_file_says_the_line_of_an_error(void **state)
{
	(void)state;
	assert_int_equal(read_text("\n[net]\nport = x\nwhat = 1\n"), E_MALFORMED);
	check_why("config file x.ini, line 3: net.port: \"x\" is no whole number");
}

static void option_file_rejects_what_is_no_pair(void **state)
{
	(void)state;
	assert_int_equal(read_text("[net]\nport\n"), E_MALFORMED);
	check_why("config file x.ini, line 2: neither [section] nor key = value");
}

static void option_file_rejects_an_open_section(void **state)
{
	(void)state;
	assert_int_equal(read_text("\n[net\nport = 1\n"), E_MALFORMED);
	check_why("config file x.ini, line 2: neither [section] nor key = value");
}

static void option_file_rejects_a_key_set_twice(void **state)
{
	(void)state;
	assert_int_equal(read_text("[net]\nport = 1\nport = 2\n"), E_MALFORMED);
	check_why("config file x.ini, line 3: net.port is set again, first in line 2");
}

static void option_file_rejects_nul_and_long_lines(void **state)
{
	(void)state;
	char text[6000];

	assert_int_equal(file_write("x.ini", SLICE("name = a\0b\n"), 0644), 0);
	assert_int_equal(option_read_file(set, "x.ini", &why), E_MALFORMED);
	check_why("config file x.ini: has a NUL byte in it");
	option_destroy(set);
	set = option_create(table, ARRAY_LEN(table), &v);

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "\nname = ", 8);
	assert_int_equal(read_text(text), E_MALFORMED);
	check_why("config file x.ini, line 2: longer than 4094 bytes");
}

static void option_file_takes_long_values_whole(void **state)
{
	(void)state;
	char text[4094];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "name = ", 7);
	assert_int_equal(read_text(text), 0);
	assert_string_equal(v.name, text + 7);
}

static void option_file_that_lacks_is_told(void **state)
{
	(void)state;
	assert_int_equal(option_read_file(set, "none.ini", &why), -ENOENT);
	check_why("config file none.ini: No such file or directory");
	assert_int_equal(read_text("name = second\n"), 0);
	assert_string_equal(v.name, "second");
}

static void option_secret_comes_from_a_file(void **state)
{
	(void)state;
	assert_int_equal(file_write("secret", SLICE("from a file\r\n"), 0600), 0);
	assert_int_equal(read_text("[auth]\nkey_file = secret\n"), 0);
	assert_string_equal(v.key, "from a file");
	assert_int_equal(file_write("secret", SLICE("env\n"), 0600), 0);
	assert_int_equal(read_env("PARLEY_AUTH_KEY_FILE=secret"), 0);
	assert_string_equal(v.key, "env");
	assert_int_equal(file_write("secret", SLICE("\nflag\n\n"), 0600), 0);
	assert_int_equal(read_flag("--auth.key-file", "secret"), 2);
	assert_string_equal(v.key, "\nflag\n");
}

static void option_secret_file_errors(void **state)
{
	(void)state;
	static uint8_t big[4097];

	assert_int_equal(read_flag("--auth.key-file=none", NULL), -ENOENT);
	check_why("command line: auth.key: cannot read none: No such file or directory");
	assert_int_equal(file_write("secret", slice_of(big, sizeof(big)), 0600), 0);
	assert_int_equal(read_flag("--auth.key-file=secret", NULL), E_LIMIT);
	check_why("command line: auth.key: secret is larger than 4096 bytes");
	assert_int_equal(file_write("secret", slice_of(big, 5), 0600), 0);
	assert_int_equal(read_flag("--auth.key-file=secret", NULL), E_MALFORMED);
	check_why("command line: --auth.key: the value has a NUL byte in it");
}

/* Into a pipe, as the warning goes to stderr. */
static void option_secret_that_all_may_read_is_warned_of(void **state)
{
	(void)state;
	char line[500] = { 0 };
	int pipes[2], saved = dup(STDERR_FILENO);

	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(file_write("secret", SLICE("x"), 0644), 0);
	dup2(pipes[1], STDERR_FILENO);
	int loud = read_flag("--auth.key-file=secret", NULL);
	ssize_t n = read(pipes[0], line, sizeof(line) - 1);
	chmod("secret", 0600);
	int quiet = read_flag("--auth.key-file=secret", NULL);
	ssize_t none = read(pipes[0], line + 400, 50);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(loud, 1);
	assert_int_equal(quiet, 1);
	assert_true(n > 0);
	assert_true(none < 0);
	assert_non_null(strstr(line, "secret-readable-by-all name=auth.key file=secret"));
}

static void option_print_shows_value_and_source(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(10000);

	assert_int_equal(read_text("\n[net]\nwait = 90\n[ice]\nserver = a\nserver = b\n"),
			 0);
	assert_int_equal(read_env("PARLEY_AUTH_KEY=hidden"), 0);
	assert_int_equal(read_flag("--net.max-memory=1025", NULL), 1);
	option_print(set, &out);
	buf_u8(&out, '\0');
	assert_string_equal((char *)out.p,
			    "name = parley   # default\n"
			    "net.port = 8443   # default\n"
			    "net.offset = -5   # default\n"
			    "net.max-memory = 1025   # flag\n"
			    "net.free = 0   # default\n"
			    "net.wait = 90s   # file x.ini, line 3\n"
			    "debug.echo = false   # default\n"
			    "log.level = info   # default\n"
			    "auth.key = ***   # environment PARLEY_AUTH_KEY\n"
			    "ice.server = a   # file x.ini\n"
			    "ice.server = b   # file x.ini\n");
	buf_fini(&out);
}

static void option_secrets_are_in_no_output(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(10000);

	assert_int_equal(read_flag("--auth.key=hush", NULL), 1);
	option_print(set, &out);
	buf_u8(&out, '\0');
	assert_null(strstr((char *)out.p, "hush"));
	buf_fini(&out);
}

static void option_docs_are_one_table_row_each(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(10000);

	option_print_docs(table, ARRAY_LEN(table), &out);
	buf_u8(&out, '\0');
	const char *s = (char *)out.p;
	assert_non_null(strstr(s, "| Setting | Value | Default | Meaning |\n"));
	assert_non_null(strstr(s, "\n| `net.port` | whole number, 1..65535 | `8443` | "
				  "The port. |\n"));
	assert_non_null(
		strstr(s, "\n| `net.free` | size, at least 0 | `0` | Any size. |\n"));
	assert_non_null(strstr(s, "\n| `log.level` | debug, info, warn | `info` | "
				  "What to log: a \\| b. |\n"));
	assert_non_null(strstr(s, "\n| `auth.key` | secret text |  | Signs tokens. |\n"));
	buf_fini(&out);
}

static void option_help_names_each_flag(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(10000);

	option_print_help(table, ARRAY_LEN(table), &out);
	buf_u8(&out, '\0');
	const char *s = (char *)out.p;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char flag[60];
		snprintf(flag, sizeof(flag), "  --%s=", table[i].name);
		assert_non_null(strstr(s, flag));
	}
	assert_non_null(strstr(s, "The port. (whole number, 1..65535; default 8443)\n"));
	assert_non_null(strstr(s, "(debug|info|warn; default info)\n"));
	buf_fini(&out);
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fresh(option_defaults_hold_at_once),
		fresh(option_file_sets_every_kind),
		fresh(option_stronger_source_wins_in_any_order),
		fresh(option_list_of_a_stronger_source_replaces),
		fresh(option_empty_value_empties_a_list),
		fresh(option_unknown_names_the_nearest),
		fresh(option_file_outside_a_secret_is_unknown),
		fresh(option_values_are_checked_with_the_reason),
		fresh(option_bool_words),
		fresh(option_flag_takes_one_or_two_arguments),
		fresh(option_file_says_the_line_of_an_error),
		fresh(option_file_rejects_what_is_no_pair),
		fresh(option_file_rejects_an_open_section),
		fresh(option_file_rejects_a_key_set_twice),
		fresh(option_file_rejects_nul_and_long_lines),
		fresh(option_file_takes_long_values_whole),
		fresh(option_file_that_lacks_is_told),
		fresh(option_secret_comes_from_a_file),
		fresh(option_secret_file_errors),
		fresh(option_secret_that_all_may_read_is_warned_of),
		fresh(option_print_shows_value_and_source),
		fresh(option_secrets_are_in_no_output),
		fresh(option_docs_are_one_table_row_each),
		fresh(option_help_names_each_flag),
	};

	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
