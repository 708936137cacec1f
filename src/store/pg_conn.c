#include "store/pg_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

static const struct store_pq *const pq = &store_pq;

#define OLDEST_SERVER 140000

/* Types by their letters in pg_sql.h; their numbers are in PostgreSQL's pg_type.dat. */
static Oid type_of(char letter)
{
	switch (letter) {
	case 't':
		return 25; /* text */
	case 'u':
		return 20; /* int8 */
	case 'y':
		return 17; /* bytea */
	default:
		return 16; /* bool */
	}
}

#define X(id, types, text) { #id, types, text },
static const struct {
	const char *name, *types, *text;
} statements[PG_STATEMENTS] = { PG_WRITER_LIST(X) PG_READER_LIST(X) PG_TOOL_LIST(X) };
#undef X

/* --- what went wrong --- */

/* https://www.postgresql.org/docs/15/errcodes-appendix.html */
int store_pg_state_error(const char *state)
{
	/* authorization, no such database, no right to the schema or to its tables */
	static const char *const denied[] = { "28", "3D", "42501" };
	/* data, integrity, program limits (an index row that is too long) */
	static const char *const row[] = { "22", "23", "54" };

	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		if (strncmp(state, denied[i], strlen(denied[i])) == 0)
			return E_DENIED;
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		if (strncmp(state, row[i], strlen(row[i])) == 0)
			return E_STATE;
	return E_UNAVAILABLE;
}

static bool is_state(struct slice s)
{
	if (s.n < 6 || s.p[5] != ':')
		return false;
	for (size_t i = 0; i < 5; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'A' && s.p[i] <= 'Z'))
			return false;
	return true;
}

/* What follows the state in a line, or nothing. */
static struct slice behind_state(struct slice line, char state[6])
{
	for (size_t i = 0; i < line.n; i++) {
		struct slice rest = slice_from(line, i);

		if (!slice_starts(rest, SLICE(":  ")) || !is_state(slice_from(rest, 3)))
			continue;
		memcpy(state, rest.p + 3, 5);
		state[5] = 0;
		return slice_trim(slice_from(rest, 9));
	}
	return SLICE_NONE;
}

void store_pg_state_of(struct slice *text, char state[6])
{
	struct slice rest = *text, line, found = SLICE_NONE;

	state[0] = 0;
	*text = slice_trim(slice_of(rest.p, slice_find(rest, '\n')));
	/* Each address that was tried has its line. */
	while (slice_split(&rest, '\n', &line)) {
		found = behind_state(line, state);
		if (found.n > 0)
			*text = found;
	}
}

struct slice store_pg_message_text(const struct pg_conn *c)
{
	const char *primary =
		c->result ? pq->resultErrorField(c->result, PG_DIAG_MESSAGE_PRIMARY)
			  : NULL;
	struct slice text = SLICE("not connected");
	char state[6];

	if (primary)
		return slice_str(primary);
	if (c->link)
		text = slice_str(pq->errorMessage(c->link));
	store_pg_state_of(&text, state);
	return text;
}

static int lost(struct pg_conn *c, const char *how)
{
	static _Thread_local struct log_limit limit;

	log_limited(&limit, "store", "lost", "how=%s err=%.*s", how,
		    SLICE_FMT(store_pg_message_text(c)));
	store_pg_disconnect(c);
	return PG_LOST;
}

/* The error of a result. */
static int refused(struct pg_conn *c)
{
	static _Thread_local struct log_limit limit;
	const char *state = pq->resultErrorField(c->result, PG_DIAG_SQLSTATE);
	const char *text = pq->resultErrorField(c->result, PG_DIAG_MESSAGE_PRIMARY);

	memset(c->state, 0, sizeof(c->state));
	if (state)
		memcpy(c->state, state, strnlen(state, 5));
	/* Its detail may quote what somebody has said, and is left out. */
	log_limited(&limit, "store", "postgresql", "state=%s err=%s", c->state,
		    log_value(&(struct log_text){ 0 }, slice_str(text ? text : "")));
	int err = store_pg_state_error(c->state);
	return err == E_DENIED ? E_UNAVAILABLE : err;
}

/* --- waiting --- */

static int wait_for(struct pg_conn *c, short events)
{
	for (;;) {
		struct pollfd p = { .fd = pq->socket(c->link), .events = events };
		ms_t left = c->deadline - clock_mono();

		if (left <= 0)
			return lost(c, "timeout");
		int n = poll(&p, 1, (int)(left < 60000 ? left : 60000));
		if (n > 0)
			return p.revents & POLLIN ? 1 : 0;
		if (n < 0 && errno != EINTR)
			return lost(c, "poll");
	}
}

