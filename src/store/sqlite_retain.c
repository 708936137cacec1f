/* sqlite_retain: messages and visits that are too old or too many go, a few rooms a second. */
#include "base/err.h"
#include "store/sqlite.h"

#define ROOMS_AT_ONCE 20
#define LOOSE_EVERY 60   /* seconds */
#define ROWS_AT_ONCE 200 /* of a room; a room with more has its turn again */

static int drop_message(struct backend *b, uint64_t id, struct slice text, bool has_files)
{
	int err = store_sqlite_drop_words(b, id, text, has_files);
	sqlite3_stmt *st = db_use(&b->db, SQL_DROP_MESSAGE);

	db_bind_u64(st, 1, id);
	if (err == 0)
		err = db_run(&b->db, st);
	return err < 0 || !has_files ? err : store_sqlite_drop_files(b, id);
}

/* The room's oldest messages up to number `upto`, or of before `cutoff`. */
static int drop_oldest(struct backend *b, uint64_t room, uint64_t upto, ms_t cutoff)
{
	sqlite3_stmt *st = db_use(&b->db, SQL_OLDEST);
	int err;

	db_bind_u64(st, 1, room << STORE_ROW_SHIFT);
	db_bind_u64(st, 2, room << STORE_ROW_SHIFT | STORE_ROW_MAX_N);
	db_bind_u64(st, 3, ROWS_AT_ONCE);
	while ((err = db_step(&b->db, st)) > 0) {
		uint64_t id = db_u64(st, 0);

		if ((id & STORE_ROW_MAX_N) > upto && (ms_t)db_u64(st, 2) >= cutoff)
			break;
		/* Words are of messages that were said (kind 0); changes have none. */
		err = drop_message(b, id,
				   db_u64(st, 3) == 0 ? db_text(st, 1) : SLICE_NONE,
				   db_u64(st, 4) != 0);
		if (err < 0)
			break;
	}
	sqlite3_reset(st);
	return err < 0 ? err : 0;
}

static int retain_room(struct backend *b, uint64_t room, ms_t cutoff)
{
	const struct store_settings *s = b->settings;
	const struct sqlite_room r = { .id = room };
	uint64_t n = 0;
	int err = s->keep_messages ? store_sqlite_newest(b, &r, &n) : 0;

	if (err == 0)
		err = drop_oldest(
			b, room, n > s->keep_messages ? n - s->keep_messages : 0, cutoff);
	if (err < 0 || s->keep == 0)
		return err;
	sqlite3_stmt *st = db_use(&b->db, SQL_DROP_VISITS);
	db_bind_u64(st, 1, room);
	db_bind_u64(st, 2, (uint64_t)cutoff);
	return db_run(&b->db, st);
}

int store_sqlite_retain(struct backend *b)
{
	const struct store_settings *s = b->settings;
	ms_t cutoff = s->keep ? clock_wall() - s->keep : 0;
	uint64_t rooms[ROOMS_AT_ONCE];
	unsigned n = 0;
	int err;

	if (b->tends++ % LOOSE_EVERY == 0) {
		err = store_sqlite_drop_loose(b);
		if (err >= 0)
			err = store_sqlite_drop_notes(b);
		if (err < 0)
			return err;
	}
	if (s->keep == 0 && s->keep_messages == 0)
		return 0;
	sqlite3_stmt *st = db_use(&b->db, SQL_SOME_ROOMS);
	db_bind_u64(st, 1, b->retained);
	db_bind_u64(st, 2, ROOMS_AT_ONCE);
	while ((err = db_step(&b->db, st)) > 0 && n < ROOMS_AT_ONCE)
		rooms[n++] = db_u64(st, 0);
	sqlite3_reset(st);
	b->retained = n == ROOMS_AT_ONCE ? rooms[n - 1] : 0;
	if (err >= 0 && n > 0)
		err = db_run(&b->db, db_use(&b->db, SQL_BEGIN));
	for (unsigned i = 0; err >= 0 && i < n; i++)
		err = retain_room(b, rooms[i], cutoff);
	if (err >= 0 && n > 0)
		err = db_run(&b->db, db_use(&b->db, SQL_COMMIT));
	return err < 0 ? err : 0;
}
