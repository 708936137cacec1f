/* sqlite_read: the questions of the reader. */
#include "base/err.h"
#include "bus/mail.h"
#include "store/sqlite.h"

static uint64_t first_id(const struct sqlite_room *r)
{
	return r->id << STORE_ROW_SHIFT;
}

static uint64_t last_id(const struct sqlite_room *r, uint64_t before)
{
	uint64_t n =
		before > 0 && before <= STORE_ROW_MAX_N ? before - 1 : STORE_ROW_MAX_N;

	return r->id << STORE_ROW_SHIFT | n;
}

/* --- pages: rows as they come, in pieces that can be put out in the other order --- */

struct page {
	struct buf rows;
	size_t at[STORE_PAGE_MAX + 1]; /* where each begins */
	uint32_t count, limit;
	bool more;
};

static void page_init(struct page *p, uint32_t limit)
{
	*p = (struct page){ 0 };
	buf_init(&p->rows, BUS_LETTER_MAX);
	p->limit = store_row_limit(limit);
}

/* False when it is full. */
static bool page_begin_row(struct page *p)
{
	if (p->count == p->limit) {
		p->more = true;
		return false;
	}
	p->at[p->count++] = buf_at(&p->rows);
	return true;
}

static void page_end(struct page *p, bool newest_first, struct store_answer *a,
		     struct buf *out)
{
	p->at[p->count] = buf_at(&p->rows);
	for (uint32_t i = 0; i < p->count; i++) {
		uint32_t k = newest_first ? p->count - 1 - i : i;

		buf_add(out, p->rows.p + p->at[k], p->at[k + 1] - p->at[k]);
	}
	a->partial = p->more;
	buf_fini(&p->rows);
}

/* One more row than wanted is asked for, to know whether there are more. */
static int read_messages(struct backend *b, sqlite3_stmt *st, const struct sqlite_room *r,
			 struct page *p)
{
	struct store_row row;
	int err;

	sqlite3_bind_int64(st, 6, (sqlite3_int64)p->limit + 1);
	while ((err = db_step(&b->db, st)) > 0 && page_begin_row(p)) {
		store_sqlite_row(st, &row);
		store_row_event(&row, r->epoch, &p->rows);
	}
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

static sqlite3_stmt *bind_range(struct backend *b, enum sql which,
				const struct store_query *q, uint64_t from, uint64_t to)
{
	sqlite3_stmt *st = db_use(&b->db, which);

	db_bind_u64(st, 1, from);
	db_bind_u64(st, 2, to);
	if (which == SQL_LAST)
		return st;
	db_bind_u64(st, 3, q->viewer);
	db_bind_text(st, 4, q->viewer_user);
	db_bind_u64(st, 5, q->all);
	return st;
}

/* --- the questions --- */

int store_sqlite_newest(struct backend *b, const struct sqlite_room *r, uint64_t *n)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_NEWEST);

	db_bind_u64(st, 1, first_id(r));
	db_bind_u64(st, 2, last_id(r, 0));
	int err = db_step(&b->db, st);
	if (err > 0)
		*n = db_u64(st, 0) & STORE_ROW_MAX_N;
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

int store_sqlite_wake(struct backend *b, const struct store_query *q,
		      struct store_answer *a, struct buf *out)
{
	struct sqlite_room r;
	struct page p;
	int err = store_sqlite_room(b, q->room, &r);

	if (err < 0 || r.id == 0)
		return err;
	a->epoch = r.epoch;
	err = store_sqlite_newest(b, &r, &a->n);
	if (err < 0 || a->n == 0 || q->limit == 0)
		return err;
	page_init(&p, q->limit);
	err = read_messages(b, bind_range(b, SQL_LAST, q, first_id(&r), last_id(&r, 0)),
			    &r, &p);
	page_end(&p, true, a, out);
	return err;
}

