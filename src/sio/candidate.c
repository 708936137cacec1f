/* WebSockets: those that carry a session from its beginning, and those that want to become the transport of
 * one that polls.
 */
#include "base/err.h"
#include "sio/conn.h"

/* A candidate shows that it works, or is dropped. */
#define UPGRADE_LIMIT 10000

static void on_message(void *arg, struct ws *w, enum ws_op op, uint8_t *bytes, size_t n)
{
	struct eio_conn *c = arg;
	struct eio_packet p;

	if (!c)
		return;
	enum eio_source from = w == c->ws ? EIO_BY_WEBSOCKET : EIO_BY_CANDIDATE;
	if (eio_packet_decode(&p, c->engine.version, op == WS_BINARY, slice_of(bytes, n),
			      &c->eio->text) < 0)
		p = (struct eio_packet){ .type = EIO_TYPES };
	(void)eio_conn_packet(c, from, &p);
}

static enum eio_why why_closed(const struct ws *w, uint16_t code)
{
	if (ws_timed_out(w))
		return EIO_TIMEOUT;
	if (code == 1013)
		return EIO_SLOW;
	if (code == 1002 || code == 1003 || code == 1007 || code == 1009)
		return EIO_PARSE;
	return EIO_BROKEN;
}

static void on_closed(void *arg, struct ws *w, uint16_t code)
{
	struct eio_conn *c = arg;

	if (!c)
		return;
	if (w != c->ws) {
		c->polling->candidate = NULL;
		loop_timer_stop(c->eio->loop, &c->polling->upgrade);
		eio_engine_no_candidate(&c->engine);
		return;
	}
	c->ws = NULL;
	eio_conn_end(c, why_closed(w, code));
	eio_conn_finish(c);
}

static const struct ws_ops ops = { on_message, on_closed };

struct ws *eio_accept(struct eio *e, struct http_exchange *x, struct eio_conn *c)
{
	struct ws *w;

	if (ws_accept(x, &e->settings->ws, NULL, &ops, c, &w) < 0)
		return NULL;
	return w;
}

void eio_candidate_open(struct eio_conn *c, struct http_exchange *x)
{
	struct eio_polling *p = c->polling;

	if (!p || p->candidate || c->engine.state != EIO_POLLING) {
		/* As the reference: it is let in and sent away. */
		struct ws *w = eio_accept(c->eio, x, NULL);
		if (w)
			ws_close(w, 1000, NULL);
		return;
	}
	p->candidate = eio_accept(c->eio, x, c);
	if (p->candidate)
		loop_timer_start(c->eio->loop, &p->upgrade, UPGRADE_LIMIT);
}

void eio_candidate_attach(struct eio_conn *c)
{
	loop_timer_start(c->eio->loop, &c->polling->upgrade, UPGRADE_LIMIT);
	ws_attach(c->eio->loop, c->polling->candidate, c);
}

void eio_candidate_drop(struct eio_conn *c)
{
	struct eio_polling *p = c->polling;

	if (!p || !p->candidate)
		return;
	loop_timer_stop(c->eio->loop, &p->upgrade);
	eio_forget_ws(p->candidate, 1000);
	p->candidate = NULL;
	eio_engine_no_candidate(&c->engine);
}

void eio_forget_ws(struct ws *w, uint16_t code)
{
	ws_set_arg(w, NULL);
	ws_close(w, code, NULL);
}
