/* pace: the open loop. Messages leave on schedule, whatever comes back, and carry the
 * time they were *due*: a stalled server, or a stalled generator, shows in the
 * latency.
 */
#include "options.h"
#include "util.h"
#include "worker.h"

#define BURST 256 /* then the loop reads */
#define LATE NS_PER_MS

static uint64_t due_at(const struct worker *w, uint64_t k)
{
	double share = (double)w->nconns / (double)opt.conns;

	return w->pace_from + (uint64_t)((double)k * 1e9 / (opt.rate * share));
}

static void pace_start(struct worker *w)
{
	w->pace_from = now_ns();
}

static void send_due(struct worker *w, uint64_t due, uint64_t now)
{
	uint64_t k = w->paced++;
	struct conn *c =
		opt.mode == MODE_ROOM ? room_sender(w, k) : &w->conns[k % w->nconns];

	if (w->phase == PHASE_MEASURE) {
		w->stats->paced++;
		w->stats->paced_late += now - due > LATE;
	}
	conn_send_messages(c, 1, (struct stamp){ due, (uint16_t)k });
}

static void pace_turn(struct worker *w)
{
	uint64_t now = now_ns(), due = due_at(w, w->paced);

	if (!w->started || !worker_sends(w))
		return;
	for (int i = 0; due <= now && i < BURST; i++) {
		send_due(w, due, now);
		due = due_at(w, w->paced);
	}
	now = now_ns();
	uint64_t left = due > now ? due - now : 0;
	if (left < w->wait_ns)
		w->wait_ns = left;
}

void pace_take_over(struct mode *m)
{
	m->start = pace_start;
	m->turn = pace_turn;
	m->tick = NULL;
	m->delivered = NULL;
	m->read_done = NULL;
}
