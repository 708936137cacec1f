/* note: a small thing that a part of the server keeps over restarts, under a kind and a name; what is in it only that
 * part knows.
 *
 * Copied value; slices are borrowed. Limits: the part's; each note has an end, and goes then.
 */
#pragma once
#include "store/store.h"

/* In the tables for good: never renumber. */
enum store_note_kind {
	STORE_NOTE_TOKEN = 1, /* revoked: name is a token's id */
	STORE_NOTE_USER = 2,  /* revoked: name is an identity */
	STORE_NOTE_HALL = 3,  /* a room of the co-working API */
	STORE_NOTE_BAN = 4,   /* somebody is kept out of a room */
	STORE_NOTE_DOOR = 5,  /* how a room is set: lock, lobby, who is muted */
};

#define STORE_NOTES_PAGE 200 /* in an answer */

struct store_note {
	uint64_t kind;
	struct slice name, value;
	ms_t time;  /* when it was so */
	ms_t until; /* 0: it is to go now */
};

void store_note_encode(struct buf *b, const struct store_note *n);
/* E_TRUNCATED. */
int store_note_decode(struct store_note *n, struct cur *in) NODISCARD;

typedef void store_note_fn(void *arg, const struct store_note *n);
/* Before store_start(): all of them. E_UNAVAILABLE: they cannot be read yet, or not all. */
int store_each_note(struct store *s, store_note_fn *fn, void *arg) NODISCARD;
/* The same later, page by page: gives what was answered to the KEPT query `q` to `fn`, and makes `q` the next question, its name in
 * `name`. False: there is no more. */
bool store_notes_next(struct store_query *q, struct buf *name,
		      const struct store_answer *a, store_note_fn *fn, void *arg);
