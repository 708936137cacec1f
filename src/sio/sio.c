#include "sio/sio.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/uri.h"

/* A client's session in a namespace. */
struct sio_socket {
	struct sio_socket *next;
	struct sio_client *client;
	void *own;
	bool accepted;
	bool leaving; /* the application is to be told */
	uint8_t ns_len;
	char ns[];
};

/* A connect packet that cannot be answered yet. */
struct waiting {
	struct list link; /* sio->waiting, in the order of coming */
	struct sio_client *client;
	ms_t until;
	size_t n;
	uint8_t packet[];
};

/* A binary packet whose attachments are still to come. */
struct partial {
	char *text;
	size_t text_len;
	uint32_t missing;
	struct buf binary;
};

struct sio_client {
	struct eio_conn *conn;
	struct sio_socket *sockets;
	struct partial *partial;
	struct list link; /* of sio->strangers, later sio->leaving */
	ms_t patience;    /* until then it may be a stranger */
	bool connected;   /* to a namespace, ever */
	uint8_t waiting;  /* connect packets of it that are */
};

struct sio {
	const struct sio_settings *settings;
	const struct sio_ops *ops;
	void *arg;
	struct loop *loop;
	struct eio *eio;
	struct slice
		current; /* the packet that is being heard; empty: none that could be heard again */
	struct list
		strangers; /* clients that have not connected yet, in the order of their patience */
	struct loop_timer timer; /* for the first of them */
	struct list leaving;     /* clients with sockets that are leaving */
	struct loop_task task;   /* tells of those */
	struct list waiting;
	struct loop_timer again; /* asks for those who wait */
	ms_t until;              /* of the one who is being asked for again; 0: none is */
	bool waits;              /* and it waits on */
	struct buf out;
	struct json_token tokens[SIO_MAX_TOKENS];
};

static struct sio *sio_of(const struct sio_client *c)
{
	return eio_arg(c->conn);
}

/* --- packets out --- */

static void put_head(struct buf *b, enum sio_type type, struct slice ns,
		     uint32_t attachments, const uint64_t *id)
{
	const struct sio_packet p = {
		.type = type,
		.attachments = attachments,
		.has_id = id != NULL,
		.id = id ? *id : 0,
		.ns = ns,
	};

	buf_u8(b, '0' + EIO_MESSAGE);
	sio_packet_put_head(b, &p);
}

static void send_text(struct sio_socket *s, enum sio_type type, const uint64_t *id,
		      struct slice data)
{
	struct sio *g = sio_of(s->client);

	buf_clear(&g->out);
	put_head(&g->out, type, sio_namespace(s), 0, id);
	buf_put(&g->out, data);
	eio_send(s->client->conn, buf_slice(&g->out));
}

static void send_binary(struct sio_socket *s, enum sio_type type, const uint64_t *id,
			struct slice data, struct slice binary)
{
	struct sio *g = sio_of(s->client);
	struct cur in = cur_of_slice(binary);
	uint32_t count = 0;

	for (; cur_left(&in) > 0; count++)
		(void)cur_prefixed(&in);
	buf_clear(&g->out);
	put_head(&g->out, type, sio_namespace(s), count, id);
	buf_put(&g->out, data);
	eio_send(s->client->conn, buf_slice(&g->out));
	in = cur_of_slice(binary);
	while (cur_left(&in) > 0)
		eio_send_binary(s->client->conn, cur_prefixed(&in));
}

void sio_emit(struct sio_socket *s, struct slice array, struct slice binary)
{
	if (!s->accepted || s->leaving)
		return;
	if (binary.n > 0)
		send_binary(s, SIO_BINARY_EVENT, NULL, array, binary);
	else
		send_text(s, SIO_EVENT, NULL, array);
}

void sio_ack(struct sio_socket *s, uint64_t id, struct slice args, struct slice binary)
{
	if (!s->accepted || s->leaving)
		return;
	if (binary.n > 0)
		send_binary(s, SIO_BINARY_ACK, &id, args, binary);
	else
		send_text(s, SIO_ACK, &id, args);
}

void sio_emit_packet(struct sio_socket *s, struct slice packet)
{
	if (s->accepted && !s->leaving)
		eio_send(s->client->conn, packet);
}

void sio_put_event_head(struct buf *b, struct slice ns)
{
	put_head(b, SIO_EVENT, ns, 0, NULL);
}

/* --- sockets --- */

static struct sio_socket *socket_find(const struct sio_client *c, struct slice ns)
{
	for (struct sio_socket *s = c->sockets; s; s = s->next)
		if (slice_eq(sio_namespace(s), ns) && !s->leaving)
			return s;
	return NULL;
}

