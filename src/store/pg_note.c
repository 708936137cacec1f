/* pg_note: what parts of the server keep over restarts, on PostgreSQL. */
#include "base/err.h"
#include "store/pg.h"

static int bind_keep(const struct store_note *n, enum pg_sql *sql, struct pg_params *p)
{
	if (!n || n->name.n == 0)
		return E_STATE;
	*sql = n->until ? PG_KEEP : PG_DROP_NOTE;
	store_pg_u64(p, n->kind);
	store_pg_bytes(p, n->name);
	if (n->until) {
		store_pg_bytes(p, n->value);
		store_pg_u64(p, (uint64_t)n->time);
		store_pg_u64(p, (uint64_t)n->until);
	}
	return 0;
}

int store_pg_bind_note(const struct store_query *q, enum pg_sql *sql, struct pg_params *p)
{
	if (q->op == STORE_KEEP)
		return bind_keep(q->note, sql, p);
	*sql = PG_KEPT;
	store_pg_u64(p, q->n);
	store_pg_bytes(p, q->text);
	store_pg_u64(p, (uint64_t)q->time);
	store_pg_u64(p, STORE_NOTES_PAGE);
	return 0;
}

void store_pg_answer_notes(const struct pg_rows *rows, struct store_answer *a,
			   struct buf *out)
{
	struct store_note n;

	for (unsigned i = 0; i < rows->rows; i++) {
		store_pg_note(rows, i, &n);
		store_note_encode(out, &n);
	}
	a->partial = rows->rows == STORE_NOTES_PAGE;
}
