/* storm: connect, upgrade, join if told, close, and again: --concurrency at a time. */
#include "options.h"
#include "util.h"
#include "worker.h"

#include <string.h>

#define HANDSHAKE_LIMIT (5 * NS_PER_S)

static void storm_init(struct worker *w)
{
	w->opened = w->nconns; /* opened by storm_turn(), again and again */
}

static void storm_turn(struct worker *w)
{
	w->wait_ns = 2 * NS_PER_MS;
	if (!worker_sends(w))
		return;
	for (uint32_t i = 0; i < w->nconns; i++)
		if (w->conns[i].state == CONN_FREE)
			conn_open(&w->conns[i]);
}

static void storm_ready(struct conn *c)
{
	struct worker *w = c->w;

	if (w->phase == PHASE_MEASURE) {
		w->stats->connected++;
		latency_add(&w->stats->latency, w->now - c->opened_at);
	}
	if (strcmp(opt.close, "ws") == 0 &&
	    conn_send_frame(c, FRAME_CLOSE, "\x03\xe8", 2) == 0)
		c->state = CONN_CLOSING;
	else
		conn_close(c, CONN_FREE);
}

static void storm_failed(struct conn *c, enum conn_state was)
{
	if (was != CONN_CLOSING)
		c->w->stats->refused++;
	c->state = CONN_FREE;
}

static void storm_tick(struct worker *w)
{
	for (uint32_t i = 0; i < w->nconns; i++) {
		struct conn *c = &w->conns[i];

		if (c->state != CONN_FREE && c->opened_at + HANDSHAKE_LIMIT < w->now)
			conn_fail(c, "handshake took more than 5 s", 0);
	}
}

const struct mode storm_mode = {
	.init = storm_init,
	.turn = storm_turn,
	.tick = storm_tick,
	.ready = storm_ready,
	.failed = storm_failed,
};
