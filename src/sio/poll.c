/* Long polling: a GET waits for packets, a POST brings some. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "sio/conn.h"

static void on_upgrade_limit(struct loop_timer *t)
{
	eio_candidate_drop(container_of(t, struct eio_polling, upgrade)->conn);
}

/* It waits no longer. */
static struct http_exchange *take_poll(struct eio_polling *p)
{
	struct http_exchange *x = p->poll;

	p->poll = NULL;
	metric_add(METRIC_SIO_POLLS, -1);
	http_on_gone(x, NULL, NULL);
	return x;
}

struct eio_polling *eio_polling_create(struct eio_conn *c, struct http_exchange *x,
				       bool base64)
{
	struct eio_polling *p = xzalloc(sizeof(*p));

	p->conn = c;
	p->peer = *http_peer(x);
	p->base64 = base64;
	eio_queue_init(&p->out, c->eio->settings->queue);
	loop_timer_init(&p->upgrade, on_upgrade_limit);
	return p;
}

void eio_polling_destroy(struct eio_polling *p)
{
	struct eio *e = p->conn->eio;

	loop_timer_stop(e->loop, &p->upgrade);
	if (p->candidate)
		eio_forget_ws(p->candidate, 1000);
	if (p->poll)
		eio_refuse(take_poll(p), 400, EIO_UNKNOWN_SID);
	eio_queue_fini(&p->out);
	if (p->rest)
		eio_queue_fini(p->rest);
	free(p->rest);
	free(p);
}

/* --- answers --- */

static void reply(struct http_exchange *x, bool bytes, struct slice payload)
{
	http_reply(x, 200,
		   bytes ? "application/octet-stream" : "text/plain; charset=UTF-8",
		   payload);
}

static void reply_queue(struct eio_conn *c, struct http_exchange *x)
{
	struct eio_form form = { c->engine.version, c->polling->base64 };
	struct buf *b = &c->eio->payload;

	buf_clear(b);
	bool bytes = eio_queue_take(&c->polling->out, form, b);
	reply(x, bytes, buf_slice(b));
	if (b->cap > 64 * 1024)
		buf_fini(b);
}

void eio_poll_answer(struct eio_conn *c, const char *alone)
{
	struct eio_polling *p = c->polling;
	struct http_exchange *x = p->poll;

	if (x && p->out.count == 0 && alone)
		eio_send(c, slice_str(alone));
	if (!x || p->out.count == 0)
		return;
	reply_queue(c, take_poll(p));
}

/* --- GET --- */

/* A page that was left closes its poll; for a client that is there there is always one, or a
 * POST. */
static void on_gone(void *arg, struct http_exchange *x)
{
	struct eio_conn *c = arg;

	(void)take_poll(c->polling);
	eio_refuse(x, 400, EIO_UNKNOWN_SID); /* goes nowhere */
	eio_conn_end(c, c->engine.state == EIO_CLOSING ? c->why : EIO_BROKEN);
}

static void last_poll(struct eio_conn *c, struct http_exchange *x)
{
	eio_send(c, SLICE("1"));
	reply_queue(c, x);
	eio_conn_end(c, c->why);
}

void eio_poll_get(struct eio_conn *c, struct http_exchange *x)
{
	struct eio_polling *p = c->polling;

	if (c->engine.state == EIO_CLOSING) {
		last_poll(c, x);
	} else if (p->poll) {
		eio_refuse(x, 400, EIO_BAD_REQUEST);
		eio_close(c, EIO_PARSE);
	} else {
		p->poll = x;
		metric_add(METRIC_SIO_POLLS, 1);
		http_on_gone(x, on_gone, c);
		eio_poll_answer(c, c->engine.state == EIO_PROBING ? "6" : NULL);
	}
}

/* --- POST --- */

static bool is_bytes(struct http_exchange *x)
{
	return slice_starts(http_header(x, "Content-Type"),
			    SLICE("application/octet-stream"));
}

/* E_MALFORMED and the like. A session that ends by a packet hears no more of them. */
static int take_payload(struct eio_conn *c, struct eio_payload *in)
{
	struct eio_packet p;
	int more;

	while ((more = eio_payload_next(in, &p, &c->eio->text)) > 0) {
		if (c->moving)
			eio_move_packet(c, &p);
		else if (!eio_conn_packet(c, EIO_BY_REQUEST, &p) && !c->moving)
			return c->why == EIO_PARSE ? E_MALFORMED : 0;
	}
	return more;
}

void eio_poll_post(struct eio_conn *c, struct http_exchange *x)
{
	bool bytes = is_bytes(x);
	struct eio_payload in;

	if (c->engine.state == EIO_CLOSING) {
		eio_refuse(x, 400, EIO_BAD_REQUEST);
		return;
	}
	eio_payload_open(&in, c->engine.version, bytes, http_body(x));
	if ((bytes && c->engine.version == 4) || take_payload(c, &in) < 0) {
		metric_add(METRIC_MALFORMED, 1);
		eio_refuse(x, 400, EIO_BAD_REQUEST);
		if (c->moving) /* it is told there what is wrong */
			eio_move_packet(c, &(struct eio_packet){ .type = EIO_OPEN });
		else
			eio_close(c, EIO_PARSE);
		return;
	}
	http_reply(x, 200, "text/html", SLICE("ok"));
}
