/* sqlite_file: what is known of files: their rows, and the room that they take. */
#include "base/err.h"
#include "store/file.h"
#include "store/sqlite.h"

#define LOOSE_AT_ONCE 100

/* --- room --- */

/* The room of the name; of all of them when it is empty. */
static int read_space(struct backend *b, struct slice room, uint64_t *bytes)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_SPACE);

	db_bind_string(st, 1, room);
	int err = db_step(&b->db, st);
	*bytes = err > 0 ? db_u64(st, 0) : 0;
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

static int change_space(struct backend *b, struct slice room, int64_t by)
{
	const struct slice of[] = { room, SLICE_NONE };
	int err = 0;

	for (size_t i = 0; err == 0 && i < ARRAY_LEN(of); i++) {
		sqlite3_stmt *st = db_use(&b->db, SQL_CHANGE_SPACE);

		db_bind_string(st, 1, of[i]);
		sqlite3_bind_int64(st, 2, by);
		err = db_run(&b->db, st);
	}
	return err;
}

int store_sqlite_space(struct backend *b, const struct store_query *q,
		       struct store_answer *a, struct buf *out)
{
	int err = read_space(b, q->room, &a->n);

	(void)out;
	return err < 0 ? err : read_space(b, SLICE_NONE, &a->to);
}

/* --- rows --- */

/* The columns of SQL_FILE. */
static void file_of(sqlite3_stmt *st, struct store_file *f)
{
	*f = (struct store_file){
		.id = db_text(st, 0),
		.room = db_text(st, 1),
		.hash = db_text(st, 2),
		.name = db_text(st, 3),
		.type = db_text(st, 4),
		.size = db_u64(st, 5),
		.member = db_u64(st, 6),
		.user = db_text(st, 7),
	};
}

static int add_file(struct backend *b, const struct store_file *f, ms_t time)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_ADD_FILE);

	db_bind_string(st, 1, f->id);
	db_bind_string(st, 2, f->room);
	db_bind_blob(st, 3, f->hash);
	db_bind_string(st, 4, f->name);
	db_bind_string(st, 5, f->type);
	db_bind_u64(st, 6, f->size);
	db_bind_u64(st, 7, f->member);
	db_bind_text(st, 8, f->user);
	db_bind_u64(st, 9, (uint64_t)time);
	return db_run(&b->db, st);
}

int store_sqlite_file(struct backend *b, const struct store_query *q,
		      struct store_answer *a, struct buf *out)
{
	if (!q->file)
		return E_STATE;
	if (clock_wall() - q->time > STORE_FILE_FRESH) {
		a->err = E_UNAVAILABLE;
		return 0;
	}
	int err = store_sqlite_space(b, &(struct store_query){ .room = q->file->room }, a,
				     out);
	if (err < 0)
		return err;
	a->err = store_file_fits(&b->settings->space, q->file->size, a);
	if (a->err < 0)
		return 0;
	err = add_file(b, q->file, q->time);
	return err < 0 ? err : change_space(b, q->file->room, (int64_t)q->file->size);
}

int store_sqlite_file_find(struct backend *b, const struct store_query *q,
			   struct store_answer *a, struct buf *out)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_FILE);
	struct store_file f;

	db_bind_string(st, 1, q->text);
	int err = db_step(&b->db, st);
	if (err > 0) {
		file_of(st, &f);
		store_file_encode(out, &f);
	}
	sqlite3_reset(st);
	if (err == 0)
		a->err = E_NOT_FOUND;
	return err < 0 ? err : 0;
}

int store_sqlite_files_unused(struct backend *b, const struct store_query *q,
			      struct store_answer *a, struct buf *out)
{
	int err = 0;

	(void)a;
	for (struct slice left = q->text; err >= 0 && left.n >= STORE_HASH;
	     left = slice_from(left, STORE_HASH)) {
		sqlite3_stmt *st = db_use(&b->db, SQL_HASH_USED);

		db_bind_blob(st, 1, slice_of(left.p, STORE_HASH));
		err = db_step(&b->db, st);
		sqlite3_reset(st);
		if (err == 0)
			buf_add(out, left.p, STORE_HASH);
	}
	return err < 0 ? err : 0;
}

