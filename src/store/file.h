/* file: what the store knows of a file that somebody sent: whose it is, in which room, what it is called. What is in
 * it lies in the depot, under its hash.
 *
 * A file belongs to nobody's message at first, for STORE_FILE_LOOSE at most, then to one, and goes with it.
 * Copied value; slices are borrowed.
 */
#pragma once
#include "base/json.h"
#include "store/store.h"

#define STORE_FILE_ID 26    /* letters of 5 bits: who knows it may have the file */
#define STORE_FILES_MAX 8   /* of a message */
#define STORE_FILE_NAME 128 /* bytes */
#define STORE_FILE_TYPE 100
#define STORE_FILE_LOOSE INT64_C(86400000) /* ms */
#define STORE_FILE_FRESH                                                                 \
	30000 /* ms after its upload it can still be kept: well within the depot's grace */
/* The record of a message's files, as JSON: each byte of a name may be escaped. */
#define STORE_FILES_JSON ((size_t)STORE_FILES_MAX * 1024)

struct store_file {
	struct slice id, room, hash, name, type;
	uint64_t size;
	uint64_t member;   /* whose it is, 0: the server's */
	struct slice user; /* the same, when proven; or empty */
};

void store_file_encode(struct buf *b, const struct store_file *f);
/* E_TRUNCATED. */
int store_file_decode(struct store_file *f, struct cur *in) NODISCARD;
bool store_file_is_id(struct slice id);
/* Whether who says a message (the query's viewer) may put the file into it. */
bool store_file_may_attach(const struct store_file *f, const struct store_query *q);
/* Whether `size` more bytes have room, beside those of the room (a->n) and of all (a->to). E_LIMIT; a->known: it is the
 * limit of all. */
int store_file_fits(const struct store_space *s, uint64_t size, struct store_answer *a)
	NODISCARD;
/* {"id","name","type","size"} */
void store_file_put(struct jsonw *w, const struct store_file *f);
