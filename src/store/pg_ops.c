/* pg_ops: queries as statements of PostgreSQL, and their rows as answers. */
#include "base/err.h"
#include "store/pg.h"

/* --- queries --- */

static void bind_row(struct pg_params *p, const struct store_row *r)
{
	store_pg_u64(p, r->n);
	store_pg_u64(p, r->kind);
	store_pg_u64(p, (uint64_t)r->time);
	store_pg_u64(p, r->member);
	store_pg_text_or_null(p, r->user);
	store_pg_text(p, r->name);
	store_pg_text(p, r->text);
	store_pg_u64(p, r->of);
	store_pg_u64_or_null(p, r->to);
	store_pg_text_or_null(p, r->to_user);
	store_pg_text_or_null(p, r->key);
	store_pg_text_or_null(p, r->file);
}

int store_pg_bind_message(const struct store_query *q, struct slice files,
			  struct pg_params *p)
{
	struct store_row row;
	struct chat_more m;
	int err = store_row_of_message(&row, &m, q);

	if (err < 0)
		return err;
	row.file = files;
	store_pg_text(p, q->room);
	store_pg_u64(p, m.epoch);
	bind_row(p, &row);
	return 0;
}

static int bind_target(const struct store_query *q, struct pg_params *p)
{
	struct chat_more m;

	if (!q->event || bus_chat_decode(&m, q->event->more) < 0)
		return E_STATE;
	store_pg_text(p, q->room);
	store_pg_u64(p, m.of);
	store_pg_u64(p, q->event->n);
	return 0;
}

static int bind_visit(const struct store_query *q, struct pg_params *p)
{
	const struct member_info *m = q->member;

	if (!m)
		return E_STATE;
	store_pg_text(p, q->room);
	store_pg_u64(p, q->n);
	store_pg_u64(p, m->id);
	store_pg_text(p, m->name);
	store_pg_text_or_null(p, m->user);
	store_pg_u64(p, m->role);
	store_pg_text_or_null(p, m->metadata);
	store_pg_u64(p, (uint64_t)m->joined_at);
	return 0;
}

static void bind_secret(const struct store_query *q, struct pg_params *p)
{
	uint8_t hash[STORE_HASH];

	store_hash(q->secret, hash);
	store_pg_text(p, q->session);
	store_pg_copy(p, slice_of(hash, sizeof(hash)));
	store_pg_bytes(p, q->text);
}

static void bind_seat(const struct store_query *q, struct pg_params *p)
{
	store_pg_text(p, q->session);
	store_pg_text(p, q->room);
	store_pg_u64(p, q->viewer);
}

/* One more row than wanted is asked for, to know whether there are more. */
static uint64_t limit_of(const struct store_query *q)
{
	if (q->op == STORE_WAKE && q->limit == 0)
		return 0;
	return store_row_limit(q->limit) + 1;
}

static bool goes_forth(const struct store_query *q)
{
	return q->op == STORE_HISTORY && (q->after > 0 || q->forward);
}

static enum pg_sql bind_page(const struct store_query *q, struct pg_params *p)
{
	uint64_t before = q->before;

	if (before == 0 || before > STORE_ROW_MAX_N)
		before = STORE_ROW_MAX_N + 1;
	store_pg_text(p, q->room);
	store_pg_u64(p, q->viewer);
	store_pg_text_or_null(p, q->viewer_user);
	store_pg_bool(p, q->all);
	store_pg_u64(p, before);
	store_pg_u64(p, limit_of(q));
	store_pg_text_or_null(p, q->op == STORE_HISTORY ? q->reader : SLICE_NONE);
	if (q->op == STORE_SEARCH)
		store_pg_text(p, q->text);
	if (!goes_forth(q))
		return q->op == STORE_SEARCH ? PG_SEARCH : PG_BACK;
	store_pg_u64(p, q->after);
	return PG_FORTH;
}

int store_pg_bind(const struct store_settings *s, const struct store_query *q,
		  enum pg_sql *sql, struct pg_params *p)
{
	static const enum pg_sql names[STORE_OPS] = {
		[STORE_MESSAGE] = PG_MESSAGE,     [STORE_CHANGE] = PG_TARGET,
		[STORE_READ] = PG_READ,           [STORE_VISIT] = PG_VISIT,
		[STORE_VISIT_END] = PG_VISIT_END, [STORE_SEAT] = PG_SECRET,
		[STORE_SEAT_END] = PG_SEAT_END,   [STORE_SECRET] = PG_SECRET,
		[STORE_WAKE] = PG_WAKE,           [STORE_VISITS] = PG_VISITS,
	};