static unsigned socket_count(const struct sio_client *c)
{
	unsigned n = 0;

	for (const struct sio_socket *s = c->sockets; s; s = s->next)
		n++;
	return n;
}

static struct sio_socket *socket_create(struct sio_client *c, struct slice ns)
{
	struct sio_socket *s = xzalloc(sizeof(*s) + ns.n);

	static_assert(SIO_MAX_NAMESPACE <= UINT8_MAX, "its length is a byte");
	s->client = c;
	s->ns_len = (uint8_t)ns.n;
	memcpy(s->ns, ns.p, ns.n);
	s->next = c->sockets;
	c->sockets = s;
	return s;
}

static void socket_free(struct sio_socket *s)
{
	struct sio_socket **at = &s->client->sockets;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s);
}

/* Out of its client first: whoever is told may look at what is left. */
static void socket_end(struct sio_socket *s, enum eio_why why)
{
	const struct sio_ops *ops = sio_of(s->client)->ops;

	s->leaving = true;
	if (s->accepted)
		ops->disconnect(s->own, s, why);
	socket_free(s);
}

void sio_accept(struct sio_socket *s, void *own, struct slice data)
{
	struct sio_client *c = s->client;

	s->own = own;
	s->accepted = true;
	if (!c->connected)
		list_unlink(&c->link);
	c->connected = true;
	/* Clients of protocol 4 know the session's id for their own. */
	send_text(s, SIO_CONNECT, NULL, eio_version(c->conn) == 4 ? data : SLICE_NONE);
}

void sio_refuse(struct sio_socket *s, const char *message)
{
	struct buf b = BUF_INIT(256);
	struct jsonw w;

	json_begin(&w, &b);
	if (eio_version(s->client->conn) == 4) {
		json_object(&w);
		json_field_string(&w, "message", slice_str(message));
		json_object_end(&w);
	} else {
		json_put_string(&w, slice_str(message));
	}
	send_text(s, SIO_CONNECT_ERROR, NULL, buf_slice(&b));
	buf_fini(&b);
}

static void end_leaving(struct sio_client *c)
{
	struct sio_socket *next;

	for (struct sio_socket *s = c->sockets; s; s = next) {
		next = s->next;
		if (s->leaving)
			socket_end(s, EIO_BY_SERVER);
	}
}

static void on_task(struct loop_task *t)
{
	struct sio *g = container_of(t, struct sio, task);

	while (!list_empty(&g->leaving)) {
		struct sio_client *c =
			list_entry(g->leaving.next, struct sio_client, link);

		list_unlink(&c->link);
		end_leaving(c);
	}
}

static void leave_soon(struct sio *g, struct sio_client *c)
{
	list_unlink(&c->link);
	list_append(&g->leaving, &c->link);
	loop_task_post(g->loop, LOOP_FANOUT, &g->task);
}

void sio_disconnect(struct sio_socket *s)
{
	if (s->leaving)
		return;
	send_text(s, SIO_DISCONNECT, NULL, SLICE_NONE);
	s->leaving = true;
	leave_soon(sio_of(s->client), s->client);
}

void sio_close(struct sio_socket *s, enum eio_why why)
{
	eio_close(s->client->conn, why);
}

void sio_orphan(struct sio_socket *s)
{
	s->accepted = false;
	s->leaving = true;
	s->own = NULL;
	leave_soon(sio_of(s->client), s->client);
	eio_close(s->client->conn, EIO_BROKEN);
}

/* --- packets in --- */

/* Values of what a client shows; of more, its address does not count. */
#define MAX_SHOWN 512

/* "token=a&x=b" becomes {"token":"a","x":"b"}, behind what the object `shown` (NULL: none) has; its names are not said again. */
static int query_to_json(struct slice query, const struct json *shown, struct buf *out)
{
	struct buf text = BUF_INIT(EIO_MAX_QUERY);
	struct slice part;
	struct jsonw w;
	int err = 0;

	json_begin(&w, out);
	json_object(&w);
	for (uint32_t t = 1; shown && t < shown->tok[0].next;
	     t = shown->tok[t + 1].next) {
		json_key(&w, json_string_raw(shown, t));
		json_put_raw(&w, json_raw(shown, t + 1));
	}
	while (err == 0 && slice_split(&query, '&', &part)) {
		size_t equals = slice_find(part, '=');

		buf_clear(&text);
		err = http_uri_decode(slice_of(part.p, equals), true, &text);
		struct slice name = buf_slice(&text);
		if (err < 0 || name.n == 0 || (shown && json_member(shown, 0, name)))
			continue;
		struct buf quoted = BUF_INIT(8 * EIO_MAX_QUERY);
		json_quote(&quoted, name);
		json_key(&w, slice_of(quoted.p + 1, quoted.n - 2));
		buf_fini(&quoted);
		buf_clear(&text);
		err = http_uri_decode(slice_from(part, equals + 1), true, &text);
		if (err == 0)
			json_put_string(&w, buf_slice(&text));
	}
	json_object_end(&w);
	buf_fini(&text);
	return err;
}

