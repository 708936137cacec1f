/* recovery: Socket.IO's connection state recovery. While a client is away its session stays, with its places in
 * rooms: to the others it has left. Every event has a number, the offset, as its last argument; a client that
 * comes back with its pid says the last one it got, and gets those after it.
 *
 * The numbers are those of the worker, so one order holds for all rooms of a session. What many share is kept once
 * per channel, what is for one session alone on its own trail (event_log.h).
 */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "dialect/fanout.h"
#include "dialect/socketio.h"

#define AWAY_MS 120000 /* as long as the reference keeps one */
#define MAX_REPLAY 4096
#define PID (SESSION_ID + SESSION_SECRET)
#define MAX_OFFSET 24

struct recovery {
	struct list link; /* socketio->lost */
	struct loop_timer timer;
	struct session *session;
	uint64_t since;         /* of the worker's numbers when it came there */
	struct event_trail own; /* what was said to it alone */
	bool lost;
};

ms_t recovery_life(const struct dialect_settings *s)
{
	const struct eio_times *t = &s->sio.eio.times;

	return s->sio_recovery ? t->ping_interval + t->ping_timeout + AWAY_MS : 0;
}

bool recovery_is_lost(const struct session *s)
{
	return s->recovery && s->recovery->lost;
}

/* --- numbers --- */

/* In place of the bracket at the array's end: ,"17@0"] */
static void put_offset(struct buf *b, const struct dialect *d)
{
	if (b->bad || b->n == 0 || b->p[b->n - 1] != ']')
		return;
	b->n--;
	buf_str(b, ",\"");
	buf_dec(b, d->heard);
	buf_u8(b, '@');
	buf_dec(b, d->self);
	buf_str(b, "\"]");
}

/* False: it was given by another worker, before the session came here. */
static bool read_offset(struct slice text, const struct dialect *d, uint64_t *number)
{
	size_t at = slice_find(text, '@');
	uint32_t worker;

	return slice_to_u64(slice_of(text.p, at), number) == 0 &&
	       slice_to_u32(slice_from(text, at + 1), &worker) == 0 &&
	       worker == d->self && *number <= d->heard;
}

void recovery_hear(struct buf *b, struct fanout_channel *c, size_t from, uint64_t except)
{
	struct dialect *d = c->fanout->dialect;

	d->heard++;
	put_offset(b, d);
	if (b->bad)
		return;
	if (!c->heard)
		c->heard = xzalloc(sizeof(*c->heard));
	fanout_hear(d, c->heard, d->heard, except, slice_from(buf_slice(b), from));
}

/* Attachments are not kept, and who is in no room does not come back. */
void recovery_send(struct session *s, struct slice message, struct slice binary)
{
	struct dialect *d = s->dialect;
	struct buf b = BUF_INIT(message.n + MAX_OFFSET + 8);

	(void)buf_room(&b, b.max);
	buf_put(&b, message);
	d->heard++;
	put_offset(&b, d);
	if (binary.n == 0 && s->seats)
		fanout_hear(d, &s->recovery->own, d->heard, 0, buf_slice(&b));
	if (s->sio)
		sio_emit(s->sio, buf_slice(&b), binary);
	buf_fini(&b);
}

/* --- going --- */

static void on_away_over(struct loop_timer *t)
{
	session_end(container_of(t, struct recovery, timer)->session, LEAVE_DISCONNECT);
}

void recovery_begin(struct session *s)
{
	struct recovery *r = xzalloc(sizeof(*r));

	r->session = s;
	r->since = s->dialect->heard;
	list_init(&r->link);
	loop_timer_init(&r->timer, on_away_over);
	s->recovery = r;
}

void recovery_arrive(struct session *s)
{
	if (!s->recovery)
		return;
	s->recovery->since = s->dialect->heard;
	s->recovery->own = (struct event_trail){ 0 };
}

static void found_again(struct recovery *r)
{
	if (!r->lost)
		return;
	r->lost = false;
	list_unlink(&r->link);
	loop_timer_stop(r->session->dialect->loop, &r->timer);
	metric_add(METRIC_SESSIONS_AWAY, -1);
}

void recovery_forget(struct session *s)
{
	if (!s->recovery)
		return;
	found_again(s->recovery);
	free(s->recovery);
	s->recovery = NULL;
}

