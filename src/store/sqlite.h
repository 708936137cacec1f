/* sqlite: the store on SQLite: what its writing and its reading share. */
#pragma once
#include "base/map.h"
#include "store/db.h"
#include "store/internal.h"
#include "store/row.h"

/* enum statement and its texts, from one list. */
/* clang-format off */
#define SQL_COLUMNS_AND(more)                                                            \
	"SELECT m.id, m.kind, m.time, m.member, m.user, m.name, CASE m.kind WHEN 1 THEN" \
	" (SELECT o.text FROM message o WHERE o.id=(m.id>>40<<40)|m.of) ELSE m.text END," \
	" m.of, m.to_member,"                                                            \
	" m.to_user, m.key, m.file, m.reactions, m.edited, m.deleted" more " FROM "
#define SQL_COLUMNS SQL_COLUMNS_AND("")
#define SQL_MESSAGES SQL_COLUMNS "message m "
/* Who may see a message: ?3 is the viewer, ?4 its user, ?5 whether it is the server. */
#define SQL_VISIBLE                                                                      \
	" AND (to_member IS NULL OR to_member=?3 OR member=?3 OR ?5"                     \
	" OR to_user=?4 OR user=?4) "

/* What is found by search: of a message with files also what they are called. */
#define SQL_WORDS_OF_MESSAGE                                                             \
	"m.text||coalesce((SELECT group_concat(char(10)||json_extract(f.value,'$.name'), '')" \
	" FROM json_each(CASE WHEN json_valid(m.file) THEN m.file END) f"                \
	" WHERE f.type='object'), '') FROM message m"