static void connect_to(struct sio_client *c, struct slice ns, struct slice auth)
{
	if (socket_find(c, ns)) /* it is there already */
		return;
	struct sio_socket *s = socket_create(c, ns);
	if (socket_count(c) > SIO_MAX_SOCKETS)
		sio_refuse(s, "Too many namespaces");
	else
		sio_of(c)->ops->connect(sio_of(c)->arg, s, auth);
	if (!s->accepted)
		socket_free(s);
}

/* What the client shows, with what only its address says: {"token":...,"user":"7"}. */
static void connect_as(struct sio_client *c, struct slice ns, struct slice shown)
{
	struct json_token tokens[MAX_SHOWN];
	struct buf auth = BUF_INIT(16 << 20);
	struct slice query = eio_query(c->conn);
	struct json j;

	if (shown.n == 0)
		shown = SLICE("{}");
	if (query.n > 0 && json_parse(&j, shown, tokens, MAX_SHOWN) == 0 &&
	    json_kind_of(&j, 0) == JSON_OBJECT && query_to_json(query, &j, &auth) == 0 &&
	    !auth.bad)
		shown = buf_slice(&auth);
	connect_to(c, ns, shown);
	buf_fini(&auth);
}

static void on_connect(struct sio_client *c, const struct sio_packet *p)
{
	size_t end = slice_find(p->ns, '?');
	struct buf auth = BUF_INIT(4096);

	if (eio_version(c->conn) == 4) {
		connect_as(c, p->ns, p->data);
	} else if (query_to_json(slice_from(p->ns, end + 1), NULL, &auth) == 0) {
		connect_as(c, slice_of(p->ns.p, end), buf_slice(&auth));
	} else {
		eio_close(c->conn, EIO_PARSE);
	}
	buf_fini(&auth);
}

static void on_event(struct sio_socket *s, const struct sio_packet *p,
		     struct slice binary)
{
	const struct sio_event e = {
		.array = p->data,
		.json = p->json,
		.binary = binary,
		.has_id = p->has_id,
		.id = p->id,
	};

	sio_of(s->client)->ops->event(s->own, s, &e);
}

static void on_packet(struct sio_client *c, const struct sio_packet *p,
		      struct slice binary)
{
	struct sio_socket *s = p->type == SIO_CONNECT ? NULL : socket_find(c, p->ns);

	if (p->type == SIO_CONNECT) {
		on_connect(c, p);
	} else if (!s && !c->connected) {
		metric_add(METRIC_MALFORMED, 1);
		eio_close(c->conn, EIO_PARSE);
	} else if (!s) {
		return; /* it was sent before the client knew that it is no longer connected */
	} else if (p->type == SIO_EVENT || p->type == SIO_BINARY_EVENT) {
		on_event(s, p, binary);
	} else if (p->type == SIO_ACK || p->type == SIO_BINARY_ACK) {
		sio_of(c)->ops->ack(s->own, s, p->id, p->data, binary);
	} else if (p->type == SIO_DISCONNECT) {
		socket_end(s, EIO_BY_CLIENT);
	}
}

/* --- attachments --- */

static void partial_free(struct sio_client *c)
{
	if (!c->partial)
		return;
	free(c->partial->text);
	buf_fini(&c->partial->binary);
	free(c->partial);
	c->partial = NULL;
}

static void partial_open(struct sio_client *c, struct slice text, uint32_t attachments)
{
	struct partial *a = xzalloc(sizeof(*a));

	a->text = slice_dup(text);
	a->text_len = text.n;
	a->missing = attachments;
	buf_init(&a->binary, sio_of(c)->settings->eio.max_payload);
	c->partial = a;
}

/* Slices of the packet point into the partial's text: heard before that goes. */
static void partial_whole(struct sio_client *c)
{
	struct partial *a = c->partial;
	struct sio_packet p;

	c->partial = NULL;
	int err = sio_packet_decode(&p, slice_of(a->text, a->text_len), sio_of(c)->tokens,
				    SIO_MAX_TOKENS);
	assert(err == 0);
	(void)err;
	on_packet(c, &p, buf_slice(&a->binary));
	free(a->text);
	buf_fini(&a->binary);
	free(a);
}

