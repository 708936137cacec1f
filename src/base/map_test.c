#include "base/map.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"

static char one[] = "one", two[] = "two";

static void map_empty_finds_nothing(void **state)
{
	(void)state;
	struct map m;
	size_t at = 0;

	map_init(&m);
	assert_null(map_find(&m, SLICE("a")));
	assert_null(map_del(&m, SLICE("a")));
	assert_null(map_find_u64(&m, 0));
	assert_null(map_next(&m, &at));
	map_fini(&m);
}

static void map_put_replaces_and_del_gives_back(void **state)
{
	(void)state;
	struct map m;

	map_init(&m);
	assert_null(map_put(&m, SLICE("a"), one));
	assert_ptr_equal(map_put(&m, SLICE("a"), two), one);
	assert_ptr_equal(map_find(&m, SLICE("a")), two);
	assert_int_equal(m.count, 1);
	assert_ptr_equal(map_del(&m, SLICE("a")), two);
	assert_null(map_find(&m, SLICE("a")));
	assert_int_equal(m.count, 0);
	map_fini(&m);
}

static void map_keys_are_copied_bytes(void **state)
{
	(void)state;
	char key[] = "a\0b";
	struct map m;

	map_init(&m);
	map_put(&m, slice_of(key, 3), one);
	map_put(&m, SLICE_NONE, two);
	key[2] = 'c';
	assert_null(map_find(&m, slice_of(key, 3)));
	assert_ptr_equal(map_find(&m, SLICE("a\0b")), one);
	assert_null(map_find(&m, SLICE("a")));
	assert_ptr_equal(map_find(&m, SLICE("")), two);
	map_fini(&m);
}

static void map_number_keys_take_every_number(void **state)
{
	static const uint64_t key[] = { 0, 1, 8, 16, UINT64_MAX, 1ull << 63 };
	char value[ARRAY_LEN(key)];
	struct map m;
	(void)state;

	map_init(&m);
	for (size_t i = 0; i < ARRAY_LEN(key); i++)
		assert_null(map_put_u64(&m, key[i], &value[i]));
	for (size_t i = 0; i < ARRAY_LEN(key); i++)
		assert_ptr_equal(map_find_u64(&m, key[i]), &value[i]);
	assert_null(map_find_u64(&m, 2));
	assert_ptr_equal(map_del_u64(&m, 0), &value[0]);
	assert_null(map_find_u64(&m, 0));
	map_fini(&m);
}

/* 100,000 random steps beside a plain array of what should be in there. */
static void map_agrees_with_an_array(void **state)
{
	enum { KEYS = 700 };
	void *want[KEYS] = { NULL };
	static char value[KEYS];
	struct map m;
	size_t count = 0;
	(void)state;

	map_init(&m);
	for (int step = 0; step < 100000; step++) {
		uint64_t r = rand_u64();
		size_t k = (r >> 8) % KEYS;
		char text[16];
		/* Phases of growing and shrinking, so that the table does both. */
		bool add = (r & 7) < (step / 5000 % 2 ? 2u : 6u);
		int n = snprintf(text, sizeof(text), "key-%zu", k);
		struct slice key = slice_of(text, (size_t)n);
		void *value_now = add ? &value[(r >> 32) % KEYS] : NULL;

		assert_ptr_equal(map_find(&m, key), want[k]);
		void *old = add ? map_put(&m, key, value_now) : map_del(&m, key);
		assert_ptr_equal(old, want[k]);
		count += (size_t)(value_now != NULL) - (size_t)(want[k] != NULL);
		want[k] = value_now;
		assert_int_equal(m.count, count);
	}
	map_fini(&m);
}

static void map_next_visits_each_once(void **state)
{
	(void)state;
	static unsigned visits[1000];
	struct map m;
	unsigned *v;

	map_init(&m);
	for (uint64_t i = 0; i < ARRAY_LEN(visits); i++)
		map_put_u64(&m, i, &visits[i]);
	for (uint64_t i = 0; i < ARRAY_LEN(visits); i += 2)
		map_del_u64(&m, i);
	for (size_t at = 0; (v = map_next(&m, &at)) != NULL;)
		(*v)++;
	for (size_t i = 0; i < ARRAY_LEN(visits); i++)
		assert_int_equal(visits[i], i % 2);
	map_fini(&m);
}

