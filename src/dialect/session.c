/* session: one client: its seats, what it is told, how it comes and goes. */
#include "dialect/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "bus/address.h"
#include "bus/mail.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"

static_assert(sizeof(struct session) <= 264, "an idle client shall cost little");

/* --- names --- */

#define WORKER_LETTERS 2
#define NUMBER_LETTERS 12 /* 60 bits: they do not meet */
static const char id_letters[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Of letters of 5 bits; UINT64_MAX when one is none. */
static uint64_t letters_value(struct slice letters)
{
	uint64_t value = 0;

	for (size_t i = 0; i < letters.n; i++) {
		const char *at = letters.p[i] ? strchr(id_letters, letters.p[i]) : NULL;

		if (!at)
			return UINT64_MAX;
		value = value << 5 | (uint64_t)(at - id_letters);
	}
	return value;
}

uint64_t session_number(struct slice id)
{
	if (id.n != SESSION_ID || id.p[0] != 's' || id.p[1] != '_')
		return 0;
	return letters_value(slice_from(id, SESSION_ID - NUMBER_LETTERS)) + 1;
}

unsigned session_worker(struct slice id)
{
	return (unsigned)letters_value(slice_of(id.p + 2, WORKER_LETTERS));
}

static void session_name(struct session *s, struct slice room)
{
	struct dialect *d = s->dialect;
	unsigned worker = room.n > 0 ? bus_room_worker(room, d->workers) : d->self;
	char *id = s->id;

	memcpy(id, "s_", 2);
	id[2] = id_letters[worker >> 5 & 31];
	id[3] = id_letters[worker & 31];
	rand_text(id + 2 + WORKER_LETTERS, SESSION_ID - 2 - WORKER_LETTERS);
	s->number = session_number(slice_of(id, SESSION_ID));
}

struct session *session_find(const struct dialect *d, uint64_t number)
{
	return map_find_u64(&d->sessions, number);
}

struct seat *session_seat(const struct session *s, struct slice room)
{
	for (struct seat *seat = s->seats; seat; seat = seat->next)
		if (slice_eq(seat->fanout->room, room))
			return seat;
	return NULL;
}

/* What rooms have said before in this turn comes first. To who is away nothing is said. */
void session_send_with(struct session *s, struct slice message, struct slice binary)
{
	for (struct seat *seat = s->seats; seat; seat = seat->next)
		if (seat->channel)
			fanout_catch_up(seat);
	s->transport->send(s, message, binary);
}

void session_send(struct session *s, struct slice message)
{
	session_send_with(s, message, SLICE_NONE);
}

void session_close(struct session *s, uint16_t code, const char *reason)
{
	s->transport->close(s, code, reason);
}

void session_send_out(struct session *s)
{
	struct buf *out = &s->dialect->out;

	if (out->n > 0)
		session_send(s, buf_slice(out));
	/* The memory of a large roster is not kept. */
	if (out->cap > 64 * 1024)
		buf_fini(out);
}

void session_reply(struct session *s, uint64_t request, int err, const char *detail)
{
	if (err < 0)
		metric_add(METRIC_COMMANDS_REFUSED, 1);
	s->vocabulary->reply(s, request, err, detail);
}

void session_put_ice(struct jsonw *w, const struct session *s)
{
	const struct dialect *d = s->dialect;

	ice_put_servers(w, &d->settings->ice, d->turn,
			slice_str(s->place ? s->place : ""), slice_of(s->id, SESSION_ID));
}

/* --- seats --- */

/* Who left its last room, or was put out of it, has nobody to talk to: its relays end. */
static void session_bar_relays(struct session *s, bool barred)
{
	if (s->dialect->turn && s->left_all != barred)
		turn_server_bar_session(s->dialect->turn, s->number, barred);
	s->left_all = barred;
}

struct seat *session_add_seat(struct session *s, struct slice room, uint64_t request)
{
	struct seat *seat = s->first.fanout ? xzalloc(sizeof(*seat)) : &s->first;

	seat->session = s;
	seat->ws = s->ws;
	seat->join_request = request;
	seat->fanout = fanout_open(s->dialect, room);
	seat->next = s->seats;
	s->seats = seat;
	s->seat_count++;
	session_bar_relays(s, false);
	return seat;
}

void session_drop_seat(struct seat *seat)
{
	struct session *s = seat->session;
	struct seat **at = &s->seats;

	if (seat->member)
		member_set_user(seat->member, NULL);
	if (seat->member_id) {
		resume_note_seat(seat, false);
		fanout_remove(seat->fanout, seat);
	}
	fanout_close(seat->fanout);
	while (*at != seat)
		at = &(*at)->next;
	*at = seat->next;
	s->seat_count--;
	if (s->seat_count == 0)
		session_bar_relays(s, true);
	if (seat == &s->first)
		s->first = (struct seat){ 0 };
	else
		free(seat);
}

static void seat_take(struct seat *seat, const struct event *welcome)
{
	struct dialect *d = seat->session->dialect;
	struct room *r = room_find(d->rooms, seat->fanout->room);

	seat->member_id = welcome->member;
	seat->since = welcome->seq;
	recovery_seated(seat->session);
	fanout_begin(seat->fanout, welcome->seq);
	if (r && bus_room_worker(seat->fanout->room, d->workers) == d->self) {
		seat->member = room_member(r, welcome->member);
		member_set_user(seat->member, seat);
		room_set_user(r, seat->fanout);
	}
	fanout_add(seat->fanout, seat);
	resume_note_seat(seat, true);
}

struct seat *session_restore_seat(struct session *s, struct slice room, uint64_t member,
				  uint64_t seq)
{
	struct dialect *d = s->dialect;
	struct room *r = room_find(d->rooms, room);
	bool here = bus_room_worker(room, d->workers) == d->self;
	struct member *m = here && r ? room_member(r, member) : NULL;

	if (here && !m)
		return NULL;
	struct seat *seat = session_add_seat(s, room, 0);
	seat->member_id = member;
	seat->member = m;
	seat->since = seq;
	fanout_begin(seat->fanout, seq);
	seat->fanout->away++;
	if (m) {
		member_set_user(m, seat);
		room_set_user(r, seat->fanout);
	}
	return seat;
}

static void fill_allowance(struct session *s)
{
	const struct dialect_settings *set = s->dialect->settings;

	s->allowance = (struct session_rate){ set->burst * 1000, set->byte_burst,
					      loop_now(s->dialect->loop) };
}

struct session *session_restore(struct dialect *d, const struct vocabulary *v,
				struct slice id)
{
	struct session *s = xzalloc_line(sizeof(*s));

	s->vocabulary = v;
	s->transport = &session_ws_transport;
	memcpy(s->id, id.p, SESSION_ID);
	s->number = session_number(id);
	session_enter(d, s);
	fill_allowance(s);
	if (d->turn)
		turn_server_open_session(d->turn, s->number);
	return s;
}

static bool is_sent_away(const struct event *e)
{
	return e->kind == EVENT_LEFT &&
	       (e->reason == LEAVE_KICK || e->reason == LEAVE_CLOSED);
}

/* The session may be gone afterwards. */
static void tell_replay(struct seat *seat, const struct event *e)
{
	if (seat->session->recovery)
		recovery_on_replay(seat, e);
	else
		resume_replay(seat, e);
}

void session_event(struct session *s, struct slice room, const struct event *e)
{
	struct seat *seat = session_seat(s, room);
	bool gone = false;

	if (e->kind == EVENT_WELCOME && seat)
		seat_take(seat, e);
	else if (seat && !seat->member_id && e->kind == EVENT_REPLY && e->err < 0)
		gone = e->request == seat->join_request;
	else if (seat && e->kind == EVENT_LEFT)
		gone = e->member == seat->member_id;
	if (e->kind == EVENT_REPLAY) {
		if (seat)
			tell_replay(seat, e);
		return;
	}
	if (e->kind == EVENT_REPLY && e->err == 0 && e->n && s->vocabulary->kept) {
		s->vocabulary->kept(s, e);
	} else if (e->kind == EVENT_REPLY) {
		session_reply(s, e->request, e->err, NULL);
	} else if (seat) {
		metric_add(METRIC_DELIVERIES, 1);
		s->vocabulary->tell(seat, e);
		if (e->kind == EVENT_WELCOME)
			recovery_welcomed(seat, e);
	}
	if (gone)
		session_drop_seat(seat);
	/* Their pages know no way to be out of the room and stay connected. */
	if (gone && !s->vocabulary->resumes && is_sent_away(e))
		session_close(s, 4003, "sent away");
	/* It has come back, and its seat was taken: it shall come anew, and be told. */
	if (gone && s->recovery && e->reason == LEAVE_TIMEOUT)
		session_close(s, 1000, "the seat is taken");
	if (gone && (s->away || recovery_is_lost(s)) && s->seat_count == 0)
		session_end(s, LEAVE_LEAVE); /* nothing to come back to */
}

/* --- rooms by name, workers by room --- */

void session_hand_over(struct session *s, unsigned worker, struct slice message)
{
	session_exit(s);
	route_handover(s, worker, message);
}

void session_go(struct session *s, struct slice room)
{
	struct dialect *d = s->dialect;
	unsigned worker = room.n > 0 ? bus_room_worker(room, d->workers) : d->self;

	if (worker != d->self)
		session_hand_over(s, worker, SLICE_NONE);
	else
		s->vocabulary->arrive(s, SLICE_NONE);
}

/* --- limits --- */

/* Messages without sense or over the rate, in a row, before the connection is closed. */
#define MAX_MALFORMED 32
#define MAX_OVER_RATE 100

bool session_allows(struct session_rate *r, uint32_t rate, uint32_t burst, ms_t now)
{
	uint64_t most = (uint64_t)burst * 1000;
	uint64_t left = r->left + (uint64_t)(now - r->at) * rate;

	if (left > most)
		left = most;
	r->at = now;
	r->left = (uint32_t)left;
	if (left < 1000)
		return false;
	r->left -= 1000;
	return true;
}

/* Before the messages are counted, which sets the time. */
static bool has_bytes(struct session_rate *r, const struct dialect_settings *set,
		      size_t n, ms_t now)
{
	uint64_t left = r->bytes + (uint64_t)(now - r->at) * set->byte_rate / 1000;

	if (left > set->byte_burst)
		left = set->byte_burst;
	bool enough = n <= left || set->byte_rate == 0;
	r->bytes = (uint32_t)(enough && n <= left ? left - n : left);
	return enough;
}

bool session_within_rate(struct session *s, size_t n)
{
	const struct dialect_settings *set = s->dialect->settings;
	ms_t now = loop_now(s->dialect->loop);

	if (set->rate == 0)
		return true;
	bool enough = has_bytes(&s->allowance, set, n, now);
	if (!enough)
		metric_add(METRIC_BYTES_LIMITED, 1);
	return session_allows(&s->allowance, set->rate, set->burst, now) && enough;
}

void session_over_rate(struct session *s, struct slice text)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_RATE_LIMITED, 1);
	log_limited(&limit, s->vocabulary->name, "rate-limited", "session=%.*s",
		    SESSION_ID, s->id);
	if (++s->over_rate > MAX_OVER_RATE)
		session_close(s, 1008, "rate_limited");
	else
		s->vocabulary->over_rate(s, text);
}

