/* Sessions from loop to loop. The id goes on naming the worker where the session began; there it is noted where
 * it has gone, until it ends. A request that comes to where the session was goes back to its home and finds the way
 * from there.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "sio/conn.h"

unsigned eio_sid_worker(struct slice sid)
{
	unsigned worker = 0;

	if (sid.n != EIO_SID)
		return LOOP_MAX;
	for (size_t i = 0; i < 2; i++) {
		uint8_t c = sid.p[i];
		bool letter = c >= 'a' && c <= 'z', digit = c >= '2' && c <= '7';

		if (!letter && !digit)
			return LOOP_MAX;
		worker = worker << 5 | (unsigned)(letter ? c - 'a' : c - '2' + 26);
	}
	return worker;
}

unsigned eio_moved_to(const struct eio *e, struct slice sid)
{
	uintptr_t worker = (uintptr_t)map_find(&e->moved, sid);

	return worker ? (unsigned)worker - 1 : EIO_GONE;
}

void eio_locate(struct eio *e, struct slice sid, unsigned worker)
{
	if (worker == EIO_GONE || worker == loop_id(e->loop))
		map_del(&e->moved, sid);
	else
		map_put(&e->moved, sid, (void *)(uintptr_t)(worker + 1));
}

void eio_tell_home(struct eio_conn *c, unsigned worker)
{
	struct eio *e = c->eio;
	unsigned home = eio_sid_worker(eio_sid(c));

	if (home == loop_id(e->loop))
		eio_locate(e, eio_sid(c), worker);
	else
		e->ops->located(e->arg, eio_sid(c), home, worker);
}

void eio_detach(struct eio_conn *c, unsigned worker)
{
	struct eio_polling *p = c->polling;

	assert(eio_engine_polls(&c->engine) || c->engine.state == EIO_WEBSOCKET);
	if (p) {
		eio_poll_answer(c, "6"); /* the next one finds the way */
		loop_timer_stop(c->eio->loop, &p->upgrade);
		if (p->candidate)
			ws_detach(p->candidate);
	}
	loop_timer_stop(c->eio->loop, &c->timer);
	loop_task_cancel(&c->task);
	list_unlink(&c->link);
	if (!c->single) {
		map_del(&c->eio->by_sid, eio_sid(c));
		eio_tell_home(c, worker);
	}
	c->moving = true;
	metric_add(METRIC_SIO_CLIENTS, -1);
	if (c->ws)
		ws_detach(c->ws);
}

/* Within the turn that moved it, before it is carried. */
void eio_move_packet(struct eio_conn *c, const struct eio_packet *p)
{
	struct eio_polling *from = c->polling;

	if (!from->rest) {
		from->rest = xzalloc(sizeof(*from->rest));
		eio_queue_init(from->rest, 16 * c->eio->settings->max_payload);
	}
	int err = eio_queue_put(from->rest, p);
	assert(err == 0); /* they came in one request */
	(void)err;
}

static void hear_rest(struct eio_conn *c)
{
	struct eio_queue *q = c->polling ? c->polling->rest : NULL;
	struct eio_packet p;
	size_t at = 0;

	if (!q)
		return;
	c->polling->rest = NULL;
	while (eio_queue_next(q, &at, &p))
		if (!eio_conn_packet(c, EIO_BY_REQUEST, &p))
			break;
	while (c->moving && eio_queue_next(q, &at, &p))
		eio_move_packet(c, &p);
	eio_queue_fini(q);
	free(q);
}

void eio_attach(struct eio *e, struct eio_conn *c, struct slice again)
{
	c->eio = e;
	c->moving = false;
	list_append(&e->conns, &c->link);
	if (!c->single)
		map_put(&e->by_sid, eio_sid(c), c);
	metric_add(METRIC_SIO_CLIENTS, 1);
	eio_conn_arm(c);
	if (c->ws)
		ws_attach(e->loop, c->ws, c);
	if (c->polling && c->polling->candidate)
		eio_candidate_attach(c);
	if (e->draining)
		eio_close(c, EIO_SHUTDOWN);
	if (again.n > 0 && c->engine.state != EIO_CLOSED)
		e->ops->message(c->own, c, false, again);
	if (!c->moving)
		hear_rest(c);
}
