/* resume: sessions of parley.v1 in rooms. All connections break at once, when the measured window
 * begins; each comes back, --concurrency at a time, and goes on with its session. The window
 * ends with the last one. What counts is how long each was away.
 */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "util.h"
#include "worker.h"

#define ID_MAX 40
#define TURN_NS (2 * NS_PER_MS)

/* What a session is called, and the proof that it is ours: from its first hello. */
struct ticket {
	char session[ID_MAX], secret[ID_MAX];
};

static struct ticket *tickets;
static uint64_t dropped_at; /* 0: not yet */
static uint32_t reopened;

static struct ticket *ticket_of(const struct conn *c)
{
	return &tickets[c - c->w->conns];
}

static void resume_init(struct worker *w)
{
	tickets = xzalloc(w->nconns * sizeof(*tickets));
}

/* The text behind "name":" and before the next quote; nothing when it is not there. */
static void copy_text(char to[ID_MAX], const struct frame *f, const char *name)
{
	const char *end = f->p + f->n;
	const char *p = memmem(f->p, f->n, name, strlen(name));
	size_t n = 0;

	if (!p)
		return;
	for (p += strlen(name); p < end && *p != '"' && n + 1 < ID_MAX; p++)
		to[n++] = *p;
	to[n] = '\0';
}

static void resume_heard(struct conn *c, const struct frame *f)
{
	static const char gap[] = "\"complete\":false";

	if (!dropped_at) {
		copy_text(ticket_of(c)->session, f, "\"session\":\"");
		copy_text(ticket_of(c)->secret, f, "\"secret\":\"");
	} else if (memmem(f->p, f->n, gap, sizeof(gap) - 1)) {
		c->w->stats->refused++;
	}
}

static const char *resume_first(struct conn *c, size_t *n)
{
	static char text[160];
	const struct ticket *t = ticket_of(c);
	size_t none;

	if (!dropped_at)
		return conn_expand(c, opt.first, n, &none);
	*n = (size_t)snprintf(
		text, sizeof(text),
		"{\"type\":\"resume\",\"id\":1,\"session\":\"%s\",\"secret\":\"%s\"}",
		t->session, t->secret);
	return text;
}

static void resume_ready(struct conn *c)
{
	struct stats *s = c->w->stats;

	if (dropped_at) {
		s->connected++;
		latency_add(&s->latency, now_ns() - dropped_at);
	}
	atomic_fetch_add(&s->ready, 1);
}

static void drop_all(struct worker *w)
{
	dropped_at = now_ns();
	atomic_fetch_sub(&w->stats->ready, w->nconns);
	for (uint32_t i = 0; i < w->nconns; i++)
		conn_close(&w->conns[i], CONN_FREE);
}

static void resume_turn(struct worker *w)
{
	uint32_t settled;

	if (w->phase != PHASE_MEASURE)
		return;
	if (!dropped_at)
		drop_all(w);
	settled = atomic_load(&w->stats->ready) + atomic_load(&w->stats->failed);
	while (reopened < w->nconns && reopened - settled < opt.concurrency)
		conn_open(&w->conns[reopened++]);
	w->wait_ns = TURN_NS;
}

const struct mode resume_mode = {
	.init = resume_init,
	.turn = resume_turn,
	.ready = resume_ready,
	.heard = resume_heard,
	.first = resume_first,
};
