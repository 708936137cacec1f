/* pg_file: what is known of files, on PostgreSQL. */
#include "base/err.h"
#include "store/pg.h"

/* --- queries --- */

static int bind_file(const struct store_settings *s, const struct store_query *q,
		     struct pg_params *p)
{
	const struct store_file *f = q->file;

	if (!f)
		return E_STATE;
	if (clock_wall() - q->time > STORE_FILE_FRESH)
		return E_UNAVAILABLE;
	store_pg_text(p, f->id);
	store_pg_text(p, f->room);
	store_pg_bytes(p, f->hash);
	store_pg_text(p, f->name);
	store_pg_text(p, f->type);
	store_pg_u64(p, f->size);
	store_pg_u64(p, f->member);
	store_pg_text_or_null(p, f->user);
	store_pg_u64(p, (uint64_t)q->time);
	store_pg_u64(p, s->space.room);
	store_pg_u64(p, s->space.all);
	return 0;
}

int store_pg_bind_file(const struct store_settings *s, const struct store_query *q,
		       enum pg_sql *sql, struct pg_params *p)
{
	switch (q->op) {
	case STORE_FILE:
		*sql = PG_ADD_FILE;
		return bind_file(s, q, p);
	case STORE_SPACE:
		*sql = PG_SPACE;
		store_pg_text(p, q->room);
		return 0;
	case STORE_FILE_FIND:
		*sql = PG_FILE_FIND;
		store_pg_text(p, q->text);
		return 0;
	default:
		*sql = PG_FILES_UNUSED;
		store_pg_bytes(p, q->text);
		return 0;
	}
}

/* --- answers --- */

static int answer_find(const struct pg_rows *rows, struct buf *out)
{
	struct store_file f;

	if (!store_pg_file(rows, 0, &f))
		return E_NOT_FOUND;
	store_file_encode(out, &f);
	return 0;
}

static void answer_unused(const struct pg_rows *rows, struct buf *out)
{
	for (unsigned i = 0; i < rows->rows; i++)
		if (store_pg_cell(rows, i, 0).n == STORE_HASH)
			buf_put(out, store_pg_cell(rows, i, 0));
}

int store_pg_answer_file(const struct store_settings *s, const struct store_query *q,
			 const struct pg_rows *rows, struct store_answer *a,
			 struct buf *out)
{
	if (q->op == STORE_FILE_FIND)
		return answer_find(rows, out);
	if (q->op == STORE_FILES_UNUSED) {
		answer_unused(rows, out);
		return 0;
	}
	a->n = store_pg_cell_u64(rows, 0, 0);
	a->to = store_pg_cell_u64(rows, 0, 1);
	if (q->op == STORE_SPACE || store_pg_cell_bool(rows, 0, 2))
		return 0;
	return store_file_fits(&s->space, q->file->size, a);
}

/* --- of messages --- */

void store_pg_bind_known(const struct store_query *q, const struct store_row *r,
			 struct pg_params *p)
{
	store_pg_text(p, q->room);
	store_pg_text_or_null(p, r->key);
	store_pg_u64(p, r->n);
	store_pg_u64(p, r->member);
	store_pg_u64(p, (uint64_t)r->time);
}

void store_pg_bind_look(const struct store_row *r, struct pg_params *p)
{
	store_pg_text(p, r->file);
	store_pg_u64(p, r->n);
}

void store_pg_bind_attach(const struct store_query *q, const struct store_row *r,
			  struct pg_params *p)
{
	store_pg_text(p, q->room);
	store_pg_text(p, r->file);
	store_pg_u64(p, r->n);
}

int store_pg_file_record(const struct store_query *q, const struct pg_rows *looked,
			 struct buf *json)
{
	struct store_file f;
	struct jsonw w;

	json_begin(&w, json);
	json_array(&w);
	for (unsigned i = 0; i < looked->rows; i++) {
		bool taken = store_pg_cell_bool(looked, i, 8);

		if (!store_pg_file(looked, i, &f) || taken ||
		    !store_file_may_attach(&f, q))
			return E_NOT_FOUND;
		store_file_put(&w, &f);
	}
	json_array_end(&w);
	return 0;
}
