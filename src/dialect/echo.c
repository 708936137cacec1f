/* echo: /v1/echo, for conformance suites and measurements. */
#include "dialect/dialect.h"

static void on_message(void *arg, struct ws *w, enum ws_op op, uint8_t *p, size_t n)
{
	(void)arg;
	ws_send(w, op, slice_of(p, n));
}

static void on_closed(void *arg, struct ws *w, uint16_t code)
{
	(void)arg;
	(void)w;
	(void)code;
}

static const struct ws_ops echo_ops = { on_message, on_closed };

void dialect_on_echo(struct http_exchange *x, void *arg)
{
	const struct dialect_settings *s = arg;
	struct ws *w;

	/* A refusal has been answered; the rest happens in the ops. */
	if (ws_accept(x, &s->echo, NULL, &echo_ops, NULL, &w) < 0)
		return;
}
