#include "store/pg.h"

#include <poll.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/pg_schema.h"

#define CONNECT_MS 3000 /* to have a session, ready for statements */
#define START_MS                                                                         \
	3000 /* how long a start waits for a server that comes up, or another owner that goes */
#define BATCH_MS 10000    /* a batch has store.patience, but at most this */
#define MARGIN_MS 500     /* the server gives up first */
#define PAUSE_MS 100      /* between attempts while a batch waits */
#define BACKOFF_FIRST 500 /* between attempts while none does: twice as long each time, */
#define BACKOFF_LAST 4000 /* up to this */
#define PING_MS 5000      /* a connection at rest is asked so often whether it is one */
#define UNSETTLED_MAX (1u << 30)

/* "parley", and a number should the lock's meaning ever change. */
#define LOCK_KEY INT64_C(0x7061726c65790001)

#define ROOMS_AT_ONCE 20
#define LOOSE_EVERY 60 /* seconds */
#define LOOSE_AT_ONCE 100
#define ROWS_AT_ONCE 200 /* of a room; a room with more has its turn again */

static void pause_ms(ms_t ms)
{
	(void)poll(NULL, 0, (int)ms);
}

/* --- the owner --- */

static int first_cell(struct backend *b, const char *sql, struct slice *out)
{
	struct pg_rows rows = { 0 };
	int err = store_pg_exec(&b->conn, sql, &rows);

	*out = store_pg_cell(&rows, 0, 0);
	return err;
}

/* The session of ours that was lost may live on over there. */
static int end_ghost(struct backend *b)
{
	struct buf sql = BUF_INIT(512);

	buf_printf(&sql,
		   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		   " WHERE pid || '/' || extract(epoch FROM backend_start)='%s'%c",
		   b->ghost, 0);
	int err = store_pg_exec(&b->conn, (const char *)sql.p, NULL);
	buf_fini(&sql);
	return err;
}

static void name_owner(struct backend *b, struct buf *why)
{
	struct buf sql = BUF_INIT(1024);
	struct slice owner;

	buf_printf(
		&sql,
		"SELECT coalesce(host(a.client_addr), 'this machine') || ', since ' ||"
		" to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SSZ')"
		" FROM pg_locks l JOIN pg_stat_activity a USING(pid)"
		" WHERE l.locktype='advisory' AND l.granted AND l.objsubid=1"
		" AND l.classid=%u AND l.objid=%u AND l.database="
		"(SELECT oid FROM pg_database WHERE datname=current_database())%c",
		(unsigned)(LOCK_KEY >> 32), (unsigned)(LOCK_KEY & UINT32_MAX), 0);
	buf_str(why, "another parley uses this database");
	if (first_cell(b, (const char *)sql.p, &owner) == 0 && owner.n > 0)
		buf_printf(why, " (from %.*s)", SLICE_FMT(owner));
	buf_str(why, "; each needs one of its own");
	buf_fini(&sql);
}

static int take_lock(struct backend *b, struct buf *why)
{
	struct slice has, ghost;
	char sql[80];
	int err;

	snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_lock(%lld)",
		 (long long)LOCK_KEY);
	while ((err = first_cell(b, sql, &has)) == 0 && !slice_is(has, "t")) {
		if (!b->ghost[0]) {
			name_owner(b, why);
			return E_ALREADY;
		}
		err = end_ghost(b);
		if (err < 0)
			return err;
		pause_ms(PAUSE_MS);
	}
	if (err == 0)
		err = first_cell(b,
				 "SELECT pid || '/' || extract(epoch FROM backend_start)"
				 " FROM pg_stat_activity WHERE pid=pg_backend_pid()",
				 &ghost);
	if (err == 0)
		snprintf(b->ghost, sizeof(b->ghost), "%.*s", SLICE_FMT(ghost));
	return err;
}

/* --- a session --- */

static int ask_u64(struct backend *b, enum pg_sql sql, uint64_t v)
{
	struct pg_params p = { 0 };

	store_pg_u64(&p, v);
	int err = store_pg_ask(&b->conn, sql, &p, NULL);
	store_pg_params_fini(&p);
	return err;
}

