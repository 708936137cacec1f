/* pg_sql: the statements of the store on PostgreSQL, each with its name and the types of its parameters:
 * t text, u 64-bit number, y bytes, b truth. What a query needs is one statement, so that a batch
 * is one stream of them with no answer awaited in between; a change of a message alone asks first.
 *
 * Everything lies in a schema of its own and is named with it: whatever the search path is.
 */
#pragma once

/* clang-format off */
#define PG_COLUMNS                                                                       \
	"m.n, m.kind, m.time, m.member, m.user_id, m.name, CASE m.kind WHEN 1 THEN"      \
	" (SELECT o.text FROM parley.message o WHERE o.room=m.room AND o.n=m.of_n)"      \
	" ELSE m.text END AS text, m.of_n, m.to_member, m.to_user, m.key, m.file,"       \
	" m.reactions, m.edited, m.deleted"
/* The room named $1, made with the epoch $2 when it is not there. */
#define PG_ROOM                                                                          \
	"WITH found AS (SELECT id, epoch FROM parley.room WHERE name=$1),"               \
	" made AS (INSERT INTO parley.room(name, epoch) SELECT $1, $2"                   \
	" WHERE NOT EXISTS(SELECT 1 FROM found) RETURNING id, epoch),"                   \
	" r AS (SELECT id, epoch FROM found UNION ALL SELECT id, epoch FROM made)"
/* The columns and parameters $3 to $14 of a new row. */
#define PG_ROW                                                                           \
	"n, kind, time, member, user_id, name, text, of_n, to_member, to_user, key, file)"
#define PG_ROW_VALUES                                                                    \
	"$3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14"
/* The message of room r that has the key, or is this very one. Two questions, so that each has its index. */
#define PG_SAID(key, n, member, time)                                                    \
	"(SELECT k.n, k.time FROM parley.message k WHERE k.room=r.id AND k.key=" key     \
	" UNION ALL SELECT o.n, o.time FROM parley.message o WHERE o.room=r.id AND o.n=" n \
	" AND o.member=" member " AND o.time=" time ") m"
/* Who may see a message: $2 is the viewer, $3 its user, $4 whether it is the server. */
#define PG_VISIBLE                                                                       \
	" AND (m.to_member IS NULL OR m.to_member=$2 OR m.member=$2 OR $4"               \
	" OR m.to_user=$3 OR m.user_id=$3) "
/* A page of the room $1: up to $6 rows below $5. The mark is that of the reader $7. */
#define PG_PAGE(conditions, order)                                                       \
	"SELECT r.epoch, (SELECT k.n FROM parley.mark k WHERE k.room=r.id AND k.reader=$7)," \
	" m.* FROM parley.room r LEFT JOIN LATERAL (SELECT " PG_COLUMNS                  \
	" FROM parley.message m WHERE m.room=r.id AND m.n<$5 " conditions PG_VISIBLE     \
	"ORDER BY m.n " order " LIMIT $6) m ON true WHERE r.name=$1 ORDER BY m.n " order

#define PG_FILE_COLUMNS                                                                          \
	"f.id, f.room, f.hash, f.name, f.type, f.size, f.member, f.user_id"
/* The files named one after another in a parameter. */
#define PG_IDS(ids)                                                                      \
	"(SELECT substr(" ids ", i*26+1, 26) AS id, i"                                   \
	" FROM generate_series(0, length(" ids ")/26-1) i) ids"
/* The rooms of `files` (room, size), which have gone, get their space back. */
#define PG_FREED                                                                         \
	", freed AS (SELECT room, sum(size) AS bytes FROM files GROUP BY room),"         \
	" freed_space AS (UPDATE parley.file_space s SET bytes=s.bytes-t.bytes FROM"     \
	" (SELECT room, bytes FROM freed UNION ALL SELECT '', sum(bytes) FROM freed) t"  \
	" WHERE s.room=t.room AND t.bytes IS NOT NULL)"

