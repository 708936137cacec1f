/* fanout_log: what a room said, kept for members who lost their connection; and what becomes of
 * their seats meanwhile. The log goes when the room is silent for longer than a dead connection
 * can go unnoticed, and nobody is away.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "dialect/event_log.h"
#include "dialect/fanout.h"

#define LOG_SWEEP 10000 /* ms between looks for logs that nobody needs */

struct fanout_log {
	struct list link; /* of dialect->logs */
	struct fanout *fanout;
	ms_t at; /* of the last event */
	struct event_log events;
};

static struct fanout_log *log_open(struct fanout *f)
{
	struct dialect *d = f->dialect;
	struct fanout_log *l = xzalloc(sizeof(*l));

	l->fanout = f;
	event_log_init(&l->events, f->floor);
	list_init(&l->link);
	if (list_empty(&d->logs))
		loop_timer_start(d->loop, &d->log_timer, LOG_SWEEP);
	list_append(&d->logs, &l->link);
	f->log = l;
	return l;
}

void fanout_log_free(struct fanout *f)
{
	struct fanout_log *l = f->log;

	if (!l)
		return;
	f->floor = f->seq;
	f->log = NULL;
	list_unlink(&l->link);
	event_log_fini(&l->events);
	free(l);
}

/* An idle connection is found dead this long after the last it could read. */
static ms_t log_life(const struct dialect_settings *s)
{
	return s->ws.ping_interval + s->ws.ping_timeout + s->grace;
}

void fanout_log_sweep(struct loop_timer *t)
{
	struct dialect *d = container_of(t, struct dialect, log_timer);
	ms_t old = loop_now(d->loop) - log_life(d->settings);

	list_each_safe (n, &d->logs) {
		struct fanout_log *l = list_entry(n, struct fanout_log, link);

		if (l->at < old && l->fanout->away == 0)
			fanout_log_free(l->fanout);
	}
	if (!list_empty(&d->logs))
		loop_timer_start(d->loop, t, LOG_SWEEP);
}

void fanout_log(struct fanout *f, uint64_t seq, uint64_t to, uint64_t except,
		struct slice message)
{
	struct event_log_entry e = {
		.seq = seq, .to = to, .except = except, .n = (uint32_t)message.n
	};

	if (seq <= f->seq)
		return; /* it has been worded for another channel */
	f->seq = seq;
	if (f->dialect->settings->grace == 0)
		return;
	struct fanout_log *l = f->log ? f->log : log_open(f);
	l->at = loop_now(f->dialect->loop);
	event_log_add(&l->events, f->dialect->settings->log, &e, message.p);
}

void fanout_log_prefetch(const struct fanout *f)
{
	if (f->log)
		event_log_prefetch(&f->log->events);
}

/* --- seats of those who are away --- */

void fanout_away(struct fanout *f, struct seat *seat)
{
	fanout_remove(f, seat);
	seat->ws = NULL;
	f->away++;
}

void fanout_back(struct fanout *f, struct seat *seat)
{
	f->away--;
	seat->ws = seat->session->ws;
	fanout_add(f, seat);
}

bool fanout_reaches_back(const struct seat *seat, uint64_t seen)
{
	const struct fanout *f = seat->fanout;

	return seen >= (f->log ? f->log->events.floor : f->floor);
}

void fanout_replay(const struct seat *seat, uint64_t seen, struct ws *to)
{
	const struct fanout_log *l = seat->fanout->log;
	struct buf *out = &seat->session->dialect->out;
	struct event_log_entry e;
	uint64_t at = 0;

	while (l && event_log_next(&l->events, &at, &e)) {
		if (e.seq <= seen || !event_log_visible(&e, seat->member_id))
			continue;
		buf_clear(out);
		event_log_message(&l->events, at, &e, buf_take(out, e.n));
		ws_send(to, WS_TEXT, buf_slice(out));
		metric_add(METRIC_DELIVERIES, 1);
	}
}