/* Nobody can come back who was there before: at the start because of the settings; later because they were not
 * brought back when it was time. `boot` NULL: later. */
static int begin_anew(struct backend *b, uint64_t *boot)
{
	struct pg_rows rows = { 0 };
	int err = store_pg_ask(&b->conn, PG_NEXT_BOOT, NULL, &rows);

	if (err == 0 && boot)
		*boot = store_pg_cell_u64(&rows, 0, 0);
	if (err == 0 && (!boot || !b->settings->sessions))
		err = store_pg_ask(&b->conn, PG_DROP_SEATS, NULL, NULL);
	if (err == 0)
		err = store_pg_ask(&b->conn, PG_DROP_SESSIONS, NULL, NULL);
	if (err == 0)
		err = ask_u64(b, PG_LOST_VISITS, LEAVE_SHUTDOWN);
	b->prepared = err == 0;
	return err;
}

static int enter_writer(struct backend *b, uint64_t *boot, struct buf *why)
{
	int err = take_lock(b, why);

	if (err == 0 && !b->prepared)
		err = store_pg_migrate(&b->conn, why);
	b->conn.deadline = clock_mono() + CONNECT_MS;
	if (err == 0)
		err = store_pg_prepare(&b->conn, PG_BEGIN, PG_WAKE, why);
	if (err == 0 && !b->prepared)
		err = begin_anew(b, boot);
	return err == 0 ? store_pg_settle(b) : err;
}

/* A session that is ready for statements, or none. E_DENIED, E_STATE, E_ALREADY: and none is to be had. */
static int enter(struct backend *b, uint64_t *boot, struct buf *why)
{
	b->conn.deadline = clock_mono() + CONNECT_MS;
	int err = store_pg_connect(&b->conn, b->settings->url, b->limit, why);
	if (err == 0 && b->writer)
		err = enter_writer(b, boot, why);
	else if (err == 0)
		err = store_pg_prepare(&b->conn, PG_WAKE, PG_NEXT_BOOT, why);
	if (err < 0) {
		store_pg_disconnect(&b->conn);
		if (why->n == 0)
			buf_str(why, "the connection was lost");
		return err == PG_LOST ? E_UNAVAILABLE : err;
	}
	b->used_at = clock_mono();
	b->backoff = 0;
	b->try_at = 0;
	b->lost_at = 0;
	return 0;
}

/* The same while the server runs, with a line in the log when it cannot be. */
static int enter_again(struct backend *b)
{
	static _Thread_local struct log_limit limit;
	struct buf why = BUF_INIT(1024);
	int err = enter(b, NULL, &why);

	if (err == 0)
		log_info("store", "connected", "thread=%s",
			 b->writer ? "writer" : "reader");
	else
		log_limited(&limit, "store", "not-connected", "err=%.*s",
			    SLICE_FMT(buf_slice(&why)));
	buf_fini(&why);
	return err;
}

static int enter_by_turns(struct backend *b)
{
	ms_t now = clock_mono();

	if (now < b->try_at)
		return E_UNAVAILABLE;
	int err = enter_again(b);
	if (err == 0)
		return 0;
	b->backoff = b->backoff ? 2 * b->backoff : BACKOFF_FIRST;
	if (b->backoff > BACKOFF_LAST)
		b->backoff = BACKOFF_LAST;
	b->try_at = now + b->backoff;
	return err;
}

/* --- batches --- */

static void note_lost(struct backend *b)
{
	if (!b->lost_at)
		b->lost_at = clock_mono();
}

/* Until there is a session again, or the batch's time is over. */
static int regain(struct backend *b, ms_t until)
{
	while (clock_mono() < until) {
		if (enter_again(b) == 0)
			return 0;
		pause_ms(PAUSE_MS);
	}
	return E_UNAVAILABLE;
}