static void map_memory_falls_back_after_a_flood(void **state)
{
	(void)state;
	struct map m;

	map_init(&m);
	for (uint64_t i = 0; i < 100000; i++)
		map_put_u64(&m, i, one);
	assert_true(m.cap >= 100000);
	for (uint64_t i = 10; i < 100000; i++)
		map_del_u64(&m, i);
	assert_true(m.cap <= 128);
	for (uint64_t i = 0; i < 10; i++)
		assert_ptr_equal(map_find_u64(&m, i), one);
	for (uint64_t i = 0; i < 10; i++)
		map_del_u64(&m, i);
	assert_null(m.slots);
	map_fini(&m);
}

/* Coming and going at the same size must neither grow the table nor fill it with tombstones. */
static void map_churn_does_not_grow(void **state)
{
	(void)state;
	struct map m;

	map_init(&m);
	for (uint64_t i = 0; i < 100000; i++) {
		map_put_u64(&m, i, one);
		if (i >= 20)
			assert_ptr_equal(map_del_u64(&m, i - 20), one);
		assert_true(m.cap <= 128);
		assert_true(m.used < m.cap);
	}
	map_fini(&m);
}

/* CPython hashes bytes with SipHash-1-3: hash(bytes(range(n))) of CPython 3.11 with
 * PYTHONHASHSEED=0 (key of zeroes) and =42. */
static void hash_keyed_is_siphash_1_3(void **state)
{
	static const uint64_t key0[2] = { 0, 0 };
	static const uint64_t key42[2] = { 0xdc504fd368cd90af, 0xb920bb9ffe99e9c1 };
	static const struct {
		const uint64_t *key;
		size_t n;
		uint64_t want;
	} v[] = {
		{ key0, 1, 0x68a914128e01e473 },   { key0, 7, 0x2f098ab0c751325a },
		{ key0, 8, 0xead411e67ebe2eea },   { key0, 15, 0xf30eb725bb91c9ea },
		{ key0, 16, 0x8972188433a5c5b7 },  { key0, 31, 0x169739443111d49b },
		{ key0, 63, 0x385d3e39e5f37359 },  { key42, 1, 0xce880c366bcf3489 },
		{ key42, 7, 0xce280fabc397fbda },  { key42, 8, 0x60866c3c108c6afb },
		{ key42, 9, 0x68814005f7469e03 },  { key42, 15, 0x94ace24d68c18cf8 },
		{ key42, 16, 0x339176f3ac59ce05 }, { key42, 63, 0x06e24d6f0d014c37 },
	};
	uint8_t p[64];
	(void)state;

	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)i;
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_true(hash_keyed(slice_of(p, v[i].n), v[i].key) == v[i].want);
}

/* FNV-1a of "foobar" is 85944171f73967e8 (draft-eastlake-fnv, appendix C); then mixed. */
static void hash_stable_never_changes(void **state)
{
	(void)state;
	assert_true(hash_stable(SLICE_NONE) == 0xefd01f60ba992926);
	assert_true(hash_stable(SLICE("a")) == 0x82a2a958a9bece5b);
	assert_true(hash_stable(SLICE("foobar")) == 0x2c22194922d1672b);
}

static void hash_stable_spreads_names_over_few_workers(void **state)
{
	(void)state;
	size_t load[2] = { 0 };

	for (int i = 0; i < 1000; i++) {
		char name[16];
		int n = snprintf(name, sizeof(name), "room-%d", i);
		load[hash_stable(slice_of(name, (size_t)n)) % 2]++;
	}
	assert_in_range(load[0], 400, 600);
}

static void *hash_once(void *out)
{
	*(uint64_t *)out = hash_bytes(SLICE("amber-fox"));
	return NULL;
}

static void hash_bytes_is_the_same_on_all_threads(void **state)
{
	(void)state;
	uint64_t h[4];
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hash_once, &h[i]), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (int i = 1; i < 4; i++)
		assert_true(h[i] == h[0]);
	assert_true(h[0] != hash_keyed(SLICE("amber-fox"), (uint64_t[2]){ 0, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_bytes_is_the_same_on_all_threads),
		cmocka_unit_test(map_empty_finds_nothing),
		cmocka_unit_test(map_put_replaces_and_del_gives_back),
		cmocka_unit_test(map_keys_are_copied_bytes),
		cmocka_unit_test(map_number_keys_take_every_number),
		cmocka_unit_test(map_agrees_with_an_array),
		cmocka_unit_test(map_next_visits_each_once),
		cmocka_unit_test(map_memory_falls_back_after_a_flood),
		cmocka_unit_test(map_churn_does_not_grow),
		cmocka_unit_test(hash_keyed_is_siphash_1_3),
		cmocka_unit_test(hash_stable_never_changes),
		cmocka_unit_test(hash_stable_spreads_names_over_few_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