/* Until all that was sent has left; what comes meanwhile is read, so that neither side waits for the other. */
static int push(struct pg_conn *c)
{
	int left;

	while ((left = pq->flush(c->link)) > 0) {
		int err = wait_for(c, POLLIN | POLLOUT);

		if (err < 0)
			return err;
		if (err > 0 && !pq->consumeInput(c->link))
			return lost(c, "write");
	}
	return left < 0 ? lost(c, "write") : 0;
}

/* The next result in c->result, or NULL. */
static int next_result(struct pg_conn *c)
{
	int err = push(c);

	while (err >= 0 && pq->isBusy(c->link)) {
		err = wait_for(c, POLLIN);
		if (err >= 0 && !pq->consumeInput(c->link))
			err = lost(c, "read");
	}
	if (err < 0)
		return err;
	pq->clear(c->result);
	c->result = pq->getResult(c->link);
	return 0;
}

bool store_pg_is_lost(struct pg_conn *c)
{
	struct pollfd p = { .fd = c->link ? pq->socket(c->link) : -1, .events = POLLIN };

	if (!c->link)
		return true;
	if (poll(&p, 1, 0) <= 0)
		return false;
	if (pq->consumeInput(c->link) && pq->status(c->link) == CONNECTION_OK)
		return false;
	(void)lost(c, "idle");
	return true;
}

/* --- connecting --- */

static void drop_notice(void *arg, const PGresult *r)
{
	(void)arg;
	(void)r;
}

static int connect_failed(struct pg_conn *c, struct buf *why)
{
	struct slice text = slice_str(pq->errorMessage(c->link));
	bool password = pq->connectionNeedsPassword(c->link) != 0;

	store_pg_state_of(&text, c->state);
	if (password)
		text = SLICE("a password is needed");
	if (why)
		buf_put(why, text);
	int err = store_pg_state_error(c->state) == E_DENIED ? E_DENIED : E_UNAVAILABLE;
	store_pg_disconnect(c);
	return password ? E_DENIED : err;
}

static int poll_connection(struct pg_conn *c, struct buf *why)
{
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	while (want != PGRES_POLLING_OK) {
		if (pq->status(c->link) == CONNECTION_BAD || want == PGRES_POLLING_FAILED)
			return connect_failed(c, why);
		if (wait_for(c, want == PGRES_POLLING_READING ? POLLIN : POLLOUT) < 0) {
			if (why)
				buf_str(why, "the server does not answer");
			return E_UNAVAILABLE;
		}
		want = pq->connectPoll(c->link);
	}
	return 0;
}

static int check_server(const struct pg_conn *c, struct buf *why)
{
	const char *encoding = pq->parameterStatus(c->link, "server_encoding");

	if (pq->serverVersion(c->link) < OLDEST_SERVER) {
		if (why)
			buf_printf(why,
				   "the server is of version %d; 14 or newer is needed",
				   pq->serverVersion(c->link) / 10000);
		return E_STATE;
	}
	if (!encoding || strcmp(encoding, "UTF8") != 0) {
		if (why)
			buf_printf(why, "the database's encoding is %s; it must be UTF8",
				   encoding ? encoding : "unknown");
		return E_STATE;
	}
	return 0;
}

/* What the server is to give up by itself, also when we are gone without a word. */
static int set_session(struct pg_conn *c, ms_t patience)
{
	struct buf sql = BUF_INIT(2048);

	buf_printf(&sql,
		   "SET statement_timeout=%lld; SET lock_timeout=%lld;"
		   "SET idle_in_transaction_session_timeout=%lld;"
		   "SET idle_session_timeout=0;"
		   "SET default_transaction_isolation='read committed';"
		   "SET default_transaction_deferrable=off;"
		   "SET tcp_keepalives_idle=10; SET tcp_keepalives_interval=5;"
		   "SET tcp_keepalives_count=3; SET tcp_user_timeout=25000;"
		   "SELECT set_config('synchronous_commit', 'on', false)"
		   " WHERE current_setting('synchronous_commit')='off'",
		   (long long)patience, (long long)patience, 4 * (long long)patience);
	buf_u8(&sql, 0);
	int err = store_pg_exec(c, (const char *)sql.p, NULL);
	buf_fini(&sql);
	return err;
}

