/* echo: /v1/echo, for conformance suites and measurements. */
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

void dialect_on_echo(struct http_exchange *x, void *arg)
{
	struct dialect *d = arg;
	struct echo *e = xzalloc(sizeof(*e));

	if (ws_accept(x, &d->settings->echo, NULL, &echo_ops, e, &e->ws) < 0) {
		free(e);
		return;
	}
	list_append(&d->echoes, &e->link);
}

void echo_drain(struct dialect *d)
{
	list_each (n, &d->echoes)
		ws_close(list_entry(n, struct echo, link)->ws, 1001, "the server stops");
}
