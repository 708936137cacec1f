/* sqlite_note: what parts of the server keep over restarts. */
#include "base/err.h"
#include "store/sqlite.h"

int store_sqlite_keep(struct backend *b, const struct store_query *q,
		      struct store_answer *a, struct buf *out)
{
	const struct store_note *n = q->note;

	(void)a;
	(void)out;
	if (!n || n->name.n == 0)
		return E_STATE;
	sqlite3_stmt *st = db_use(&b->db, n->until ? SQL_KEEP : SQL_DROP_NOTE);
	db_bind_u64(st, 1, n->kind);
	db_bind_blob(st, 2, n->name);
	if (n->until) {
		db_bind_blob(st, 3, n->value);
		db_bind_u64(st, 4, (uint64_t)n->time);
		db_bind_u64(st, 5, (uint64_t)n->until);
	}
	return db_run(&b->db, st);
}

/* The columns of SQL_KEPT. */
static void put_note(sqlite3_stmt *st, struct buf *out)
{
	const struct store_note n = {
		.kind = db_u64(st, 0),
		.name = db_text(st, 1),
		.value = db_text(st, 2),
		.time = (ms_t)db_u64(st, 3),
		.until = (ms_t)db_u64(st, 4),
	};

	store_note_encode(out, &n);
}

int store_sqlite_kept(struct backend *b, const struct store_query *q,
		      struct store_answer *a, struct buf *out)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_KEPT);
	unsigned count = 0;
	int err;

	db_bind_u64(st, 1, q->n);
	db_bind_blob(st, 2, q->text);
	db_bind_u64(st, 3, (uint64_t)q->time);
	db_bind_u64(st, 4, STORE_NOTES_PAGE);
	for (; (err = db_step(&b->db, st)) > 0; count++)
		put_note(st, out);
	sqlite3_reset(st);
	a->partial = count == STORE_NOTES_PAGE;
	return err;
}

int store_sqlite_drop_notes(struct backend *b)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_DROP_NOTES);

	db_bind_u64(st, 1, (uint64_t)clock_wall());
	return db_run(&b->db, st);
}