static int on_binary(struct sio_client *c, struct slice data)
{
	if (!c->partial)
		return E_MALFORMED;
	buf_prefixed(&c->partial->binary, data);
	if (c->partial->binary.bad)
		return E_LIMIT;
	if (--c->partial->missing == 0)
		partial_whole(c);
	return 0;
}

static int on_text(struct sio_client *c, struct slice text)
{
	struct sio_packet p;

	if (c->partial)
		return E_MALFORMED;
	int err = sio_packet_decode(&p, text, sio_of(c)->tokens, SIO_MAX_TOKENS);
	if (err < 0)
		return err;
	if (p.attachments > 0) {
		partial_open(c, text, p.attachments);
		return 0;
	}
	struct sio *g = sio_of(c);
	g->current = text;
	on_packet(c, &p, SLICE_NONE);
	g->current = SLICE_NONE;
	return 0;
}

/* --- the client --- */

static void on_connect_timeout(struct loop_timer *t)
{
	struct sio *g = container_of(t, struct sio, timer);
	ms_t now = loop_now(g->loop);

	while (!list_empty(&g->strangers)) {
		struct sio_client *c =
			list_entry(g->strangers.next, struct sio_client, link);

		if (c->patience > now) {
			loop_timer_start(g->loop, t, c->patience - now);
			return;
		}
		list_unlink(&c->link);
		metric_add(METRIC_SIO_TIMEOUTS, 1);
		eio_close(c->conn, EIO_BY_SERVER);
	}
}

/* All have the same time: who comes last waits longest. One who waits for us is no stranger. */
static void await_connect(struct sio *g, struct sio_client *c)
{
	ms_t time = g->settings->connect_timeout;

	c->patience = loop_now(g->loop) + time;
	list_append(&g->strangers, &c->link);
	if (g->timer.due == 0)
		loop_timer_start(g->loop, &g->timer, time);
}

/* --- waiting --- */

#define AGAIN 50 /* ms */

static void waiting_free(struct waiting *w)
{
	list_unlink(&w->link);
	w->client->waiting--;
	free(w);
}

static void stop_waiting(struct sio *g, const struct sio_client *c)
{
	if (c->waiting == 0)
		return;
	list_each_safe (n, &g->waiting) {
		struct waiting *w = list_entry(n, struct waiting, link);

		if (w->client == c)
			waiting_free(w);
	}
}

void sio_wait(struct sio_socket *s, const char *message)
{
	struct sio_client *c = s->client;
	struct sio *g = sio_of(c);
	/* Clients of protocol 4 ask for the main namespace without a packet. */
	struct slice packet = g->current.n > 0 ? g->current : SLICE("0");
	ms_t now = loop_now(g->loop);
	ms_t until = g->until ? g->until : now + g->settings->connect_timeout;

	if (now >= until || c->waiting == SIO_MAX_SOCKETS) {
		sio_refuse(s, message);
		return;
	}
	struct waiting *w = xzalloc(sizeof(*w) + packet.n);
	w->client = c;
	w->until = until;
	w->n = packet.n;
	memcpy(w->packet, packet.p, packet.n);
	list_init(&w->link);
	list_add_before(g->until ? g->waiting.next : &g->waiting, &w->link);
	c->waiting++;
	if (!c->connected)
		list_unlink(&c->link);
	g->waits = true;
	loop_timer_start(g->loop, &g->again, AGAIN);
}

/* It waits no more, unless it is told to once more: who is refused has as long as anybody for something else. */
static void hear_again(struct sio *g, struct waiting *w)
{
	struct sio_client *c = w->client;
	struct buf packet = BUF_INIT(w->n);
	struct sio_packet p;

	buf_add(&packet, w->packet, w->n);
	g->until = w->until;
	waiting_free(w);
	if (!c->connected && c->waiting == 0)
		await_connect(g, c);
	g->current = buf_slice(&packet);
	if (eio_is_open(c->conn) &&
	    sio_packet_decode(&p, g->current, g->tokens, SIO_MAX_TOKENS) == 0)
		on_packet(c, &p, SLICE_NONE);
	g->current = SLICE_NONE;
	g->until = 0;
	buf_fini(&packet);
}

static void on_again(struct loop_timer *t)
{
	struct sio *g = container_of(t, struct sio, again);

	g->waits = false;
	while (!g->waits && !list_empty(&g->waiting))
		hear_again(g, list_entry(g->waiting.next, struct waiting, link));
}

/* --- its life --- */