static int run_batch(struct backend *b, struct store_batch *batch)
{
	ms_t until = clock_mono() + b->limit;
	bool doubtful = false;

	b->conn.deadline = until + MARGIN_MS;
	int err = b->conn.link ? store_pg_settle(b) : regain(b, b->lost_at + b->limit);
	while (err == 0 || err == PG_LOST) {
		if (err == PG_LOST && regain(b, until) < 0)
			break;
		b->conn.deadline = until + MARGIN_MS;
		err = b->writer ? store_pg_write(b, batch) : store_pg_read(b, batch);
		if (err != PG_LOST)
			break;
		doubtful = true;
		note_lost(b);
	}
	if (err < 0 && doubtful && b->writer)
		store_pg_unsettle(b, batch);
	if (err == 0)
		b->used_at = clock_mono();
	return err < 0 ? E_UNAVAILABLE : 0;
}

static void pg_run(struct backend *b, struct store_batch *batch)
{
	store_thread_done(b->thread, run_batch(b, batch));
}

/* --- housekeeping --- */

/* Something must be written to know, and where messages go. */
static int probe(struct backend *b)
{
	int err = store_pg_ask(&b->conn, b->writer ? PG_BEGIN : PG_PING, NULL, NULL);

	if (!b->writer || err < 0)
		return err;
	err = store_pg_ask(&b->conn, PG_PROBE, NULL, NULL);
	if (err == PG_LOST)
		return err;
	int end = store_pg_ask(&b->conn, PG_ROLLBACK, NULL, NULL);
	return err < 0 ? err : end;
}

static int ping(struct backend *b)
{
	int err = b->writer ? ask_u64(b, PG_ALIVE, (uint64_t)clock_wall())
			    : store_pg_ask(&b->conn, PG_PING, NULL, NULL);

	b->used_at = clock_mono();
	return err;
}

/* Files that got into no message in time, and notes that are over. */
static int drop_loose(struct backend *b)
{
	struct pg_params p = { 0 };

	store_pg_u64(&p, (uint64_t)(clock_wall() - STORE_FILE_LOOSE));
	store_pg_u64(&p, LOOSE_AT_ONCE);
	int err = store_pg_ask(&b->conn, PG_DROP_LOOSE, &p, NULL);
	store_pg_params_fini(&p);
	return err == 0 ? ask_u64(b, PG_DROP_NOTES, (uint64_t)clock_wall()) : err;
}

static int retain(struct backend *b)
{
	const struct store_settings *s = b->settings;
	struct pg_params p = { 0 };
	struct pg_rows rows = { 0 };

	if (b->tends++ % LOOSE_EVERY == 0) {
		int err = drop_loose(b);

		if (err < 0)
			return err;
	}
	if (s->keep == 0 && s->keep_messages == 0)
		return 0;
	store_pg_u64(&p, b->retained);
	store_pg_u64(&p, ROOMS_AT_ONCE);
	store_pg_u64(&p, ROWS_AT_ONCE);
	store_pg_u64(&p, s->keep ? (uint64_t)(clock_wall() - s->keep) : 0);
	store_pg_u64(&p, s->keep_messages);
	int err = store_pg_ask(&b->conn, PG_RETAIN, &p, &rows);
	store_pg_params_fini(&p);
	if (err == 0)
		b->retained = store_pg_cell_u64(&rows, 0, 1) == ROOMS_AT_ONCE
				      ? store_pg_cell_u64(&rows, 0, 0)
				      : 0;
	return err;
}

static int look_after(struct backend *b, bool ailing)
{
	int err = 0;

	b->conn.deadline = clock_mono() + b->limit + MARGIN_MS;
	if (b->writer)
		err = store_pg_settle(b);
	if (err == 0 && ailing)
		err = probe(b);
	if (err == 0 && clock_mono() - b->used_at >= PING_MS)
		err = ping(b);
	if (err == 0 && b->writer && !ailing)
		err = retain(b);
	return err;
}

