#include "base/rand.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Asks for every size around the block's, so both ways of fetching are taken. Each byte that
 * was asked for changes at some time (all 20 rounds zero: one in 2^160), none beside it. */
static void rand_bytes_fills_just_what_was_asked(void **state)
{
	static uint8_t p[8194], seen[8194];
	static const size_t size[] = { 0, 1, 7, 1023, 1024, 1025, 4096, 8192 };
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(size); i++) {
		memset(seen, 0, sizeof(seen));
		for (int round = 0; round < 20; round++) {
			memset(p, 0, sizeof(p));
			rand_bytes(p + 1, size[i]);
			for (size_t at = 0; at < sizeof(p); at++)
				seen[at] |= p[at];
		}
		assert_int_equal(seen[0], 0);
		assert_int_equal(seen[size[i] + 1], 0);
		for (size_t at = 1; at <= size[i]; at++)
			assert_int_not_equal(seen[at], 0);
	}
}

static void rand_u64_uses_every_bit(void **state)
{
	(void)state;
	uint64_t any = 0, all = UINT64_MAX;

	for (int i = 0; i < 2000; i++) {
		uint64_t v = rand_u64();
		any |= v;
		all &= v;
	}
	assert_true(any == UINT64_MAX);
	assert_true(all == 0);
}

static void rand_text_uses_all_32_letters_and_no_other(void **state)
{
	(void)state;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	char p[4001];
	size_t seen[32] = { 0 };

	p[4000] = '!';
	rand_text(p, 4000);
	assert_int_equal(p[4000], '!');
	for (size_t i = 0; i < 4000; i++) {
		const char *at = strchr(letters, p[i]);
		assert_non_null(at);
		seen[at - letters]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		assert_true(seen[i] > 0);
}

static void rand_child_process_has_other_bytes(void **state)
{
	(void)state;
	uint64_t theirs, ours;
	int pipes[2], status;

	(void)rand_u64(); /* the block is filled before the fork */
	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	if (child == 0) {
		theirs = rand_u64();
		_exit(write(pipes[1], &theirs, sizeof(theirs)) != sizeof(theirs));
	}
	ours = rand_u64();
	assert_int_equal(read(pipes[0], &theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(ours != theirs);
	close(pipes[0]);
	close(pipes[1]);
}

static void *fill(void *arg)
{
	for (int i = 0; i < 100; i++)
		rand_bytes(arg, 100);
	return NULL;
}

static void rand_threads_have_other_bytes(void **state)
{
	(void)state;
	uint8_t p[4][100];
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, fill, p[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(p[i], p[j], 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rand_bytes_fills_just_what_was_asked),
		cmocka_unit_test(rand_u64_uses_every_bit),
		cmocka_unit_test(rand_text_uses_all_32_letters_and_no_other),
		cmocka_unit_test(rand_child_process_has_other_bytes),
		cmocka_unit_test(rand_threads_have_other_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
