/* desk: a worker's questions to the store and their answers. */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "loop/mail.h"
#include "store/internal.h"

/* How often waiting tickets are looked at. */
#define LOOK_EVERY 250

struct store_desk {
	struct store *store;
	const struct store_settings *settings;
	struct loop *loop;
	struct list waiting[STORE_THREADS]; /* tickets, in the order of asking */
	struct loop_timer look;
	uint64_t last;
	uint32_t count;
	bool stalled; /* something is overdue */
};

/* --- asking --- */

static void send_query(struct store_desk *d, uint64_t ticket, const struct store_query *q)
{
	static const unsigned threads[STORE_THREADS] = { LOOP_STORE_WRITER,
							 LOOP_STORE_READER };
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	store_query_encode(&b, ticket, q);
	bus_send_letter(threads[store_op_thread(q->op)], BUS_STORE_QUERY, &b);
	(void)d;
}

int store_ask(struct store_desk *d, const struct store_query *q, struct store_ticket *t)
{
	loop_assert(d->loop);
	if (d->count >= d->settings->queue) {
		metric_add(METRIC_STORE_REFUSED, 1);
		return E_UNAVAILABLE;
	}
	d->count++;
	t->number = ++d->last;
	t->at = loop_now(d->loop);
	t->told_overdue = false;
	list_init(&t->link);
	list_append(&d->waiting[store_op_thread(q->op)], &t->link);
	send_query(d, t->number, q);
	metric_add(METRIC_STORE_WAITING, 1);
	if (!d->look.due)
		loop_timer_start(d->loop, &d->look, LOOK_EVERY);
	return 0;
}

static void on_told(struct store_ticket *t, const struct store_answer *a)
{
	if (a->err < 0)
		metric_add(METRIC_STORE_LOST, 1);
	free(t);
}

void store_tell(struct store_desk *d, const struct store_query *q)
{
	struct store_ticket *t = xzalloc(sizeof(*t));

	t->done = on_told;
	if (store_ask(d, q, t) < 0) {
		metric_add(METRIC_STORE_LOST, 1);
		free(t);
	}
}

/* --- being answered --- */

static void finish(struct store_desk *d, struct store_ticket *t,
		   const struct store_answer *a)
{
	list_unlink(&t->link);
	d->count--;
	metric_add(METRIC_STORE_WAITING, -1);
	t->done(t, a);
}

static void set_stalled(struct store_desk *d, bool stalled)
{
	if (d->stalled == stalled)
		return;
	d->stalled = stalled;
	store_count_stalled(d->store, stalled ? 1 : -1);
	if (stalled)
		log_error("store", "stalled", "waiting=%u", d->count);
}

static void on_answer(void *arg, unsigned from, struct slice body)
{
	struct store_desk *d = arg;
	struct list *waiting =
		&d->waiting[from == LOOP_STORE_WRITER ? STORE_WRITER : STORE_READER];
	struct store_answer a;
	uint64_t number;

	if (store_answer_decode(&a, &number, body) < 0 || list_empty(waiting)) {
		log_error("store", "bad-letter", "kind=answer from=%u", from);
		return;
	}
	struct store_ticket *t = list_entry(waiting->next, struct store_ticket, link);

	assert(t->number == number);
	finish(d, t, &a);
}

/* The first that waits has waited the longest. */
static bool tell_overdue(struct store_desk *d, struct list *waiting)
{
	ms_t before = loop_now(d->loop) - d->settings->patience;
	bool any = false;

	list_each_safe (n, waiting) {
		struct store_ticket *t = list_entry(n, struct store_ticket, link);

		if (t->at > before)
			break;
		any = true;
		if (t->told_overdue || !t->overdue)
			continue;
		t->told_overdue = true;
		t->overdue(t);
	}
	return any;
}

static void on_look(struct loop_timer *timer)
{
	struct store_desk *d = container_of(timer, struct store_desk, look);
	bool stalled = false;

	for (unsigned i = 0; i < STORE_THREADS; i++)
		stalled |= tell_overdue(d, &d->waiting[i]);
	set_stalled(d, stalled);
	if (d->count > 0)
		loop_timer_start(d->loop, timer, LOOK_EVERY);
}

/* --- life --- */

struct store_desk *store_desk_create(struct store *s, struct loop *l)
{
	struct store_desk *d = xzalloc(sizeof(*d));

	d->store = s;
	d->settings = store_settings_of(s);
	d->loop = l;
	for (unsigned i = 0; i < STORE_THREADS; i++)
		list_init(&d->waiting[i]);
	loop_timer_init(&d->look, on_look);
	loop_mail_handler(l, BUS_STORE_ANSWER, on_answer, d);
	return d;
}

void store_desk_destroy(struct store_desk *d)
{
	const struct store_answer gone = { .err = E_UNAVAILABLE };

	if (!d)
		return;
	for (unsigned i = 0; i < STORE_THREADS; i++)
		while (!list_empty(&d->waiting[i]))
			finish(d,
			       list_entry(d->waiting[i].next, struct store_ticket, link),
			       &gone);
	loop_timer_stop(d->loop, &d->look);
	free(d);
}