/* What libpq says of it may quote a password. */
static int check_url(const char *url, struct buf *why)
{
	char *text = NULL;
	PQconninfoOption *options = pq->conninfoParse(url, &text);

	pq->freemem(text);
	if (!options) {
		if (why)
			buf_str(why, "an option in it is none that libpq knows");
		return E_STATE;
	}
	pq->conninfoFree(options);
	return 0;
}

int store_pg_connect(struct pg_conn *c, const char *url, ms_t patience, struct buf *why)
{
	/* What stands before the URL may be said otherwise in it, what stands behind may not. */
	static const char *const names[] = {
		"fallback_application_name", "keepalives_idle",
		"keepalives_interval",       "keepalives_count",
		"tcp_user_timeout",          "dbname",
		"client_encoding",           NULL
	};
	const char *const values[] = { "parley", "10", "5",    "3",
				       "25000",  url,  "UTF8", NULL };

	int err = check_url(url, why);

	c->state[0] = 0;
	if (err < 0)
		return err;
	c->link = pq->connectStartParams(names, values, 1);
	if (!c->link)
		return E_UNAVAILABLE;
	/* With it the reason has a code, whatever language the server speaks. */
	pq->setErrorVerbosity(c->link, PQERRORS_VERBOSE);
	pq->setNoticeReceiver(c->link, drop_notice, NULL);
	err = poll_connection(c, why);
	if (err < 0)
		return err;
	err = check_server(c, why);
	if (err == 0)
		err = set_session(c, patience);
	if (err < 0) {
		store_pg_disconnect(c);
		if (why && why->n == 0)
			buf_str(why, "the server does not take our settings");
	}
	return err == PG_LOST ? E_UNAVAILABLE : err;
}

void store_pg_disconnect(struct pg_conn *c)
{
	if (!c->link)
		return;
	pq->clear(c->result);
	pq->finish(c->link);
	free(c->cells);
	*c = (struct pg_conn){ .deadline = c->deadline };
}

/* --- statements --- */

/* The cells of c->result. */
static void fill_rows(struct pg_conn *c, struct pg_rows *rows)
{
	int n = pq->ntuples(c->result), columns = pq->nfields(c->result);
	size_t cells = size_mul((size_t)n, (size_t)columns);

	if (cells > c->cells_cap) {
		c->cells_cap = cells;
		c->cells = xrealloc(c->cells, size_mul(cells, sizeof(*c->cells)));
	}
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < columns; k++) {
			struct slice *cell = &c->cells[i * columns + k];

			*cell = SLICE_NONE;
			if (!pq->getisnull(c->result, i, k))
				*cell = slice_of(pq->getvalue(c->result, i, k),
						 (size_t)pq->getlength(c->result, i, k));
		}
	}
	*rows = (struct pg_rows){ c->cells, (unsigned)n, (unsigned)columns };
}

int store_pg_exec(struct pg_conn *c, const char *sql, struct pg_rows *rows)
{
	int err = pq->sendQuery(c->link, sql) ? 0 : lost(c, "send"), failed = 0;
	PGresult *last = NULL;

	while (err == 0 && (err = next_result(c)) == 0 && c->result) {
		ExecStatusType how = pq->resultStatus(c->result);

		if (how != PGRES_COMMAND_OK && how != PGRES_TUPLES_OK)
			failed = refused(c);
		pq->clear(last);
		last = c->result;
		c->result = NULL;
	}
	if (err < 0) {
		pq->clear(last);
		return err;
	}
	c->result = last;
	if (rows && last && failed == 0)
		fill_rows(c, rows);
	return failed;
}

int store_pg_prepare(struct pg_conn *c, enum pg_sql first, enum pg_sql end,
		     struct buf *why)
{
	Oid types[PG_PARAMS];

	if (pq->setnonblocking(c->link, 1) != 0 || !pq->enterPipelineMode(c->link))
		return lost(c, "pipeline");
	for (unsigned i = first; i < end; i++) {
		size_t n = strlen(statements[i].types);

		for (size_t k = 0; k < n; k++)
			types[k] = type_of(statements[i].types[k]);
		if (!pq->sendPrepare(c->link, statements[i].name, statements[i].text,
				     (int)n, types))
			return lost(c, "send");
	}
	int err = store_pg_sync(c);
	for (unsigned i = first; err == 0 && i < end; i++)
		err = store_pg_take(c, NULL);
	if (err < 0 && why)
		buf_printf(why, "the tables are not as they should be (SQLSTATE %s)",
			   c->state);
	if (err == PG_LOST)
		return err;
	bool unknown = strncmp(c->state, "42", 2) == 0;
	int end_err = store_pg_take_sync(c);
	return err == 0 || end_err < 0 ? end_err : unknown ? E_STATE : err;
}

