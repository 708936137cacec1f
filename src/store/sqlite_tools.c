#include "base/err.h"
#include "base/file.h"
#include "store/sqlite.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum tool_sql { TOOL_CHECK, TOOL_CONTENTS, TOOL_EXPORT, TOOL_COUNT };

static const char *const tool_sql[TOOL_COUNT] = {
	[TOOL_CHECK] = "PRAGMA integrity_check(20)",
	[TOOL_CONTENTS] = "SELECT DISTINCT hash, size FROM file",
	[TOOL_EXPORT] = SQL_COLUMNS_AND(
		", room.name") "room JOIN message m ON m.id BETWEEN room.id<<40 AND"
			       " (room.id<<40)+1099511627775 WHERE m.kind=0"
			       " ORDER BY room.name, m.id",
};

static int open_tool(struct db *d, const struct store_settings *s, struct buf *why)
{
	char *path = store_sqlite_path(s);
	int err = access(path, F_OK) == 0 ? 0 : E_NOT_FOUND;

	if (err < 0)
		buf_printf(why, "there is no database %s", path);
	else
		err = db_open(d, path, DB_READ, tool_sql, TOOL_COUNT, why);
	free(path);
	return err;
}

int store_sqlite_check(const struct store_settings *s, struct buf *why)
{
	struct db d;
	int err = open_tool(&d, s, why), step;

	if (err < 0)
		return err;
	sqlite3_stmt *st = db_use(&d, TOOL_CHECK);
	while ((step = db_step(&d, st)) > 0)
		if (!slice_is(db_text(st, 0), "ok"))
			buf_printf(why, "%.*s\n", SLICE_FMT(db_text(st, 0)));
	db_close(&d);
	if (step < 0)
		buf_str(why, "the database cannot be read");
	return why->n > 0 ? E_MALFORMED : 0;
}

/* The number of those that are not there. */
static int each_content(struct db *d, store_content_fn *fn, void *arg, struct buf *why)
{
	sqlite3_stmt *st = db_use(d, TOOL_CONTENTS);
	int lost = 0, err;

	while ((err = db_step(d, st)) > 0) {
		struct slice hash = db_text(st, 0);

		if (hash.n != STORE_HASH)
			continue;
		err = fn(arg, hash, db_u64(st, 1));
		lost += err == E_NOT_FOUND;
		if (err < 0 && err != E_NOT_FOUND)
			break;
	}
	sqlite3_reset(st);
	if (err < 0 && why->n == 0)
		buf_str(why, "the database cannot be read");
	return err < 0 ? err : lost;
}

int store_sqlite_contents(const struct store_settings *s, store_content_fn *fn, void *arg,
			  struct buf *why)
{
	struct db d;
	int err = open_tool(&d, s, why);

	if (err == 0) {
		err = each_content(&d, fn, arg, why);
		db_close(&d);
	}
	return err;
}

/* --- a copy --- */

#define COPIES 5 /* at most, while what the last one names goes */

static int copy_now(struct db *d, const char *to, struct buf *why)
{
	sqlite3 *copy = NULL;
	int err = 0;

	if (sqlite3_open(to, &copy) != SQLITE_OK) {
		err = E_UNAVAILABLE;
	} else {
		sqlite3_backup *b = sqlite3_backup_init(copy, "main", d->handle, "main");

		/* In one step: a copy of one moment, whatever is written meanwhile. */
		if (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE)
			err = E_UNAVAILABLE;
		if (sqlite3_backup_finish(b) != SQLITE_OK)
			err = E_UNAVAILABLE;
	}
	if (err < 0)
		buf_printf(why, "%s: %s", to, sqlite3_errmsg(copy));
	sqlite3_close(copy);
	return err;
}

/* What was broken off, and its log: that would be taken for the new one's. */
static int remove_old(const char *path, struct buf *why)
{
	static const char *const endings[] = { "", "-wal", "-shm" };
	struct buf name = BUF_INIT(4096 + 16);
	int err = 0;

	for (size_t i = 0; err == 0 && i < ARRAY_LEN(endings); i++) {
		buf_clear(&name);
		buf_printf(&name, "%s%s%c", path, endings[i], 0);
		if (unlink((const char *)name.p) == 0 || errno == ENOENT)
			continue;
		buf_printf(why, "%s: %s", (const char *)name.p, err_text(-errno));
		err = E_UNAVAILABLE;
	}
	buf_fini(&name);
	return err;
}

static int copy_with_contents(struct db *d, const char *to, store_content_fn *fn,
			      void *arg, struct buf *why)
{
	struct db copy;
	int err = remove_old(to, why);

	if (err == 0)
		err = copy_now(d, to, why);
	if (err == 0)
		err = db_open(&copy, to, DB_READ, tool_sql, TOOL_COUNT, why);
	if (err == 0) {
		err = each_content(&copy, fn, arg, why);
		db_close(&copy);
	}
	return err;
}

/* Its name is there only when all is. One that was broken off is begun anew; what it has got of files stays. */
static int copy_to(struct db *d, const char *to, store_content_fn *fn, void *arg,
		   struct buf *why)
{
	struct buf part = BUF_INIT(4096 + 8);
	int lost, before = 0;

	buf_printf(&part, "%s.part%c", to, 0);
	const char *name = (const char *)part.p;
	lost = copy_with_contents(d, name, fn, arg, why);
	for (unsigned i = 1; lost > 0 && lost != before && i < COPIES; i++) {
		before = lost;
		lost = copy_with_contents(d, name, fn, arg, why);
	}
	if (lost >= 0 && file_move(name, to) < 0) {
		buf_printf(why, "%s cannot be made", to);
		lost = E_UNAVAILABLE;
	}
	buf_fini(&part);
	return lost;
}

int store_sqlite_backup(const struct store_settings *s, const char *to,
			store_content_fn *fn, void *arg, struct buf *why)
{
	struct db d;
	int err = open_tool(&d, s, why);

	if (err < 0)
		return err;
	if (access(to, F_OK) == 0) {
		buf_printf(why, "%s is there already", to);
		err = E_ALREADY;
	} else {
		err = copy_to(&d, to, fn, arg, why);
	}
	db_close(&d);
	return err;
}

/* --- all messages --- */

int store_sqlite_export(const struct store_settings *s, store_line_fn *fn, void *arg,
			struct buf *why)
{
	struct buf line = BUF_INIT(1u << 20);
	struct store_row row;
	struct db d;
	int err = open_tool(&d, s, why);

	if (err < 0)
		return err;
	sqlite3_stmt *st = db_use(&d, TOOL_EXPORT);
	while ((err = db_step(&d, st)) > 0) {
		buf_clear(&line);
		store_sqlite_row(st, &row);
		store_row_line(&row, db_text(st, 15), &line);
		fn(arg, buf_slice(&line));
	}
	if (err < 0)
		buf_str(why, "the database cannot be read");
	buf_fini(&line);
	db_close(&d);
	return err;
}
