#include "store/sqlite.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#define FILE_NAME "parley.db"
#define ROOMS_KNOWN 4096 /* looked up rooms that are remembered */
#define ALIVE_EVERY 10000

#define X(id, text) [SQL_##id] = text,
const char *const store_sqlite_sql[SQL_COUNT] = { SQL_LIST(X) };
#undef X

store_sqlite_fn *const store_sqlite_ops[STORE_OPS] = {
	[STORE_MESSAGE] = store_sqlite_message,
	[STORE_CHANGE] = store_sqlite_change,
	[STORE_READ] = store_sqlite_read,
	[STORE_VISIT] = store_sqlite_visit,
	[STORE_VISIT_END] = store_sqlite_visit_end,
	[STORE_SEAT] = store_sqlite_seat,
	[STORE_SEAT_END] = store_sqlite_seat_end,
	[STORE_SECRET] = store_sqlite_secret,
	[STORE_FILE] = store_sqlite_file,
	[STORE_KEEP] = store_sqlite_keep,
	[STORE_WAKE] = store_sqlite_wake,
	[STORE_HISTORY] = store_sqlite_history,
	[STORE_SEARCH] = store_sqlite_search,
	[STORE_VISITS] = store_sqlite_visits,
	[STORE_SPACE] = store_sqlite_space,
	[STORE_FILE_FIND] = store_sqlite_file_find,
	[STORE_FILES_UNUSED] = store_sqlite_files_unused,
	[STORE_KEPT] = store_sqlite_kept,
};

static bool is_writer(const struct backend *b)
{
	return store_thread_kind_of(b->thread) == STORE_WRITER;
}

char *store_sqlite_path(const struct store_settings *s)
{
	struct buf b = BUF_INIT(4096);

	buf_printf(&b, "%s/" FILE_NAME, s->dir);
	char *path = slice_dup(buf_slice(&b));
	buf_fini(&b);
	return path;
}

/* --- rooms --- */

void store_sqlite_forget_rooms(struct backend *b)
{
	struct sqlite_room *r;
	size_t at = 0;

	while ((r = map_next(&b->rooms, &at)))
		free(r);
	map_fini(&b->rooms);
	map_init(&b->rooms);
}

int store_sqlite_room(struct backend *b, struct slice name, struct sqlite_room *out)
{
	struct sqlite_room *known = map_find(&b->rooms, name);

	*out = (struct sqlite_room){ 0 };
	if (known) {
		*out = *known;
		return 0;
	}
	sqlite3_stmt *st = db_use(&b->db, SQL_ROOM);
	db_bind_string(st, 1, name);
	int err = db_step(&b->db, st);
	if (err > 0)
		*out = (struct sqlite_room){ db_u64(st, 0), db_u64(st, 1) };
	sqlite3_reset(st);
	if (err <= 0)
		return err;
	if (b->rooms.count >= ROOMS_KNOWN)
		store_sqlite_forget_rooms(b);
	map_put(&b->rooms, name, xmemdup(out, sizeof(*out)));
	return 0;
}

void store_sqlite_row(sqlite3_stmt *st, struct store_row *out)
{
	*out = (struct store_row){
		.n = db_u64(st, 0) & STORE_ROW_MAX_N,
		.kind = db_u64(st, 1),
		.time = (ms_t)db_u64(st, 2),
		.member = db_u64(st, 3),
		.user = db_text(st, 4),
		.name = db_text(st, 5),
		.text = db_text(st, 6),
		.of = db_u64(st, 7),
		.to = db_u64(st, 8),
		.to_user = db_text(st, 9),
		.key = db_text(st, 10),
		.file = db_text(st, 11),
		.reactions = db_text(st, 12),
		.edited = (ms_t)db_u64(st, 13),
		.deleted = (ms_t)db_u64(st, 14),
	};
}

/* --- batches --- */

static int run_job(struct backend *b, struct store_batch *batch, struct store_job *j)
{
	struct store_letter l;

	j->body_at = buf_at(&batch->out);
	if (store_job_letter(batch, j, &l) < 0) {
		j->answer.err = E_MALFORMED;
		return 0;
	}
	int err = store_sqlite_ops[l.q.op](b, &l.q, &j->answer, &batch->out);
	j->body_n = buf_at(&batch->out) - j->body_at;
	/* Refused by a rule of the tables: this row only. */
	if (err == E_STATE) {
		j->answer.err = err;
		return 0;
	}
	return err;
}

static int note_alive(struct backend *b)
{
	ms_t now = clock_wall();

	if (now - b->alive_at < ALIVE_EVERY)
		return 0;
	b->alive_at = now;
	sqlite3_stmt *st = db_use(&b->db, SQL_ALIVE);
	db_bind_u64(st, 1, (uint64_t)now);
	return db_run(&b->db, st);
}

/* Statements under way would keep the transaction open. */
static void give_up(struct backend *b)
{
	for (unsigned i = 0; i < b->db.count; i++)
		sqlite3_reset(b->db.prepared[i]);
	if (!sqlite3_get_autocommit(b->db.handle))
		sqlite3_exec(b->db.handle, "ROLLBACK", NULL, NULL, NULL);
	store_sqlite_forget_rooms(b); /* some may have been made in vain */
	b->alive_at = 0;
}

static int reopen(struct backend *b)
{
	if (b->db.handle && !b->db.broken)
		return 0;
	db_close(&b->db);
	store_sqlite_forget_rooms(b);
	return db_open(&b->db, b->path, is_writer(b) ? DB_WRITE : DB_READ,
		       store_sqlite_sql, SQL_COUNT, NULL);
}