bool session_malformed(struct session *s, int err, const char *detail)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_MALFORMED, 1);
	log_limited(&limit, s->vocabulary->name, "malformed",
		    "session=%.*s err=%s detail=%s", SESSION_ID, s->id, err_name(err),
		    detail ? detail : "-");
	if (++s->malformed < MAX_MALFORMED)
		return true;
	session_close(s, 1008, "too many malformed messages");
	return false;
}

/* --- coming and going --- */

void session_enter(struct dialect *d, struct session *s)
{
	s->dialect = d;
	map_put_u64(&d->sessions, s->number, s);
	metric_add(METRIC_SESSIONS, 1);
}

void session_exit(struct session *s)
{
	map_del_u64(&s->dialect->sessions, s->number);
	metric_add(METRIC_SESSIONS, -1);
}

void session_leave_rooms(struct session *s, enum leave_reason reason, struct slice text)
{
	while (s->seats) {
		struct seat *seat = s->seats;
		struct command leave = { .kind = COMMAND_LEAVE,
					 .reason = reason,
					 .text = text };

		route_command(seat, 0, &leave);
	}
}

void session_drop_unseated(struct session *s)
{
	const struct command leave = { .kind = COMMAND_LEAVE,
				       .reason = LEAVE_DISCONNECT };
	struct seat *next;

	for (struct seat *seat = s->seats; seat; seat = next) {
		next = seat->next;
		if (!seat->member_id)
			route_command(seat, 0, &leave);
	}
}