#define PG_WRITER_LIST(X)                                                                \
	X(BEGIN,      "",     "BEGIN")                                                   \
	X(COMMIT,     "",     "COMMIT")                                                  \
	X(ROLLBACK,   "",     "ROLLBACK")                                                \
	X(SAVE,       "",     "SAVEPOINT one")                                           \
	X(RELEASE,    "",     "RELEASE SAVEPOINT one")                                   \
	X(TAKE_BACK,  "",     "ROLLBACK TO SAVEPOINT one")                               \
	/* Its number and time, or those of the message with its key. A row with its own number is that of an
	 * attempt whose end we have not heard of. */                                    \
	X(MESSAGE,    "tuuuuutttuuttt",                                                  \
	  PG_ROOM ", added AS (INSERT INTO parley.message(room, " PG_ROW                 \
	  " SELECT r.id, " PG_ROW_VALUES " FROM r ON CONFLICT DO NOTHING RETURNING n, time)" \
	  " SELECT r.epoch, a.n, a.time, false FROM r, added a UNION ALL"                \
	  " (SELECT r.epoch, m.n, m.time, m.n<>$3 FROM r CROSS JOIN LATERAL "            \
	  PG_SAID("$13", "$3", "$6", "$5") " WHERE NOT EXISTS(SELECT 1 FROM added) LIMIT 1)") \
	/* The same without keeping it. */                                               \
	X(KNOWN,      "ttuuu",                                                           \
	  "SELECT r.epoch, m.n, m.time, m.n<>$3 FROM parley.room r CROSS JOIN LATERAL "  \
	  PG_SAID("$2", "$3", "$4", "$5") " WHERE r.name=$1 LIMIT 1")                    \
	/* Files for the message $2: each, and whether it is another's already. */       \
	X(LOOK,       "tu",                                                              \
	  "SELECT " PG_FILE_COLUMNS ", f.message<>$2 FROM " PG_IDS("$1")                         \
	  " LEFT JOIN parley.file f ON f.id=ids.id ORDER BY ids.i")                      \
	X(ATTACH,     "ttu",  "UPDATE parley.file f SET message=$3 FROM " PG_IDS("$2")   \
	  " WHERE f.id=ids.id AND f.room=$1")                                            \
	X(DROP_FILES, "tu",   "WITH files AS (DELETE FROM parley.file f"                 \
	  " WHERE f.room=$1 AND f.message=$2 RETURNING f.room, f.size)" PG_FREED         \
	  " SELECT count(*) FROM files")                                                 \
	X(DROP_LOOSE, "uu",   "WITH files AS (DELETE FROM parley.file f WHERE f.id IN"   \
	  " (SELECT l.id FROM parley.file l WHERE l.message IS NULL AND l.time<$1 LIMIT $2)" \
	  " AND f.message IS NULL RETURNING f.room, f.size)" PG_FREED                    \
	  " SELECT count(*) FROM files")                                                 \
	/* What its room and all had used, and whether it is kept: it fits into $10 and $11, where 0 is any size. */ \
	X(ADD_FILE,   "ttyttuutuuu",                                                     \
	  "WITH used AS (SELECT"                                                         \
	  " coalesce((SELECT bytes FROM parley.file_space WHERE room=$2), 0) AS here,"   \
	  " coalesce((SELECT bytes FROM parley.file_space WHERE room=''), 0) AS all_of"  \
	  " ), added AS (INSERT INTO parley.file(id, room, hash, name, type, size, member," \
	  " user_id, time) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM used"          \
	  " WHERE ($10=0 OR (here<$10 AND $6<=$10-here))"                                \
	  " AND ($11=0 OR (all_of<$11 AND $6<=$11-all_of))"                              \
	  " ON CONFLICT DO NOTHING RETURNING id), space AS"                              \
	  " (INSERT INTO parley.file_space(room, bytes) SELECT v.room, $6"               \
	  " FROM (VALUES($2), ('')) v(room), added"                                      \
	  " ON CONFLICT(room) DO UPDATE SET bytes=file_space.bytes+excluded.bytes)"      \
	  " SELECT here, all_of, EXISTS(SELECT 1 FROM added)"                            \
	  " OR EXISTS(SELECT 1 FROM parley.file WHERE id=$1) FROM used")                 \
	/* The message $2 that is to be changed, and whether the change $3 has been made. */ \
	X(TARGET,     "tuu",                                                             \
	  "SELECT r.epoch, r.id, EXISTS(SELECT 1 FROM parley.message c"                  \
	  " WHERE c.room=r.id AND c.n=$3), " PG_COLUMNS                                  \
	  " FROM parley.room r JOIN parley.message m ON m.room=r.id AND m.n=$2"          \
	  " WHERE r.name=$1")                                                            \
	X(SET_TEXT,   "uutu", "UPDATE parley.message SET text=$3, edited=$4"             \
	  " WHERE room=$1 AND n=$2")                                                     \
	X(SET_DELETED, "uuu", "UPDATE parley.message SET text='', file=NULL,"            \
	  " reactions=NULL, deleted=$3 WHERE room=$1 AND n=$2")                          \
	X(SET_REACTIONS, "uut", "UPDATE parley.message SET reactions=$3"                 \
	  " WHERE room=$1 AND n=$2")                                                     \
	X(ADD_CHANGE, "uuuuuutttuuttt", "INSERT INTO parley.message(room, edited, " PG_ROW \
	  " VALUES($1, nullif($2, 0), " PG_ROW_VALUES ")")                               \
	X(READ,       "ttu",  "INSERT INTO parley.mark(room, reader, n)"                 \
	  " SELECT r.id, $2, $3 FROM parley.room r WHERE r.name=$1"                      \
	  " ON CONFLICT(room, reader) DO UPDATE SET n=greatest(mark.n, excluded.n)")     \
	X(VISIT,      "tuuttutu",                                                        \
	  PG_ROOM ", known AS (UPDATE parley.visit v SET name=$4, role=$6, metadata=$7"  \
	  " FROM r WHERE v.room=r.id AND v.member=$3 AND v.left_at IS NULL RETURNING 1)" \
	  " INSERT INTO parley.visit(room, member, name, user_id, role, metadata, joined_at)" \
	  " SELECT r.id, $3, $4, $5, $6, $7, $8 FROM r"                                  \
	  " WHERE NOT EXISTS(SELECT 1 FROM known)")                                      \
	X(VISIT_END,  "tuuu", "UPDATE parley.visit v SET left_at=$3, reason=$4"          \
	  " FROM parley.room r WHERE r.name=$1 AND v.room=r.id AND v.member=$2"          \
	  " AND v.left_at IS NULL")                                                      \
	X(SECRET,     "tyy",  "INSERT INTO parley.session(id, secret, admission)"        \
	  " VALUES($1, $2, $3) ON CONFLICT(id) DO UPDATE SET secret=excluded.secret,"                    \
	  " admission=excluded.admission")    \
	/* By name: the room's own row may come later, from its worker. */               \
	X(SEAT,       "ttu",  "INSERT INTO parley.seat(session, room, member)"           \
	  " VALUES($1, $2, $3)"                                                          \
	  " ON CONFLICT(session, room) DO UPDATE SET member=excluded.member")            \
	X(SEAT_END,   "ttu",  "DELETE FROM parley.seat"                                  \
	  " WHERE session=$1 AND room=$2 AND member=$3")                                 \
	X(SESSION_END, "t",   "DELETE FROM parley.session WHERE id=$1"                   \
	  " AND NOT EXISTS(SELECT 1 FROM parley.seat WHERE session=$1)")                 \
	X(KEEP,       "uyyuu", "INSERT INTO parley.note(kind, name, value, time, until)"  \
	  " VALUES($1, $2, $3, $4, $5) ON CONFLICT(kind, name) DO UPDATE"                \
	  " SET value=excluded.value, time=excluded.time, until=excluded.until")         \
	X(DROP_NOTE,  "uy",   "DELETE FROM parley.note WHERE kind=$1 AND name=$2")       \
	X(DROP_NOTES, "u",    "DELETE FROM parley.note WHERE until<=$1")                 \
	X(PROBE,      "",     "INSERT INTO parley.message(room, n, kind, time, member,"   \
	  " name, text, of_n) VALUES(0, 0, 0, 0, 0, '', '', 0)")                         \
	X(ALIVE,      "u",    "UPDATE parley.meta SET value=$1 WHERE key='alive'")       \
	/* What a batch has left behind whose end we have not heard of, and whose askers were told so. */ \
	X(UNDO,       "tuuu", "WITH gone AS (DELETE FROM parley.message m USING parley.room r" \
	  " WHERE r.name=$1 AND m.room=r.id AND m.n=$2 AND m.member=$3 AND m.time=$4"    \
	  " RETURNING m.n) UPDATE parley.file f SET message=NULL FROM gone"              \
	  " WHERE f.room=$1 AND f.message=gone.n")                                       \
	/* Of $2 rooms after $1: the last one, and how many there were. Of each the oldest messages go, up to $3
	 * rows, when they are older than $4 or not among the last $5. */                \
	X(RETAIN,     "uuuuu",                                                           \
	  "WITH turn AS (SELECT id FROM parley.room WHERE id>$1 ORDER BY id LIMIT $2),"  \
	  " old AS (SELECT m.room, m.n FROM turn"                                        \
	  " CROSS JOIN LATERAL (SELECT max(t.n) AS last FROM parley.message t"           \
	  "  WHERE t.room=turn.id) t"                                                    \
	  " CROSS JOIN LATERAL (SELECT o.room, o.n, o.time FROM parley.message o"        \
	  "  WHERE o.room=turn.id ORDER BY o.n LIMIT $3) m"                              \
	  " WHERE m.time<$4 OR ($5>0 AND m.n<=t.last-$5)),"                              \
	  " gone AS (DELETE FROM parley.message m USING old"                             \
	  "  WHERE m.room=old.room AND m.n=old.n"                                        \
	  "  RETURNING m.room, m.n, m.file),"                                            \
	  " files AS (DELETE FROM parley.file f USING gone, parley.room r"               \
	  "  WHERE gone.file IS NOT NULL AND r.id=gone.room AND f.room=r.name"           \
	  "  AND f.message=gone.n RETURNING f.room, f.size)" PG_FREED ","                \
	  " left_long_ago AS (DELETE FROM parley.visit v USING turn"                     \
	  "  WHERE v.room=turn.id AND v.left_at<$4)"                                     \
	  " SELECT coalesce(max(id), 0), count(*) FROM turn")

