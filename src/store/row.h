/* row: a message, or somebody's change of one, as the tables of either database have it; and the
 * rules about it that are the same in both.
 *
 * Owner: nobody; slices are borrowed from where the row comes from.
 */
#pragma once
#include "store/query.h"

/* What is in the tables for good: never renumber. */
enum store_row_kind {
	STORE_ROW_CHAT,
	STORE_ROW_EDITED,
	STORE_ROW_DELETED,
	STORE_ROW_REACTED
};

struct store_row {
	uint64_t n; /* its number in the room */
	uint64_t kind;
	ms_t time;
	uint64_t member; /* who spoke, or changed */
	uint64_t of;     /* CHAT: the message answered; else the one that is changed */
	uint64_t to;     /* the other party of a direct message, or 0 */
	struct slice user, name, text, to_user, key, file, reactions;
	ms_t edited;  /* REACTED: not 0 when the reaction was taken back */
	ms_t deleted; /* 0: it is not */
};

/* The row of a new message. E_STATE: the query is none of ours. */
int store_row_of_message(struct store_row *r, struct chat_more *m,
			 const struct store_query *q) NODISCARD;
/* The row of a change, for those who catch up: about a direct message it is for the same two. */
void store_row_of_change(struct store_row *r, const struct store_query *q,
			 const struct chat_more *m, const struct store_row *changed);
/* Whether the viewer may do that to this message: E_NOT_FOUND (also when he may not see it), E_DENIED. */
int store_row_may_change(const struct store_row *r, const struct store_query *q)
	NODISCARD;

/* What is answered to a change of `changed` (zero: it was not found). */
void store_row_answer_change(const struct store_row *changed, const struct store_query *q,
			     uint64_t epoch, struct store_answer *a);

/* The event that the row is shown as, appended. */
void store_row_event(const struct store_row *r, uint64_t epoch, struct buf *out);
/* A line of `parley db export`, appended. */
void store_row_line(const struct store_row *r, struct slice room, struct buf *out);

/* Rows in an answer to a query that asks for `limit`. */
uint32_t store_row_limit(uint32_t limit);

#define STORE_ROW_SHIFT 40 /* bits of a message's number */
#define STORE_ROW_MAX_N ((UINT64_C(1) << STORE_ROW_SHIFT) - 1)