void session_end(struct session *s, enum leave_reason reason)
{
	resume_forget(s);
	session_leave_rooms(s, reason, SLICE_NONE);
	recovery_forget(s);
	if (s->dialect->turn)
		turn_server_close_session(s->dialect->turn, s->number);
	session_exit(s);
	free(s->place);
	s->vocabulary->end(s);
	free(s->admission);
	free(s);
}

static void on_ws_message(void *arg, struct ws *w, enum ws_op op, uint8_t *p, size_t n)
{
	struct session *s = arg;

	if (op != WS_TEXT && s->vocabulary->binary) {
		s->vocabulary->binary(s, slice_of(p, n));
	} else if (op != WS_TEXT) {
		metric_add(METRIC_MALFORMED, 1);
		ws_close(w, 1003, "text messages only");
	} else if (!session_within_rate(s, n)) {
		session_over_rate(s, slice_of(p, n));
	} else {
		s->over_rate = 0;
		s->vocabulary->message(s, slice_of(p, n));
	}
}

static enum leave_reason why_closed(const struct session *s, const struct ws *w,
				    uint16_t code)
{
	if (s->dialect->draining)
		return LEAVE_SHUTDOWN;
	if (ws_timed_out(w))
		return LEAVE_TIMEOUT;
	/* 4000: given up by a client that comes back. 1013: it reads too slowly, or not any more. */
	if (code == 1006 || code == 1013 || code >= 4000)
		return LEAVE_DISCONNECT;
	return LEAVE_LEAVE;
}

