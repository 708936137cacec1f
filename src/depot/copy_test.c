#include "depot/copy.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/store.h"

#define SIZE (((size_t)1 << 20) + 7) /* more than one piece */

struct fixture {
	char root[64];
	struct depot_disk from, to;
	uint8_t hash[EVP_MAX_MD_SIZE]; /* of what is in `from` */
	uint8_t *bytes;                /* SIZE of them */
};

static void open_disk(struct depot_disk *d, const struct fixture *f, const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	assert_int_equal(depot_disk_open(d, path, 0), 0);
}

static int set_up(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	snprintf(f->root, sizeof(f->root), "/tmp/parley-copy-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	open_disk(&f->from, f, "from");
	open_disk(&f->to, f, "to");
	f->bytes = xmalloc(SIZE);
	for (size_t i = 0; i < SIZE; i++)
		f->bytes[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(depot_disk_begin(&f->from, 5, SIZE), 0);
	assert_int_equal(depot_disk_write(&f->from, 5, 0, slice_of(f->bytes, SIZE)), 0);
	assert_int_equal(depot_disk_finish(&f->from, 5, SIZE, f->hash), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	depot_disk_close(&f->from);
	depot_disk_close(&f->to);
	snprintf(command, sizeof(command), "rm -r %s", f->root);
	assert_int_equal(system(command), 0);
	free(f->bytes);
	free(f);
	return 0;
}

static struct slice hash_of(const struct fixture *f)
{
	return slice_of(f->hash, STORE_HASH);
}

/* Another byte in the middle of it. */
static void spoil(const struct fixture *f, const struct depot_disk *d)
{
	struct buf path = BUF_INIT(256);

	hex_encode(&path, slice_of(f->hash, 1));
	buf_u8(&path, '/');
	hex_encode(&path, hash_of(f));
	buf_u8(&path, 0);
	int fd = openat(d->dir, (const char *)path.p, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "?", 1, 1000), 1);
	close(fd);
	buf_fini(&path);
}

static void copy_has_the_bytes(void **state)
{
	struct fixture *f = *state;
	struct buf got = BUF_INIT(2u << 20);

	assert_int_equal(depot_copy(&f->from, &f->to, hash_of(f), SIZE), 0);
	assert_int_equal(depot_disk_read(&f->to, hash_of(f), 0, 2u << 20, &got), 0);
	assert_true(slice_eq(buf_slice(&got), slice_of(f->bytes, SIZE)));
	assert_int_equal(depot_look_at(&f->to, hash_of(f), SIZE), 0);
	buf_fini(&got);
}

static void copy_is_made_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(depot_copy(&f->from, &f->to, hash_of(f), SIZE), 0);
	spoil(f, &f->from);
	assert_int_equal(depot_copy(&f->from, &f->to, hash_of(f), SIZE), 0);
	assert_int_equal(depot_look_at(&f->to, hash_of(f), SIZE), 0);
}

static void what_is_not_there_or_not_whole_is_not_found(void **state)
{
	struct fixture *f = *state;
	const uint8_t other[STORE_HASH] = { 1 };
	struct slice none = slice_of(other, sizeof(other));

	assert_int_equal(depot_look_at(&f->from, none, 3), E_NOT_FOUND);
	assert_int_equal(depot_copy(&f->from, &f->to, none, 3), E_NOT_FOUND);
	assert_int_equal(depot_look_at(&f->from, hash_of(f), SIZE - 1), E_NOT_FOUND);
	spoil(f, &f->from);
	assert_int_equal(depot_look_at(&f->from, hash_of(f), SIZE), E_NOT_FOUND);
	assert_int_equal(depot_copy(&f->from, &f->to, hash_of(f), SIZE), E_NOT_FOUND);
	assert_false(depot_disk_has(&f->to, hash_of(f), SIZE));
	assert_int_equal(f->to.uploads.count, 0);
}

static void a_folder_that_is_looked_at_stays_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct depot_disk look;
	char path[80];

	assert_int_equal(depot_disk_begin(&f->from, 6, 3), 0);
	snprintf(path, sizeof(path), "%s/from", f->root);
	assert_int_equal(depot_disk_look(&look, path), 0);
	assert_int_equal(depot_look_at(&look, hash_of(f), SIZE), 0);
	depot_disk_close(&look);
	assert_int_equal(depot_disk_write(&f->from, 6, 0, SLICE("abc")), 0);
	assert_int_equal(depot_disk_finish(&f->from, 6, 3, f->hash), 0);
	snprintf(path, sizeof(path), "%s/nowhere", f->root);
	assert_true(depot_disk_look(&look, path) < 0);
	depot_disk_close(&look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copy_has_the_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copy_is_made_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_not_there_or_not_whole_is_not_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_that_is_looked_at_stays_as_it_is,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