static int read_mark(struct backend *b, const struct sqlite_room *r, struct slice reader,
		     uint64_t *n)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_MARK);

	db_bind_u64(st, 1, r->id);
	db_bind_string(st, 2, reader);
	int err = db_step(&b->db, st);
	if (err > 0)
		*n = db_u64(st, 0);
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

int store_sqlite_history(struct backend *b, const struct store_query *q,
			 struct store_answer *a, struct buf *out)
{
	bool back = q->after == 0 && !q->forward;
	struct sqlite_room r;
	sqlite3_stmt *st;
	struct page p;
	int err = store_sqlite_room(b, q->room, &r);

	if (err < 0 || r.id == 0 || q->after >= STORE_ROW_MAX_N)
		return err;
	a->epoch = r.epoch;
	if (back) {
		st = bind_range(b, SQL_PAGE_BEFORE, q, first_id(&r),
				last_id(&r, q->before));
	} else {
		st = bind_range(b, SQL_PAGE_AFTER, q, first_id(&r) | (q->after + 1),
				last_id(&r, q->before));
		db_bind_u64(st, 7, q->after);
	}
	page_init(&p, q->limit);
	err = read_messages(b, st, &r, &p);
	page_end(&p, back, a, out);
	return err < 0 || q->reader.n == 0 ? err : read_mark(b, &r, q->reader, &a->n);
}

/* Each word in quotes, so that none is taken for an operator; all must be there. */
static void words_query(struct slice text, struct buf *out)
{
	bool inside = false;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool gap = c <= ' ' || c == '"' || c == 0x7f;

		if (!gap && !inside)
			buf_str(out, out->n > 0 ? " \"" : "\"");
		if (gap && inside)
			buf_u8(out, '"');
		if (!gap)
			buf_u8(out, c);
		inside = !gap;
	}
	if (inside)
		buf_u8(out, '"');
}

int store_sqlite_search(struct backend *b, const struct store_query *q,
			struct store_answer *a, struct buf *out)
{
	struct buf words = BUF_INIT(4 * q->text.n + 16);
	struct sqlite_room r;
	struct page p;
	int err = store_sqlite_room(b, q->room, &r);

	words_query(q->text, &words);
	if (err == 0 && r.id != 0 && words.n > 0) {
		sqlite3_stmt *st =
			bind_range(b, SQL_FOUND, q, first_id(&r), last_id(&r, q->before));

		db_bind_string(st, 7, buf_slice(&words));
		a->epoch = r.epoch;
		page_init(&p, q->limit);
		err = read_messages(b, st, &r, &p);
		page_end(&p, true, a, out);
	}
	buf_fini(&words);
	return err;
}

/* The columns of SQL_VISITS. */
static void put_visit(sqlite3_stmt *st, struct buf *out)
{
	uint64_t reason = db_u64(st, 4);
	const struct visit v = {
		.number = db_u64(st, 0),
		.member = db_u64(st, 1),
		.joined_at = (ms_t)db_u64(st, 2),
		.left_at = (ms_t)db_u64(st, 3),
		.reason =
			reason < LEAVE_REASONS ? (enum leave_reason)reason : LEAVE_LEAVE,
		.name = db_text(st, 5),
		.user = db_text(st, 6),
	};

	bus_visit_encode(out, &v);
}

int store_sqlite_visits(struct backend *b, const struct store_query *q,
			struct store_answer *a, struct buf *out)
{
	struct sqlite_room r;
	struct page p;
	int err = store_sqlite_room(b, q->room, &r);

	if (err < 0 || r.id == 0)
		return err;
	page_init(&p, q->limit);
	sqlite3_stmt *st = db_use(&b->db, SQL_VISITS);
	db_bind_u64(st, 1, r.id);
	db_bind_u64(st, 2, q->before > 0 ? q->before : INT64_MAX);
	db_bind_u64(st, 3, p.limit + 1);
	while ((err = db_step(&b->db, st)) > 0 && page_begin_row(&p))
		put_visit(st, &p.rows);
	sqlite3_reset(st);
	page_end(&p, true, a, out);
	return err < 0 ? err : 0;
}