static void on_ws_closed(void *arg, struct ws *w, uint16_t code)
{
	struct session *s = arg;
	enum leave_reason reason = why_closed(s, w, code);

	log_info(s->vocabulary->name, "closed", "session=%.*s code=%u", SESSION_ID, s->id,
		 code);
	if ((reason == LEAVE_DISCONNECT || reason == LEAVE_TIMEOUT) && resume_keep(s))
		return;
	session_end(s, reason);
}

static const struct ws_ops session_ops = { on_ws_message, on_ws_closed };

/* The request is gone once the upgrade is answered. */
static void session_place(struct session *s, const struct dialect *d,
			  const struct http_exchange *x)
{
	struct buf b = BUF_INIT(ICE_PLACE_MAX);

	if (!d->turn)
		return;
	ice_place(&d->settings->ice, x, &b);
	s->place = slice_dup(buf_slice(&b));
	buf_fini(&b);
}

static void ws_transport_send(struct session *s, struct slice message,
			      struct slice binary)
{
	(void)binary; /* its vocabularies have none */
	if (s->ws)
		ws_send(s->ws, WS_TEXT, message);
}

static void ws_transport_close(struct session *s, uint16_t code, const char *reason)
{
	if (s->ws)
		ws_close(s->ws, code, reason);
}

const struct session_transport session_ws_transport = {
	.send = ws_transport_send,
	.close = ws_transport_close,
	.move = session_hand_over,
};

static void session_begin(struct dialect *d, struct session *s, struct slice room)
{
	s->dialect = d;
	session_name(s, room);
	rand_text(s->secret, SESSION_SECRET);
	session_enter(d, s);
	fill_allowance(s);
	if (d->turn)
		turn_server_open_session(d->turn, s->number);
}

struct session *session_make(struct dialect *d, const struct vocabulary *v, void *own,
			     const struct session_transport *t, struct slice room)
{
	struct session *s = xzalloc(sizeof(*s));

	s->vocabulary = v;
	s->own = own;
	s->transport = t;
	session_begin(d, s, room);
	return s;
}

struct session *session_open(struct dialect *d, struct http_exchange *x,
			     const struct vocabulary *v, void *own, const char *protocol,
			     struct slice room)
{
	struct session *s = xzalloc_line(sizeof(*s));
	const char *why = NULL;
	/* The exchange is gone after the upgrade; a browser sees no more of a refused one than that. So it is
	 * accepted, told, and closed. */
	int err = admit_exchange(d, x, &s->admission, &why);

	s->vocabulary = v;
	s->own = own;
	s->transport = &session_ws_transport;
	session_place(s, d, x);
	if (ws_accept(x, &d->settings->ws, protocol, &session_ops, s, &s->ws) < 0) {
		v->end(s);
		free(s->admission);
		free(s->place);
		free(s);
		return NULL;
	}
	session_begin(d, s, room);
	log_info(v->name, "opened", "session=%.*s peer=%s", SESSION_ID, s->id,
		 addr_text(ws_peer(s->ws), &(struct addr_text){ 0 }));
	if (err < 0) {
		session_reply(s, 0, err, why);
		ws_close(s->ws, (uint16_t)err_ws_code(err), why);
		return NULL;
	}
	return s;
}

void session_arrive(struct dialect *d, struct session *s, struct slice message)
{
	session_enter(d, s);
	s->allowance.at = loop_now(d->loop);
	ws_attach(d->loop, s->ws, s);
	if (d->draining)
		ws_close(s->ws, 1001, "the server stops");
	else
		s->vocabulary->arrive(s, message);
}
