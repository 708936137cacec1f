/* sqlite_write: the rows of the writer, inside its transaction. */
#include "base/err.h"
#include "store/sqlite.h"

static uint64_t message_id(const struct sqlite_room *r, uint64_t n)
{
	return r->id << STORE_ROW_SHIFT | n;
}

/* Found, or made with that epoch. */
static int room_for(struct backend *b, struct slice name, uint64_t epoch,
		    struct sqlite_room *out)
{
	int err = store_sqlite_room(b, name, out);

	if (err < 0 || out->id)
		return err;
	sqlite3_stmt *st = db_use(&b->db, SQL_ADD_ROOM);
	db_bind_string(st, 1, name);
	db_bind_u64(st, 2, epoch);
	err = db_run(&b->db, st);
	return err < 0 ? err : store_sqlite_room(b, name, out);
}

/* --- messages --- */

static sqlite3_stmt *bind_row(struct backend *b, uint64_t id, const struct store_row *r)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_ADD_MESSAGE);

	db_bind_u64(st, 1, id);
	db_bind_u64(st, 2, r->kind);
	db_bind_u64(st, 3, (uint64_t)r->time);
	db_bind_u64(st, 4, r->member);
	db_bind_text(st, 5, r->user);
	db_bind_string(st, 6, r->name);
	db_bind_string(st, 7, r->text);
	db_bind_u64(st, 8, r->of);
	if (r->to)
		db_bind_u64(st, 9, r->to);
	else
		sqlite3_bind_null(st, 9);
	db_bind_text(st, 10, r->to_user);
	db_bind_text(st, 11, r->key);
	db_bind_text(st, 12, r->file);
	return st;
}

/* Without files they are at hand. */
static int run_words(struct backend *b, enum sql which, uint64_t id, struct slice text)
{
	sqlite3_stmt *st = db_use(&b->db, which);

	db_bind_u64(st, 1, id);
	if (which == SQL_ADD_WORDS || which == SQL_DROP_WORDS)
		db_bind_string(st, 2, text);
	return db_run(&b->db, st);
}

static int add_words(struct backend *b, uint64_t id, struct slice text, bool has_files)
{
	if (has_files)
		return run_words(b, SQL_ADD_ALL_WORDS, id, text);
	return text.n > 0 ? run_words(b, SQL_ADD_WORDS, id, text) : 0;
}

int store_sqlite_drop_words(struct backend *b, uint64_t id, struct slice text,
			    bool has_files)
{
	if (has_files)
		return run_words(b, SQL_DROP_ALL_WORDS, id, text);
	return text.n > 0 ? run_words(b, SQL_DROP_WORDS, id, text) : 0;
}

/* The message that has the key already. */
static int known_message(struct backend *b, const struct sqlite_room *r, struct slice key,
			 struct store_answer *a)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_BY_KEY);

	db_bind_u64(st, 1, r->id);
	db_bind_string(st, 2, key);
	int err = db_step(&b->db, st);
	if (err > 0) {
		a->known = true;
		a->n = db_u64(st, 0) & STORE_ROW_MAX_N;
		a->time = (ms_t)db_u64(st, 1);
	}
	sqlite3_reset(st);
	return err == 0 ? E_STATE : err;
}

/* A message with files: they must be the sender's, and are recorded in it. One that is known has them already. */
static int take_files(struct backend *b, const struct store_query *q,
		      const struct sqlite_room *r, struct store_row *row,
		      struct store_answer *a, struct buf *out)
{
	size_t at = out->n;

	if (row->key.n > 0) {
		int err = known_message(b, r, row->key, a);
		if (err != E_STATE)
			return err;
	}
	int err = store_sqlite_look_at_files(b, q, row->file, a, out);
	row->file = slice_from(buf_slice(out), at);
	return err;
}

int store_sqlite_message(struct backend *b, const struct store_query *q,
			 struct store_answer *a, struct buf *out)
{
	struct sqlite_room r;
	struct store_row row;
	struct chat_more m;

	int err = store_row_of_message(&row, &m, q);
	if (err == 0)
		err = room_for(b, q->room, m.epoch, &r);
	if (err < 0)
		return err;
	uint64_t id = message_id(&r, row.n);
	struct slice files = row.file;
	a->epoch = r.epoch;
	if (files.n > 0) {
		err = take_files(b, q, &r, &row, a, out);
		if (err < 0 || a->err < 0 || a->known)
			return err;
	}
	err = db_run(&b->db, bind_row(b, id, &row));
	if (err < 0)
		return err;
	a->n = row.n;
	a->time = row.time;
	if (sqlite3_changes(b->db.handle) == 0)
		return known_message(b, &r, m.key, a);
	err = store_sqlite_attach_files(b, files, id);
	return err < 0 ? err : add_words(b, id, row.text, row.file.n > 0);
}

