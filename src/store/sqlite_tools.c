#include "base/err.h"
#include "base/json.h"
#include "store/sqlite.h"
#include "store/tools.h"

#include <stdlib.h>
#include <unistd.h>

enum tool_sql { TOOL_CHECK, TOOL_EXPORT, TOOL_COUNT };

static const char *const tool_sql[TOOL_COUNT] = {
	[TOOL_CHECK] = "PRAGMA integrity_check(20)",
	[TOOL_EXPORT] =
		"SELECT room.name, message.id, message.time, message.name, message.user,"
		" message.text, message.key, message.to_user, message.file,"
		" message.reactions, message.edited, message.deleted"
		" FROM room JOIN message ON message.id BETWEEN room.id<<40 AND"
		" (room.id<<40)+1099511627775 WHERE message.kind=0"
		" ORDER BY room.name, message.id",
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

int store_check(const struct store_settings *s, struct buf *why)
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

int store_backup(const struct store_settings *s, const char *to, struct buf *why)
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

static void put_text(struct jsonw *w, const char *name, sqlite3_stmt *st, int column)
{
	if (db_text(st, column).n > 0)
		json_field_string(w, name, db_text(st, column));
}

static void put_raw(struct jsonw *w, const char *name, sqlite3_stmt *st, int column)
{
	if (db_text(st, column).n > 0)
		json_field_raw(w, name, db_text(st, column));
}

static void put_line(sqlite3_stmt *st, struct buf *b)
{
	struct jsonw w;

	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "room", db_text(st, 0));
	json_field_u64(&w, "n", db_u64(st, 1) & ROOM_MAX_N);
	json_field_u64(&w, "time", db_u64(st, 2));
	json_field_string(&w, "name", db_text(st, 3));
	put_text(&w, "user", st, 4);
	json_field_string(&w, "text", db_text(st, 5));
	put_text(&w, "key", st, 6);
	put_text(&w, "to", st, 7);
	put_raw(&w, "file", st, 8);
	put_raw(&w, "reactions", st, 9);
	if (db_u64(st, 10))
		json_field_u64(&w, "edited", db_u64(st, 10));
	if (db_u64(st, 11))
		json_field_bool(&w, "deleted", true);
	json_object_end(&w);
	buf_u8(b, '\n');
}

int store_export(const struct store_settings *s, store_line_fn *fn, void *arg,
		 struct buf *why)
{
	struct buf line = BUF_INIT(1u << 20);
	struct db d;
	int err = open_tool(&d, s, why);

	if (err < 0)
		return err;
	sqlite3_stmt *st = db_use(&d, TOOL_EXPORT);
	while ((err = db_step(&d, st)) > 0) {
		buf_clear(&line);
		put_line(st, &line);
		fn(arg, buf_slice(&line));
	}
	if (err < 0)
		buf_str(why, "the database cannot be read");
	buf_fini(&line);
	db_close(&d);
	return err;
}