#define SQL_LIST(X)                                                                      \
	X(BEGIN,        "BEGIN IMMEDIATE")                                               \
	X(COMMIT,       "COMMIT")                                                        \
	X(ROOM,         "SELECT id, epoch FROM room WHERE name=?1")                      \
	X(ADD_ROOM,     "INSERT INTO room(name, epoch) VALUES(?1, ?2)")                  \
	X(ADD_MESSAGE,  "INSERT INTO message(id, kind, time, member, user, name, text, of,"  \
			" to_member, to_user, key, file)"                                \
			" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"     \
			" ON CONFLICT DO NOTHING")                                       \
	X(BY_KEY,       "SELECT id, time FROM message WHERE id>>40=?1 AND key=?2")       \
	X(BY_ID,        SQL_MESSAGES "WHERE id=?1")                                       \
	X(ADD_WORDS,    "INSERT INTO words(rowid, text) VALUES(?1, ?2)")                 \
	X(DROP_WORDS,   "INSERT INTO words(words, rowid, text) VALUES('delete', ?1, ?2)") \
	X(ADD_ALL_WORDS, "INSERT INTO words(rowid, text) SELECT m.id, "                  \
			SQL_WORDS_OF_MESSAGE " WHERE m.id=?1")                           \
	X(DROP_ALL_WORDS, "INSERT INTO words(words, rowid, text) SELECT 'delete', m.id, " \
			SQL_WORDS_OF_MESSAGE " WHERE m.id=?1")                           \
	X(SET_TEXT,     "UPDATE message SET text=?2, edited=?3 WHERE id=?1")             \
	X(SET_DELETED,  "UPDATE message SET text='', file=NULL, reactions=NULL,"         \
			" deleted=?2 WHERE id=?1")                                       \
	X(SET_REACTIONS, "UPDATE message SET reactions=?2 WHERE id=?1")                  \
	X(TAKEN_BACK,   "UPDATE message SET edited=1 WHERE id=?1")                       \
	X(SET_MARK,     "INSERT INTO mark(room, reader, n) VALUES(?1, ?2, ?3)"           \
			" ON CONFLICT DO UPDATE SET n=max(n, ?3)")                       \
	X(ADD_VISIT,    "INSERT INTO visit(room, member, name, user, role, metadata, joined)" \
			" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")                           \
	X(SET_VISIT,    "UPDATE visit SET name=?3, role=?5, metadata=?6"                 \
			" WHERE room=?1 AND member=?2 AND left IS NULL")                 \
	X(END_VISIT,    "UPDATE visit SET left=?3, reason=?4"                            \
			" WHERE room=?1 AND member=?2 AND left IS NULL")                 \
	X(SET_SESSION,  "INSERT INTO session(id, secret, admission) VALUES(?1, ?2, ?3)"  \
			" ON CONFLICT DO UPDATE SET secret=?2, admission=?3")            \
	X(ADD_SEAT,     "INSERT INTO seat(session, room, member) VALUES(?1, ?2, ?3)"     \
			" ON CONFLICT DO UPDATE SET member=?3")                          \
	X(DROP_SEAT,    "DELETE FROM seat WHERE session=?1 AND room=?2 AND member=?3")   \
	X(DROP_SESSION, "DELETE FROM session WHERE id=?1"                                \
			" AND NOT EXISTS(SELECT 1 FROM seat WHERE session=?1)")          \
	X(ALIVE,        "UPDATE meta SET value=?1 WHERE key='alive'")                    \
	X(PROBE,        "UPDATE meta SET value=value+1 WHERE key='probe'")               \
	X(NEWEST,       "SELECT id FROM message WHERE id BETWEEN ?1 AND ?2"              \
			" ORDER BY id DESC LIMIT 1")                                     \
	X(LAST,         SQL_MESSAGES "WHERE id BETWEEN ?1 AND ?2 AND kind=0"              \
			" AND to_member IS NULL ORDER BY id DESC LIMIT ?6")              \
	X(PAGE_BEFORE,  SQL_MESSAGES "WHERE id BETWEEN ?1 AND ?2 AND kind=0"              \
			SQL_VISIBLE "ORDER BY id DESC LIMIT ?6")                         \
	X(PAGE_AFTER,   SQL_MESSAGES "WHERE id BETWEEN ?1 AND ?2 AND (kind=0 OR of<=?7)"  \
			SQL_VISIBLE "ORDER BY id LIMIT ?6")                              \
	X(FOUND,        SQL_COLUMNS "words w CROSS JOIN message m ON m.id=w.rowid"       \
			" WHERE words MATCH ?7 AND w.rowid BETWEEN ?1 AND ?2 AND kind=0" \
			SQL_VISIBLE "ORDER BY w.rowid DESC LIMIT ?6")                    \
	X(MARK,         "SELECT n FROM mark WHERE room=?1 AND reader=?2")                \
	X(VISITS,       "SELECT id, member, joined, left, reason, name, user FROM visit" \
			" WHERE room=?1 AND id<?2 ORDER BY id DESC LIMIT ?3")            \
	X(SEATS,        "SELECT seat.session, session.secret, room.name, visit.member,"  \
			" visit.role, visit.joined, visit.name, visit.user, visit.metadata,"    \
			" session.admission"                                             \
			" FROM seat JOIN session ON session.id=seat.session"             \
			" JOIN room ON room.name=seat.room"                              \
			" JOIN visit ON visit.room=room.id AND visit.member=seat.member" \
			" AND visit.left IS NULL ORDER BY seat.session, visit.id")       \
	X(OLDEST,       "SELECT id, text, time, kind, file IS NOT NULL FROM message WHERE id BETWEEN ?1 AND ?2" \
			" ORDER BY id LIMIT ?3")                                         \
	X(ADD_FILE,     "INSERT INTO file(id, room, hash, name, type, size, member, user, time)" \
			" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                   \
	X(FILE,         "SELECT id, room, hash, name, type, size, member, user,"         \
			" message IS NOT NULL FROM file WHERE id=?1")                    \
	X(ATTACH_FILE,  "UPDATE file SET message=?2 WHERE id=?1")                        \
	X(FILES_OF,     "SELECT id, room, size FROM file WHERE message=?1 LIMIT 1")      \
	X(LOOSE_FILE,   "SELECT id, room, size FROM file"                                \
			" WHERE message IS NULL AND time<?1 LIMIT 1")                    \
	X(DROP_FILE,    "DELETE FROM file WHERE id=?1")                                  \
	X(HASH_USED,    "SELECT 1 FROM file WHERE hash=?1 LIMIT 1")                      \
	X(SPACE,        "SELECT bytes FROM file_space WHERE room=?1")                    \
	X(CHANGE_SPACE, "INSERT INTO file_space(room, bytes) VALUES(?1, ?2)"             \
			" ON CONFLICT DO UPDATE SET bytes=bytes+?2")                     \
	X(KEEP,         "INSERT INTO note(kind, name, value, time, until)"               \
			" VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE"              \
			" SET value=?3, time=?4, until=?5")                              \
	X(DROP_NOTE,    "DELETE FROM note WHERE kind=?1 AND name=?2")                    \
	X(DROP_NOTES,   "DELETE FROM note WHERE until<=?1")                              \
	X(KEPT,         "SELECT kind, name, value, time, until FROM note"                \
			" WHERE (kind, name)>(?1, ?2) AND until>?3"                      \
			" ORDER BY kind, name LIMIT ?4")                                 \
	X(DROP_MESSAGE, "DELETE FROM message WHERE id=?1")                               \
	X(DROP_VISITS,  "DELETE FROM visit WHERE room=?1 AND left<?2")                   \
	X(SOME_ROOMS,   "SELECT id FROM room WHERE id>?1 ORDER BY id LIMIT ?2")          \
	X(DROP_SEATS,   "DELETE FROM seat")                                              \
	X(DROP_SESSIONS, "DELETE FROM session WHERE NOT EXISTS(SELECT 1 FROM seat"       \
			" WHERE seat.session=session.id)")                               \
	X(NEXT_BOOT,    "UPDATE meta SET value=value+1 WHERE key='boot'")                \
	X(BOOT,         "SELECT value FROM meta WHERE key='boot'")                       \
	X(LOST_VISITS,  "UPDATE visit SET left=max(joined,"                              \
			" (SELECT value FROM meta WHERE key='alive')), reason=?1"        \
			" WHERE left IS NULL AND NOT EXISTS(SELECT 1 FROM seat"          \
			" JOIN room ON room.name=seat.room WHERE room.id=visit.room"      \
			" AND seat.member=visit.member)")
/* clang-format on */

#define X(id, text) SQL_##id,
enum sql { SQL_LIST(X) SQL_COUNT };
#undef X

extern const char *const store_sqlite_sql[SQL_COUNT];

struct sqlite_room {
	uint64_t id;
	uint64_t epoch;
};

struct backend {
	struct store_thread *thread;
	const struct store_settings *settings;
	char *path;
	struct db db;
	struct map rooms; /* of struct sqlite_room by name: those of late */
	ms_t alive_at;
	unsigned tends;    /* so far */
	uint64_t retained; /* the room up to which old rows have gone in this round */
};

/* Looks the room up; id 0: there is none. */
int store_sqlite_room(struct backend *b, struct slice name, struct sqlite_room *out)
	NODISCARD;
void store_sqlite_forget_rooms(struct backend *b);
/* The number of the room's newest message; *n is left alone when there is none. */
int store_sqlite_newest(struct backend *b, const struct sqlite_room *r, uint64_t *n)
	NODISCARD;
/* Once a second: a few rooms lose what is too old or too much. */
int store_sqlite_retain(struct backend *b) NODISCARD;
/* To be freed. */
char *store_sqlite_path(const struct store_settings *s);
/* The present one of SQL_COLUMNS, until the next step. */
void store_sqlite_row(sqlite3_stmt *st, struct store_row *out);

/* One query. Returns what is wrong with the database; what is wrong with the query is in j->answer.err. */
typedef int store_sqlite_fn(struct backend *b, const struct store_query *q,
			    struct store_answer *a, struct buf *out);
extern store_sqlite_fn *const store_sqlite_ops[STORE_OPS];

/* --- sqlite_tools.c: see tools.h --- */
int store_sqlite_check(const struct store_settings *s, struct buf *why) NODISCARD;
int store_sqlite_contents(const struct store_settings *s, store_content_fn *fn, void *arg,
			  struct buf *why) NODISCARD;
int store_sqlite_backup(const struct store_settings *s, const char *to,
			store_content_fn *fn, void *arg, struct buf *why) NODISCARD;
int store_sqlite_export(const struct store_settings *s, store_line_fn *fn, void *arg,
			struct buf *why) NODISCARD;

/* --- sqlite_write.c and sqlite_read.c --- */
/* Before the message changes, or goes. */
int store_sqlite_drop_words(struct backend *b, uint64_t id, struct slice text,
			    bool has_files) NODISCARD;
store_sqlite_fn store_sqlite_message, store_sqlite_change, store_sqlite_read,
	store_sqlite_visit, store_sqlite_visit_end, store_sqlite_seat,
	store_sqlite_seat_end, store_sqlite_secret;
store_sqlite_fn store_sqlite_wake, store_sqlite_history, store_sqlite_search,
	store_sqlite_visits;

/* --- sqlite_note.c --- */
store_sqlite_fn store_sqlite_keep, store_sqlite_kept;
/* Those that are over; a transaction of its own. */
int store_sqlite_drop_notes(struct backend *b) NODISCARD;

/* --- sqlite_file.c --- */
store_sqlite_fn store_sqlite_file, store_sqlite_space, store_sqlite_file_find,
	store_sqlite_files_unused;
/* The record of a message's files, as JSON; or in a->err why they cannot be in it. */
int store_sqlite_look_at_files(struct backend *b, const struct store_query *q,
			       struct slice ids, struct store_answer *a, struct buf *json)
	NODISCARD;
int store_sqlite_attach_files(struct backend *b, struct slice ids, uint64_t message)
	NODISCARD;
/* The message goes. */
int store_sqlite_drop_files(struct backend *b, uint64_t message) NODISCARD;
/* Those that got into no message in time; a transaction of its own. */
int store_sqlite_drop_loose(struct backend *b) NODISCARD;
