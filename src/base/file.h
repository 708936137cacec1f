/* file: whole small files (configuration, certificates, secrets). */
#pragma once
#include "base/buf.h"

/* Appends the file to b; E_LIMIT beyond max bytes, or -errno. */
int file_read(const char *path, size_t max, struct buf *b) NODISCARD;
/* Writes beside and renames, so that a reader sees the old or the new file; it is on the disk
 * when this returns. mode as for open(2). */
int file_write(const char *path, struct slice s, unsigned mode) NODISCARD;
/* Another name for a file, in the place of what had it; on the disk when this returns. -errno. */
int file_move(const char *from, const char *to) NODISCARD;
/* Calls fn for each name in `dir` that ends so, in order of the alphabet. -errno. */
int file_each(const char *dir, const char *suffix,
	      void (*fn)(void *arg, const char *name), void *arg) NODISCARD;
/* mkdir -p with mode 0700 for what is made. */
int file_make_dir(const char *path) NODISCARD;
/* Opens and locks (flock) a file for the life of the process; the descriptor, or -EWOULDBLOCK
 * when another holds it. */
int file_lock(const char *path) NODISCARD;
