#include "store/pg_schema.h"

#include "base/err.h"

/* A step may rewrite a table that has grown for years. */
#define STEP_MS (10 * 60 * 1000)

/* A step is never changed once it has been released; what is different then is another step. The tables are those of
 * db_schema.c, but a message has its room and number in columns of their own.
 *
 * folded(): words without case and accents, punctuation taken away, so that the parser does not see hosts, paths and
 * hyphens in them and "e-mail" is found by "mail". */
static const char *const steps[] = {
	"CREATE TABLE parley.meta(key text COLLATE \"C\" PRIMARY KEY, value bigint NOT "
	"NULL);"
	"INSERT INTO parley.meta VALUES('boot', -1), ('alive', 0);"
	"CREATE TABLE parley.room(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" name text COLLATE \"C\" NOT NULL UNIQUE, epoch bigint NOT NULL);"
	"CREATE FUNCTION parley.folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT"
	" PARALLEL SAFE RETURN regexp_replace(lower(regexp_replace(normalize($1, NFD),"
	" U&'[\\0300-\\036f]', '', 'g') COLLATE \"und-x-icu\"),"
	" U&'[!-/:-@\\005b-`{-~\\00a1-\\00a9\\00ab-\\00b4\\00b6-\\00b9\\00bb-\\00bf"
	"\\2000-\\206f\\3000-\\303f]', ' ', 'g');"
	"CREATE TABLE parley.message(room bigint NOT NULL, n bigint NOT NULL,"
	" kind bigint NOT NULL, time bigint NOT NULL, member bigint NOT NULL,"
	" user_id text COLLATE \"C\", name text NOT NULL, text text NOT NULL,"
	" of_n bigint NOT NULL, to_member bigint, to_user text COLLATE \"C\","
	" key text COLLATE \"C\", file text, reactions text, edited bigint, deleted "
	"bigint,"
	" words tsvector GENERATED ALWAYS AS (CASE WHEN kind=0 THEN"
	" to_tsvector('pg_catalog.simple'::regconfig, parley.folded(text)) END) STORED,"
	" PRIMARY KEY(room, n));"
	"CREATE UNIQUE INDEX message_key ON parley.message(room, key) WHERE key IS NOT "
	"NULL;"
	"CREATE INDEX message_words ON parley.message USING gin(words) WHERE kind=0;"
	"CREATE TABLE parley.mark(room bigint, reader text COLLATE \"C\", n bigint NOT "
	"NULL,"
	" PRIMARY KEY(room, reader));"
	"CREATE TABLE parley.visit(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" room bigint NOT NULL, member bigint NOT NULL, name text NOT NULL,"
	" user_id text COLLATE \"C\", role bigint NOT NULL, metadata text,"
	" joined_at bigint NOT NULL, left_at bigint, reason bigint);"
	"CREATE INDEX visit_room ON parley.visit(room, id);"
	"CREATE INDEX visit_open ON parley.visit(room, member) WHERE left_at IS NULL;"
	"CREATE TABLE parley.session(id text COLLATE \"C\" PRIMARY KEY, secret bytea NOT "
	"NULL,"
	" admission bytea);"
	"CREATE TABLE parley.seat(session text COLLATE \"C\", room text COLLATE \"C\","
	" member bigint NOT NULL, PRIMARY KEY(session, room));",
	"CREATE TABLE parley.file(id text COLLATE \"C\" PRIMARY KEY,"
	" room text COLLATE \"C\" NOT NULL, hash bytea NOT NULL, name text NOT NULL,"
	" type text NOT NULL, size bigint NOT NULL, member bigint NOT NULL,"
	" user_id text COLLATE \"C\", time bigint NOT NULL, message bigint);"
	"CREATE INDEX file_hash ON parley.file(hash);"
	"CREATE INDEX file_message ON parley.file(room, message) WHERE message IS NOT "
	"NULL;"
	"CREATE INDEX file_loose ON parley.file(time) WHERE message IS NULL;"
	"CREATE TABLE parley.file_space(room text COLLATE \"C\" PRIMARY KEY,"
	" bytes bigint NOT NULL);",
	/* Names are bytes: a text could not have all of them. */
	"CREATE TABLE parley.note(kind bigint, name bytea, value bytea NOT NULL,"
	" time bigint NOT NULL, until bigint NOT NULL, PRIMARY KEY(kind, name));"
	"CREATE INDEX note_until ON parley.note(until);",
	/* What files are called is found by search. */
	"CREATE FUNCTION parley.names(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT"
	" PARALLEL SAFE RETURN (SELECT string_agg(f->>'name', ' ')"
	" FROM json_array_elements($1::json) f);"
	"ALTER TABLE parley.message DROP COLUMN words;"
	"ALTER TABLE parley.message ADD COLUMN words tsvector"
	" GENERATED ALWAYS AS (CASE WHEN kind=0 THEN"
	" to_tsvector('pg_catalog.simple'::regconfig,"
	" parley.folded(text || coalesce(' ' || parley.names(file), ''))) END) STORED;"
	"CREATE INDEX message_words ON parley.message USING gin(words) WHERE kind=0;",
};

