#include "base/err.h"
#include "store/sqlite.h"

#include <stdlib.h>
#include <unistd.h>

enum tool_sql { TOOL_CHECK, TOOL_EXPORT, TOOL_COUNT };

static const char *const tool_sql[TOOL_COUNT] = {
	[TOOL_CHECK] = "PRAGMA integrity_check(20)",
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

int store_sqlite_backup(const struct store_settings *s, const char *to, struct buf *why)
{
	struct db d;
	sqlite3 *copy = NULL;
	int err = open_tool(&d, s, why);

	if (err < 0)
		return err;
	if (access(to, F_OK) == 0) {
		buf_printf(why, "%s is there already", to);
		err = E_ALREADY;
	} else if (sqlite3_open(to, &copy) != SQLITE_OK) {
		buf_printf(why, "%s: %s", to, sqlite3_errmsg(copy));
		err = E_UNAVAILABLE;
	} else {
		sqlite3_backup *b = sqlite3_backup_init(copy, "main", d.handle, "main");

		/* In one step: a copy of one moment, whatever is written meanwhile. */
		if (!b || sqlite3_backup_step(b, -1) != SQLITE_DONE)
			err = E_UNAVAILABLE;
		if (sqlite3_backup_finish(b) != SQLITE_OK || err < 0) {
			buf_printf(why, "%s: %s", to, sqlite3_errmsg(copy));
			err = E_UNAVAILABLE;
		}
	}
	sqlite3_close(copy);
	db_close(&d);
	return err;
}

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
