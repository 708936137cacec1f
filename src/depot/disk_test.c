#include "depot/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/store.h"

/* SHA-256 of "abc": FIPS 180-4, the example of NIST. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct fixture {
	char root[64];
	struct depot_disk disk;
};

static int set_up(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	snprintf(f->root, sizeof(f->root), "/tmp/parley-depot-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	assert_int_equal(depot_disk_open(&f->disk, f->root, 0), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	depot_disk_close(&f->disk);
	snprintf(command, sizeof(command), "rm -r %s", f->root);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static bool is_there(const struct fixture *f, const char *name)
{
	struct stat st;

	return fstatat(f->disk.dir, name, &st, 0) == 0;
}

static void put_abc(struct fixture *f, uint64_t upload, uint8_t *hash)
{
	assert_int_equal(depot_disk_begin(&f->disk, upload, 3), 0);
	assert_int_equal(depot_disk_write(&f->disk, upload, 0, SLICE("a")), 0);
	assert_int_equal(depot_disk_write(&f->disk, upload, 1, SLICE("bc")), 0);
	assert_int_equal(depot_disk_finish(&f->disk, upload, 3, hash), 0);
}

static void file_lies_under_its_hash(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[STORE_HASH];
	struct buf b = BUF_INIT(10);

	put_abc(f, 1, hash);
	assert_true(is_there(f, "ba/" ABC));
	assert_false(is_there(f, "new/0000000000000001"));
	const struct slice h = slice_of(hash, sizeof(hash));
	assert_int_equal(depot_disk_read(&f->disk, h, 0, 10, &b), 0);
	assert_true(slice_is(buf_slice(&b), "abc"));
	buf_clear(&b);
	assert_int_equal(depot_disk_read(&f->disk, h, 2, 10, &b), 0);
	assert_true(slice_is(buf_slice(&b), "c"));
	hash[0] ^= 1;
	assert_int_equal(depot_disk_read(&f->disk, h, 0, 10, &b), -ENOENT);
	buf_fini(&b);
}

static void same_bytes_are_kept_once(void **state)
{
	struct fixture *f = *state;
	uint8_t one[STORE_HASH], two[STORE_HASH];

	put_abc(f, 1, one);
	put_abc(f, 2, two);
	assert_memory_equal(one, two, sizeof(one));
	assert_false(is_there(f, "new/0000000000000002"));
}

static void empty_file_is_one_too(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[STORE_HASH];

	assert_int_equal(depot_disk_begin(&f->disk, 1, 0), 0);
	assert_int_equal(depot_disk_finish(&f->disk, 1, 0, hash), 0);
	assert_true(is_there(
		f,
		"e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

static void upload_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[STORE_HASH];

	assert_int_equal(depot_disk_begin(&f->disk, 1, 0), 0);
	assert_int_equal(depot_disk_write(&f->disk, 1, 0, SLICE("abc")), 0);
	assert_int_equal(depot_disk_write(&f->disk, 1, 2, SLICE("d")), E_STATE);
	/* An error has ended it. */
	assert_false(is_there(f, "new/0000000000000001"));
	assert_int_equal(depot_disk_finish(&f->disk, 1, 3, hash), E_STATE);
	assert_int_equal(depot_disk_write(&f->disk, 2, 0, SLICE("d")), E_STATE);
}

static void disk_is_never_filled_to_the_reserve(void **state)
{
	struct fixture *f = *state;

	f->disk.reserve = 1;
	assert_int_equal(depot_disk_begin(&f->disk, 1, UINT64_MAX), -ENOSPC);
	assert_int_equal(depot_disk_begin(&f->disk, 1, 10), 0);
	f->disk.reserve = UINT64_MAX;
	assert_int_equal(depot_disk_begin(&f->disk, 2, 0), -ENOSPC);
	assert_int_equal(depot_disk_write(&f->disk, 1, 0, SLICE("a")), -ENOSPC);
	assert_false(is_there(f, "new/0000000000000001"));
}

static void nothing_is_left_of_what_is_not_finished(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(depot_disk_begin(&f->disk, 1, 3), 0);
	assert_int_equal(depot_disk_write(&f->disk, 1, 0, SLICE("abc")), 0);
	depot_disk_drop(&f->disk, 1);
	assert_false(is_there(f, "new/0000000000000001"));
	/* Of a run that died. */
	int fd = openat(f->disk.fresh, "0000000000000009", O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	depot_disk_close(&f->disk);
	assert_int_equal(depot_disk_open(&f->disk, f->root, 0), 0);
	assert_false(is_there(f, "new/0000000000000009"));
}

static void only_old_files_are_listed_and_removed(void **state)
{
	struct fixture *f = *state;
	struct buf hashes = BUF_INIT(1000);
	uint8_t hash[STORE_HASH];
	ms_t now = clock_wall();

	put_abc(f, 1, hash);
	depot_disk_list(&f->disk, 0xba, now - 60000, &hashes);
	assert_int_equal(hashes.n, 0);
	assert_false(
		depot_disk_remove(&f->disk, slice_of(hash, sizeof(hash)), now - 60000));
	depot_disk_list(&f->disk, 0xbb, now + 60000, &hashes);
	assert_int_equal(hashes.n, 0);
	depot_disk_list(&f->disk, 0xba, now + 60000, &hashes);
	assert_int_equal(hashes.n, STORE_HASH);
	assert_memory_equal(hashes.p, hash, STORE_HASH);
	assert_true(depot_disk_remove(&f->disk, buf_slice(&hashes), now + 60000));
	assert_false(is_there(f, "ba/" ABC));
	buf_fini(&hashes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(file_lies_under_its_hash),
		TEST(same_bytes_are_kept_once),
		TEST(empty_file_is_one_too),
		TEST(upload_goes_on_where_it_was),
		TEST(disk_is_never_filled_to_the_reserve),
		TEST(nothing_is_left_of_what_is_not_finished),
		TEST(only_old_files_are_listed_and_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