static void *on_open(void *arg, struct eio_conn *conn)
{
	struct sio *g = arg;
	struct sio_client *c = xzalloc(sizeof(*c));

	c->conn = conn;
	list_init(&c->link);
	await_connect(g, c);
	/* Protocol 4: everybody is in the main namespace, unasked. */
	if (eio_version(conn) == 3)
		connect_as(c, SLICE("/"), SLICE("{}"));
	return c;
}

static void on_message(void *own, struct eio_conn *conn, bool binary, struct slice data)
{
	struct sio_client *c = own;
	int err = binary ? on_binary(c, data) : on_text(c, data);

	if (err == 0)
		return;
	metric_add(METRIC_MALFORMED, 1);
	eio_close(conn, EIO_PARSE);
}

static void on_upgraded(void *own, struct eio_conn *conn)
{
	struct sio_client *c = own;

	(void)conn;
	for (struct sio_socket *s = c->sockets; s; s = s->next)
		if (!s->leaving)
			sio_of(c)->ops->upgraded(s->own, s);
}

static void on_closed(void *own, struct eio_conn *conn, enum eio_why why)
{
	struct sio_client *c = own;

	(void)conn;
	/* It has left its namespaces only if it said so there. */
	while (c->sockets)
		socket_end(c->sockets, why == EIO_BY_CLIENT ? EIO_BROKEN : why);
	list_unlink(&c->link);
	stop_waiting(sio_of(c), c);
	partial_free(c);
	free(c);
}

static void on_forward(void *arg, struct http_exchange *x, unsigned worker)
{
	struct sio *g = arg;

	g->ops->forward(g->arg, x, worker);
}

static void on_located(void *arg, struct slice sid, unsigned home, unsigned worker)
{
	struct sio *g = arg;

	g->ops->located(g->arg, sid, home, worker);
}

static const struct eio_ops eio_ops = {
	on_open, on_message, on_upgraded, on_closed, on_forward, on_located,
};

/* --- the endpoint --- */

struct sio *sio_create(struct loop *l, unsigned workers, const struct sio_settings *s,
		       const struct sio_ops *ops, void *arg)
{
	struct sio *g = xzalloc(sizeof(*g));

	g->loop = l;
	g->settings = s;
	g->ops = ops;
	g->arg = arg;
	list_init(&g->strangers);
	list_init(&g->leaving);
	loop_timer_init(&g->timer, on_connect_timeout);
	loop_task_init(&g->task, on_task);
	list_init(&g->waiting);
	loop_timer_init(&g->again, on_again);
	buf_init(&g->out, SIZE_MAX);
	g->eio = eio_create(l, workers, &s->eio, &eio_ops, g);
	return g;
}

void sio_destroy(struct sio *g)
{
	if (!g)
		return;
	eio_destroy(g->eio);
	loop_timer_stop(g->loop, &g->timer);
	loop_timer_stop(g->loop, &g->again);
	loop_task_cancel(&g->task);
	buf_fini(&g->out);
	free(g);
}

void sio_drain(struct sio *g)
{
	eio_drain(g->eio);
}

void sio_on_request(struct http_exchange *x, void *arg)
{
	struct sio *g = arg;

	eio_on_request(x, g->eio);
}

/* --- questions --- */

struct slice sio_namespace(const struct sio_socket *s)
{
	return slice_of(s->ns, s->ns_len);
}

struct eio_conn *sio_conn(const struct sio_socket *s)
{
	return s->client->conn;
}

struct ws *sio_ws(const struct sio_socket *s)
{
	return eio_ws(s->client->conn);
}

struct loop *sio_loop(const struct sio_socket *s)
{
	return eio_loop(s->client->conn);
}

void *sio_own(const struct sio_socket *s)
{
	return s->own;
}

struct sio_socket *sio_next(const struct sio_client *c, const struct sio_socket *s)
{
	return s ? s->next : c->sockets;
}

struct sio_client *sio_client_of(const struct sio_socket *s)
{
	return s->client;
}

/* --- from loop to loop --- */

bool sio_can_move(const struct sio_client *c)
{
	return !c->partial && c->waiting == 0 && sio_of(c)->current.n > 0 &&
	       eio_is_open(c->conn);
}

struct slice sio_detach(struct sio_client *c, unsigned worker)
{
	list_unlink(&c->link);
	eio_detach(c->conn, worker);
	return sio_of(c)->current;
}

void sio_attach(struct sio *g, struct sio_client *c, struct slice again)
{
	if (c->connected)
		leave_soon(g, c); /* sockets may be leaving */
	else
		await_connect(g, c);
	eio_attach(g->eio, c->conn, again);
}

void sio_locate(struct sio *g, struct slice sid, unsigned worker)
{
	eio_locate(g->eio, sid, worker);
}