static void pg_tend(struct backend *b, bool ailing)
{
	bool had_one = b->conn.link, was_lost = store_pg_is_lost(&b->conn);

	if (had_one && was_lost)
		note_lost(b);
	int err = was_lost ? enter_by_turns(b) : 0;
	if (err == 0)
		err = look_after(b, ailing);
	if (err == PG_LOST)
		note_lost(b);
	if (ailing || was_lost || err < 0)
		store_thread_report(b->thread, err < 0 ? E_UNAVAILABLE : 0);
}

/* --- life --- */

static void pg_close(struct backend *b)
{
	if (b->conn.link && b->prepared) {
		b->conn.deadline = clock_mono() + MARGIN_MS;
		(void)ask_u64(b, PG_ALIVE, (uint64_t)clock_wall());
	}
	store_pg_disconnect(&b->conn);
	buf_fini(&b->unsettled);
	free(b);
}

/* A server that is not there yet may come; who has the lock may be on his way out. */
static int enter_at_start(struct backend *b, uint64_t *boot, struct buf *why)
{
	ms_t until = clock_mono() + START_MS;

	for (;;) {
		buf_clear(why);
		int err = enter(b, boot, why);

		if ((err != E_UNAVAILABLE && err != E_ALREADY) || !b->writer ||
		    clock_mono() >= until)
			return err;
		pause_ms(PAUSE_MS);
	}
}

static int pg_open(struct backend **out, const struct store_settings *s,
		   struct store_thread *t, uint64_t *boot, struct buf *why)
{
	if (store_pq_open() < 0) {
		buf_str(why, "libpq.so.5 is not here; it is in the package libpq5");
		return E_NOT_FOUND;
	}
	struct backend *b = xzalloc(sizeof(*b));
	b->thread = t;
	b->settings = s;
	b->limit = s->patience < BATCH_MS ? s->patience : BATCH_MS;
	b->writer = store_thread_kind_of(t) == STORE_WRITER;
	buf_init(&b->unsettled, UNSETTLED_MAX);
	int err = enter_at_start(b, boot, why);
	/* What is wrong for good the writer has found; the reader may only be too early. */
	if (err < 0 && err != E_UNAVAILABLE && b->writer) {
		pg_close(b);
		return err;
	}
	if (err < 0) {
		log_error("store", "not-connected", "err=%.*s",
			  SLICE_FMT(buf_slice(why)));
		store_thread_report(t, err);
		note_lost(b);
		buf_clear(why);
	}
	*out = b;
	return 0;
}

static int pg_seats(struct backend *b, store_seat_fn *fn, void *arg)
{
	struct pg_rows rows = { 0 };
	struct store_seat seat;

	if (!b->conn.link)
		return E_UNAVAILABLE;
	b->conn.deadline = clock_mono() + b->limit + MARGIN_MS;
	int err = store_pg_ask(&b->conn, PG_SEATS, NULL, &rows);
	for (unsigned i = 0; err == 0 && i < rows.rows; i++)
		if (store_pg_seat(&rows, i, &seat))
			fn(arg, &seat);
	return err == PG_LOST ? E_UNAVAILABLE : err;
}

static int pg_now(struct backend *b, const struct store_query *q, struct store_answer *a,
		  struct buf *out)
{
	struct pg_params p = { 0 };
	struct pg_rows rows = { 0 };
	enum pg_sql sql;

	if (!b->conn.link)
		return E_UNAVAILABLE;
	b->conn.deadline = clock_mono() + b->limit + MARGIN_MS;
	int err = store_pg_bind(b->settings, q, &sql, &p);
	if (err == 0)
		err = store_pg_ask(&b->conn, sql, &p, &rows);
	if (err == 0)
		err = store_pg_answer(b->settings, q, &rows, a, out);
	store_pg_params_fini(&p);
	return err == PG_LOST ? E_UNAVAILABLE : err;
}

const struct backend_ops store_postgres = {
	.open = pg_open,
	.close = pg_close,
	.seats = pg_seats,
	.now = pg_now,
	.run = pg_run,
	.tend = pg_tend,
	.check = store_pg_check,
	.contents = store_pg_contents,
	.backup = store_pg_backup,
	.export = store_pg_export,
};
