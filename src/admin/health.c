#include "admin/admin.h"

#include "base/json.h"

static void reply_text(struct http_exchange *x, int status, struct slice body)
{
	http_add_header(x, "Cache-Control", SLICE("no-store"));
	http_reply(x, status, "text/plain; charset=utf-8", body);
}

void admin_on_livez(struct http_exchange *x, void *arg)
{
	(void)arg;
	reply_text(x, 200, SLICE("ok\n"));
}

void admin_on_readyz(struct http_exchange *x, void *arg)
{
	const struct admin_state *s = arg;

	if (atomic_load_explicit(&s->draining, memory_order_relaxed))
		reply_text(x, 503, SLICE("draining\n"));
	else if (s->store && !store_ready(s->store))
		reply_text(x, 503, SLICE("store unavailable\n"));
	else if (s->relay_failed &&
		 atomic_load_explicit(s->relay_failed, memory_order_relaxed))
		reply_text(x, 503, SLICE("relay unavailable\n"));
	else
		reply_text(x, 200, SLICE("ready\n"));
}

static void field_gauge(struct jsonw *w, const char *name, enum metric m)
{
	int64_t v = metric_total(m);

	json_field_u64(w, name, v > 0 ? (uint64_t)v : 0);
}

void admin_on_health(struct http_exchange *x, void *arg)
{
	const struct admin_state *s = arg;
	bool draining = atomic_load_explicit(&s->draining, memory_order_relaxed);
	struct buf b = BUF_INIT(1024), now = BUF_INIT(64);
	struct jsonw w;

	clock_iso(&now, clock_wall());
	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "status", draining ? SLICE("draining") : SLICE("healthy"));
	json_field_string(&w, "service", SLICE("parley"));
	json_field_string(&w, "version", slice_str(s->version));
	json_key(&w, SLICE("uptime"));
	json_put_double(&w, (double)(clock_mono() - s->started) / 1000);
	field_gauge(&w, "connections", METRIC_CONNECTIONS);
	field_gauge(&w, "rooms", METRIC_ROOMS);
	field_gauge(&w, "members", METRIC_MEMBERS);
	json_field_string(&w, "timestamp", buf_slice(&now));
	json_object_end(&w);
	http_add_header(x, "Cache-Control", SLICE("no-store"));
	http_reply(x, draining ? 503 : 200, "application/json", buf_slice(&b));
	buf_fini(&b);
	buf_fini(&now);
}
