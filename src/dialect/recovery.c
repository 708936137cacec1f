/* recovery: Socket.IO's connection state recovery. While a client is away its session stays, with its places in
 * rooms: to the others it has left. Every event has an offset as its last argument; a client that
 * comes back with its pid says the last one it got, and gets those after it.
 *
 * An offset is "17@0.3/57": number 17 of worker 0 since the third start of the server, when message 57 was the last of
 * the room's chat. The numbers are those of the worker, so one order holds for all rooms of a session; that of the chat
 * still means something when the server has been started anew (recovery_restart.c). What many share is kept once
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
#define MAX_OFFSET 96

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

void recovery_put_offset(struct buf *b, const struct dialect *d, uint64_t number,
			 uint64_t said)
{
	const struct socketio *g = d->socketio;

	if (b->bad || b->n == 0 || b->p[b->n - 1] != ']')
		return;
	b->n--;
	buf_str(b, ",\"");
	buf_dec(b, number);
	buf_add(b, g->mark, g->mark_len);
	if (said > 0 && d->settings->store) {
		buf_u8(b, '/');
		buf_dec(b, said - 1);
	}
	buf_str(b, "\"]");
}

/* "17@0.3/57"; without a store there is no boot, and no chat to come back to. */
static void read_offset(struct slice text, const struct dialect *d, struct offset *o)
{
	const struct socketio *g = d->socketio;
	size_t at = slice_find(text, '@');
	struct slice mark = slice_from(text, at);
	size_t slash = slice_find(mark, '/');
	uint64_t said;

	*o = (struct offset){ 0 };
	if (slice_to_u64(slice_of(text.p, at), &o->number) < 0)
		return;
	o->current = slice_eq(slice_of(mark.p, slash), slice_of(g->mark, g->mark_len)) &&
		     o->number <= d->heard;
	if (slice_to_u64(slice_from(mark, slash + 1), &said) == 0 && said < UINT64_MAX)
		o->said = said + 1;
}

static struct fanout_heard *heard_of(struct fanout_channel *c)
{
	if (!c->heard)
		c->heard = xzalloc(sizeof(*c->heard));
	return c->heard;
}

static bool is_for_all(const struct event *e)
{
	return e->kind == EVENT_CHAT && e->to == 0;
}

void recovery_hear(struct buf *b, struct fanout_channel *c, size_t from,
		   const struct event *e, uint64_t except)
{
	struct dialect *d = c->fanout->dialect;
	struct fanout_heard *h = heard_of(c);

	d->heard++;
	if (is_for_all(e))
		h->said = e->n + 1;
	recovery_put_offset(b, d, d->heard, h->said);
	if (!b->bad)
		fanout_hear(d, &h->trail, d->heard, except,
			    slice_from(buf_slice(b), from));
}

/* The last of the chat that it has been told when it gets what is for it alone. */
static uint64_t said_to(const struct session *s)
{
	const struct recovery *r = s->recovery;
	uint64_t said = r->said;

	if (r->coming)
		return said;
	for (const struct seat *seat = s->seats; seat; seat = seat->next)
		if (seat->channel && seat->channel->heard &&
		    seat->channel->heard->said > said)
			said = seat->channel->heard->said;
	return said;
}

static void emit(struct sio_socket *s, struct slice packet, struct slice array,
		 struct slice binary)
{
	if (binary.n > 0)
		sio_emit(s, array, binary);
	else
		sio_emit_packet(s, packet);
}

/* Attachments are not kept, and who is in no room does not come back. */
void recovery_send(struct session *s, struct slice message, struct slice binary)
{
	struct dialect *d = s->dialect;
	const struct restart *old = s->recovery->restart;
	bool retold = old && old->telling && s->recovery->coming;
	struct buf *b = &d->socketio->said;

	buf_clear(b);
	if (s->sio)
		sio_put_event_head(b, sio_namespace(s->sio));
	size_t from = buf_at(b);
	buf_put(b, message);
	if (!retold)
		d->heard++;
	recovery_put_offset(b, d, retold ? old->seen : d->heard, said_to(s));
	struct slice array = slice_from(buf_slice(b), from);
	if (binary.n == 0 && s->seats && !retold)
		fanout_hear(d, &s->recovery->own, d->heard, 0, array);
	if (s->sio && (retold || !old || !old->telling))
		emit(s->sio, buf_slice(b), array, binary);
	if (b->cap > 64 * 1024)
		buf_fini(b);
}

/* --- taking a seat --- */

void recovery_seated(struct session *s)
{
	struct recovery *r = s->recovery;

	if (!r)
		return;
	r->said = 0;
	r->coming = true;
	free(r->restart);
	r->restart = NULL;
}

void recovery_told(struct session *s, uint64_t n)
{
	if (s->recovery && s->recovery->said <= n)
		s->recovery->said = n + 1;
}

/* All in the channel have been told what the room had said by then. */
void recovery_note_chat(struct seat *seat, uint64_t n)
{
	struct fanout_heard *h = heard_of(seat->channel);

	recovery_told(seat->session, n);
	if (h->said <= n)
		h->said = n + 1;
}

void recovery_welcomed(struct seat *seat, const struct event *welcome)
{
	struct recovery *r = seat->session->recovery;

	if (!r)
		return;
	r->coming = false;
	if (welcome->more.n > 0) /* else the room has just woken up */
		recovery_note_chat(seat, welcome->n);
}