static void tell_rooms(struct session *s, enum command_kind kind,
		       enum leave_reason reason)
{
	const struct command c = { .kind = kind, .hidden = true, .reason = reason };
	struct seat *next;

	for (struct seat *seat = s->seats; seat; seat = next) {
		next = seat->next;
		route_command(seat, 0, &c);
	}
}

/* Strangers can make such sessions: they shall not outnumber those who are here. */
static bool too_many(const struct dialect *d)
{
	return metric_total(METRIC_SESSIONS_AWAY) >=
	       d->settings->sio.eio.max_sessions / 4;
}

bool recovery_keep(struct session *s, enum leave_reason reason)
{
	struct dialect *d = s->dialect;
	struct recovery *r = s->recovery;

	if (!r || d->draining || too_many(d))
		return false;
	session_drop_unseated(s);
	if (s->seat_count == 0)
		return false;
	s->sio = NULL;
	socketio_set_ws(s, NULL);
	s->transport = &socketio_settled;
	r->lost = true;
	list_append(&d->socketio->lost, &r->link);
	loop_timer_start(d->loop, &r->timer, AWAY_MS);
	metric_add(METRIC_SESSIONS_AWAY, 1);
	tell_rooms(s, COMMAND_AWAY, reason);
	return true;
}

void recovery_drain(struct dialect *d)
{
	struct list *lost = &d->socketio->lost;

	while (!list_empty(lost))
		session_end(list_entry(lost->next, struct recovery, link)->session,
			    LEAVE_SHUTDOWN);
}

/* --- coming back --- */

void recovery_put_pid(struct jsonw *w, const struct session *s)
{
	char pid[PID];

	memcpy(pid, s->id, SESSION_ID);
	memcpy(pid + SESSION_ID, s->secret, SESSION_SECRET);
	json_field_string(w, "pid", slice_of(pid, PID));
}

struct claim {
	struct slice pid, offset;
	struct buf text;
};

/* {"pid":...,"offset":...}; without an offset it has got nothing yet. */
static bool read_claim(struct claim *c, struct slice auth)
{
	struct json_token tokens[64];
	struct json j;

	if (json_parse(&j, auth, tokens, ARRAY_LEN(tokens)) < 0)
		return false;
	uint32_t pid = json_member(&j, 0, SLICE("pid"));
	uint32_t offset = json_member(&j, 0, SLICE("offset"));
	if (!pid || json_string(&j, pid, PID, &c->text) < 0 || c->text.n != PID)
		return false;
	if (offset && json_string(&j, offset, MAX_OFFSET, &c->text) < 0)
		return false;
	c->pid = slice_of(c->text.p, PID);
	c->offset = slice_from(buf_slice(&c->text), PID);
	return true;
}

static struct session *find_claimed(const struct dialect *d, const struct claim *c,
				    const struct table *t)
{
	struct slice id = slice_of(c->pid.p, SESSION_ID);
	struct session *s = session_find(d, session_number(id));

	if (!s || !s->recovery || s->vocabulary != table_vocabulary(t) ||
	    !slice_eq(slice_of(s->id, SESSION_ID), id) ||
	    !session_secret_is(s, slice_from(c->pid, SESSION_ID)))
		return NULL;
	return s;
}

static int by_number(const void *a, const void *b)
{
	const struct event_log_entry *const *x = a, *const *y = b;

	return (*x)->seq < (*y)->seq ? -1 : (*x)->seq > (*y)->seq;
}

/* Appends pointers to all that the session has missed after `seen`, in order. False: some of it is gone. */
static bool find_missed(const struct session *s, uint64_t seen, struct buf *found)
{
	const struct dialect *d = s->dialect;
	bool whole = event_log_since(&d->log, &s->recovery->own, seen, MAX_REPLAY, found);

	for (const struct seat *seat = s->seats; seat && whole; seat = seat->next) {
		const struct event_trail *t = seat->channel ? seat->channel->heard : NULL;
		uint64_t from = seat->heard > seen ? seat->heard : seen;

		if (t)
			whole = event_log_since(&d->log, t, from, MAX_REPLAY, found);
	}
	if (found->n > 0)
		qsort(found->p, found->n / sizeof(struct event_log_entry *),
		      sizeof(struct event_log_entry *), by_number);
	return whole && !found->bad;
}

