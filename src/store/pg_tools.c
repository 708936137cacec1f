#include "base/err.h"
#include "store/pg.h"
#include "store/pg_schema.h"

#define TOOL_MS 10000             /* to connect, and between rows */
#define CHECK_MS (60 * 60 * 1000) /* all that was kept is read */

/* What must hold, and what is said when it does not. */
static const struct {
	const char *count, *text;
} rules[] = {
	{ "SELECT count(*) FROM parley.message m"
	  " WHERE NOT EXISTS(SELECT 1 FROM parley.room r WHERE r.id=m.room)",
	  "messages of no room" },
	{ "SELECT count(*) FROM parley.message WHERE length(text) IS NULL OR n<1 OR kind "
	  "NOT"
	  " BETWEEN 0 AND 3 OR (kind=0 AND words IS NULL)",
	  "messages that are none" },
	{ "SELECT count(*) FROM parley.visit v"
	  " WHERE NOT EXISTS(SELECT 1 FROM parley.room r WHERE r.id=v.room)",
	  "visits to no room" },
	{ "SELECT count(*) FROM parley.seat s"
	  " WHERE NOT EXISTS(SELECT 1 FROM parley.session e WHERE e.id=s.session)",
	  "seats of no session" },
	{ "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid=i.indrelid"
	  " WHERE c.relnamespace='parley'::regnamespace AND NOT i.indisvalid",
	  "indexes that are not valid" },
};

static int open_tool(struct pg_conn *c, const struct store_settings *s, struct buf *why)
{
	*c = (struct pg_conn){ .deadline = clock_mono() + TOOL_MS };
	if (store_pq_open() < 0) {
		buf_str(why, "libpq.so.5 is not here; it is in the package libpq5");
		return E_NOT_FOUND;
	}
	int err = store_pg_connect(c, s->url, CHECK_MS, why);
	if (err == 0)
		err = store_pg_version_check(c, why);
	if (err < 0)
		store_pg_disconnect(c);
	return err;
}

static int check_rule(struct pg_conn *c, size_t i, struct buf *why)
{
	struct pg_rows rows = { 0 };

	c->deadline = clock_mono() + CHECK_MS;
	int err = store_pg_exec(c, rules[i].count, &rows);
	if (err < 0)
		buf_printf(why, "the database cannot be read: %.*s\n",
			   SLICE_FMT(store_pg_message_text(c)));
	else if (!slice_is(store_pg_cell(&rows, 0, 0), "0"))
		buf_printf(why, "%.*s %s\n", SLICE_FMT(store_pg_cell(&rows, 0, 0)),
			   rules[i].text);
	return err;
}

static int check_safety(struct pg_conn *c, struct buf *why)
{
	struct pg_rows rows = { 0 };
	int err = store_pg_exec(c, "SELECT current_setting('fsync')", &rows);

	if (err == 0 && !slice_is(store_pg_cell(&rows, 0, 0), "on"))
		buf_str(why,
			"fsync is off on the server: a crash of its machine may lose "
			"what was acknowledged\n");
	return err;
}

int store_pg_check(const struct store_settings *s, struct buf *why)
{
	struct pg_conn c;
	int err = open_tool(&c, s, why);

	if (err < 0)
		return err;
	for (size_t i = 0; err == 0 && i < ARRAY_LEN(rules); i++)
		err = check_rule(&c, i, why);
	if (err == 0)
		err = check_safety(&c, why);
	store_pg_disconnect(&c);
	return why->n > 0 ? E_MALFORMED : err;
}

int store_pg_contents(const struct store_settings *s, store_content_fn *fn, void *arg,
		      struct buf *why)
{
	struct pg_rows rows;
	struct pg_conn c;
	int lost = 0, err = open_tool(&c, s, why);

	if (err < 0)
		return err;
	c.deadline = clock_mono() + CHECK_MS;
	err = store_pg_begin_rows(&c, PG_CONTENTS);
	while (err >= 0 && (err = store_pg_next_row(&c, &rows)) > 0) {
		err = fn(arg, store_pg_cell(&rows, 0, 0), store_pg_cell_u64(&rows, 0, 1));
		lost += err == E_NOT_FOUND;
		if (err == E_NOT_FOUND)
			err = 0;
		c.deadline = clock_mono() + CHECK_MS;
	}
	if (err < 0 && why->n == 0)
		buf_str(why, "the database cannot be read");
	store_pg_disconnect(&c);
	return err < 0 ? err : lost;
}

int store_pg_backup(const struct store_settings *s, const char *to, store_content_fn *fn,
		    void *arg, struct buf *why)
{
	(void)s;
	(void)to;
	(void)fn;
	(void)arg;
	buf_str(why,
		"a database of PostgreSQL is copied with its own tool, also while the "
		"server runs:\n  pg_dump --format=custom --schema=parley --file=FILE "
		"--dbname=URL\nand then files/ of the data directory, beside it");
	return E_STATE;
}

int store_pg_export(const struct store_settings *s, store_line_fn *fn, void *arg,
		    struct buf *why)
{
	struct buf line = BUF_INIT(1u << 20);
	struct store_row row;
	struct pg_rows rows;
	struct pg_conn c;
	int err = open_tool(&c, s, why);

	if (err < 0)
		return err;
	c.deadline = clock_mono() + CHECK_MS;
	err = store_pg_begin_rows(&c, PG_EXPORT);
	while (err >= 0 && (err = store_pg_next_row(&c, &rows)) > 0) {
		buf_clear(&line);
		if (store_pg_message(&rows, 0, 0, &row))
			store_row_line(&row, store_pg_cell(&rows, 0, 15), &line);
		fn(arg, buf_slice(&line));
		c.deadline = clock_mono() + CHECK_MS;
	}
	if (err < 0)
		buf_str(why, "the database cannot be read");
	buf_fini(&line);
	store_pg_disconnect(&c);
	return err;
}