#define PG_READER_LIST(X)                                                                \
	X(WAKE,       "tu",                                                              \
	  "SELECT r.epoch, (SELECT max(t.n) FROM parley.message t WHERE t.room=r.id),"   \
	  " m.* FROM parley.room r LEFT JOIN LATERAL (SELECT " PG_COLUMNS                \
	  " FROM parley.message m WHERE m.room=r.id AND m.kind=0 AND m.to_member IS NULL" \
	  " ORDER BY m.n DESC LIMIT $2) m ON true WHERE r.name=$1 ORDER BY m.n DESC")    \
	X(BACK,       "tutbuut", PG_PAGE("AND m.kind=0", "DESC"))                        \
	/* From $8 on, with the changes of what was known before. */                     \
	X(FORTH,      "tutbuutu", PG_PAGE("AND m.n>$8 AND (m.kind=0 OR m.of_n<=$8)", "ASC")) \
	X(SEARCH,     "tutbuutt", PG_PAGE("AND m.kind=0 AND m.words @@"                  \
	  " plainto_tsquery('simple', parley.folded($8))", "DESC"))                      \
	X(VISITS,     "tuu",                                                             \
	  "SELECT v.id, v.member, v.joined_at, v.left_at, v.reason, v.name, v.user_id"   \
	  " FROM parley.room r JOIN parley.visit v ON v.room=r.id"                       \
	  " WHERE r.name=$1 AND v.id<$2 ORDER BY v.id DESC LIMIT $3")                    \
	X(SPACE,      "t",                                                               \
	  "SELECT coalesce((SELECT bytes FROM parley.file_space WHERE room=$1), 0),"     \
	  " coalesce((SELECT bytes FROM parley.file_space WHERE room=''), 0)")           \
	X(FILE_FIND,  "t",    "SELECT " PG_FILE_COLUMNS " FROM parley.file f WHERE f.id=$1")     \
	X(FILES_UNUSED, "y",                                                             \
	  "SELECT h.hash FROM (SELECT substr($1, i*32+1, 32) AS hash, i"                 \
	  " FROM generate_series(0, length($1)/32-1) i) h"                               \
	  " WHERE NOT EXISTS(SELECT 1 FROM parley.file f WHERE f.hash=h.hash)"           \
	  " ORDER BY h.i")                                                               \
	X(KEPT,       "uyuu", "SELECT kind, name, value, time, until FROM parley.note"   \
	  " WHERE (kind, name)>($1, $2) AND until>$3 ORDER BY kind, name LIMIT $4")      \
	X(PING,       "",     "SELECT 1")

