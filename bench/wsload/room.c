/* room: --window messages in flight in each room; the next leaves when everybody has
 * the last one, and senders take turns.
 *
 * A message's number chooses its slot (seq % window), so that a delivery finds its
 * message without a search. A message that is not complete after --stall-ms counts as
 * stalled, and its slot is used again.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "options.h"
#include "util.h"
#include "worker.h"

struct slot {
	uint64_t sent_at;
	uint32_t missing;
	uint16_t seq;
	bool busy;
};

struct room {
	struct conn *members;
	uint32_t next_sender;
	uint16_t next_seq;
	struct slot *slots;
};

static void room_init(struct worker *w)
{
	w->rooms = xzalloc(w->nrooms * sizeof(*w->rooms));
	for (uint32_t i = 0; i < w->nrooms; i++) {
		w->rooms[i].members = &w->conns[i * opt.members];
		w->rooms[i].slots = xzalloc(opt.window * sizeof(struct slot));
	}
	/* Slow members read nothing and are not waited for. */
	w->fan = opt.members - opt.slow - 1 + opt.own;
}

static struct slot *next_slot(struct room *r)
{
	return &r->slots[r->next_seq % opt.window];
}

/* Sends the next message unless its slot is still in use. */
static void launch(struct worker *w, struct room *r)
{
	struct slot *s = next_slot(r);

	for (uint32_t tries = 0; tries < opt.senders && !s->busy; tries++) {
		struct conn *c = &r->members[r->next_sender];

		r->next_sender = (r->next_sender + 1) % opt.senders;
		if (c->state != CONN_READY)
			continue;
		*s = (struct slot){ now_ns(), w->fan, r->next_seq++, true };
		conn_send_messages(c, 1, (struct stamp){ s->sent_at, s->seq });
		return;
	}
}

static void fill(struct worker *w)
{
	for (uint32_t k = 0; k < opt.window; k++)
		for (uint32_t i = 0; i < w->nrooms; i++)
			launch(w, &w->rooms[i]);
}

static void room_delivered(struct conn *c, unsigned seq)
{
	struct worker *w = c->w;
	struct room *r = &w->rooms[c->room - w->rooms[0].members[0].room];
	struct slot *s = &r->slots[seq % opt.window];

	if (!s->busy || s->seq != seq || --s->missing > 0)
		return;
	s->busy = false;
	if (worker_sends(w))
		launch(w, r);
}

static void room_tick(struct worker *w)
{
	uint64_t now = now_ns(), limit = opt.stall_ms * NS_PER_MS;

	if (!w->started)
		return;
	for (uint32_t i = 0; i < w->nrooms; i++)
		for (uint32_t k = 0; k < opt.window; k++) {
			struct slot *s = &w->rooms[i].slots[k];

			if (s->busy && now - s->sent_at > limit) {
				w->stats->stalled++;
				s->busy = false;
			}
		}
	if (worker_sends(w))
		fill(w);
}

static void room_ready(struct conn *c)
{
	int small = 4096;

	if (c->member >= opt.members - opt.slow) {
		/* Never read again: the server must cope with that. */
		setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		epoll_ctl(c->w->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	}
	atomic_fetch_add(&c->w->stats->ready, 1);
}

struct conn *room_sender(struct worker *w, uint64_t k)
{
	return &w->rooms[k % w->nrooms].members[k / w->nrooms % opt.senders];
}

const struct mode room_mode = {
	.init = room_init,
	.start = fill,
	.tick = room_tick,
	.ready = room_ready,
	.delivered = room_delivered,
};
