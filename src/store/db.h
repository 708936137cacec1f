/* db: SQLite as the store uses it: a connection with its prepared statements.
 *
 * Owner: one thread. Errors: E_UNAVAILABLE and a line in the log when the database does not do its work
 * (full, broken, gone), E_STATE when it refuses this row only.
 */
#pragma once
#include <sqlite3.h>

#include "base/buf.h"

struct db {
	sqlite3 *handle;
	sqlite3_stmt **prepared; /* by number; made when first used */
	const char *const *sql;
	unsigned count;
	bool broken; /* to be closed and opened anew */
};

enum db_mode { DB_READ, DB_WRITE };

/* `sql`: the statements, for db_use(). A line for people in `why`, if given. */
int db_open(struct db *d, const char *path, enum db_mode mode, const char *const *sql,
	    unsigned count, struct buf *why) NODISCARD;
void db_close(struct db *d); /* harmless twice */
/* A statement without parameters and rows. */
int db_exec(struct db *d, const char *sql) NODISCARD;
/* Brings the tables up to date. */
int db_migrate(struct db *d, struct buf *why) NODISCARD;

/* A statement, reset, to be bound and stepped; never NULL for one that compiles. */
sqlite3_stmt *db_use(struct db *d, unsigned number);
/* 1: there is a row; 0: the end. */
int db_step(struct db *d, sqlite3_stmt *st) NODISCARD;
/* For one without rows: steps and resets. */
int db_run(struct db *d, sqlite3_stmt *st) NODISCARD;

/* Numbers are kept as they are in 63 bits; borrowed texts must stay until the statement is reset. */
void db_bind_u64(sqlite3_stmt *st, int at, uint64_t v);
void db_bind_text(sqlite3_stmt *st, int at, struct slice s);   /* NULL when empty */
void db_bind_string(sqlite3_stmt *st, int at, struct slice s); /* '' when empty */
void db_bind_blob(sqlite3_stmt *st, int at, struct slice s);
uint64_t db_u64(sqlite3_stmt *st, int column);
struct slice db_text(sqlite3_stmt *st, int column); /* until the next step */