/* Text of the server's own: the version of the tables, 0 when there are none. */
static int read_version(struct pg_conn *c, uint32_t *out)
{
	struct pg_rows rows = { 0 };
	int err = store_pg_exec(c, "SELECT to_regclass('parley.migration') IS NOT NULL",
				&rows);

	*out = 0;
	if (err < 0 || !slice_is(store_pg_cell(&rows, 0, 0), "t"))
		return err;
	err = store_pg_exec(c, "SELECT coalesce(max(version), 0) FROM parley.migration",
			    &rows);
	return err < 0 ? err : slice_to_u32(store_pg_cell(&rows, 0, 0), out);
}

static int make_schema(struct pg_conn *c)
{
	struct pg_rows rows = { 0 };
	int err = store_pg_exec(c, "SELECT to_regnamespace('parley') IS NOT NULL", &rows);

	/* An administrator may have made it for us; then we need not be allowed to. */
	if (err == 0 && !slice_is(store_pg_cell(&rows, 0, 0), "t"))
		err = store_pg_exec(c, "CREATE SCHEMA parley", NULL);
	if (err < 0)
		return err;
	return store_pg_exec(
		c,
		"CREATE TABLE IF NOT EXISTS parley.migration(version bigint PRIMARY KEY,"
		" made timestamptz NOT NULL DEFAULT now())",
		NULL);
}

static int take_step(struct pg_conn *c, uint32_t step)
{
	struct buf sql = BUF_INIT(16 * 1024);

	c->deadline = clock_mono() + STEP_MS;
	buf_printf(&sql,
		   "BEGIN; SET LOCAL statement_timeout=0; %s"
		   "INSERT INTO parley.migration(version) VALUES(%u); COMMIT",
		   steps[step], step + 1);
	buf_u8(&sql, 0);
	int err = store_pg_exec(c, (const char *)sql.p, NULL);
	buf_fini(&sql);
	return err;
}

/* Rights and names (class 42) do not get better by waiting. */
static int cannot(const struct pg_conn *c, const char *what, int err, struct buf *why)
{
	struct slice text = store_pg_message_text(c);

	buf_printf(why, "the database cannot be %s: %.*s", what, SLICE_FMT(text));
	return strncmp(c->state, "42", 2) == 0 ? E_STATE : err;
}

static int newer(uint32_t version, struct buf *why)
{
	buf_printf(why, "the database was made by a newer parley (version %u)", version);
	return E_STATE;
}

int store_pg_migrate(struct pg_conn *c, struct buf *why)
{
	uint32_t version = 0;
	int err = read_version(c, &version);

	if (err == 0 && version > ARRAY_LEN(steps))
		return newer(version, why);
	if (err == 0 && version == 0)
		err = make_schema(c);
	for (; err == 0 && version < ARRAY_LEN(steps); version++)
		err = take_step(c, version);
	return err < 0 ? cannot(c, "brought up to date", err, why) : 0;
}

int store_pg_version_check(struct pg_conn *c, struct buf *why)
{
	uint32_t version = 0;
	int err = read_version(c, &version);

	if (err == 0 && version == 0) {
		buf_str(why, "the database has no tables of parley");
		return E_NOT_FOUND;
	}
	if (err == 0 && version > ARRAY_LEN(steps))
		return newer(version, why);
	if (err == 0 && version < ARRAY_LEN(steps)) {
		buf_printf(why,
			   "the tables are of version %u; a start of the server brings "
			   "them to %zu",
			   version, ARRAY_LEN(steps));
		return E_STATE;
	}
	return err < 0 ? cannot(c, "read", err, why) : 0;
}
