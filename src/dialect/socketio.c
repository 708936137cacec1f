/* socketio: sessions over Socket.IO: each client has one in every namespace that it is connected to. What their
 * events mean is said by the namespace's table (table.h). A client moves to the worker of its first room.
 */
#include "dialect/socketio.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"
#include "dialect/table.h"
#include "loop/mail.h"

#define MAX_NAME 256 /* of an event */

/* --- saying --- */

static void transport_send(struct session *s, struct slice message, struct slice binary)
{
	if (s->recovery)
		recovery_send(s, message, binary);
	else if (s->sio)
		sio_emit(s->sio, message, binary);
}

static void transport_ack(struct session *s, uint64_t ack, struct slice args,
			  struct slice binary)
{
	if (s->sio)
		sio_ack(s->sio, ack - 1, args, binary);
}

/* The application's own codes are about this namespace, others about the client. */
static void transport_close(struct session *s, uint16_t code, const char *reason)
{
	(void)reason;
	if (s->sio && code >= 4000)
		sio_disconnect(s->sio);
	else if (s->sio)
		sio_close(s->sio, code == 1001 ? EIO_SHUTDOWN : EIO_BY_SERVER);
}

static void transport_move(struct session *s, unsigned worker, struct slice message)
{
	(void)message; /* the packet that it came in is heard again */
	socketio_move(sio_client_of(s->sio), worker, 0);
}

const struct session_transport socketio_settled = { .send = transport_send,
						    .ack = transport_ack,
						    .close = transport_close };

/* For a client that is in no room yet. */
static const struct session_transport unsettled = {
	.send = transport_send,
	.ack = transport_ack,
	.close = transport_close,
	.move = transport_move,
};

static void wrap_begin(struct buf *b, const struct fanout_channel *c)
{
	sio_put_event_head(b, table_namespace(c->vocabulary, c->variant));
}

static void wrap_end(struct buf *b, struct fanout_channel *c, size_t from,
		     const struct event *e, uint64_t except)
{
	if (c->fanout->dialect->settings->sio_recovery)
		recovery_hear(b, c, from, e, except);
}

const struct wrapping socketio_wrapping = { wrap_begin, wrap_end };

/* Those who poll share the frames too: what is in them is put into their queues. Without a socket a session is one
 * that a table is tried with. */
uint8_t socketio_variant(const struct session *s)
{
	unsigned index;

	if (!s->sio)
		return s->recovery ? s->recovery->namespace : VARIANT_APART;
	(void)table_of_namespace(s->dialect->settings->tables, sio_namespace(s->sio),
				 &index);
	return (uint8_t)index;
}

void socketio_deliver(struct session *s, struct slice frames)
{
	struct slice packet;

	while (s->sio && !recovery_is_retold(s) && ws_frame_next(&frames, &packet))
		sio_emit_packet(s->sio, packet);
}

void socketio_set_ws(struct session *s, struct ws *ws)
{
	/* What was said before goes the old way. */
	for (struct seat *seat = s->seats; seat; seat = seat->next) {
		if (seat->channel)
			fanout_catch_up(seat);
		seat->ws = ws;
	}
	s->ws = ws;
}

/* --- coming --- */

struct slice socketio_id(const struct session *s)
{
	/* Clients of version 3 take the Engine.IO session's id for their own. */
	if (s->sio && eio_version(sio_conn(s->sio)) == 3)
		return eio_sid(sio_conn(s->sio));
	return slice_of(s->id, SESSION_ID);
}

static struct slice member_text(struct slice object, const char *name, struct buf *b)
{
	struct json_token tokens[64];
	struct json j;

	if (json_parse(&j, object, tokens, ARRAY_LEN(tokens)) < 0)
		return SLICE_NONE;
	uint32_t t = json_member(&j, 0, slice_str(name));
	if (t == 0 || json_string(&j, t, b->max, b) < 0)
		return SLICE_NONE;
	return buf_slice(b);
}

/* By the token of the connect packet, else by that of the request that began the session. */
static int admit(struct dialect *d, struct sio_socket *s, struct slice auth,
		 struct admission **out, const char **why)
{
	struct eio_conn *c = sio_conn(s);
	struct buf text = BUF_INIT(AUTH_TOKEN_MAX);
	struct slice token = member_text(auth, "token", &text);
	int err = admit_token(d, slice_str(d->settings->sio_path),
			      token.n > 0 ? token : eio_token(c), eio_peer(c), out, why);

	buf_fini(&text);
	return err;
}

void socketio_accept(struct session *s)
{
	struct buf *b = &s->dialect->out;
	struct jsonw w;

	buf_clear(b);
	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "sid", socketio_id(s));
	if (s->recovery)
		recovery_put_pid(&w, s);
	json_object_end(&w);
	sio_accept(s->sio, s, buf_slice(b));
}

