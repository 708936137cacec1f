/* native: connections that speak parley.v1 (docs/protocol.md). */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "bus/address.h"
#include "dialect/internal.h"

#define PROTOCOL "parley.v1"
/* Messages without sense or over the rate, in a row, before the connection is closed. */
#define MAX_MALFORMED 32
#define MAX_OVER_RATE 100

/* --- limits --- */

/* A token bucket, in thousandths of a message. */
static bool within_rate(struct session *s)
{
	const struct dialect_settings *set = s->dialect->settings;
	ms_t now = loop_now(s->dialect->loop);
	uint64_t most = (uint64_t)set->burst * 1000;

	if (set->rate == 0)
		return true;
	uint64_t left = s->allowance + (uint64_t)(now - s->allowance_at) * set->rate;
	if (left > most)
		left = most;
	s->allowance_at = now;
	s->allowance = (uint32_t)left;
	if (left < 1000)
		return false;
	s->allowance -= 1000;
	s->over_rate = 0;
	return true;
}

static void on_over_rate(struct session *s, struct slice text)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_RATE_LIMITED, 1);
	log_limited(&limit, "native", "rate-limited", "session=%.*s", SESSION_ID, s->id);
	struct native_message m;

	if (++s->over_rate > MAX_OVER_RATE) {
		ws_close(s->ws, 1008, "rate_limited");
		return;
	}
	/* Read for its id alone: whoever waits for a reply gets one. */
	if (native_decode(&m, text, &s->dialect->scratch) < 0)
		m.request = 0;
	session_reply(s, m.request, E_RATE, NULL);
}

static void on_malformed(struct session *s, const struct native_message *m, int err)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_MALFORMED, 1);
	log_limited(&limit, "native", "malformed", "session=%.*s err=%s detail=%s",
		    SESSION_ID, s->id, err_name(err), m->detail ? m->detail : "-");
	if (++s->malformed >= MAX_MALFORMED) {
		ws_close(s->ws, 1008, "too many malformed messages");
		return;
	}
	/* More values than we take is a matter of size to the client. */
	session_reply(s, m->request, err == E_LIMIT ? E_TOO_LARGE : err, m->detail);
}

/* --- messages --- */

static void on_join(struct session *s, const struct native_message *m, struct slice text)
{
	struct dialect *d = s->dialect;
	unsigned worker = bus_room_worker(m->room, d->workers);

	if (session_seat(s, m->room)) {
		session_reply(s, m->request, E_ALREADY, NULL);
		return;
	}
	if (s->seat_count >= d->settings->session_rooms) {
		session_reply(s, m->request, E_LIMIT, "rooms");
		return;
	}
	/* The first room draws the connection to its worker. */
	if (s->seat_count == 0 && worker != d->self) {
		session_exit(s);
		route_handover(s, worker, text);
		return;
	}
	route_command(session_add_seat(s, m->room, m->request), m->request, &m->command);
}

/* The seat that a message is about: the named room's, or the only one. */
static struct seat *seat_meant(const struct session *s, struct slice room)
{
	struct seat *seat = NULL;

	if (room.n > 0)
		seat = session_seat(s, room);
	else if (s->seat_count == 1)
		seat = s->seats;
	return seat && seat->member_id ? seat : NULL;
}

static void on_command(struct session *s, const struct native_message *m,
		       struct slice text)
{
	metric_add(METRIC_COMMANDS, 1);
	if (m->command.kind == COMMAND_JOIN) {
		on_join(s, m, text);
		return;
	}
	struct seat *seat = seat_meant(s, m->room);

	if (seat)
		route_command(seat, m->request, &m->command);
	else
		session_reply(s, m->request, E_NOT_JOINED, NULL);
}

static void on_ping(struct session *s, const struct native_message *m)
{
	if (m->request)
		session_reply(s, m->request, 0, NULL);
	else
		session_send(s, SLICE("{\"type\":\"pong\"}"));
}

static void native_message(struct session *s, struct slice text)
{
	struct native_message m;

	/* What the command will be for is fetched while its text is read. */
	__builtin_prefetch(s->first.member);
	__builtin_prefetch(s->first.fanout);
	__builtin_prefetch((const char *)s->first.fanout + 64);
	int err = native_decode(&m, text, &s->dialect->scratch);

	if (err == E_NO_MEMBER) {
		session_reply(s, m.request, err, NULL);
	} else if (err < 0) {
		on_malformed(s, &m, err);
	} else {
		s->malformed = 0;
		if (m.kind == NATIVE_PING)
			on_ping(s, &m);
		else
			on_command(s, &m, text);
	}
}

