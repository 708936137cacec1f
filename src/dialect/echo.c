/* echo: /v1/echo and the Engine.IO of /engine.io/, for conformance suites and measurements. */
#include <stdlib.h>

#include "base/mem.h"
#include "dialect/internal.h"

struct echo {
	struct list link; /* dialect->echoes, so that a drain finds it */
	struct ws *ws;
};

static void on_message(void *arg, struct ws *w, enum ws_op op, uint8_t *p, size_t n)
{
	(void)arg;
	ws_send(w, op, slice_of(p, n));
}

static void on_closed(void *arg, struct ws *w, uint16_t code)
{
	struct echo *e = arg;

	(void)w;
	(void)code;
	list_unlink(&e->link);
	free(e);
}

static const struct ws_ops echo_ops = { on_message, on_closed };

static void on_echo(struct http_exchange *x, void *arg)
{
	struct dialect *d = arg;
	struct echo *e = xzalloc(sizeof(*e));

	if (ws_accept(x, &d->settings->echo, NULL, &echo_ops, e, &e->ws) < 0) {
		free(e);
		return;
	}
	list_append(&d->echoes, &e->link);
}

/* --- /engine.io/ --- */

static void *engine_open(void *arg, struct eio_conn *c)
{
	(void)c;
	return arg;
}

static void engine_message(void *own, struct eio_conn *c, bool binary, struct slice data)
{
	struct dialect *d = own;

	if (binary) {
		eio_send_binary(c, data);
		return;
	}
	buf_clear(&d->out);
	buf_u8(&d->out, '0' + EIO_MESSAGE);
	buf_put(&d->out, data);
	eio_send(c, buf_slice(&d->out));
}

static void engine_upgraded(void *own, struct eio_conn *c)
{
	(void)own;
	(void)c;
}

static void engine_closed(void *own, struct eio_conn *c, enum eio_why why)
{
	(void)own;
	(void)c;
	(void)why;
}

static void engine_forward(void *arg, struct http_exchange *x, unsigned worker)
{
	(void)arg;
	route_request(x, worker);
}

/* None of them moves. */
static void engine_located(void *arg, struct slice sid, unsigned home, unsigned worker)
{
	(void)arg;
	(void)sid;
	(void)home;
	(void)worker;
}

static const struct eio_ops engine_ops = {
	engine_open,   engine_message, engine_upgraded,
	engine_closed, engine_forward, engine_located,
};

/* --- both --- */

#define ANY_METHOD (HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE | HTTP_PATCH)

void echo_add_routes(struct dialect *d, struct http_server *h)
{
	const struct eio_settings *s = &d->settings->sio.eio;

	d->http = h;
	d->engine_echo = eio_create(d->loop, d->workers, s, &engine_ops, d);
	http_route(h, HTTP_GET, "/v1/echo", HTTP_UPGRADE, on_echo, d);
	http_route_sized(h, ANY_METHOD, "/engine.io/", 0, s->max_payload, eio_on_request,
			 d->engine_echo);
}

void echo_drain(struct dialect *d)
{
	list_each (n, &d->echoes)
		ws_close(list_entry(n, struct echo, link)->ws, 1001, "the server stops");
	if (d->engine_echo)
		eio_drain(d->engine_echo);
}

void echo_free(struct dialect *d)
{
	eio_destroy(d->engine_echo);
}
