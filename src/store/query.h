/* query: queries and answers as letters between workers and the store's threads. */
#pragma once
#include "store/file.h"
#include "store/note.h"

/* A query that has arrived, and what its pointers point at. */
struct store_letter {
	uint64_t ticket;
	struct store_query q;
	struct event event;
	struct member_info member;
	struct store_file file;
	struct store_note note;
};

void store_query_encode(struct buf *b, uint64_t ticket, const struct store_query *q);
/* E_TRUNCATED, E_MALFORMED. Slices point into `body`. */
int store_query_decode(struct store_letter *l, struct slice body) NODISCARD;
void store_answer_encode(struct buf *b, uint64_t ticket, const struct store_answer *a);
int store_answer_decode(struct store_answer *a, uint64_t *ticket, struct slice body)
	NODISCARD;

enum store_thread_kind { STORE_WRITER, STORE_READER, STORE_THREADS };
enum store_thread_kind store_op_thread(enum store_op op);