	*sql = names[q->op];
	switch (q->op) {
	case STORE_MESSAGE:
		return store_pg_bind_message(q, SLICE_NONE, p);
	case STORE_CHANGE:
		return bind_target(q, p);
	case STORE_READ:
		store_pg_text(p, q->room);
		store_pg_text(p, q->reader);
		store_pg_u64(p, q->n);
		return 0;
	case STORE_VISIT:
		return bind_visit(q, p);
	case STORE_VISIT_END:
		store_pg_text(p, q->room);
		store_pg_u64(p, q->viewer);
		store_pg_u64(p, (uint64_t)q->time);
		store_pg_u64(p, q->reason);
		return 0;
	case STORE_SEAT:
	case STORE_SECRET:
		bind_secret(q, p);
		return 0;
	case STORE_SEAT_END:
		bind_seat(q, p);
		return 0;
	case STORE_WAKE:
		store_pg_text(p, q->room);
		store_pg_u64(p, limit_of(q));
		return 0;
	case STORE_VISITS:
		store_pg_text(p, q->room);
		store_pg_u64(p, q->before > 0 ? q->before : INT64_MAX);
		store_pg_u64(p, limit_of(q));
		return 0;
	case STORE_HISTORY:
	case STORE_SEARCH:
		*sql = bind_page(q, p);
		return 0;
	case STORE_KEEP:
	case STORE_KEPT:
		return store_pg_bind_note(q, sql, p);
	default:
		return store_pg_bind_file(s, q, sql, p);
	}
}

enum pg_sql store_pg_bind_more(const struct store_query *q, struct pg_params *p)
{
	if (q->op == STORE_SEAT) {
		bind_seat(q, p);
		return PG_SEAT;
	}
	if (q->op == STORE_SEAT_END) {
		store_pg_text(p, q->session);
		return PG_SESSION_END;
	}
	return PG_STATEMENTS;
}

/* --- answers --- */

static int answer_message(const struct store_query *q, const struct pg_rows *rows,
			  struct store_answer *a)
{
	/* Neither kept nor known: its number is another's. */
	if (rows->rows == 0)
		return E_STATE;
	a->epoch = store_pg_cell_u64(rows, 0, 0);
	a->n = store_pg_cell_u64(rows, 0, 1);
	a->time = (ms_t)store_pg_cell_u64(rows, 0, 2);
	a->known = store_pg_cell_bool(rows, 0, 3);
	return a->known || a->n == q->event->n ? 0 : E_STATE;
}

/* Rows as they come, put out oldest first. */
static void answer_page(const struct store_query *q, const struct pg_rows *rows,
			struct store_answer *a, struct buf *out)
{
	uint32_t limit = store_row_limit(q->limit), count = 0;
	struct store_row row;

	a->epoch = store_pg_cell_u64(rows, 0, 0);
	a->n = store_pg_cell_u64(rows, 0, 1);
	while (count < rows->rows && store_pg_message(rows, count, 2, &row))
		count++;
	a->partial = count > limit;
	if (a->partial)
		count = limit;
	for (uint32_t i = 0; i < count; i++) {
		(void)store_pg_message(rows, goes_forth(q) ? i : count - 1 - i, 2, &row);
		store_row_event(&row, a->epoch, out);
	}
}

static void answer_visits(const struct store_query *q, const struct pg_rows *rows,
			  struct store_answer *a, struct buf *out)
{
	uint32_t limit = store_row_limit(q->limit);
	uint32_t count = rows->rows > limit ? limit : rows->rows;
	struct visit v;

	a->partial = rows->rows > limit;
	for (uint32_t i = count; i > 0; i--) {
		store_pg_visit(rows, i - 1, &v);
		bus_visit_encode(out, &v);
	}
}

