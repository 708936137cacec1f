/* socketio: sessions over Socket.IO: each client has one per namespace that it is connected to. What their events
 * mean is said by the namespace's table (table.h).
 */
#include <stdlib.h>

#include "base/mem.h"
#include "dialect/internal.h"

struct socketio {
	struct dialect *dialect;
	struct sio *sio;
	char *path, *path_bare; /* with and without the '/' at its end */
};

/* --- what clients do --- */

static void on_connect(void *arg, struct sio_socket *s, struct slice auth)
{
	(void)arg;
	(void)auth;
	sio_refuse(s, "Invalid namespace");
}

static void on_event(void *own, struct sio_socket *s, const struct sio_event *e)
{
	(void)own;
	(void)s;
	(void)e;
}

static void on_ack(void *own, struct sio_socket *s, uint64_t id, struct slice args,
		   struct slice binary)
{
	(void)own;
	(void)s;
	(void)id;
	(void)args;
	(void)binary;
}

static void on_upgraded(void *own, struct sio_socket *s)
{
	(void)own;
	(void)s;
}

static void on_disconnect(void *own, struct sio_socket *s, enum eio_why why)
{
	(void)own;
	(void)s;
	(void)why;
}

static void on_forward(void *arg, struct http_exchange *x, unsigned worker)
{
	(void)arg;
	route_request(x, worker);
}

static const struct sio_ops ops = {
	on_connect, on_event, on_ack, on_upgraded, on_disconnect, on_forward,
};

/* --- the endpoint --- */

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
	g->path = slice_dup(path);
	g->path_bare = slice_dup(slice_of(path.p, path.n - 1));
	http_route_sized(h, ANY_METHOD, g->path, 0, set->eio.max_payload, sio_on_request,
			 g->sio);
	http_route_sized(h, ANY_METHOD, g->path_bare, 0, set->eio.max_payload,
			 sio_on_request, g->sio);
}

void socketio_drain(struct dialect *d)
{
	if (d->socketio)
		sio_drain(d->socketio->sio);
}

void socketio_free(struct dialect *d)
{
	struct socketio *g = d->socketio;

	if (!g)
		return;
	sio_destroy(g->sio);
	free(g->path);
	free(g->path_bare);
	free(g);
}