/* --- of messages --- */

/* One file of a message that is being said. What is wrong with it in a->err. */
static int look_at_file(struct backend *b, const struct store_query *q, struct slice id,
			struct store_answer *a, struct jsonw *w)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_FILE);
	struct store_file f;

	db_bind_string(st, 1, id);
	int err = db_step(&b->db, st);
	if (err > 0)
		file_of(st, &f);
	if (err == 0 ||
	    (err > 0 && (db_u64(st, 8) != 0 || !store_file_may_attach(&f, q))))
		a->err = E_NOT_FOUND;
	else if (err > 0)
		store_file_put(w, &f);
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

int store_sqlite_look_at_files(struct backend *b, const struct store_query *q,
			       struct slice ids, struct store_answer *a, struct buf *json)
{
	struct jsonw w;
	int err = 0;

	json_begin(&w, json);
	json_array(&w);
	for (; err == 0 && a->err == 0 && ids.n > 0;
	     ids = slice_from(ids, STORE_FILE_ID)) {
		if (ids.n < STORE_FILE_ID)
			return E_STATE;
		err = look_at_file(b, q, slice_of(ids.p, STORE_FILE_ID), a, &w);
	}
	json_array_end(&w);
	return err;
}

int store_sqlite_attach_files(struct backend *b, struct slice ids, uint64_t message)
{
	int err = 0;

	for (; err == 0 && ids.n >= STORE_FILE_ID; ids = slice_from(ids, STORE_FILE_ID)) {
		sqlite3_stmt *st = db_use(&b->db, SQL_ATTACH_FILE);

		db_bind_string(st, 1, slice_of(ids.p, STORE_FILE_ID));
		db_bind_u64(st, 2, message);
		err = db_run(&b->db, st);
	}
	return err;
}

/* The first row of the bound statement, which names an id, a room and a size, goes. 1: there was one. */
static int drop_one(struct backend *b, sqlite3_stmt *st)
{
	struct buf text = BUF_INIT(1024);
	uint64_t size = 0;
	size_t id = 0;
	int err = db_step(&b->db, st);

	if (err > 0) {
		buf_put(&text, db_text(st, 0));
		id = text.n;
		buf_put(&text, db_text(st, 1));
		size = db_u64(st, 2);
	}
	sqlite3_reset(st);
	if (err > 0) {
		sqlite3_stmt *drop = db_use(&b->db, SQL_DROP_FILE);

		db_bind_string(drop, 1, slice_of(text.p, id));
		int dropped = db_run(&b->db, drop);
		if (dropped == 0)
			dropped = change_space(b, slice_from(buf_slice(&text), id),
					       -(int64_t)size);
		err = dropped < 0 ? dropped : 1;
	}
	buf_fini(&text);
	return err;
}

int store_sqlite_drop_files(struct backend *b, uint64_t message)
{
	int err;

	do {
		sqlite3_stmt *st = db_use(&b->db, SQL_FILES_OF);

		db_bind_u64(st, 1, message);
		err = drop_one(b, st);
	} while (err > 0);
	return err;
}

int store_sqlite_drop_loose(struct backend *b)
{
	ms_t before = clock_wall() - STORE_FILE_LOOSE;
	int err = db_run(&b->db, db_use(&b->db, SQL_BEGIN));

	for (unsigned i = 0; err >= 0 && i < LOOSE_AT_ONCE; i++) {
		sqlite3_stmt *st = db_use(&b->db, SQL_LOOSE_FILE);

		db_bind_u64(st, 1, (uint64_t)before);
		err = drop_one(b, st);
		if (err == 0)
			break;
	}
	return err < 0 ? err : db_run(&b->db, db_use(&b->db, SQL_COMMIT));
}