/* --- going --- */

static void on_away_over(struct loop_timer *t)
{
	session_end(container_of(t, struct lost, timer)->session, LEAVE_DISCONNECT);
}

void recovery_begin(struct session *s)
{
	struct recovery *r = xzalloc(sizeof(*r));

	r->since = s->dialect->heard;
	r->namespace = socketio_variant(s);
	s->recovery = r;
}

void recovery_arrive(struct session *s)
{
	if (!s->recovery)
		return;
	s->recovery->since = s->dialect->heard;
	s->recovery->own = (struct event_trail){ 0 };
}

static void found_again(struct session *s)
{
	struct lost *lost = s->recovery->lost;

	if (!lost)
		return;
	s->recovery->lost = NULL;
	list_unlink(&lost->link);
	loop_timer_stop(s->dialect->loop, &lost->timer);
	free(lost);
	metric_add(METRIC_SESSIONS_AWAY, -1);
}

void recovery_forget(struct session *s)
{
	if (!s->recovery)
		return;
	found_again(s);
	free(s->recovery->restart);
	free(s->recovery);
	s->recovery = NULL;
}

static void tell_rooms(struct session *s, enum command_kind kind,
		       enum leave_reason reason)
{
	const struct command c = { .kind = kind,
				   .hidden = kind == COMMAND_AWAY,
				   .reason = reason };
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

void recovery_lose(struct session *s)
{
	struct dialect *d = s->dialect;
	struct lost *lost = xzalloc(sizeof(*lost));

	s->transport = &socketio_settled;
	s->recovery->lost = lost;
	lost->session = s;
	list_init(&lost->link);
	list_append(&d->socketio->lost, &lost->link);
	loop_timer_init(&lost->timer, on_away_over);
	loop_timer_start(d->loop, &lost->timer, AWAY_MS);
	metric_add(METRIC_SESSIONS_AWAY, 1);
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
	if (r->restart)
		r->restart->telling = r->restart->waiting = false;
	recovery_lose(s);
	recovery_note(s);
	tell_rooms(s, COMMAND_AWAY, reason);
	return true;
}

void recovery_drain(struct dialect *d)
{
	struct list *lost = &d->socketio->lost;

	while (!list_empty(lost))
		session_end(list_entry(lost->next, struct lost, link)->session,
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

	if (auth.n == 0 || json_parse(&j, auth, tokens, ARRAY_LEN(tokens)) < 0)
		return false;
	(void)buf_room(&c->text, c->text.max); /* slices of it stay where they are */
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
	    !recovery_secret_is(s, slice_from(c->pid, SESSION_ID)))
		return NULL;
	memcpy(s->secret, c->pid.p + SESSION_ID, SESSION_SECRET);
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
		const struct fanout_heard *h =
			seat->channel ? seat->channel->heard : NULL;
		uint64_t from = seat->heard > seen ? seat->heard : seen;

		if (h)
			whole = event_log_since(&d->log, &h->trail, from, MAX_REPLAY,
						found);
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
void recovery_take_over(struct session *s)
{
	if (s->sio)
		sio_orphan(s->sio);
	s->sio = NULL;
	socketio_set_ws(s, NULL);
}

void recovery_come(struct session *s, struct sio_socket *socket)
{
	s->sio = socket;
	socketio_accept(s);
	found_again(s);
	recovery_note(s);
	metric_add(METRIC_RESUMES, 1);
	log_info("socketio", "recovered", "session=%.*s", SESSION_ID, s->id);
}

bool recovery_go_on(struct session *s, struct sio_socket *socket, uint64_t seen)
{
	struct buf found = BUF_INIT(SIO_MAX_SOCKETS * MAX_REPLAY * sizeof(void *));
	bool was_lost = recovery_is_lost(s);

	if (!find_missed(s, seen, &found)) {
		buf_fini(&found);
		return false;
	}
	if (s->sio != socket)
		recovery_come(s, socket);
	replay(s, &found);
	buf_fini(&found);
	socketio_set_ws(s, sio_ws(socket));
	if (was_lost)
		tell_rooms(s, COMMAND_BACK, LEAVE_DISCONNECT);
	return true;
}

static bool recover(struct session *s, struct sio_socket *socket, const struct offset *o)
{
	uint64_t seen = o->current ? o->number : 0;

	if (seen < s->recovery->since)
		seen = s->recovery->since;
	/* Frames of this turn have been kept as well: they come with the rest. */
	recovery_take_over(s);
	if (s->recovery->restart ? recovery_catch_up(s, socket, o)
				 : recovery_go_on(s, socket, seen))
		return true;
	session_end(s, LEAVE_DISCONNECT);
	return false;
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
	struct offset o;
	bool done = false;

	if (read_claim(&c, auth)) {
		struct session *s = find_claimed(g->dialect, &c, t);

		read_offset(c.offset, g->dialect, &o);
		if (s)
			done = recover(s, socket, &o);
		else
			done = look_elsewhere(g, socket, slice_of(c.pid.p, SESSION_ID));
	}
	if (!done && c.pid.n > 0)
		metric_add(METRIC_RESUMES_REFUSED, 1);
	buf_fini(&c.text);
	return done;
}
