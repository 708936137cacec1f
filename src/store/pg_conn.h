/* pg_conn: one connection to PostgreSQL, through libpq's asynchronous calls.
 *
 * Owner: a thread of the store, or the main one at start and in tools. That thread has nothing else to do than what
 *        is asked of the database, so it waits here, in poll(), instead of being taken through states by its
 *        loop: mail gathers meanwhile and makes the next batch. libpq never blocks: every wait ends
 *        at `deadline`, then the connection is lost. Looking up a host's name alone is the resolver's to end.
 * Order:   statements are sent one after another without waiting (libpq's pipeline mode); results come in the same
 *          order. After an error those up to the next store_pg_sync() are skipped.
 * Secrets: nothing here puts a URL or a password into a log or a `why`.
 */
#pragma once
#include "store/pg_row.h"
#include "store/pg_sql.h"
#include "store/pq.h"

struct pg_conn {
	PGconn *link;     /* NULL: not connected */
	ms_t deadline;    /* monotonic; of all that follows */
	char state[6];    /* SQLSTATE of the last failure, or "" */
	PGresult *result; /* that of the last store_pg_take() */
	struct slice *cells;
	size_t cells_cap;
};

/* How a failure is to be taken. E_STATE: the row does not fit the tables; E_UNAVAILABLE: the server cannot do it now;
 * E_DENIED: it does not let us in; E_SLOW, the connection is lost: what was sent may have been done or not. */
#define PG_LOST E_SLOW

/* Connected, and the session as the store wants it: time limits of `patience` ms. Nothing is prepared yet. E_DENIED,
 * E_STATE (the server is too old, or the encoding another), E_UNAVAILABLE. */
int store_pg_connect(struct pg_conn *c, const char *url, ms_t patience, struct buf *why)
	NODISCARD;
void store_pg_disconnect(struct pg_conn *c); /* harmless twice */
/* Whether the other side has closed, without waiting. */
bool store_pg_is_lost(struct pg_conn *c);

/* Statements in plain text, before the pipeline. The rows of the last, with cells of text; `rows` may be NULL. */
int store_pg_exec(struct pg_conn *c, const char *sql, struct pg_rows *rows) NODISCARD;

/* From here on: pipeline mode. Prepares the statements from `first` up to `end`. */
int store_pg_prepare(struct pg_conn *c, enum pg_sql first, enum pg_sql end,
		     struct buf *why) NODISCARD;
/* One that is prepared. `p` may be gone afterwards. */
int store_pg_send(struct pg_conn *c, enum pg_sql sql, const struct pg_params *p)
	NODISCARD;
/* One that is not: planned for its values. */
int store_pg_send_once(struct pg_conn *c, enum pg_sql sql, const struct pg_params *p)
	NODISCARD;
/* Ends the stretch that an error skips. */
int store_pg_sync(struct pg_conn *c) NODISCARD;
/* Asks for the results of what was sent. */
int store_pg_flush(struct pg_conn *c) NODISCARD;
/* The next statement's result; rows are valid until the next call. `rows` may be NULL. */
int store_pg_take(struct pg_conn *c, struct pg_rows *rows) NODISCARD;
/* Whether what was taken last is a transaction's good end. */
bool store_pg_has_committed(const struct pg_conn *c);
/* The end of a stretch; what is left of it is dropped. */
int store_pg_take_sync(struct pg_conn *c) NODISCARD;
/* Without the pipeline: a statement whose rows come one by one: 1, or 0 at the end. */
int store_pg_begin_rows(struct pg_conn *c, enum pg_sql sql) NODISCARD;
int store_pg_next_row(struct pg_conn *c, struct pg_rows *rows) NODISCARD;
/* A statement by itself: sent, ended, taken. */
int store_pg_ask(struct pg_conn *c, enum pg_sql sql, const struct pg_params *p,
		 struct pg_rows *rows) NODISCARD;
/* What the server or the library has said last about a failure. */
struct slice store_pg_message_text(const struct pg_conn *c);

/* --- pure, for tests too --- */

/* What the five characters mean: E_DENIED, E_STATE or E_UNAVAILABLE. */
int store_pg_state_error(const char *state);
/* The state in a verbose message of the server ("FATAL:  28P01: password ..."), "" when there is none; *text becomes the
 * line behind it, or the first one. */
void store_pg_state_of(struct slice *text, char state[6]);