#define PG_TOOL_LIST(X)                                                                  \
	X(NEXT_BOOT,  "",     "UPDATE parley.meta SET value=value+1 WHERE key='boot'"    \
	  " RETURNING value")                                                            \
	X(DROP_SEATS, "",     "DELETE FROM parley.seat")                                 \
	X(DROP_SESSIONS, "",  "DELETE FROM parley.session s"                             \
	  " WHERE NOT EXISTS(SELECT 1 FROM parley.seat t WHERE t.session=s.id)")         \
	X(LOST_VISITS, "u",   "UPDATE parley.visit v SET reason=$1,"                     \
	  " left_at=greatest(joined_at, (SELECT value FROM parley.meta WHERE key='alive'))" \
	  " WHERE left_at IS NULL AND NOT EXISTS(SELECT 1 FROM parley.seat s"            \
	  " JOIN parley.room r ON r.name=s.room"                                         \
	  " WHERE r.id=v.room AND s.member=v.member)")                                   \
	X(SEATS,      "",                                                                \
	  "SELECT s.session, e.secret, r.name, v.member, v.role, v.joined_at, v.name,"   \
	  " v.user_id, v.metadata, e.admission FROM parley.seat s"                       \
	  " JOIN parley.session e ON e.id=s.session JOIN parley.room r ON r.name=s.room" \
	  " JOIN parley.visit v ON v.room=r.id AND v.member=s.member"                    \
	  " AND v.left_at IS NULL ORDER BY s.session, v.id")                             \
	X(CONTENTS,   "",     "SELECT DISTINCT hash, size FROM parley.file")             \
	X(EXPORT,     "",     "SELECT " PG_COLUMNS ", r.name FROM parley.room r"         \
	  " JOIN parley.message m ON m.room=r.id WHERE m.kind=0 ORDER BY r.name, m.n")
/* clang-format on */

#define X(id, types, text) PG_##id,
enum pg_sql { PG_WRITER_LIST(X) PG_READER_LIST(X) PG_TOOL_LIST(X) PG_STATEMENTS };
#undef X
