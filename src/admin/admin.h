/* admin: how the process is: /livez, /readyz, /health, /metrics.
 *
 * Handlers run on any worker; they read counters of all (metric.h) and the state below.
 */
#pragma once
#include <stdatomic.h>
#include "http/http.h"
#include "store/store.h"

struct admin_state {
	const char *version;
	unsigned workers;
	ms_t started;              /* clock_mono() */
	_Atomic bool draining;     /* set by the main thread */
	const struct store *store; /* NULL: none */
	const _Atomic bool
		*relay_failed; /* set while our own relays do not work; NULL: not known */
};

/* arg: the admin_state */
void admin_on_livez(struct http_exchange *x, void *arg);
void admin_on_readyz(struct http_exchange *x, void *arg);
void admin_on_health(struct http_exchange *x, void *arg);
void admin_on_metrics(struct http_exchange *x, void *arg);
/* The text of /metrics, Prometheus exposition format 0.0.4. */
void metrics_print(const struct admin_state *s, struct buf *b);
