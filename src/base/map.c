/* Linear probing over a power of two of slots. A deleted entry leaves a tombstone, since the
 * entries behind it may have been pushed past it; tombstones go when the table is made anew.
 * That happens at three quarters full (tombstones counted), and when fewer than an eighth are
 * in use: a flood of keys shall not keep its memory for ever.
 */
#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"

#define MAP_FIRST 8

/* Of a byte map. */
struct map_entry {
	void *value;
	size_t n;
	uint8_t key[];
};

/* The entry of a tombstone. */
static char gone;

static bool is_used(const struct map_slot *s)
{
	return s->entry && s->entry != &gone;
}

static struct map_entry *entry_create(struct slice key, void *value)
{
	struct map_entry *e = xmalloc(sizeof(*e) + key.n);

	e->value = value;
	e->n = key.n;
	if (key.n)
		memcpy(e->key, key.p, key.n);
	return e;
}

static bool entry_is(const struct map_entry *e, struct slice key)
{
	return slice_eq(slice_of(e->key, e->n), key);
}

static void **value_of(const struct map *m, struct map_slot *s)
{
	return m->bytes ? &((struct map_entry *)s->entry)->value : &s->entry;
}

static void slot_free(const struct map *m, struct map_slot *s)
{
	if (m->bytes && is_used(s))
		free(s->entry);
}

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

/* The finalizer of MurmurHash3: each bit of the input moves each bit of the result. */
static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 33;
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

uint64_t hash_keyed(struct slice s, const uint64_t key[2])
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
			  key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u };
	size_t at = 0;

	for (; s.n - at >= 8; at += 8)
		sip_word(v, load_le(s.p + at, 8));
	uint64_t tail = at < s.n ? load_le(s.p + at, s.n - at) : 0;
	sip_word(v, (uint64_t)s.n << 56 | tail);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint64_t process_key[2];
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static void make_process_key(void)
{
	rand_bytes(process_key, sizeof(process_key));
}

uint64_t hash_bytes(struct slice s)
{
	pthread_once(&process_key_once, make_process_key);
	return hash_keyed(s, process_key);
}

uint64_t hash_stable(struct slice s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 0x100000001b3u;
	return mix(h);
}

void map_init(struct map *m)
{
	*m = (struct map){ 0 };
}

void map_fini(struct map *m)
{
	for (size_t i = 0; i < m->cap; i++)
		slot_free(m, &m->slots[i]);
	free(m->slots);
	map_init(m);
}

/* In a number map the hash alone decides: it is the key. */
static bool slot_holds(const struct map *m, const struct map_slot *s, uint64_t hash,
		       struct slice key)
{
	return s->hash == hash && is_used(s) && (!m->bytes || entry_is(s->entry, key));
}

static struct map_slot *slot_find(const struct map *m, uint64_t hash, struct slice key)
{
	if (m->count == 0)
		return NULL;
	for (size_t i = mix(hash);; i++) {
		struct map_slot *s = &m->slots[i & (m->cap - 1)];
		if (slot_holds(m, s, hash, key))
			return s;
		if (!s->entry)
			return NULL;
	}
}

static struct map_slot *slot_for_new(const struct map *m, uint64_t hash)
{
	for (size_t i = mix(hash);; i++) {
		struct map_slot *s = &m->slots[i & (m->cap - 1)];
		if (!is_used(s))
			return s;
	}
}

/* Moves all entries to a new table that is between a quarter and a half full. */
static void rebuild(struct map *m)
{
	struct map_slot *old = m->slots;
	size_t old_cap = m->cap;

	m->cap = MAP_FIRST;
	while (m->cap / 2 < m->count)
		m->cap *= 2;
	m->slots = xzalloc(size_mul(m->cap, sizeof(*m->slots)));
	m->used = m->count;
	for (size_t i = 0; i < old_cap; i++)
		if (is_used(&old[i]))
			*slot_for_new(m, old[i].hash) = old[i];
	free(old);
}

static void *put(struct map *m, uint64_t hash, struct slice key, void *value)
{
	assert(value);
	struct map_slot *s = slot_find(m, hash, key);
	if (s) {
		void **at = value_of(m, s), *old = *at;
		*at = value;
		return old;
	}
	if (m->used >= m->cap / 4 * 3)
		rebuild(m);
	s = slot_for_new(m, hash);
	if (!s->entry)
		m->used++;
	m->count++;
	s->hash = hash;
	s->entry = m->bytes ? entry_create(key, value) : value;
	return NULL;
}

static void *del(struct map *m, uint64_t hash, struct slice key)
{
	struct map_slot *s = slot_find(m, hash, key);

	if (!s)
		return NULL;
	void *value = *value_of(m, s);
	slot_free(m, s);
	*s = (struct map_slot){ .entry = &gone };
	m->count--;
	if (m->count == 0)
		map_fini(m);
	else if (m->cap > MAP_FIRST && m->count < m->cap / 8)
		rebuild(m);
	return value;
}

void *map_find(const struct map *m, struct slice key)
{
	struct map_slot *s = m->count ? slot_find(m, hash_bytes(key), key) : NULL;

	return s ? *value_of(m, s) : NULL;
}

void *map_put(struct map *m, struct slice key, void *value)
{
	assert(m->bytes || m->count == 0);
	m->bytes = true;
	return put(m, hash_bytes(key), key, value);
}

void *map_del(struct map *m, struct slice key)
{
	return del(m, hash_bytes(key), key);
}

void *map_find_u64(const struct map *m, uint64_t key)
{
	const struct map_slot *s = slot_find(m, key, SLICE_NONE);

	return s ? s->entry : NULL;
}

void *map_put_u64(struct map *m, uint64_t key, void *value)
{
	assert(!m->bytes);
	return put(m, key, SLICE_NONE, value);
}

void *map_del_u64(struct map *m, uint64_t key)
{
	return del(m, key, SLICE_NONE);
}

void *map_next(const struct map *m, size_t *at)
{
	while (*at < m->cap) {
		struct map_slot *s = &m->slots[(*at)++];
		if (is_used(s))
			return *value_of(m, s);
	}
	return NULL;
}
