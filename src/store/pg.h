/* pg: the store on PostgreSQL: what its parts share.
 *
 * A batch of the writer is one transaction, sent as one stream: BEGIN, a statement for each query, COMMIT; so a
 * batch costs about one round trip and one wait for the server's disk. The reader's are one stretch each: one that fails
 * is the only one that fails.
 *
 * One owner: the writer's session holds an advisory lock of the database as long as it lives. Another Parley is
 * refused at its start; and whoever has the lock knows that the session before has ended, so that what that one has
 * sent is either committed or never will be.
 *
 * When the connection is lost in the middle of a batch nobody knows whether it was committed. The writer then connects
 * anew and runs the batch again: statements are so made that a row of before counts as this one's. Those that come
 * meanwhile wait as well, until the store has been away for as long as a batch may take; then all are told that it is not
 * available, at once from there on. Before anything else is written the messages of that batch, should they be there, are
 * taken back.
 */
#pragma once
#include "store/internal.h"
#include "store/pg_conn.h"

struct backend {
	struct store_thread *thread;
	const struct store_settings *settings;
	struct pg_conn conn;
	ms_t limit; /* of a batch */
	bool writer;
	bool prepared; /* the writer has brought the tables up to date */
	/* The session that had the lock last: its process on the server and when that began. */
	char ghost[64];
	ms_t try_at; /* when to connect next, 0: at once */
	ms_t backoff;
	ms_t lost_at;      /* when the last session ended, monotonic; 0: there is one */
	ms_t used_at;      /* when the database was last heard of, monotonic */
	unsigned tends;    /* so far */
	uint64_t retained; /* the room up to which old rows have gone in this round */
	struct buf unsettled; /* messages to be taken back: see pg_batch.c */
};

/* --- pg_batch.c --- */

/* PG_LOST: it may have been done or not. */
int store_pg_write(struct backend *b, struct store_batch *batch) NODISCARD;
int store_pg_read(struct backend *b, struct store_batch *batch) NODISCARD;
/* Remembers the batch's messages, and takes them back. */
void store_pg_unsettle(struct backend *b, const struct store_batch *batch);
int store_pg_settle(struct backend *b) NODISCARD;

/* --- pg_ops.c --- */

/* One query: the statement that answers it, with its parameters. E_STATE: it is none of ours; E_UNAVAILABLE: it comes
 * too late. */
int store_pg_bind(const struct store_settings *s, const struct store_query *q,
		  enum pg_sql *sql, struct pg_params *p) NODISCARD;
/* STORE_MESSAGE, with the record of its files. */
int store_pg_bind_message(const struct store_query *q, struct slice files,
			  struct pg_params *p) NODISCARD;
/* Another one that goes after it, or PG_STATEMENTS. */
enum pg_sql store_pg_bind_more(const struct store_query *q, struct pg_params *p);
/* What it has answered. E_STATE as above, E_NOT_FOUND, E_LIMIT. */
int store_pg_answer(const struct store_settings *s, const struct store_query *q,
		    const struct pg_rows *rows, struct store_answer *a, struct buf *out)
	NODISCARD;
/* STORE_CHANGE: once its message has been found. Sends what there is to do: the number of statements. */
int store_pg_change(struct pg_conn *c, const struct store_query *q,
		    const struct pg_rows *found, struct store_answer *a) NODISCARD;

/* --- pg_file.c --- */

/* The same for the queries about files. */
int store_pg_bind_file(const struct store_settings *s, const struct store_query *q,
		       enum pg_sql *sql, struct pg_params *p) NODISCARD;
int store_pg_answer_file(const struct store_settings *s, const struct store_query *q,
			 const struct pg_rows *rows, struct store_answer *a,
			 struct buf *out) NODISCARD;
/* A message with files: what KNOWN, LOOK and ATTACH want to know; and the record of the files that LOOK has found, as
 * JSON. E_NOT_FOUND: one of them cannot be in it. */
void store_pg_bind_known(const struct store_query *q, const struct store_row *r,
			 struct pg_params *p);
void store_pg_bind_look(const struct store_row *r, struct pg_params *p);
void store_pg_bind_attach(const struct store_query *q, const struct store_row *r,
			  struct pg_params *p);
int store_pg_file_record(const struct store_query *q, const struct pg_rows *looked,
			 struct buf *json) NODISCARD;

/* --- pg_note.c --- */

/* The same for KEEP and KEPT. */
int store_pg_bind_note(const struct store_query *q, enum pg_sql *sql, struct pg_params *p)
	NODISCARD;
void store_pg_answer_notes(const struct pg_rows *rows, struct store_answer *a,
			   struct buf *out);

/* --- pg_tools.c: see tools.h --- */
int store_pg_check(const struct store_settings *s, struct buf *why) NODISCARD;
int store_pg_contents(const struct store_settings *s, store_content_fn *fn, void *arg,
		      struct buf *why) NODISCARD;
int store_pg_backup(const struct store_settings *s, const char *to, store_content_fn *fn,
		    void *arg, struct buf *why) NODISCARD;
int store_pg_export(const struct store_settings *s, store_line_fn *fn, void *arg,
		    struct buf *why) NODISCARD;