/* --- the connection --- */

static void on_ws_message(void *arg, struct ws *w, enum ws_op op, uint8_t *p, size_t n)
{
	struct session *s = arg;

	if (op != WS_TEXT) {
		metric_add(METRIC_MALFORMED, 1);
		ws_close(w, 1003, "text messages only");
	} else if (!within_rate(s)) {
		on_over_rate(s, slice_of(p, n));
	} else {
		native_message(s, slice_of(p, n));
	}
}

static void on_ws_closed(void *arg, struct ws *w, uint16_t code)
{
	struct session *s = arg;
	enum leave_reason reason = LEAVE_LEAVE;

	if (s->dialect->draining)
		reason = LEAVE_SHUTDOWN;
	else if (ws_timed_out(w))
		reason = LEAVE_TIMEOUT;
	else if (code == 1006 ||
		 code >= 4000) /* 4000: given up by a client that comes back */
		reason = LEAVE_DISCONNECT;
	log_info("native", "closed", "session=%.*s code=%u", SESSION_ID, s->id, code);
	session_leave_rooms(s, reason);
	session_exit(s);
	free(s);
}

static const struct ws_ops native_ops = { on_ws_message, on_ws_closed };

static void send_hello(struct session *s)
{
	const struct dialect_settings *set = s->dialect->settings;
	struct buf *b = &s->dialect->out;
	struct jsonw w;

	buf_clear(b);
	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "type", SLICE("hello"));
	json_field_string(&w, "protocol", SLICE(PROTOCOL));
	json_field_string(&w, "session", slice_of(s->id, SESSION_ID));
	json_field_string(&w, "server", slice_str(set->version));
	json_field_raw(&w, "iceServers", set->ice_servers);
	json_key(&w, SLICE("limits"));
	json_object(&w);
	json_field_u64(&w, "message", set->ws.max_message);
	json_field_u64(&w, "rooms", set->session_rooms);
	json_field_u64(&w, "name", ROOM_MAX_NAME);
	json_field_u64(&w, "metadata", ROOM_MAX_METADATA);
	json_field_u64(&w, "text", ROOM_MAX_TEXT);
	json_object_end(&w);
	json_object_end(&w);
	ws_send(s->ws, WS_TEXT, buf_slice(b));
}

void native_on_connect(struct http_exchange *x, void *arg)
{
	struct dialect *d = arg;
	struct session *s;
	struct slice room;
	struct buf hint = BUF_INIT(ROOM_MAX_NAME);

	/* A hint only: an unfit one is not an error here but at the join. */
	if (http_query_param(x, "room", &room))
		buf_put(&hint, room);
	s = xzalloc(sizeof(*s));
	if (ws_accept(x, &d->settings->ws, PROTOCOL, &native_ops, s, &s->ws) < 0) {
		free(s);
		buf_fini(&hint);
		return;
	}
	memcpy(s->id, "s_", 2);
	rand_text(s->id + 2, SESSION_ID - 2);
	s->allowance = d->settings->burst * 1000;
	s->allowance_at = loop_now(d->loop);
	session_enter(d, s);
	log_info("native", "opened", "session=%.*s peer=%s", SESSION_ID, s->id,
		 addr_text(ws_peer(s->ws), &(struct addr_text){ 0 }));
	send_hello(s);
	unsigned worker = hint.n > 0 && !hint.bad
				  ? bus_room_worker(buf_slice(&hint), d->workers)
				  : d->self;
	if (worker != d->self) {
		session_exit(s);
		route_handover(s, worker, SLICE_NONE);
	}
	buf_fini(&hint);
}

void native_arrive(struct dialect *d, struct session *s, struct slice message)
{
	session_enter(d, s);
	s->allowance_at = loop_now(d->loop);
	ws_attach(d->loop, s->ws, s);
	if (d->draining)
		ws_close(s->ws, 1001, "the server stops");
	else if (message.n > 0)
		native_message(s, message);
}
