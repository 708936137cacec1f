/* Requests: whose they are, and what is wrong with them. */
#include "sio/eio.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "sio/conn.h"

static const char *const error_texts[] = {
	[EIO_UNKNOWN_TRANSPORT] = "Transport unknown",
	[EIO_UNKNOWN_SID] = "Session ID unknown",
	[EIO_BAD_HANDSHAKE_METHOD] = "Bad handshake method",
	[EIO_BAD_REQUEST] = "Bad request",
	[EIO_FORBIDDEN] = "Forbidden",
	[EIO_UNSUPPORTED_VERSION] = "Unsupported protocol version",
};

void eio_refuse(struct http_exchange *x, int status, enum eio_error code)
{
	struct buf b = BUF_INIT(256);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_u64(&w, "code", code);
	json_field_string(&w, "message", slice_str(error_texts[code]));
	json_object_end(&w);
	metric_add(METRIC_SIO_REFUSED, 1);
	http_reply(x, status, "application/json", buf_slice(&b));
	buf_fini(&b);
}

/* --- the endpoint --- */

static void put_terms(struct buf *b, const struct eio_times *t)
{
	struct jsonw w;

	json_begin_inside(&w, b);
	json_field_u64(&w, "pingInterval", (uint64_t)t->ping_interval);
	json_field_u64(&w, "pingTimeout", (uint64_t)t->ping_timeout);
}

struct eio *eio_create(struct loop *l, unsigned workers, const struct eio_settings *s,
		       const struct eio_ops *ops, void *arg)
{
	struct eio *e = xzalloc(sizeof(*e));

	*e = (struct eio){
		.loop = l, .workers = workers, .settings = s, .ops = ops, .arg = arg
	};
	map_init(&e->by_sid);
	map_init(&e->moved);
	list_init(&e->conns);
	buf_init(&e->text, s->max_payload);
	buf_init(&e->payload, 4 * s->queue + 4096);
	buf_init(&e->terms, 256);
	put_terms(&e->terms, &s->times);
	return e;
}

void eio_destroy(struct eio *e)
{
	if (!e)
		return;
	e->draining = true;
	list_each_safe (n, &e->conns)
		eio_conn_free(list_entry(n, struct eio_conn, link));
	map_fini(&e->by_sid);
	map_fini(&e->moved);
	buf_fini(&e->text);
	buf_fini(&e->payload);
	buf_fini(&e->terms);
	free(e);
}

void eio_drain(struct eio *e)
{
	e->draining = true;
	list_each (n, &e->conns)
		eio_close(list_entry(n, struct eio_conn, link), EIO_SHUTDOWN);
}

/* --- requests --- */

struct request {
	struct slice sid;
	bool websocket; /* transport=, else polling */
	bool upgrade;   /* it is one */
	unsigned version;
	bool base64;
};

static bool query_is(struct http_exchange *x, const char *name, const char *value)
{
	struct slice got;

	return http_query_param(x, name, &got) && slice_is(got, value);
}

static bool read_request(struct request *r, struct http_exchange *x)
{
	struct slice ignored;

	*r = (struct request){ 0 };
	r->websocket = query_is(x, "transport", "websocket");
	if (!r->websocket && !query_is(x, "transport", "polling"))
		return false;
	if (!http_query_param(x, "sid", &r->sid))
		r->sid = SLICE_NONE;
	r->upgrade = http_header_has(x, "Upgrade", "websocket");
	r->version = query_is(x, "EIO", "4") ? 4 : query_is(x, "EIO", "3") ? 3 : 0;
	r->base64 = http_query_param(x, "b64", &ignored);
	return true;
}

static bool has_room(const struct eio *e)
{
	return metric_total(METRIC_SIO_CLIENTS) < e->settings->max_sessions;
}

static void open_polling(struct eio *e, struct http_exchange *x, const struct request *r)
{
	struct eio_conn *c = eio_conn_create(e, x, r->version, false);

	c->polling = eio_polling_create(c, x, r->base64);
	eio_conn_open(c);
	eio_poll_get(c, x);
}

static void open_websocket(struct eio *e, struct http_exchange *x,
			   const struct request *r)
{
	struct eio_conn *c = eio_conn_create(e, x, r->version, true);

	c->ws = eio_accept(e, x, c);
	if (c->ws)
		eio_conn_open(c);
	else
		eio_conn_free(c);
}

static void on_handshake(struct eio *e, struct http_exchange *x, const struct request *r)
{
	if (http_method(x) != HTTP_GET)
		eio_refuse(x, 400, EIO_BAD_HANDSHAKE_METHOD);
	else if (r->websocket != r->upgrade)
		eio_refuse(x, 400, EIO_BAD_REQUEST);
	else if (r->version == 0 || (r->version == 3 && !e->settings->allow_v3))
		eio_refuse(x, 400, EIO_UNSUPPORTED_VERSION);
	else if (e->draining || !has_room(e))
		eio_refuse(x, 503, EIO_BAD_REQUEST);
	else if (r->websocket)
		open_websocket(e, x, r);
	else
		open_polling(e, x, r);
}

static void on_known(struct eio_conn *c, struct http_exchange *x, const struct request *r)
{
	if (!eio_conn_alive(c))
		eio_refuse(x, 400, EIO_UNKNOWN_SID);
	else if (r->websocket && r->upgrade)
		eio_candidate_open(c, x);
	else if (r->websocket || r->upgrade || !c->polling)
		eio_refuse(x, 400, EIO_BAD_REQUEST);
	else if (http_method(x) == HTTP_GET)
		eio_poll_get(c, x);
	else if (http_method(x) == HTTP_POST)
		eio_poll_post(c, x);
	else
		eio_refuse(x, 400, EIO_BAD_REQUEST);
}

/* Here its home is looked at for where it went, elsewhere one asks at its home. */
static unsigned where(const struct eio *e, struct slice sid)
{
	unsigned home = eio_sid_worker(sid);

	return home == loop_id(e->loop) ? eio_moved_to(e, sid) : home;
}

void eio_on_request(struct http_exchange *x, void *arg)
{
	struct eio *e = arg;
	struct request r;

	if (!read_request(&r, x)) {
		eio_refuse(x, 400, EIO_UNKNOWN_TRANSPORT);
		return;
	}
	if (!http_origin_ok(x)) {
		eio_refuse(x, 403, EIO_FORBIDDEN);
		return;
	}
	if (r.sid.n == 0) {
		on_handshake(e, x, &r);
		return;
	}
	struct eio_conn *c = map_find(&e->by_sid, r.sid);
	unsigned worker = where(e, r.sid);
	if (c && c->engine.state != EIO_CLOSED)
		on_known(c, x, &r);
	else if (!c && worker < e->workers && worker != loop_id(e->loop))
		e->ops->forward(e->arg, x, worker);
	else
		eio_refuse(x, 400, EIO_UNKNOWN_SID);
}
