/* map: hash table from bytes (copied) or from a 64-bit number to a pointer. Open addressing,
 * keyed SipHash for byte keys since strangers choose them. Values are borrowed and not NULL.
 * The order of a walk is arbitrary, and the map must not change until it ends. Memory falls
 * back when entries go.
 */
#pragma once
#include "base/slice.h"

struct map_slot {
	uint64_t hash; /* number maps: the key itself */
	void *entry; /* the value; byte maps: a struct map_entry; NULL: the slot is free */
};

struct map {
	struct map_slot *slots;
	size_t cap;   /* a power of two, or 0 */
	size_t count; /* entries */
	size_t used;  /* entries and tombstones */
	bool bytes;   /* that is what its keys are */
};

void map_init(struct map *m);
void map_fini(struct map *m);
/* Byte keys. map_put() replaces; returns the old value or NULL. */
void *map_find(const struct map *m, struct slice key);
void *map_put(struct map *m, struct slice key, void *value);
void *map_del(struct map *m, struct slice key);
/* Number keys; one map holds one kind only. */
void *map_find_u64(const struct map *m, uint64_t key);
void *map_put_u64(struct map *m, uint64_t key, void *value);
void *map_del_u64(struct map *m, uint64_t key);
/* Walks: start with *at = 0; NULL at the end. */
void *map_next(const struct map *m, size_t *at);

/* SipHash-1-3 with this process' random key (https://www.aumasson.jp/siphash/). */
uint64_t hash_bytes(struct slice s);
/* The same with a given key. */
uint64_t hash_keyed(struct slice s, const uint64_t key[2]);
/* Not keyed, same in every process: for placing rooms on workers (FNV-1a, 64 bit, mixed). */
uint64_t hash_stable(struct slice s);