static struct session *make_session(struct dialect *d, struct sio_socket *socket,
				    const struct table *t, struct admission *a)
{
	struct session *s =
		session_make(d, table_vocabulary(t), NULL, &unsettled, SLICE_NONE);

	s->sio = socket;
	s->ws = sio_ws(socket);
	s->admission = a;
	s->own = table_session(t, socketio_id(s), SLICE_NONE);
	if (d->settings->sio_recovery && eio_version(sio_conn(socket)) == 4)
		recovery_begin(s);
	log_info("socketio", "opened", "session=%.*s peer=%s namespace=%s", SESSION_ID,
		 s->id, addr_text(eio_peer(sio_conn(socket)), &(struct addr_text){ 0 }),
		 log_value(&(struct log_text){ 0 }, sio_namespace(socket)));
	return s;
}

/* --- greeting --- */

/* What a table says on connect leaves a moment after the answer to it: clients there are that miss the second of two
 * messages which come at once. What the client says meanwhile is heard after it. */
#define GREETING_DELAY 20

struct greeting {
	struct list link;      /* socketio->greetings */
	struct greeting *next; /* while it is carried to another worker */
	uint64_t session;
	ms_t due;
	size_t n;
	uint8_t auth[];
};

static void greet(struct socketio *g, struct greeting *w)
{
	struct session *s = session_find(g->dialect, w->session);

	list_unlink(&w->link);
	if (s)
		table_connected(s, slice_of(w->auth, w->n));
	free(w);
}

static void on_greet(struct loop_timer *t)
{
	struct socketio *g = container_of(t, struct socketio, greet);
	ms_t now = loop_now(g->dialect->loop);

	while (!list_empty(&g->greetings)) {
		struct greeting *w = list_entry(g->greetings.next, struct greeting, link);

		if (w->due > now) {
			loop_timer_start(g->dialect->loop, t, w->due - now);
			return;
		}
		greet(g, w);
	}
}

static void greet_first(struct socketio *g, const struct session *s)
{
	list_each_safe (n, &g->greetings) {
		struct greeting *w = list_entry(n, struct greeting, link);

		if (w->session == s->number)
			greet(g, w);
	}
}

static void greet_later(struct socketio *g, struct greeting *w)
{
	struct loop *l = g->dialect->loop;

	w->due = loop_now(l) + GREETING_DELAY;
	if (list_empty(&g->greetings))
		loop_timer_start(l, &g->greet, GREETING_DELAY);
	list_append(&g->greetings, &w->link);
}

static void greet_soon(struct socketio *g, const struct session *s, struct slice auth)
{
	if (auth.n == 0)
		auth = SLICE("{}");
	struct greeting *w = xzalloc(sizeof(*w) + auth.n);
	w->session = s->number;
	w->n = auth.n;
	memcpy(w->auth, auth.p, auth.n);
	list_init(&w->link);
	greet_later(g, w);
}

/* Its greetings, to go where it goes. */
static struct greeting *take_greetings(struct socketio *g, const struct session *s,
				       struct greeting *others)
{
	list_each_safe (n, &g->greetings) {
		struct greeting *w = list_entry(n, struct greeting, link);

		if (w->session != s->number)
			continue;
		list_unlink(&w->link);
		w->next = others;
		others = w;
	}
	return others;
}

/* --- connecting --- */

static void on_connect(void *arg, struct sio_socket *socket, struct slice auth)
{
	struct socketio *g = arg;
	struct dialect *d = g->dialect;
	struct admission *a = NULL;
	const char *why = NULL;
	unsigned index;
	const struct table *t =
		table_of_namespace(d->settings->tables, sio_namespace(socket), &index);

	if (!t) {
		sio_refuse(socket, "Invalid namespace");
		return;
	}
	int err = admit(d, socket, auth, &a, &why);
	if (err == E_UNAVAILABLE) {
		sio_wait(socket, why); /* its key may be there in a moment */
		return;
	}
	if (err < 0) {
		sio_refuse(socket, why);
		return;
	}
	if (d->settings->sio_recovery && recovery_ask(g, socket, t, auth)) {
		free(a); /* it is somebody who was there, or on the way to where that is known */
		return;
	}
	struct session *s = make_session(d, socket, t, a);
	socketio_accept(s);
	if (table_greets(t))
		greet_soon(g, s, auth);
	else
		table_connected(s, auth);
}

/* --- hearing --- */

