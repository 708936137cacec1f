/* fanout_log: what a room said, kept for members who lost their connection; and what becomes of
 * their seats meanwhile.
 */
#include "dialect/fanout.h"

static void age_later(struct dialect *d)
{
	loop_timer_start(d->loop, &d->log_timer, d->log.life / EVENT_LOG_AGES);
}

static void on_age(struct loop_timer *t)
{
	struct dialect *d = container_of(t, struct dialect, log_timer);

	if (event_log_age(&d->log))
		age_later(d);
}

void fanout_log_init(struct dialect *d)
{
	const struct dialect_settings *s = d->settings;
	/* An idle connection is found dead this long after the last it could read. */
	ms_t dead = s->ws.ping_interval + s->ws.ping_timeout;
	ms_t life = dead + s->grace, recovery = recovery_life(s);

	event_log_init(&d->log, s->log_size, life > recovery ? life : recovery);
	loop_timer_init(&d->log_timer, on_age);
}

void fanout_log_fini(struct dialect *d)
{
	loop_timer_stop(d->loop, &d->log_timer);
	event_log_fini(&d->log);
}

void fanout_log(struct fanout *f, uint64_t seq, uint64_t to, uint64_t except,
		struct slice message)
{
	const struct event_log_entry e = { .seq = seq, .to = to, .except = except };
	struct dialect *d = f->dialect;

	if (seq <= f->seq)
		return; /* it has been worded for another channel */
	f->seq = seq;
	if (d->settings->grace == 0)
		return;
	event_log_add(&d->log, &f->trail, loop_now(d->loop), &e, message);
	if (d->log_timer.due == 0)
		age_later(d);
}

void fanout_hear(struct dialect *d, struct event_trail *trail, uint64_t number,
		 uint64_t except, struct slice message)
{
	const struct event_log_entry e = { .seq = number, .except = except };

	event_log_add(&d->log, trail, loop_now(d->loop), &e, message);
	if (d->log_timer.due == 0)
		age_later(d);
}

/* --- seats, and those who are away --- */

/* Without a member here, what was said before may be of an earlier room of that name. */
void fanout_begin(struct fanout *f, uint64_t seq)
{
	if (f->count == 0 && f->away == 0) {
		f->seq = seq;
		f->trail = (struct event_trail){ 0 };
	} else if (f->seq < seq) {
		f->seq = seq;
	}
}

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
	const struct dialect *d = seat->session->dialect;

	return event_log_since(&d->log, &seat->fanout->trail, seen, d->settings->log,
			       NULL);
}

void fanout_replay(const struct seat *seat, uint64_t seen, struct ws *to)
{
	const struct dialect *d = seat->session->dialect;
	const struct event_log_entry *e;
	struct buf found = BUF_INIT(d->settings->log * sizeof(e));

	(void)event_log_since(&d->log, &seat->fanout->trail, seen, d->settings->log,
			      &found);
	for (size_t at = found.n; at > 0; at -= sizeof(e)) {
		memcpy(&e, found.p + at - sizeof(e), sizeof(e));
		if (!event_log_visible(e, seat->member_id))
			continue;
		ws_send(to, WS_TEXT, event_log_message(e));
		metric_add(METRIC_DELIVERIES, 1);
	}
	buf_fini(&found);
}