int store_pg_send(struct pg_conn *c, enum pg_sql sql, const struct pg_params *p)
{
	static const struct pg_params none;

	if (!p)
		p = &none;
	assert((size_t)p->count == strlen(statements[sql].types));
	if (!pq->sendQueryPrepared(c->link, statements[sql].name, p->count, p->values,
				   p->lengths, p->formats, 1))
		return lost(c, "send");
	return 0;
}

int store_pg_send_once(struct pg_conn *c, enum pg_sql sql, const struct pg_params *p)
{
	static const struct pg_params none;
	Oid types[PG_PARAMS];

	if (!p)
		p = &none;
	assert((size_t)p->count == strlen(statements[sql].types));
	for (int i = 0; i < p->count; i++)
		types[i] = type_of(statements[sql].types[i]);
	if (!pq->sendQueryParams(c->link, statements[sql].text, p->count, types,
				 p->values, p->lengths, p->formats, 1))
		return lost(c, "send");
	return 0;
}

int store_pg_sync(struct pg_conn *c)
{
	return pq->pipelineSync(c->link) ? push(c) : lost(c, "send");
}

int store_pg_flush(struct pg_conn *c)
{
	return pq->sendFlushRequest(c->link) ? push(c) : lost(c, "send");
}

/* Behind each statement's result there is an empty one. */
static int take_end(struct pg_conn *c)
{
	PGresult *result = c->result;

	c->result = NULL;
	int err = next_result(c);
	if (err < 0) {
		pq->clear(result);
		return err;
	}
	assert(!c->result);
	c->result = result;
	return 0;
}

int store_pg_take(struct pg_conn *c, struct pg_rows *rows)
{
	int err = next_result(c);

	if (err < 0)
		return err;
	if (!c->result)
		return lost(c, "order");
	ExecStatusType how = pq->resultStatus(c->result);
	if (how == PGRES_FATAL_ERROR)
		err = refused(c);
	else if (how != PGRES_TUPLES_OK && how != PGRES_COMMAND_OK)
		err = E_UNAVAILABLE; /* skipped */
	if (pq->status(c->link) == CONNECTION_BAD)
		return lost(c, "ended");
	if (take_end(c) < 0)
		return PG_LOST;
	if (err == 0 && rows)
		fill_rows(c, rows);
	return err;
}

int store_pg_take_sync(struct pg_conn *c)
{
	for (;;) {
		int err = next_result(c);

		if (err < 0)
			return err;
		if (c->result && pq->resultStatus(c->result) == PGRES_PIPELINE_SYNC)
			return 0;
		/* An error in the sync itself: nothing more comes. */
		if (!c->result && pq->status(c->link) == CONNECTION_BAD)
			return lost(c, "read");
	}
}

bool store_pg_has_committed(const struct pg_conn *c)
{
	return c->result && strcmp(pq->cmdStatus(c->result), "COMMIT") == 0;
}

int store_pg_ask(struct pg_conn *c, enum pg_sql sql, const struct pg_params *p,
		 struct pg_rows *rows)
{
	int err = store_pg_send_once(c, sql, p);

	if (err == 0)
		err = store_pg_sync(c);
	if (err == 0)
		err = store_pg_take(c, rows);
	if (err == PG_LOST)
		return err;
	/* The rows shall outlive the sync. */
	PGresult *result = c->result;
	c->result = NULL;
	int end = store_pg_take_sync(c);
	if (end < 0) {
		pq->clear(result);
		return end;
	}
	pq->clear(c->result);
	c->result = result;
	return err;
}

/* --- rows one by one --- */

int store_pg_begin_rows(struct pg_conn *c, enum pg_sql sql)
{
	int err = store_pg_send_once(c, sql, NULL);

	if (err == 0 && !pq->setSingleRowMode(c->link))
		return lost(c, "rows");
	return err;
}

int store_pg_next_row(struct pg_conn *c, struct pg_rows *rows)
{
	int err = next_result(c);

	*rows = (struct pg_rows){ 0 };
	if (err < 0 || !c->result)
		return err;
	ExecStatusType how = pq->resultStatus(c->result);
	if (how == PGRES_FATAL_ERROR)
		return refused(c);
	if (how != PGRES_SINGLE_TUPLE)
		return 0;
	fill_rows(c, rows);
	return 1;
}
