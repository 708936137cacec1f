/* native: connections that speak parley.v1 (docs/protocol.md). */
#include <stdlib.h>

#include "auth/seat_key.h"
#include "base/err.h"
#include "base/mem.h"
#include "bus/address.h"
#include "dialect/fanout.h"
#include "store/file.h"

#define PROTOCOL "parley.v1"

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
		session_hand_over(s, worker, text);
		return;
	}
	route_command(session_add_seat(s, m->room, m->request), m->request, &m->command);
}

struct seat *native_seat_meant(const struct session *s, struct slice room)
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
	struct seat *seat = native_seat_meant(s, m->room);

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

/* What a command will be for comes into the cache while its text is read. */
static void fetch(const struct session *s)
{
	const char *f = (const char *)s->first.fanout;

	if (!f)
		return;
	__builtin_prefetch(s->first.member);
	for (size_t line = 0; line < 3; line++)
		__builtin_prefetch(f + line * MEM_LINE);
}

static void native_message(struct session *s, struct slice text)
{
	struct native_message m;

	fetch(s);
	int err = native_decode(&m, text, &s->dialect->scratch);

	if (err == E_NO_MEMBER) {
		session_reply(s, m.request, err, NULL);
	} else if (err < 0) {
		/* More values than we take is a matter of size to the client. */
		if (session_malformed(s, err, m.detail))
			session_reply(s, m.request, err == E_LIMIT ? E_TOO_LARGE : err,
				      m.detail);
	} else {
		s->malformed = 0;
		if (m.kind == NATIVE_PING)
			on_ping(s, &m);
		else if (m.kind == NATIVE_RESUME)
			resume_ask(s, &m, text);
		else
			on_command(s, &m, text);
	}
}

/* --- how it is worded --- */

static uint8_t native_variant(const struct session *s)
{
	return ws_deflates(s->ws) ? VARIANT_DEFLATED : 0;
}

static void native_word(struct buf *b, const struct fanout_channel *c,
			const struct event *e)
{
	native_encode(b, c->fanout->quoted, e);
}

/* With what this seat uploads by. */
static void word_welcome(struct buf *out, const struct seat *to, const struct event *e)
{
	const struct dialect_settings *set = to->session->dialect->settings;
	struct event mine = *e;
	char member[BUS_MEMBER_TEXT], key[AUTH_SEAT_KEY];

	if (set->files.size > 0) {
		bus_member_text(member, to->member_id);
		auth_seat_key(key, set->files.secret, to->fanout->room,
			      slice_of(member, sizeof(member)));
		mine.text = slice_of(key, sizeof(key));
	}
	native_encode(out, to->fanout->quoted, &mine);
}

static void native_tell(struct seat *to, const struct event *e)
{
	struct buf *out = &to->session->dialect->out;

	if (e->kind == EVENT_VOICE) {
		native_tell_voice(to, e);
		return;
	}
	buf_clear(out);
	if (e->kind == EVENT_WELCOME || e->kind == EVENT_SYNCED) {
		word_welcome(out, to, e);
		session_send_out(to->session);
		return;
	}
	native_encode(out, to->fanout->quoted, e);
	/* For its member alone, and numbered: not an answer. */
	if (e->seq)
		fanout_log(to->fanout, e->seq, to->member_id, 0, buf_slice(out));
	/* Back after a restart, and about to be told all from the log. */
	if (!to->channel && e->seq && e->kind != EVENT_LEFT)
		return;
	session_send_out(to->session);
}

static void native_reply(struct session *s, uint64_t request, int err, const char *detail)
{
	buf_clear(&s->dialect->out);
	native_encode_reply(&s->dialect->out, request, err, detail);
	session_send_out(s);
}

static void native_kept(struct session *s, const struct event *e)
{
	buf_clear(&s->dialect->out);
	native_encode_kept(&s->dialect->out, e);
	session_send_out(s);
}

/* Read for its id alone: whoever waits for a reply gets one. */
static void native_over_rate(struct session *s, struct slice text)
{
	struct native_message m;

	if (native_decode(&m, text, &s->dialect->scratch) < 0)
		m.request = 0;
	session_reply(s, m.request, E_RATE, NULL);
}

static void native_arrive(struct session *s, struct slice message)
{
	if (message.n > 0)
		native_message(s, message);
}

struct native_own *native_own(struct session *s)
{
	if (!s->own)
		s->own = xzalloc(sizeof(struct native_own));
	return s->own;
}

static void native_end(struct session *s)
{
	free(s->own);
}

const struct vocabulary native_vocabulary = {
	.name = "native",
	.resumes = true,
	.variant = native_variant,
	.message = native_message,
	.binary = native_on_voice,
	.arrive = native_arrive,
	.encode = native_word,
	.tell = native_tell,
	.reply = native_reply,
	.kept = native_kept,
	.over_rate = native_over_rate,
	.end = native_end,
};

/* --- the connection --- */

static void put_voice_limits(struct jsonw *w, const struct voice_settings *v)
{
	json_key(w, SLICE("voice"));
	json_object(w);
	json_field_u64(w, "size", v->limits.size);
	json_field_u64(w, "listeners", v->limits.listeners);
	json_field_u64(w, "frames", v->frames);
	json_object_end(w);
}

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
	json_field_string(&w, "secret", slice_of(s->secret, SESSION_SECRET));
	json_field_u64(&w, "grace", (uint64_t)set->grace);
	json_field_string(&w, "server", slice_str(set->version));
	if (auth_gate_open(s->dialect->gate))
		json_field_bool(&w, "open", true);
	if (!set->store)
		json_field_bool(&w, "volatile", true);
	json_key(&w, SLICE("iceServers"));
	session_put_ice(&w, s);
	json_key(&w, SLICE("limits"));
	json_object(&w);
	json_field_u64(&w, "message", set->ws.max_message);
	json_field_u64(&w, "rooms", set->session_rooms);
	json_field_u64(&w, "name", ROOM_MAX_NAME);
	json_field_u64(&w, "metadata", ROOM_MAX_METADATA);
	json_field_u64(&w, "text", ROOM_MAX_TEXT);
	if (set->files.size > 0) {
		json_field_u64(&w, "file", set->files.size);
		json_field_u64(&w, "files", STORE_FILES_MAX);
	}
	put_voice_limits(&w, &set->voice);
	json_object_end(&w);
	json_object_end(&w);
	ws_send(s->ws, WS_TEXT, buf_slice(b));
}

void native_on_connect(struct http_exchange *x, void *arg)
{
	struct dialect *d = arg;
	struct slice room;
	struct buf hint = BUF_INIT(ROOM_MAX_NAME);

	/* A hint only: an unfit one is not an error here but at the join. The exchange is gone
	 * after the upgrade, so it is copied. */
	if (http_query_param(x, "room", &room))
		buf_put(&hint, room);
	if (hint.bad)
		buf_clear(&hint);
	struct session *s =
		session_open(d, x, &native_vocabulary, NULL, PROTOCOL, buf_slice(&hint));
	if (s) {
		send_hello(s);
		session_go(s, buf_slice(&hint));
	}
	buf_fini(&hint);
}
