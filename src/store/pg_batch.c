/* pg_batch: batches as streams of statements. */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/pg.h"

/* Statements whose results are not taken yet; bounds what libpq holds of both. A reader's may be pages. */
#define WINDOW 256
#define READ_WINDOW 16
#define NO_JOB SIZE_MAX

/* A statement on its way. */
struct expected {
	size_t job;
	bool answers; /* the job's answer is in its rows */
};

struct flow {
	struct backend *b;
	struct store_batch *batch;
	struct expected expected[WINDOW + 4]; /* a job has up to three at once */
	size_t first, end;
	int err; /* the first one */
};

/* --- statements --- */

static int send_statement(struct flow *f, enum pg_sql sql, const struct pg_params *p,
			  struct expected e)
{
	/* Planned anew, for how many rows have a word differs by all of them. */
	int err = sql == PG_SEARCH ? store_pg_send_once(&f->b->conn, sql, p)
				   : store_pg_send(&f->b->conn, sql, p);

	if (err == 0)
		f->expected[f->end++] = e;
	return err;
}

static int send_plain(struct flow *f, enum pg_sql sql)
{
	return send_statement(f, sql, NULL, (struct expected){ .job = NO_JOB });
}

/* The query of a job; false: its answer is made already. */
static bool letter_of(struct flow *f, size_t job, struct store_letter *l)
{
	struct store_job *j = &f->batch->jobs[job];

	if (store_job_letter(f->batch, j, l) == 0)
		return true;
	j->answer.err = E_MALFORMED;
	return false;
}

static int send_query(struct flow *f, size_t job, const struct store_query *q)
{
	struct pg_params p = { 0 };
	enum pg_sql sql;
	int err = store_pg_bind(f->b->settings, q, &sql, &p);

	if (err < 0) {
		f->batch->jobs[job].answer.err = err;
		store_pg_params_fini(&p);
		return 0;
	}
	err = send_statement(f, sql, &p, (struct expected){ job, q->op != STORE_CHANGE });
	store_pg_params_fini(&p);
	sql = err == 0 ? store_pg_bind_more(q, &p) : PG_STATEMENTS;
	if (sql != PG_STATEMENTS)
		err = send_statement(f, sql, &p, (struct expected){ .job = job });
	store_pg_params_fini(&p);
	return err;
}

/* --- results --- */

static void answer(struct flow *f, size_t job, const struct pg_rows *rows)
{
	struct store_job *j = &f->batch->jobs[job];
	struct buf *out = &f->batch->out;
	struct store_letter l;

	if (!letter_of(f, job, &l))
		return;
	size_t at = buf_at(out);
	int err = store_pg_answer(f->b->settings, &l.q, rows, &j->answer, out);
	if (buf_at(out) > at) {
		j->body_at = at;
		j->body_n = buf_at(out) - at;
	}
	if (err < 0)
		j->answer.err = err;
}

/* PG_LOST; else what is wrong is in f->err. `rows`: also for the caller. */
static int take_one(struct flow *f, struct pg_rows *rows)
{
	struct expected e = f->expected[f->first++];
	int err = store_pg_take(&f->b->conn, rows);

	if (f->first == f->end)
		f->first = f->end = 0;
	if (err == PG_LOST)
		return err;
	if (err < 0 && f->err == 0)
		f->err = err;
	if (err == 0 && e.answers)
		answer(f, e.job, rows);
	return 0;
}

static int take_all(struct flow *f, struct pg_rows *rows)
{
	int err = 0;

	while (err == 0 && f->end > 0)
		err = take_one(f, rows);
	return err;
}

/* --- the writer's --- */

/* Its message must be known before it can be changed; what was sent before has been done by then. */
static int run_change(struct flow *f, size_t job, const struct store_query *q)
{
	struct store_answer *a = &f->batch->jobs[job].answer;
	struct pg_rows found = { 0 };
	int err = store_pg_flush(&f->b->conn);

	if (err == 0)
		err = take_all(f, &found);
	if (err < 0 || f->err < 0)
		return err;
	int sent = store_pg_change(&f->b->conn, q, &found, a);
	if (sent == PG_LOST)
		return sent;
	if (sent < 0)
		a->err = sent;
	for (int i = 0; i < sent; i++)
		f->expected[f->end++] = (struct expected){ .job = job };
	return 0;
}

/* KNOWN and LOOK, one behind the other. */
static int look_at_files(struct flow *f, const struct store_query *q,
			 const struct store_row *row)
{
	const struct expected none = { .job = NO_JOB };
	struct pg_params p = { 0 };

	store_pg_bind_known(q, row, &p);
	int err = send_statement(f, PG_KNOWN, &p, none);
	store_pg_params_fini(&p);
	store_pg_bind_look(row, &p);
	if (err == 0)
		err = send_statement(f, PG_LOOK, &p, none);
	store_pg_params_fini(&p);
	return err == 0 ? store_pg_flush(&f->b->conn) : err;
}

