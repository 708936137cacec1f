#include "store/db.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#define BUSY_MS 2000 /* another program has the file: parley db, sqlite3 */

/* Pages of 4 KiB; a page of history fits many times. */
static const char settings[] = "PRAGMA journal_mode=WAL;"
			       "PRAGMA synchronous=FULL;"
			       "PRAGMA foreign_keys=OFF;"
			       "PRAGMA temp_store=MEMORY;"
			       "PRAGMA journal_size_limit=67108864;";

/* The pages that a batch changes fit, the rest the system keeps. The longer the log, the fewer times a page that
 * changes all the time is copied from it. */
static const char reading[] = "PRAGMA query_only=ON; PRAGMA cache_size=-2000;";
static const char writing[] = "PRAGMA cache_size=-2500; PRAGMA wal_autocheckpoint=4000;";

static int db_fail(struct db *d, int code)
{
	static _Thread_local struct log_limit limit;

	if ((code & 0xff) == SQLITE_CONSTRAINT)
		return E_STATE;
	log_limited(&limit, "store", "sqlite", "code=%d err=%s", code,
		    d->handle ? sqlite3_errmsg(d->handle) : sqlite3_errstr(code));
	/* When the disk is full or another is busy the connection itself is well. */
	if ((code & 0xff) != SQLITE_FULL && (code & 0xff) != SQLITE_BUSY)
		d->broken = true;
	return E_UNAVAILABLE;
}

int db_open(struct db *d, const char *path, enum db_mode mode, const char *const *sql,
	    unsigned count, struct buf *why)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;

	*d = (struct db){ .sql = sql, .count = count };
	if (mode == DB_WRITE)
		flags |= SQLITE_OPEN_CREATE;
	d->prepared = xzalloc(size_mul(count + 1, sizeof(*d->prepared)));
	int code = sqlite3_open_v2(path, &d->handle, flags, NULL);
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(d->handle, BUSY_MS);
		code = sqlite3_exec(d->handle, settings, NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(d->handle, mode == DB_READ ? reading : writing, NULL,
				    NULL, NULL);
	if (code == SQLITE_OK)
		return 0;
	if (why)
		buf_printf(why, "%s: %s", path,
			   d->handle ? sqlite3_errmsg(d->handle) : sqlite3_errstr(code));
	db_close(d);
	return E_UNAVAILABLE;
}

void db_close(struct db *d)
{
	for (unsigned i = 0; d->prepared && i < d->count; i++)
		sqlite3_finalize(d->prepared[i]);
	free(d->prepared);
	sqlite3_close(d->handle);
	*d = (struct db){ .sql = d->sql, .count = d->count };
}

int db_exec(struct db *d, const char *sql)
{
	int code = sqlite3_exec(d->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : db_fail(d, code);
}

sqlite3_stmt *db_use(struct db *d, unsigned number)
{
	sqlite3_stmt **st = &d->prepared[number];

	if (*st) {
		sqlite3_reset(*st);
		return *st;
	}
	int code = sqlite3_prepare_v3(d->handle, d->sql[number], -1,
				      SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (code != SQLITE_OK)
		(void)db_fail(d, code); /* stepping on nothing fails as well */
	return *st;
}

int db_step(struct db *d, sqlite3_stmt *st)
{
	int code = st ? sqlite3_step(st) : SQLITE_MISUSE;

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : db_fail(d, code);
}

int db_run(struct db *d, sqlite3_stmt *st)
{
	int err = db_step(d, st);

	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

void db_bind_u64(sqlite3_stmt *st, int at, uint64_t v)
{
	sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

void db_bind_text(sqlite3_stmt *st, int at, struct slice s)
{
	if (s.n == 0)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_text(st, at, (const char *)s.p, (int)s.n, SQLITE_STATIC);
}

void db_bind_string(sqlite3_stmt *st, int at, struct slice s)
{
	sqlite3_bind_text(st, at, s.n ? (const char *)s.p : "", (int)s.n, SQLITE_STATIC);
}

void db_bind_blob(sqlite3_stmt *st, int at, struct slice s)
{
	sqlite3_bind_blob(st, at, s.p, (int)s.n, SQLITE_STATIC);
}

uint64_t db_u64(sqlite3_stmt *st, int column)
{
	return (uint64_t)sqlite3_column_int64(st, column);
}

struct slice db_text(sqlite3_stmt *st, int column)
{
	const void *p = sqlite3_column_blob(st, column);

	return p ? slice_of(p, (size_t)sqlite3_column_bytes(st, column)) : SLICE_NONE;
}