static int run_jobs(struct backend *b, struct store_batch *batch)
{
	bool writes = is_writer(b);
	int err = reopen(b);

	if (err == 0 && writes)
		err = db_run(&b->db, db_use(&b->db, SQL_BEGIN));
	for (size_t i = 0; err >= 0 && i < batch->count; i++)
		err = run_job(b, batch, &batch->jobs[i]);
	if (err >= 0 && writes)
		err = note_alive(b);
	if (err >= 0 && writes)
		err = db_run(&b->db, db_use(&b->db, SQL_COMMIT));
	if (err < 0 && b->db.handle)
		give_up(b);
	return err < 0 ? E_UNAVAILABLE : 0;
}

static void sqlite_run(struct backend *b, struct store_batch *batch)
{
	store_thread_done(b->thread, run_jobs(b, batch));
}

/* Something must be written to know. */
static int probe(struct backend *b)
{
	int err = reopen(b);

	if (err == 0)
		err = db_run(&b->db, db_use(&b->db, is_writer(b) ? SQL_PROBE : SQL_BOOT));
	return err;
}

static void sqlite_tend(struct backend *b, bool ailing)
{
	int err = 0;

	if (ailing)
		err = probe(b);
	else if (is_writer(b))
		err = store_sqlite_retain(b);
	if (err < 0 && b->db.handle)
		give_up(b);
	if (ailing || err < 0)
		store_thread_report(b->thread, err < 0 ? E_UNAVAILABLE : 0);
}

/* --- life --- */

static void sqlite_close(struct backend *b)
{
	b->alive_at = 0;
	if (b->db.handle && is_writer(b))
		(void)note_alive(b);
	db_close(&b->db);
	store_sqlite_forget_rooms(b);
	free(b->path);
	free(b);
}

/* --- at start --- */

static int count_boot(struct db *d, uint64_t *boot)
{
	int err = db_run(d, db_use(d, SQL_NEXT_BOOT));
	sqlite3_stmt *st = db_use(d, SQL_BOOT);

	if (err == 0)
		err = db_step(d, st);
	if (err > 0)
		*boot = db_u64(st, 0);
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

/* Those who cannot come back have left when the server was last seen alive. */
static int end_lost_visits(struct db *d)
{
	sqlite3_stmt *st = db_use(d, SQL_LOST_VISITS);

	db_bind_u64(st, 1, LEAVE_SHUTDOWN);
	return db_run(d, st);
}

static int prepare(struct backend *b, uint64_t *boot, struct buf *why)
{
	int err = db_migrate(&b->db, why);

	if (err == 0)
		err = count_boot(&b->db, boot);
	if (err == 0 && !b->settings->sessions)
		err = db_run(&b->db, db_use(&b->db, SQL_DROP_SEATS));
	if (err == 0)
		err = db_run(&b->db, db_use(&b->db, SQL_DROP_SESSIONS));
	if (err == 0)
		err = end_lost_visits(&b->db);
	if (err < 0 && why->n == 0)
		buf_printf(why, "%s cannot be written", b->path);
	return err;
}

static int sqlite_open(struct backend **out, const struct store_settings *s,
		       struct store_thread *t, uint64_t *boot, struct buf *why)
{
	struct backend *b = xzalloc(sizeof(*b));

	b->thread = t;
	b->settings = s;
	b->path = store_sqlite_path(s);
	map_init(&b->rooms);
	/* Nobody asks how much memory it has; counting that takes a lock per allocation. Refused when it is in use already. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	int err = db_open(&b->db, b->path, is_writer(b) ? DB_WRITE : DB_READ,
			  store_sqlite_sql, SQL_COUNT, why);
	if (err == 0 && is_writer(b))
		err = prepare(b, boot, why);
	if (err < 0) {
		db_close(&b->db); /* not ours to note anything in */
		sqlite_close(b);
		return err;
	}
	*out = b;
	return 0;
}

/* The columns of SQL_SEATS. */
static void seat_of(sqlite3_stmt *st, struct store_seat *out)
{
	uint64_t role = db_u64(st, 4);

	*out = (struct store_seat){
		.session = db_text(st, 0),
		.secret_hash = db_text(st, 1),
		.room = db_text(st, 2),
		.member = {
			.id = db_u64(st, 3),
			.role = role < ROLES ? (enum role)role : ROLE_LISTENER,
			.joined_at = (ms_t)db_u64(st, 5),
			.name = db_text(st, 6),
			.user = db_text(st, 7),
			.metadata = db_text(st, 8),
		},
		.admission = db_text(st, 9),
	};
}

static int sqlite_seats(struct backend *b, store_seat_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_SEATS);
	struct store_seat seat;
	int err;

	while ((err = db_step(&b->db, st)) > 0) {
		seat_of(st, &seat);
		if (seat.secret_hash.n == STORE_HASH)
			fn(arg, &seat);
	}
	sqlite3_reset(st);
	return err;
}

static int sqlite_now(struct backend *b, const struct store_query *q,
		      struct store_answer *a, struct buf *out)
{
	return store_sqlite_ops[q->op](b, q, a, out);
}

const struct backend_ops store_sqlite = {
	.open = sqlite_open,
	.close = sqlite_close,
	.seats = sqlite_seats,
	.now = sqlite_now,
	.run = sqlite_run,
	.tend = sqlite_tend,
	.check = store_sqlite_check,
	.contents = store_sqlite_contents,
	.backup = store_sqlite_backup,
	.export = store_sqlite_export,
};
