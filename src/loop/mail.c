#include "loop/mail.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "loop/loop_private.h"

/* One mail inside a batch; the body follows, padded so that the next head is aligned. */
struct mail_head {
	uint32_t kind;
	uint32_t n;
};

#define BATCH_FIRST 2048
#define BATCH_MAX UINT32_MAX

static _Atomic(struct loop_box *) boxes[LOOP_MAX];

void loop_mail_handler(struct loop *l, unsigned kind, loop_mail_fn *fn, void *arg)
{
	assert(kind < LOOP_MAIL_KINDS);
	loop_mailer_of(l)->handler[kind] = (struct loop_handler){ fn, arg };
}

int loop_mailer_init(struct loop_mailer *m, unsigned id)
{
	struct loop_box *none = NULL;

	m->box.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->box.wake_fd < 0)
		return -errno;
	bool free_id = atomic_compare_exchange_strong(&boxes[id], &none, &m->box);
	assert(free_id);
	(void)free_id;
	return 0;
}

static void parcels_free(struct loop_parcel *p)
{
	while (p && p != LOOP_ASLEEP) {
		struct loop_parcel *next = p->next;
		free(p);
		p = next;
	}
}

void loop_mailer_fini(struct loop_mailer *m, unsigned id)
{
	atomic_store(&boxes[id], NULL);
	parcels_free(atomic_exchange(&m->box.top, NULL));
	for (unsigned i = 0; i < LOOP_MAX; i++)
		free(m->out[i]);
	close(m->box.wake_fd);
}

static void box_put(struct loop_box *box, struct loop_parcel *p)
{
	struct loop_parcel *top = atomic_load_explicit(&box->top, memory_order_relaxed);

	do
		p->next = top == LOOP_ASLEEP ? NULL : top;
	while (!atomic_compare_exchange_weak(&box->top, &top, p));

	if (top == LOOP_ASLEEP)
		eventfd_write(box->wake_fd, 1);
}

bool loop_mailer_sleep(struct loop_mailer *m)
{
	struct loop_parcel *none = NULL;

	return atomic_compare_exchange_strong(&m->box.top, &none, LOOP_ASLEEP);
}

static void batch_deliver(const struct loop_mailer *m, const struct loop_parcel *p)
{
	for (uint32_t at = 0; at < p->n;) {
		struct mail_head h;
		memcpy(&h, p->bytes + at, sizeof(h));
		at += (uint32_t)sizeof(h);
		const struct loop_handler *to = &m->handler[h.kind];
		assert(to->fn);
		to->fn(to->arg, p->from, slice_of(p->bytes + at, h.n));
		at += (h.n + 7) & ~7u;
	}
}

void loop_mailer_drain(struct loop_mailer *m)
{
	struct loop_parcel *p = atomic_exchange(&m->box.top, NULL);
	struct loop_parcel *first = NULL;

	if (p == LOOP_ASLEEP)
		return;
	while (p) { /* the newest is on top */
		struct loop_parcel *next = p->next;
		p->next = first;
		first = p;
		p = next;
	}
	while (first) {
		p = first;
		first = p->next;
		if (p->fn)
			p->fn(p->arg);
		else
			batch_deliver(m, p);
		free(p);
	}
}

void loop_mailer_flush(struct loop_mailer *m)
{
	while (m->dirty) {
		unsigned to = (unsigned)__builtin_ctzll(m->dirty);
		struct loop_parcel *p = m->out[to];
		struct loop_box *box =
			atomic_load_explicit(&boxes[to], memory_order_acquire);

		m->dirty &= m->dirty - 1;
		m->out[to] = NULL;
		if (!box) { /* only while the process ends */
			free(p);
			continue;
		}
		metric_add(METRIC_MAIL_BATCHES, 1);
		box_put(box, p);
	}
}

/* Room for n more bytes in the batch to `to`. */
static struct loop_parcel *batch_room(struct loop_mailer *m, unsigned to, size_t n,
				      unsigned from)
{
	struct loop_parcel *p = m->out[to];
	size_t need = n + (p ? p->n : 0);

	if (p && need <= p->cap)
		return p;
	size_t cap = p ? 2 * (size_t)p->cap : BATCH_FIRST;
	if (cap < need)
		cap = need;
	assert(cap <= BATCH_MAX);
	m->out[to] = xrealloc(p, sizeof(*p) + cap);
	if (!p)
		*m->out[to] = (struct loop_parcel){ .from = from };
	m->out[to]->cap = (uint32_t)cap;
	m->dirty |= (uint64_t)1 << to;
	return m->out[to];
}

void loop_mail_send(unsigned to, unsigned kind, struct slice body)
{
	struct loop *l = loop_current();
	assert(l && to < LOOP_MAX && kind < LOOP_MAIL_KINDS);
	assert(body.n < BATCH_MAX / 4);

	struct mail_head h = { kind, (uint32_t)body.n };
	size_t padded = (body.n + 7) & ~(size_t)7;
	struct loop_parcel *p =
		batch_room(loop_mailer_of(l), to, sizeof(h) + padded, loop_id(l));
	memcpy(p->bytes + p->n, &h, sizeof(h));
	if (body.n)
		memcpy(p->bytes + p->n + sizeof(h), body.p, body.n);
	p->n += (uint32_t)(sizeof(h) + padded);
	metric_add(METRIC_MAIL_SENT, 1);
}

void loop_post(struct loop *l, loop_post_fn *fn, void *arg)
{
	struct loop_parcel *p = xmalloc(sizeof(*p));

	*p = (struct loop_parcel){ .fn = fn, .arg = arg };
	box_put(&loop_mailer_of(l)->box, p);
}