/* What follows the name, as an array of its own. */
static void ack_args(struct session *s, const struct sio_event *e)
{
	const struct json *j = &e->json;
	uint32_t first = j->tok[1].next;
	size_t at = first < j->count ? j->tok[first].at : j->tok[0].len - 1;
	struct buf b = BUF_INIT(e->array.n);

	buf_u8(&b, '[');
	buf_put(&b, slice_from(e->array, at));
	s->transport->ack(s, e->id + 1, buf_slice(&b), e->binary);
	buf_fini(&b);
}

static void echo(struct session *s, const struct sio_event *e)
{
	if (e->has_id)
		ack_args(s, e);
	else
		s->transport->send(s, e->array, e->binary);
}

/* A text, or a number as it is written. False: it is too long. */
static bool read_name(struct socketio *g, const struct json *j, struct slice *name)
{
	*name = json_kind_of(j, 1) == JSON_NUMBER ? json_raw(j, 1)
						  : json_string_raw(j, 1);
	if (!j->tok[1].escaped)
		return name->n <= MAX_NAME;
	buf_clear(&g->name);
	if (json_string(j, 1, MAX_NAME, &g->name) < 0)
		return false;
	*name = buf_slice(&g->name);
	return true;
}

/* A client that is nowhere yet may follow its first room. */
static void choose_transport(struct session *s)
{
	const struct sio_client *c = sio_client_of(s->sio);
	bool alone = sio_can_move(c);

	for (struct sio_socket *o = sio_next(c, NULL); o && alone; o = sio_next(c, o)) {
		const struct session *other = sio_own(o);
		alone = !other || !other->seats;
	}
	s->transport = alone ? &unsettled : &socketio_settled;
}

static void on_event(void *own, struct sio_socket *socket, const struct sio_event *e)
{
	struct session *s = own;
	struct socketio *g = s->dialect->socketio;
	struct table_message m = { .json = &e->json,
				   .first = e->json.tok[1].next,
				   .end = e->json.count,
				   .binary = e->binary,
				   .ack = e->has_id ? e->id + 1 : 0 };

	(void)socket;
	if (!session_within_rate(s, json_raw(&e->json, 0).n + e->binary.n)) {
		session_over_rate(s, SLICE_NONE);
		return;
	}
	s->over_rate = 0;
	greet_first(g, s);
	if (!read_name(g, &e->json, &m.name)) {
		(void)session_malformed(s, E_LIMIT, "name");
		return;
	}
	choose_transport(s);
	if (s->dialect->settings->sio_echo && slice_is(m.name, "echo"))
		echo(s, e);
	else
		table_hear(s, &m);
}

/* Nothing of ours asks for one yet. */
static void on_ack(void *own, struct sio_socket *socket, uint64_t id, struct slice args,
		   struct slice binary)
{
	(void)own;
	(void)socket;
	(void)id;
	(void)args;
	(void)binary;
}

static void on_upgraded(void *own, struct sio_socket *socket)
{
	if (!recovery_is_retold(own))
		socketio_set_ws(own, sio_ws(socket));
}

/* --- going --- */

static enum leave_reason why_left(const struct session *s, enum eio_why why)
{
	static const enum leave_reason reasons[] = {
		[EIO_BY_CLIENT] = LEAVE_LEAVE,   [EIO_BROKEN] = LEAVE_DISCONNECT,
		[EIO_TIMEOUT] = LEAVE_TIMEOUT,   [EIO_PARSE] = LEAVE_DISCONNECT,
		[EIO_SLOW] = LEAVE_DISCONNECT,   [EIO_BY_SERVER] = LEAVE_LEAVE,
		[EIO_SHUTDOWN] = LEAVE_SHUTDOWN,
	};

	return s->dialect->draining ? LEAVE_SHUTDOWN : reasons[why];
}

static void on_disconnect(void *own, struct sio_socket *socket, enum eio_why why)
{
	struct session *s = own;

	(void)socket;
	log_info("socketio", "closed", "session=%.*s why=%d", SESSION_ID, s->id,
		 (int)why);
	if ((why == EIO_BROKEN || why == EIO_TIMEOUT) &&
	    recovery_keep(s, why_left(s, why)))
		return;
	session_end(s, why_left(s, why));
}

/* --- from worker to worker --- */

struct moving {
	struct sio_client *client;
	struct greeting *greetings; /* of its sessions */
	uint64_t tried;
};

static void depart(struct session *s)
{
	table_depart(s);
	session_exit(s);
}

