/* db_schema: the tables, step by step from an empty database to today's. A step is never changed
 * once it has been released; what is different then is another step.
 */
#include "base/err.h"
#include "store/sqlite.h"

/* A message's id is its room's id and its number, (room << 40) + n: so a room's messages lie
 * together, in order, without an index. Whoever changes a message leaves a row of his own,
 * with its own number, whose `of` is the number of the message (kind: enum event_kind's CHAT 0, EDITED 1,
 * DELETED 2, REACTED 3). */
static const char *const steps[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES('boot', -1), ('probe', 0), ('alive', 0);"
	"CREATE TABLE room(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" epoch INTEGER NOT NULL);"
	"CREATE TABLE message(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	" time INTEGER NOT NULL, member INTEGER NOT NULL, user TEXT, name TEXT NOT NULL,"
	" text TEXT NOT NULL, of INTEGER NOT NULL, to_member INTEGER, to_user TEXT,"
	" key TEXT, file TEXT, reactions TEXT, edited INTEGER, deleted INTEGER);"
	"CREATE UNIQUE INDEX message_key ON message(id >> 40, key) WHERE key IS NOT NULL;"
	"CREATE VIRTUAL TABLE words USING fts5(text, content='message', "
	"content_rowid='id',"
	" columnsize=0,"
	" tokenize='unicode61 remove_diacritics 2');"
	"INSERT INTO words(words, rank) VALUES('automerge', 16), ('crisismerge', 32);"
	"CREATE TABLE mark(room INTEGER, reader TEXT, n INTEGER NOT NULL,"
	" PRIMARY KEY(room, reader)) WITHOUT ROWID;"
	"CREATE TABLE visit(id INTEGER PRIMARY KEY, room INTEGER NOT NULL,"
	" member INTEGER NOT NULL, name TEXT NOT NULL, user TEXT, role INTEGER NOT NULL,"
	" metadata TEXT, joined INTEGER NOT NULL, left INTEGER, reason INTEGER);"
	"CREATE INDEX visit_room ON visit(room, id);"
	"CREATE INDEX visit_open ON visit(room, member) WHERE left IS NULL;"
	"CREATE TABLE session(id TEXT PRIMARY KEY, secret BLOB NOT NULL, admission BLOB)"
	" WITHOUT ROWID;"
	"CREATE TABLE seat(session TEXT, room TEXT, member INTEGER NOT NULL,"
	" PRIMARY KEY(session, room)) WITHOUT ROWID;",
	/* file_space: bytes of a room's files; of all of them under ''. */
	"CREATE TABLE file(id TEXT PRIMARY KEY, room TEXT NOT NULL, hash BLOB NOT NULL,"
	" name TEXT NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL,"
	" member INTEGER NOT NULL, user TEXT, time INTEGER NOT NULL, message INTEGER);"
	"CREATE INDEX file_hash ON file(hash);"
	"CREATE INDEX file_message ON file(message) WHERE message IS NOT NULL;"
	"CREATE INDEX file_loose ON file(time) WHERE message IS NULL;"
	"CREATE TABLE file_space(room TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT "
	"ROWID;",
	/* kind: enum store_note_kind. */
	"CREATE TABLE note(kind INTEGER, name BLOB, value BLOB, time INTEGER NOT NULL,"
	" until INTEGER NOT NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID;"
	"CREATE INDEX note_until ON note(until);",
	/* What files are called is found by search. */
	"INSERT INTO words(words, rowid, text) SELECT 'delete', id, text FROM message"
	" WHERE kind=0 AND file IS NOT NULL AND text<>'';"
	"INSERT INTO words(rowid, text) SELECT m.id, " SQL_WORDS_OF_MESSAGE
	" WHERE kind=0 AND file IS NOT NULL;",
};

static int user_version(struct db *d, unsigned *out)
{
	sqlite3_stmt *st = NULL;
	int err = E_UNAVAILABLE;

	if (sqlite3_prepare_v2(d->handle, "PRAGMA user_version", -1, &st, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		*out = (unsigned)sqlite3_column_int(st, 0);
		err = 0;
	}
	sqlite3_finalize(st);
	return err;
}

static int take_step(struct db *d, unsigned step)
{
	struct buf sql = BUF_INIT(16 * 1024);

	buf_printf(&sql, "BEGIN IMMEDIATE;%sPRAGMA user_version=%u;COMMIT;", steps[step],
		   step + 1);
	buf_u8(&sql, 0);
	int err = db_exec(d, (const char *)sql.p);
	buf_fini(&sql);
	return err;
}

int db_migrate(struct db *d, struct buf *why)
{
	unsigned version = 0;
	int err = user_version(d, &version);

	if (err == 0 && version > ARRAY_LEN(steps)) {
		buf_printf(why, "the database was made by a newer parley (version %u)",
			   version);
		return E_STATE;
	}
	for (; err == 0 && version < ARRAY_LEN(steps); version++)
		err = take_step(d, version);
	if (err < 0)
		buf_printf(why, "the database cannot be brought up to date: %s",
			   sqlite3_errmsg(d->handle));
	return err;
}
