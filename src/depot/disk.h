/* disk: the depot's folder: uploads being written, and what is whole under its hash.
 *
 * Owner: the depot's writer; depot_disk_read() may be used beside it, on another thread.
 * Errors: -errno.
 */
#pragma once
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"

#define DEPOT_SHARDS 256
#define DEPOT_SHARD_MAX 4096 /* files of a folder that are looked at in one go */

struct depot_disk {
	int dir, fresh;   /* DIR, DIR/new */
	uint64_t reserve; /* bytes of the disk that are not for files */
	struct map uploads;
};

/* Makes the folders, and empties DIR/new. A half-made one is to be closed too. */
int depot_disk_open(struct depot_disk *d, const char *path, uint64_t reserve) NODISCARD;
/* As it is, to be read only: nothing is made or emptied. -ENOENT. */
int depot_disk_look(struct depot_disk *d, const char *path) NODISCARD;
void depot_disk_close(struct depot_disk *d);

/* `upload`: its number; `size`: what is expected, if that is known. After an error nothing is left of it. -ENOSPC: the disk
 * has no room for it beside the reserve. */
int depot_disk_begin(struct depot_disk *d, uint64_t upload, uint64_t size) NODISCARD;
int depot_disk_write(struct depot_disk *d, uint64_t upload, uint64_t at,
		     struct slice bytes) NODISCARD;
/* Whole, of that size: on the disk under its hash (STORE_HASH bytes). */
int depot_disk_finish(struct depot_disk *d, uint64_t upload, uint64_t size, uint8_t *hash)
	NODISCARD;
void depot_disk_drop(struct depot_disk *d, uint64_t upload);

/* Appends at most n bytes. -ENOENT. */
int depot_disk_read(const struct depot_disk *d, struct slice hash, uint64_t at, size_t n,
		    struct buf *out) NODISCARD;

/* Whether there is one of that size. */
bool depot_disk_has(const struct depot_disk *d, struct slice hash, uint64_t size);
/* The hashes, one after the other, of files of a folder that were last touched before `cutoff`. */
void depot_disk_list(const struct depot_disk *d, unsigned shard, ms_t cutoff,
		     struct buf *hashes);
/* Unless it has been touched since. True when it is gone. */
bool depot_disk_remove(const struct depot_disk *d, struct slice hash, ms_t cutoff);
