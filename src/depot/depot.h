/* depot: what files contain, on the disk, under the SHA-256 of their bytes.
 *
 * Threads: a writer (takes uploads, removes what nobody needs) and a reader, each a loop, reached by mail; a
 *          worker asks through its desk and never waits for the disk.
 * Disk:    DIR/new/ has uploads under way, emptied at the start; DIR/ab/abcd... (the hash in hex) has what is whole. A finished
 *          upload is on the disk, name and all, when it is answered.
 * Who needs a file is the store's to know. Once a second the writer looks into one of the 256 folders and asks the store
 *          which of its files, if they have not been touched for DEPOT_GRACE, are in no row; those go. So whoever
 *          finishes an upload has DEPOT_GRACE to have it in a row, and a crash between the two leaves nothing.
 * Limits:  the askers': each upload and download has one job under way, of at most LOOP_SCRATCH bytes.
 */
#pragma once
#include "store/store.h"

#define DEPOT_GRACE 60000               /* ms */
#define DEPOT_PIECE ((size_t)64 * 1024) /* of a read, at most */

struct depot;
struct depot_desk;

/* `store` must outlive it. `reserve`: bytes of the disk that uploads leave free. A line for people in `why`. */
int depot_create(struct depot **out, const char *dir, uint64_t reserve,
		 struct store *store, struct buf *why) NODISCARD;
int depot_start(struct depot *d) NODISCARD;
/* Ends the threads; before the store goes. */
void depot_stop(struct depot *d);
void depot_destroy(struct depot *d);

/* --- one per worker --- */

struct depot_answer {
	int err;
	struct slice bytes; /* read: fewer than asked for only at the end */
	struct slice hash;  /* finish: STORE_HASH bytes */
	uint64_t size;      /* write, finish: bytes of it so far */
};

/* The asker's, part of a record of its own; in the desk's hands until `done`, once, in a later turn. */
struct depot_ticket;
typedef void depot_done_fn(struct depot_ticket *t, const struct depot_answer *a);
struct depot_ticket {
	uint64_t number;
	depot_done_fn *done;
};

struct depot_desk *depot_desk_create(struct loop *l);
/* What is under way is answered E_UNAVAILABLE. */
void depot_desk_destroy(struct depot_desk *d);

/* An upload's number; `size`: what is expected, as far as that is known. Its bytes are then written one job after the
 * other. After an error nothing is left of it. */
uint64_t depot_begin(struct depot_desk *d, uint64_t size, struct depot_ticket *t);
void depot_write(struct depot_desk *d, uint64_t upload, uint64_t at, struct slice bytes,
		 struct depot_ticket *t);
void depot_finish(struct depot_desk *d, uint64_t upload, uint64_t size,
		  struct depot_ticket *t);
/* No ticket of it may be out. */
void depot_drop(struct depot_desk *d, uint64_t upload);
/* E_NOT_FOUND. */
void depot_read(struct depot_desk *d, struct slice hash, uint64_t at, size_t n,
		struct depot_ticket *t);