static bool sees(const struct session *s, const struct event_log_entry *e)
{
	for (const struct seat *seat = s->seats; seat; seat = seat->next)
		if (e->except == seat->member_id && e->except != 0)
			return false;
	return true;
}

static void replay(struct session *s, const struct buf *found)
{
	struct buf packet = BUF_INIT(SIZE_MAX);

	for (size_t at = 0; at < found->n; at += sizeof(struct event_log_entry *)) {
		const struct event_log_entry *e;

		memcpy(&e, found->p + at, sizeof(e));
		if (!sees(s, e))
			continue;
		buf_clear(&packet);
		sio_put_event_head(&packet, sio_namespace(s->sio));
		buf_put(&packet, event_log_message(e));
		sio_emit_packet(s->sio, buf_slice(&packet));
		metric_add(METRIC_DELIVERIES, 1);
	}
	buf_fini(&packet);
}

/* Of two connections the newer one wins, also when the older has not been found dead yet. */
static void take_from_older(struct session *s)
{
	if (s->sio)
		sio_orphan(s->sio);
	s->sio = NULL;
	socketio_set_ws(s, NULL);
}

static bool recover(struct session *s, struct sio_socket *socket, uint64_t seen)
{
	struct buf found = BUF_INIT(SIO_MAX_SOCKETS * MAX_REPLAY * sizeof(void *));
	bool was_lost = s->recovery->lost;

	/* Frames of this turn have been kept as well: they come with the rest. */
	take_from_older(s);
	if (!find_missed(s, seen, &found)) {
		buf_fini(&found);
		session_end(s, LEAVE_DISCONNECT);
		return false;
	}
	s->sio = socket;
	socketio_accept(s);
	replay(s, &found);
	buf_fini(&found);
	socketio_set_ws(s, sio_ws(socket));
	found_again(s->recovery);
	metric_add(METRIC_RESUMES, 1);
	log_info("socketio", "recovered", "session=%.*s", SESSION_ID, s->id);
	if (was_lost)
		tell_rooms(s, COMMAND_BACK, LEAVE_DISCONNECT);
	return true;
}

/* The worker to ask next: whom the id names, then all in turn, since a session moves with its first join. */
static unsigned next_worker(const struct socketio *g, struct slice id)
{
	const struct dialect *d = g->dialect;
	unsigned worker = session_worker(id);

	if (worker < d->workers && !(g->tried & (UINT64_C(1) << worker)))
		return worker;
	for (worker = 0; worker < d->workers; worker++)
		if (!(g->tried & (UINT64_C(1) << worker)))
			break;
	return worker;
}

/* A client with nothing else here may look for its session elsewhere. */
static bool look_elsewhere(struct socketio *g, struct sio_socket *socket, struct slice id)
{
	struct sio_client *c = sio_client_of(socket);

	g->tried |= UINT64_C(1) << g->dialect->self;
	unsigned worker = next_worker(g, id);
	uint64_t tried = g->tried;
	g->tried = 0;
	if (worker == g->dialect->workers || !sio_can_move(c))
		return false;
	for (struct sio_socket *o = sio_next(c, NULL); o; o = sio_next(c, o))
		if (o != socket)
			return false;
	socketio_move(c, worker, tried);
	return true;
}

bool recovery_ask(struct socketio *g, struct sio_socket *socket, const struct table *t,
		  struct slice auth)
{
	struct claim c = { .text = BUF_INIT(PID + MAX_OFFSET) };
	uint64_t seen = 0;
	bool done = false;

	(void)buf_room(&c.text, c.text.max);
	if (read_claim(&c, auth)) {
		struct session *s = find_claimed(g->dialect, &c, t);

		if (s && !read_offset(c.offset, g->dialect, &seen))
			seen = 0;
		if (s && seen < s->recovery->since)
			seen = s->recovery->since;
		if (s)
			done = recover(s, socket, seen);
		else
			done = look_elsewhere(g, socket, slice_of(c.pid.p, SESSION_ID));
	}
	if (!done && c.pid.n > 0)
		metric_add(METRIC_RESUMES_REFUSED, 1);
	buf_fini(&c.text);
	return done;
}