/* --- changes --- */

/* A message that is to be changed. */
struct target {
	uint64_t id;
	struct store_row row; /* borrowed from the statement */
};

/* The row stays under the cursor: reset it when the target has been used. The reason in a->err: it is not there, or
 * not the viewer's to change. */
static int find_target(struct backend *b, const struct store_query *q, uint64_t id,
		       struct target *t, sqlite3_stmt **row, struct store_answer *a)
{
	sqlite3_stmt *st = *row = db_use(&b->db, SQL_BY_ID);

	db_bind_u64(st, 1, id);
	int err = db_step(&b->db, st);
	if (err < 0)
		return err;
	*t = (struct target){ .id = id };
	if (err > 0)
		store_sqlite_row(st, &t->row);
	a->err = err == 0 ? E_NOT_FOUND : store_row_may_change(&t->row, q);
	return 0;
}

static int set_text(struct backend *b, const struct target *t, const struct event *e)
{
	bool has_files = t->row.file.n > 0;
	int err = store_sqlite_drop_words(b, t->id, t->row.text, has_files);
	sqlite3_stmt *st = db_use(&b->db, SQL_SET_TEXT);

	db_bind_u64(st, 1, t->id);
	db_bind_string(st, 2, e->text);
	db_bind_u64(st, 3, (uint64_t)e->time);
	if (err == 0)
		err = db_run(&b->db, st);
	return err < 0 ? err : add_words(b, t->id, e->text, has_files);
}

static int set_deleted(struct backend *b, const struct target *t, const struct event *e)
{
	bool has_files = t->row.file.n > 0;
	int err = store_sqlite_drop_words(b, t->id, t->row.text, has_files);
	sqlite3_stmt *st = db_use(&b->db, SQL_SET_DELETED);

	db_bind_u64(st, 1, t->id);
	db_bind_u64(st, 2, (uint64_t)e->time);
	if (err == 0)
		err = db_run(&b->db, st);
	return err < 0 || !has_files ? err : store_sqlite_drop_files(b, t->id);
}

static int set_reactions(struct backend *b, const struct target *t,
			 const struct store_query *q, const struct chat_more *m,
			 struct store_answer *a)
{
	struct buf made = BUF_INIT(256 * 1024);
	int err = 0;

	a->err =
		bus_chat_react(t->row.reactions, q->event->text, m->reader, m->on, &made);
	if (a->err == 0) {
		sqlite3_stmt *st = db_use(&b->db, SQL_SET_REACTIONS);

		db_bind_u64(st, 1, t->id);
		db_bind_text(st, 2, buf_slice(&made));
		err = db_run(&b->db, st);
	}
	buf_fini(&made);
	return err;
}

static int apply_change(struct backend *b, const struct store_query *q,
			const struct target *t, const struct chat_more *m,
			struct store_answer *a)
{
	if (q->event->kind == EVENT_EDITED)
		return set_text(b, t, q->event);
	if (q->event->kind == EVENT_DELETED)
		return set_deleted(b, t, q->event);
	return set_reactions(b, t, q, m, a);
}

static int add_change(struct backend *b, const struct sqlite_room *r,
		      const struct store_query *q, const struct target *t,
		      const struct chat_more *m)
{
	uint64_t id = message_id(r, q->event->n);
	struct store_row row;

	store_row_of_change(&row, q, m, &t->row);
	int err = db_run(&b->db, bind_row(b, id, &row));
	if (err == 0 && sqlite3_changes(b->db.handle) == 0)
		return E_STATE;
	if (err == 0 && row.edited) {
		sqlite3_stmt *st = db_use(&b->db, SQL_TAKEN_BACK);

		db_bind_u64(st, 1, id);
		err = db_run(&b->db, st);
	}
	return err;
}

int store_sqlite_change(struct backend *b, const struct store_query *q,
			struct store_answer *a, struct buf *out)
{
	sqlite3_stmt *row = NULL;
	struct sqlite_room r;
	struct chat_more m;
	struct target t = { 0 };