void socketio_move(struct sio_client *c, unsigned worker, uint64_t tried)
{
	struct moving m = { .client = c, .tried = tried };
	struct buf b = BUF_INIT(SIZE_MAX);

	for (struct sio_socket *o = sio_next(c, NULL); o; o = sio_next(c, o)) {
		struct session *s = sio_own(o);

		if (!s)
			continue;
		m.greetings = take_greetings(s->dialect->socketio, s, m.greetings);
		depart(s);
	}
	buf_add(&b, &m, sizeof(m));
	buf_put(&b, sio_detach(c, worker));
	loop_mail_send(worker, BUS_CLIENT, buf_slice(&b));
	buf_fini(&b);
	metric_add(METRIC_HANDOVERS, 1);
}

static void on_client_letter(void *arg, unsigned from, struct slice body)
{
	struct dialect *d = arg;
	struct moving m;

	(void)from;
	assert(body.n >= sizeof(m));
	memcpy(&m, body.p, sizeof(m));
	for (struct sio_socket *o = sio_next(m.client, NULL); o;
	     o = sio_next(m.client, o)) {
		struct session *s = sio_own(o);

		if (!s)
			continue;
		session_enter(d, s);
		s->allowance.at = loop_now(d->loop);
		recovery_arrive(s);
		s->vocabulary->arrive(s, SLICE_NONE);
	}
	while (m.greetings) {
		struct greeting *w = m.greetings;

		m.greetings = w->next;
		greet_later(d->socketio, w);
	}
	d->socketio->tried = m.tried;
	sio_attach(d->socketio->sio, m.client, slice_from(body, sizeof(m)));
	d->socketio->tried = 0;
}

static void on_forward(void *arg, struct http_exchange *x, unsigned worker)
{
	(void)arg;
	route_request(x, worker);
}

static void on_located(void *arg, struct slice sid, unsigned home, unsigned worker)
{
	struct buf b = BUF_INIT(64);

	(void)arg;
	buf_be16(&b, (uint16_t)worker);
	buf_put(&b, sid);
	loop_mail_send(home, BUS_LOCATED, buf_slice(&b));
	buf_fini(&b);
}

static void on_located_letter(void *arg, unsigned from, struct slice body)
{
	struct dialect *d = arg;
	struct cur in = cur_of_slice(body);
	unsigned worker = cur_be16(&in);

	(void)from;
	sio_locate(d->socketio->sio, cur_slice(&in, cur_left(&in)), worker);
}

/* --- the endpoint --- */

static const struct sio_ops ops = {
	on_connect, on_event, on_ack, on_upgraded, on_disconnect, on_forward, on_located,
};

/* The worker, and with a store how often it was started. */
static void put_mark(struct socketio *g)
{
	const struct dialect *d = g->dialect;
	struct buf b = BUF_INIT(sizeof(g->mark));

	buf_printf(&b, "@%u", d->self);
	if (d->settings->store)
		buf_printf(&b, ".%llu",
			   (unsigned long long)store_boot(d->settings->store));
	memcpy(g->mark, b.p, b.n);
	g->mark_len = (uint8_t)b.n;
	buf_fini(&b);
}

#define ANY_METHOD (HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE | HTTP_PATCH)

void socketio_add_routes(struct dialect *d, struct http_server *h)
{
	const struct sio_settings *set = &d->settings->sio;
	struct slice path = slice_str(d->settings->sio_path);
	struct socketio *g = xzalloc(sizeof(*g));

	d->http = h;
	d->socketio = g;
	g->dialect = d;
	g->sio = sio_create(d->loop, d->workers, set, &ops, g);
	put_mark(g);
	g->path = slice_dup(path);
	g->path_bare = slice_dup(slice_of(path.p, path.n - 1));
	list_init(&g->lost);
	list_init(&g->greetings);
	loop_timer_init(&g->greet, on_greet);
	buf_init(&g->name, MAX_NAME);
	buf_init(&g->said, SIZE_MAX);
	loop_mail_handler(d->loop, BUS_CLIENT, on_client_letter, d);
	loop_mail_handler(d->loop, BUS_LOCATED, on_located_letter, d);
	http_route_sized(h, ANY_METHOD, g->path, 0, set->eio.max_payload, sio_on_request,
			 g->sio);
	http_route_sized(h, ANY_METHOD, g->path_bare, 0, set->eio.max_payload,
			 sio_on_request, g->sio);
}

void socketio_drain(struct dialect *d)
{
	if (!d->socketio)
		return;
	recovery_drain(d);
	sio_drain(d->socketio->sio);
}

void socketio_free(struct dialect *d)
{
	struct socketio *g = d->socketio;

	if (!g)
		return;
	sio_destroy(g->sio);
	list_each_safe (n, &g->greetings)
		free(list_entry(n, struct greeting, link));
	buf_fini(&g->name);
	buf_fini(&g->said);
	free(g->path);
	free(g->path_bare);
	free(g);
}