static int send_with_files(struct flow *f, size_t job, const struct store_query *q,
			   const struct store_row *row, struct slice record)
{
	struct pg_params p = { 0 };
	int err = store_pg_bind_message(q, record, &p);

	if (err == 0)
		err = send_statement(f, PG_MESSAGE, &p, (struct expected){ job, true });
	store_pg_params_fini(&p);
	store_pg_bind_attach(q, row, &p);
	if (err == 0)
		err = send_statement(f, PG_ATTACH, &p, (struct expected){ .job = job });
	store_pg_params_fini(&p);
	return err;
}

/* A message with files: they must be the sender's, and are recorded in it. One that is known has them already. */
static int run_with_files(struct flow *f, size_t job, const struct store_query *q,
			  const struct store_row *row)
{
	struct store_job *j = &f->batch->jobs[job];
	struct buf *out = &f->batch->out;
	struct pg_rows rows = { 0 };
	int err = look_at_files(f, q, row);

	while (err == 0 && f->end - f->first > 1)
		err = take_one(f, &rows);
	bool found = err == 0 && f->err == 0 && rows.rows > 0;
	if (found)
		j->answer.err =
			store_pg_answer(f->b->settings, q, &rows, &j->answer, out);
	if (err == 0)
		err = take_one(f, &rows);
	if (err < 0 || f->err < 0 || j->answer.err < 0 || j->answer.known)
		return err;
	j->body_at = buf_at(out);
	j->answer.err = store_pg_file_record(q, &rows, out);
	if (j->answer.err < 0)
		return 0;
	j->body_n = buf_at(out) - j->body_at;
	struct slice record = slice_of(out->p + j->body_at, j->body_n);
	return found ? 0 : send_with_files(f, job, q, row, record);
}

/* One job of the writer. */
static int run_query(struct flow *f, size_t job, const struct store_query *q)
{
	struct store_row row;
	struct chat_more m;

	if (q->op == STORE_MESSAGE && store_row_of_message(&row, &m, q) == 0 &&
	    row.file.n > 0)
		return run_with_files(f, job, q, &row);
	size_t before = f->end;
	int err = send_query(f, job, q);

	if (err == 0 && q->op == STORE_CHANGE && f->end > before)
		err = run_change(f, job, q);
	return err;
}

static int run_job(struct flow *f, size_t job)
{
	struct pg_rows rows = { 0 };
	struct store_letter l;
	int err = 0;

	if (f->end >= WINDOW) {
		err = store_pg_flush(&f->b->conn);
		if (err == 0)
			err = take_all(f, &rows);
	}
	if (err < 0 || !letter_of(f, job, &l))
		return err;
	return run_query(f, job, &l.q);
}

static void forget_answers(struct store_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		batch->jobs[i].answer = (struct store_answer){ 0 };
		batch->jobs[i].body_n = 0;
	}
	buf_clear(&batch->out);
}

/* The results of what was sent since the last sync, and its end. What failed is in f->err. */
static int end_stretch(struct flow *f)
{
	struct pg_rows rows = { 0 };
	int err = store_pg_sync(&f->b->conn);

	if (err == 0)
		err = take_all(f, &rows);
	return err == 0 ? store_pg_take_sync(&f->b->conn) : err;
}

static int roll_back(struct backend *b)
{
	int err = store_pg_ask(&b->conn, PG_ROLLBACK, NULL, NULL);

	/* Then the server has ended the session, and with it the transaction. */
	if (err < 0)
		store_pg_disconnect(&b->conn);
	return E_UNAVAILABLE;
}

/* One job, whose failure by its own fault leaves the others alone. */
static int run_apart(struct flow *f, size_t job)
{
	int err = send_plain(f, PG_SAVE);

	if (err == 0)
		err = run_job(f, job);
	if (err == 0 && f->err == 0)
		err = send_plain(f, PG_RELEASE);
	if (err == 0)
		err = end_stretch(f);
	if (err < 0 || f->err != E_STATE)
		return err;
	f->err = 0;
	f->batch->jobs[job].answer = (struct store_answer){ .err = E_BAD_FIELD };
	return store_pg_ask(&f->b->conn, PG_TAKE_BACK, NULL, NULL);
}

static int commit(struct flow *f)
{
	int err = store_pg_ask(&f->b->conn, PG_COMMIT, NULL, NULL);

	return err == 0 && !store_pg_has_committed(&f->b->conn) ? E_UNAVAILABLE : err;
}