int store_pg_answer(const struct store_settings *s, const struct store_query *q,
		    const struct pg_rows *rows, struct store_answer *a, struct buf *out)
{
	switch (q->op) {
	case STORE_MESSAGE:
		return answer_message(q, rows, a);
	case STORE_WAKE:
	case STORE_HISTORY:
	case STORE_SEARCH:
		answer_page(q, rows, a, out);
		return 0;
	case STORE_VISITS:
		answer_visits(q, rows, a, out);
		return 0;
	case STORE_KEPT:
		store_pg_answer_notes(rows, a, out);
		return 0;
	case STORE_FILE:
	case STORE_SPACE:
	case STORE_FILE_FIND:
	case STORE_FILES_UNUSED:
		return store_pg_answer_file(s, q, rows, a, out);
	default:
		return 0;
	}
}

/* --- changes --- */

/* The first three columns of TARGET. */
struct target {
	uint64_t epoch, room;
	bool made; /* in an attempt before */
	struct store_row row;
};

static int send_change(struct pg_conn *c, enum pg_sql sql, const struct target *t,
		       struct slice text, uint64_t at)
{
	struct pg_params p = { 0 };

	store_pg_u64(&p, t->room);
	store_pg_u64(&p, t->row.n);
	if (sql == PG_SET_TEXT)
		store_pg_text(&p, text);
	if (sql == PG_SET_REACTIONS)
		store_pg_text_or_null(&p, text);
	else
		store_pg_u64(&p, at);
	int err = store_pg_send(c, sql, &p);
	store_pg_params_fini(&p);
	return err;
}

static int send_row(struct pg_conn *c, const struct target *t,
		    const struct store_query *q, const struct chat_more *m)
{
	struct pg_params p = { 0 };
	struct store_row row;

	store_row_of_change(&row, q, m, &t->row);
	store_pg_u64(&p, t->room);
	store_pg_u64(&p, (uint64_t)row.edited);
	bind_row(&p, &row);
	int err = store_pg_send(c, PG_ADD_CHANGE, &p);
	store_pg_params_fini(&p);
	return err;
}

static int send_drop_files(struct pg_conn *c, const struct target *t, struct slice room)
{
	struct pg_params p = { 0 };

	store_pg_text(&p, room);
	store_pg_u64(&p, t->row.n);
	int err = store_pg_send(c, PG_DROP_FILES, &p);
	store_pg_params_fini(&p);
	return err;
}

static int send_reactions(struct pg_conn *c, const struct target *t,
			  const struct store_query *q, const struct chat_more *m,
			  struct store_answer *a)
{
	struct buf made = BUF_INIT(256 * 1024);
	int err = 0;

	a->err =
		bus_chat_react(t->row.reactions, q->event->text, m->reader, m->on, &made);
	if (a->err == 0)
		err = send_change(c, PG_SET_REACTIONS, t, buf_slice(&made), 0);
	buf_fini(&made);
	return err;
}

static int send_all(struct pg_conn *c, const struct target *t,
		    const struct store_query *q, const struct chat_more *m,
		    struct store_answer *a)
{
	const struct event *e = q->event;
	int err;

	if (e->kind == EVENT_EDITED)
		err = send_change(c, PG_SET_TEXT, t, e->text, (uint64_t)e->time);
	else if (e->kind == EVENT_DELETED)
		err = send_change(c, PG_SET_DELETED, t, SLICE_NONE, (uint64_t)e->time);
	else
		err = send_reactions(c, t, q, m, a);
	if (err < 0 || a->err < 0)
		return err;
	err = send_row(c, t, q, m);
	if (err < 0 || e->kind != EVENT_DELETED || t->row.file.n == 0)
		return err < 0 ? err : 2;
	err = send_drop_files(c, t, q->room);
	return err < 0 ? err : 3;
}

int store_pg_change(struct pg_conn *c, const struct store_query *q,
		    const struct pg_rows *found, struct store_answer *a)
{
	struct target t = {
		.epoch = store_pg_cell_u64(found, 0, 0),
		.room = store_pg_cell_u64(found, 0, 1),
		.made = store_pg_cell_bool(found, 0, 2),
	};
	struct chat_more m;
	int sent = 0;

	if (bus_chat_decode(&m, q->event->more) < 0)
		return E_STATE;
	if (!store_pg_message(found, 0, 3, &t.row)) {
		a->err = E_NOT_FOUND;
		return 0;
	}
	a->err = t.made ? 0 : store_row_may_change(&t.row, q);
	if (a->err == 0 && !t.made)
		sent = send_all(c, &t, q, &m, a);
	store_row_answer_change(&t.row, q, t.epoch, a);
	return sent;
}
