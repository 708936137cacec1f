#include "main/worker.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "dialect/coworking.h"
#include "dialect/table.h"
#include "loop/volley.h"
#include "main/pages.h"
#include "main/worker_kept.h"
#include "main/worker_udp.h"
#include "net/tls.h"
#include "room/desk.h"

struct worker {
	struct worker_shared *shared;
	struct loop *loop;
	struct tls_context *tls;
	struct http_server *http;
	struct dialect *dialect;
	struct worker_udp *udp; /* NULL: no STUN and TURN */
	struct room_desk *desk;
	struct depot_desk *depot; /* NULL: no files */
	struct api *api;
	struct coworking *coworking;
	struct worker_kept *kept; /* NULL: there is no store */
	struct auth_limits *limits;
	struct listener **listeners;
	pthread_t thread;
	struct restored *restored; /* until it runs */
	bool started;
};

/* This machine has no limits: a proxy here that is not named in http.trusted-proxies stands for
 * everybody. IPv6 counts by its /64, which is one network. */
static unsigned over_limit(void *arg, const struct addr *client, bool upgrade)
{
	struct worker *w = arg;
	size_t n = client->family == AF_INET6 ? 8 : 4;

	if (addr_is_loopback(client))
		return 0;
	return auth_limits_take(w->limits, slice_of(client->ip, n),
				upgrade ? AUTH_CONNECTS : AUTH_REQUESTS,
				loop_now(w->loop));
}

static void add_routes(struct worker *w)
{
	struct worker_shared *s = w->shared;
	struct http_server *h = w->http;

	http_route(h, HTTP_GET, "/livez", 0, admin_on_livez, &s->admin);
	http_route(h, HTTP_GET, "/readyz", 0, admin_on_readyz, &s->admin);
	http_route(h, HTTP_GET, "/health", 0, admin_on_health, &s->admin);
	http_route(h, HTTP_GET, "/metrics", 0, admin_on_metrics, &s->admin);
	http_route(h, HTTP_GET, "/ice-servers", 0, dialect_on_ice_servers, w->dialect);
	http_route(h, HTTP_GET, "/api/turn-credentials", 0, dialect_on_ice_servers,
		   w->dialect);
	http_route(h, HTTP_GET, "/api/turn-refusals", 0, dialect_on_turn_refusals,
		   w->dialect);
	http_route(h, HTTP_GET, "/v1/connect", HTTP_UPGRADE, native_on_connect,
		   w->dialect);
	socketio_add_routes(w->dialect, h);
	table_add_routes(w->dialect, h);
	if (s->config->debug_echo)
		echo_add_routes(w->dialect, h);
	coworking_add_routes(w->coworking, h);
	api_add_routes(w->api, h);
	pages_add_routes(h);
}

static int open_listeners(struct worker *w, struct buf *why)
{
	struct worker_shared *s = w->shared;
	struct addr_text t;

	w->listeners = xzalloc(size_mul(s->listen_count, sizeof(struct listener *)));
	for (size_t i = 0; i < s->listen_count; i++) {
		int err = listen_open(&w->listeners[i], w->loop, &s->listen[i],
				      http_server_accept, w->http);
		if (err < 0) {
			buf_printf(why, "cannot listen on %s: %s",
				   addr_text(&s->listen[i], &t), err_text(err));
			return err;
		}
	}
	return 0;
}

int worker_create(struct worker **out, struct worker_shared *shared, unsigned id,
		  struct buf *why)
{
	struct worker *w = xzalloc(sizeof(*w));

	w->shared = shared;
	w->loop = loop_create(id);
	loop_volley_enable(w->loop, shared->config->io_uring);
	int err = tls_context_create(&w->tls, w->loop, shared->cert_file,
				     shared->key_file, why);
	if (err < 0)
		goto fail;
	w->http = http_server_create(w->loop, &shared->http, w->tls);
	if (shared->relays) {
		err = worker_udp_create(&w->udp, w->loop, shared, w->http, w->tls, why);
		if (err < 0)
			goto fail;
	}
	w->dialect = dialect_create(w->loop, shared->admin.workers, &shared->dialect,
				    worker_udp_turn(w->udp));
	w->desk = room_desk_create(w->loop, shared->admin.workers,
				   dialect_rooms(w->dialect), dialect_gate(w->dialect));
	if (shared->files.size > 0)
		w->depot = depot_desk_create(w->loop);
	w->api = api_create(
		w->loop, &(struct api_settings){
				 .version = shared->admin.version,
				 .keys = shared->dialect.keys,
				 .gate = dialect_gate(w->dialect),
				 .desk = w->desk,
				 .files = shared->files,
				 .depot = w->depot,
				 .store = room_registry_store(dialect_rooms(w->dialect)),
			 });
	w->coworking = coworking_create(w->dialect, w->desk);
	if (shared->dialect.store)
		w->kept = worker_kept_create(w->loop, shared->admin.workers, w->dialect,
					     id == 0 ? w->coworking : NULL);
	w->limits = auth_limits_create(&shared->limits);
	http_server_limit(w->http, over_limit, w);
	add_routes(w);
	err = open_listeners(w, why);
	if (err < 0)
		goto fail;
	*out = w;
	return 0;
fail:
	worker_destroy(w);
	return err;
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	for (size_t i = 0; w->listeners && i < w->shared->listen_count; i++)
		listen_close(w->listeners[i]);
	free(w->listeners);
	room_desk_destroy(w->desk);
	depot_desk_destroy(w->depot);
	auth_limits_destroy(w->limits);
	dialect_restore_drop(w->restored);
	coworking_destroy(w->coworking);
	dialect_destroy(w->dialect);
	worker_kept_destroy(w->kept);
	api_destroy(w->api);
	http_server_destroy(w->http);
	worker_udp_destroy(w->udp);
	tls_context_destroy(w->tls);
	loop_destroy(w->loop);
	free(w);
}

struct loop *worker_loop(struct worker *w)
{
	return w->loop;
}

void worker_run(struct worker *w)
{
	loop_run(w->loop);
}

static void *worker_main(void *arg)
{
	worker_run(arg);
	return NULL;
}

int worker_start(struct worker *w)
{
	int err = pthread_create(&w->thread, NULL, worker_main, w);

	w->started = err == 0;
	return -err;
}

static void drain_here(void *arg)
{
	struct worker *w = arg;

	for (size_t i = 0; i < w->shared->listen_count; i++) {
		listen_close(w->listeners[i]);
		w->listeners[i] = NULL;
	}
	worker_udp_drain(w->udp);
	dialect_drain(w->dialect);
	http_server_drain(w->http);
}

static void restore_here(void *arg)
{
	struct worker *w = arg;

	dialect_restore(w->dialect, w->restored);
	w->restored = NULL;
}

void worker_restore(struct worker *w, struct restored *r)
{
	w->restored = r;
	loop_post(w->loop, restore_here, w);
}

void worker_take(struct worker *w, const struct store_note *n)
{
	worker_kept_take(w->kept, n);
}

void worker_ask_kept(struct worker *w)
{
	worker_kept_ask(w->kept);
}

static void reload_here(void *arg)
{
	struct worker *w = arg;

	tls_context_reload(w->tls);
}

void worker_reload(struct worker *w)
{
	loop_post(w->loop, reload_here, w);
}

void worker_drain(struct worker *w)
{
	loop_post(w->loop, drain_here, w);
}

void worker_stop(struct worker *w)
{
	loop_stop(w->loop);
}

void worker_join(struct worker *w)
{
	if (w->started)
		pthread_join(w->thread, NULL);
	w->started = false;
}