/* A row of the batch does not fit: which one is found by running each for itself. */
static int write_apart(struct backend *b, struct store_batch *batch)
{
	struct flow f = { .b = b, .batch = batch };
	int err = store_pg_ask(&b->conn, PG_BEGIN, NULL, NULL);

	forget_answers(batch);
	for (size_t i = 0; err == 0 && f.err == 0 && i < batch->count; i++)
		err = run_apart(&f, i);
	if (err == 0 && f.err == 0)
		err = commit(&f);
	if (err == PG_LOST)
		return err;
	return err < 0 || f.err < 0 ? roll_back(b) : 0;
}

int store_pg_write(struct backend *b, struct store_batch *batch)
{
	struct flow f = { .b = b, .batch = batch };
	struct pg_rows rows = { 0 };
	int err = send_plain(&f, PG_BEGIN);

	forget_answers(batch);
	for (size_t i = 0; err == 0 && f.err == 0 && i < batch->count; i++)
		err = run_job(&f, i);
	if (err == 0 && f.err == 0)
		err = send_plain(&f, PG_COMMIT);
	if (err == 0)
		err = store_pg_sync(&b->conn);
	if (err == 0)
		err = take_all(&f, &rows);
	bool committed = err == 0 && store_pg_has_committed(&b->conn);
	if (err == 0)
		err = store_pg_take_sync(&b->conn);
	if (err == PG_LOST)
		return err;
	if (committed)
		return 0;
	(void)roll_back(b);
	if (f.err == E_STATE && b->conn.link)
		return write_apart(b, batch);
	return E_UNAVAILABLE;
}

/* --- the reader's --- */

/* Up to READ_WINDOW jobs from `first` on, each a stretch of its own. */
static int read_some(struct flow *f, size_t first, size_t end)
{
	struct pg_rows rows = { 0 };
	struct store_letter l;
	int err = 0;

	for (size_t i = first; err == 0 && i < end; i++) {
		if (letter_of(f, i, &l))
			err = send_query(f, i, &l.q);
		if (err == 0)
			err = store_pg_sync(&f->b->conn);
	}
	for (size_t i = first; err == 0 && i < end; i++) {
		struct store_job *j = &f->batch->jobs[i];

		f->err = 0;
		if (f->end > 0 && f->expected[f->first].job == i)
			err = take_one(f, &rows);
		if (f->err < 0)
			j->answer.err = f->err;
		if (err == 0)
			err = store_pg_take_sync(&f->b->conn);
	}
	return err;
}

int store_pg_read(struct backend *b, struct store_batch *batch)
{
	struct flow f = { .b = b, .batch = batch };
	size_t failed = 0;
	int err = 0;

	forget_answers(batch);
	for (size_t i = 0; err == 0 && i < batch->count; i += READ_WINDOW) {
		size_t left = batch->count - i;

		err = read_some(&f, i, i + (left < READ_WINDOW ? left : READ_WINDOW));
	}
	for (size_t i = 0; err == 0 && i < batch->count; i++)
		failed += batch->jobs[i].answer.err == E_UNAVAILABLE;
	return err == 0 && failed == batch->count ? E_UNAVAILABLE : err;
}

/* --- what may have been kept although it was said that it was not --- */

void store_pg_unsettle(struct backend *b, const struct store_batch *batch)
{
	struct store_letter l;

	for (size_t i = 0; i < batch->count; i++) {
		if (store_job_letter(batch, &batch->jobs[i], &l) < 0 ||
		    l.q.op != STORE_MESSAGE || !l.q.event)
			continue;
		buf_prefixed(&b->unsettled, l.q.room);
		buf_be64(&b->unsettled, l.q.event->n);
		buf_be64(&b->unsettled, l.q.event->member);
		buf_be64(&b->unsettled, (uint64_t)l.q.event->time);
	}
}

static int send_undo(struct flow *f, struct cur *in)
{
	struct pg_params p = { 0 };

	store_pg_text(&p, cur_prefixed(in));
	for (unsigned i = 0; i < 3; i++)
		store_pg_u64(&p, cur_be64(in));
	int err = send_statement(f, PG_UNDO, &p, (struct expected){ .job = NO_JOB });
	store_pg_params_fini(&p);
	return err;
}

int store_pg_settle(struct backend *b)
{
	struct cur in = cur_of_slice(buf_slice(&b->unsettled));
	struct flow f = { .b = b };
	size_t count = 0;
	int err = 0;

	while (err == 0 && f.err == 0 && cur_left(&in) > 0) {
		for (; err == 0 && cur_left(&in) > 0 && f.end < WINDOW; count++)
			err = send_undo(&f, &in);
		if (err == 0)
			err = end_stretch(&f);
	}
	if (err < 0 || f.err < 0)
		return err < 0 ? err : f.err;
	if (count > 0)
		log_info("store", "settled", "messages=%zu", count);
	buf_fini(&b->unsettled);
	return 0;
}