	(void)out;
	if (!q->event || bus_chat_decode(&m, q->event->more) < 0)
		return E_STATE;
	int err = store_sqlite_room(b, q->room, &r);
	if (err < 0)
		return err;
	if (r.id == 0 || m.of > STORE_ROW_MAX_N) {
		a->err = E_NOT_FOUND;
		return 0;
	}
	err = find_target(b, q, message_id(&r, m.of), &t, &row, a);
	if (err == 0 && a->err == 0)
		err = apply_change(b, q, &t, &m, a);
	if (err == 0 && a->err == 0)
		err = add_change(b, &r, q, &t, &m);
	store_row_answer_change(&t.row, q, r.epoch, a);
	sqlite3_reset(row);
	return err;
}

int store_sqlite_read(struct backend *b, const struct store_query *q,
		      struct store_answer *a, struct buf *out)
{
	struct sqlite_room r;
	int err = store_sqlite_room(b, q->room, &r);

	(void)a;
	(void)out;
	if (err < 0 || r.id == 0)
		return err;
	sqlite3_stmt *st = db_use(&b->db, SQL_SET_MARK);
	db_bind_u64(st, 1, r.id);
	db_bind_string(st, 2, q->reader);
	db_bind_u64(st, 3, q->n);
	return db_run(&b->db, st);
}

/* --- visits --- */

static int run_visit(struct backend *b, enum sql which, const struct sqlite_room *r,
		     const struct member_info *m)
{
	sqlite3_stmt *st = db_use(&b->db, which);

	db_bind_u64(st, 1, r->id);
	db_bind_u64(st, 2, m->id);
	db_bind_string(st, 3, m->name);
	if (which == SQL_ADD_VISIT)
		db_bind_text(st, 4, m->user);
	db_bind_u64(st, 5, m->role);
	db_bind_text(st, 6, m->metadata);
	if (which == SQL_ADD_VISIT)
		db_bind_u64(st, 7, (uint64_t)m->joined_at);
	return db_run(&b->db, st);
}

int store_sqlite_visit(struct backend *b, const struct store_query *q,
		       struct store_answer *a, struct buf *out)
{
	struct sqlite_room r;

	(void)a;
	(void)out;
	if (!q->member)
		return E_STATE;
	int err = room_for(b, q->room, q->n, &r);
	if (err == 0)
		err = run_visit(b, SQL_SET_VISIT, &r, q->member);
	if (err == 0 && sqlite3_changes(b->db.handle) == 0)
		err = run_visit(b, SQL_ADD_VISIT, &r, q->member);
	return err;
}

int store_sqlite_visit_end(struct backend *b, const struct store_query *q,
			   struct store_answer *a, struct buf *out)
{
	struct sqlite_room r;
	int err = store_sqlite_room(b, q->room, &r);

	(void)a;
	(void)out;
	if (err < 0)
		return err;
	sqlite3_stmt *st = db_use(&b->db, SQL_END_VISIT);
	db_bind_u64(st, 1, r.id);
	db_bind_u64(st, 2, q->viewer);
	db_bind_u64(st, 3, (uint64_t)q->time);
	db_bind_u64(st, 4, q->reason);
	return db_run(&b->db, st);
}

/* --- sessions --- */

int store_sqlite_secret(struct backend *b, const struct store_query *q,
			struct store_answer *a, struct buf *out)
{
	uint8_t hash[STORE_HASH];

	store_hash(q->secret, hash);
	sqlite3_stmt *st = db_use(&b->db, SQL_SET_SESSION);

	(void)a;
	(void)out;
	db_bind_string(st, 1, q->session);
	db_bind_blob(st, 2, slice_of(hash, sizeof(hash)));
	db_bind_blob(st, 3, q->text);
	return db_run(&b->db, st);
}

static int run_seat(struct backend *b, enum sql which, const struct store_query *q)
{
	sqlite3_stmt *st = db_use(&b->db, which);

	/* By name: the room's own row may come later, from its worker. */
	db_bind_string(st, 1, q->session);
	db_bind_string(st, 2, q->room);
	db_bind_u64(st, 3, q->viewer);
	return db_run(&b->db, st);
}

int store_sqlite_seat(struct backend *b, const struct store_query *q,
		      struct store_answer *a, struct buf *out)
{
	int err = store_sqlite_secret(b, q, a, out);

	return err < 0 ? err : run_seat(b, SQL_ADD_SEAT, q);
}

int store_sqlite_seat_end(struct backend *b, const struct store_query *q,
			  struct store_answer *a, struct buf *out)
{
	int err = run_seat(b, SQL_DROP_SEAT, q);

	(void)a;
	(void)out;
	if (err < 0)
		return err;
	sqlite3_stmt *st = db_use(&b->db, SQL_DROP_SESSION);
	db_bind_string(st, 1, q->session);
	return db_run(&b->db, st);
}
