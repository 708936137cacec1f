#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

/* Every test runs in a new, empty directory. */
static char dir[] = "/tmp/parley-file-XXXXXX";

static int enter(void **state)
{
	(void)state;
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int leave(void **state)
{
	char *const argv[] = { "rm", "-rf", dir, NULL };
	pid_t child = fork();
	(void)state;

	if (child == 0) {
		execvp(argv[0], argv);
		_exit(1);
	}
	return chdir("/") == 0 && waitpid(child, NULL, 0) == child ? 0 : -1;
}

static size_t entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* "." and ".." */
}

static void file_read_gives_back_what_was_written(void **state)
{
	(void)state;
	static uint8_t big[20000];
	struct buf b = BUF_INIT(100000);

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7);
	assert_int_equal(file_write("f", slice_of(big, sizeof(big)), 0644), 0);
	buf_str(&b, "before");
	assert_int_equal(file_read("f", sizeof(big), &b), 0);
	assert_int_equal(buf_at(&b), 6 + sizeof(big));
	assert_memory_equal(b.p, "before", 6);
	assert_memory_equal(b.p + 6, big, sizeof(big));
	buf_fini(&b);
}

static void file_read_beyond_max_is_a_limit_and_adds_nothing(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100), tight = BUF_INIT(4);

	assert_int_equal(file_write("f", SLICE("12345"), 0644), 0);
	buf_str(&b, "x");
	assert_int_equal(file_read("f", 4, &b), E_LIMIT);
	assert_int_equal(buf_at(&b), 1);
	assert_int_equal(file_read("f", 5, &b), 0);
	assert_true(slice_is(buf_slice(&b), "x12345"));
	assert_int_equal(file_read("f", 100, &tight), E_LIMIT);
	assert_int_equal(file_write("empty", SLICE_NONE, 0644), 0);
	assert_int_equal(file_read("empty", 0, &b), 0);
	buf_fini(&b);
	buf_fini(&tight);
}

/* The inode says 0 bytes there. */
static void file_read_reads_proc(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100000);

	assert_int_equal(file_read("/proc/self/status", 100000, &b), 0);
	assert_true(slice_starts(buf_slice(&b), SLICE("Name:")));
	buf_fini(&b);
}

static void file_read_tells_what_is_wrong(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);

	assert_int_equal(file_read("none", 100, &b), -ENOENT);
	assert_int_equal(file_read(dir, 100, &b), -EISDIR);
	assert_null(b.p);
}

static void file_write_replaces_and_leaves_nothing_beside(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(100);
	struct stat st;

	assert_int_equal(file_write("f", SLICE("the old text"), 0644), 0);
	assert_int_equal(file_write("./f", SLICE("new"), 0600), 0);
	assert_int_equal(file_read("f", 100, &b), 0);
	assert_true(slice_is(buf_slice(&b), "new"));
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(entries("."), 1);
	buf_fini(&b);
}

static void file_write_keeps_the_old_file_for_those_who_have_it_open(void **state)
{
	(void)state;
	char text[4] = { 0 };

	assert_int_equal(file_write("f", SLICE("old"), 0644), 0);
	int fd = open("f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_write("f", SLICE("new"), 0644), 0);
	assert_int_equal(read(fd, text, 3), 3);
	assert_string_equal(text, "old");
	close(fd);
}

static void file_write_that_fails_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(file_write("d", SLICE("x"), 0644), -EISDIR);
	assert_int_equal(file_write("none/f", SLICE("x"), 0644), -ENOENT);
	assert_int_equal(entries("."), 1);
}

static void file_make_dir_makes_all_that_lack(void **state)
{
	(void)state;
	struct stat st;

	assert_int_equal(file_make_dir("a/b/c/"), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(file_make_dir("a/b"), 0);
	assert_int_equal(file_make_dir(dir), 0);
	assert_int_equal(file_make_dir("/"), 0);
}

static void file_make_dir_over_a_file_fails(void **state)
{
	(void)state;
	assert_int_equal(file_write("f", SLICE("x"), 0644), 0);
	assert_int_equal(file_make_dir("f"), -ENOTDIR);
	assert_int_equal(file_make_dir("f/g"), -ENOTDIR);
}

static void file_lock_is_held_by_one(void **state)
{
	(void)state;
	int fd = file_lock("lock");

	assert_true(fd >= 0);
	assert_int_equal(file_lock("lock"), -EWOULDBLOCK);
	close(fd);
	fd = file_lock("lock");
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_lock("none/lock"), -ENOENT);
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(file_read_gives_back_what_was_written),
		in_dir(file_read_beyond_max_is_a_limit_and_adds_nothing),
		in_dir(file_read_reads_proc),
		in_dir(file_read_tells_what_is_wrong),
		in_dir(file_write_replaces_and_leaves_nothing_beside),
		in_dir(file_write_keeps_the_old_file_for_those_who_have_it_open),
		in_dir(file_write_that_fails_leaves_nothing),
		in_dir(file_make_dir_makes_all_that_lack),
		in_dir(file_make_dir_over_a_file_fails),
		in_dir(file_lock_is_held_by_one),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
