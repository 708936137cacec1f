#include "loop/volley.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/loop_private.h"

/* Fewer are sent one by one: the call for many costs more than one for one. */
#define FEW 3
#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)
#define UNKNOWN INT32_MIN /* a result that is not there yet */
#define PATIENCE 100      /* calls that do nothing, in a row */

void loop_volley_enable(struct loop *l, bool on)
{
	loop_volley_of(l)->state = on ? VOLLEY_UNTRIED : VOLLEY_OFF;
}

static void volley_on_task(struct loop_task *t)
{
	loop_volley_fire(container_of(t, struct loop_volley, task)->loop);
}

/* One thread uses the ring, and the kernel works for it only within its calls (Linux 6.1; older
 * ones refuse). */
static void volley_open(struct loop *l, struct loop_volley *v)
{
	const unsigned flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
	int err = io_uring_queue_init(VOLLEY_MAX, &v->ring, flags);

	v->state = err < 0 ? VOLLEY_OFF : VOLLEY_ON;
	if (err < 0) {
		log_info("loop", "no-io-uring", "worker=%u err=%s", loop_id(l),
			 err_text(err));
		return;
	}
	(void)io_uring_register_ring_fd(&v->ring); /* spares the kernel a look-up */
	v->loop = l;
	v->shots = xmalloc(size_mul(VOLLEY_MAX, sizeof(*v->shots)));
	loop_task_init(&v->task, volley_on_task);
}

void loop_volley_fini(struct loop_volley *v)
{
	assert(v->n == 0);
	if (v->state == VOLLEY_ON)
		io_uring_queue_exit(&v->ring);
	free(v->shots);
}

bool loop_volley_add(struct loop *l, int fd, struct slice bytes, loop_sent_fn *fn,
		     void *arg)
{
	struct loop_volley *v = loop_volley_of(l);

	if (UNLIKELY(v->state == VOLLEY_UNTRIED))
		volley_open(l, v);
	if (v->n == VOLLEY_MAX)
		loop_volley_fire(l);
	if (v->state == VOLLEY_OFF)
		return false;
	assert(!v->firing);
	v->shots[v->n++] = (struct loop_shot){ bytes, fn, arg, fd, UNKNOWN };
	loop_task_post(l, LOOP_FLUSH, &v->task);
	return true;
}

bool loop_volley_waits(const struct loop *l)
{
	return loop_volley_of((struct loop *)l)->n > 0;
}

/* --- firing --- */

static void volley_prepare(struct loop_volley *v)
{
	for (unsigned i = 0; i < v->n; i++) {
		const struct loop_shot *s = &v->shots[i];
		struct io_uring_sqe *sqe = io_uring_get_sqe(&v->ring);

		io_uring_prep_send(sqe, s->fd, s->bytes.p, s->bytes.n, SEND_FLAGS);
		sqe->user_data = i;
	}
}

/* Takes the results that are there; how many. */
static unsigned volley_reap(struct loop_volley *v)
{
	struct io_uring_cqe *cqe;
	unsigned head, n = 0;

	io_uring_for_each_cqe(&v->ring, head, cqe)
	{
		v->shots[cqe->user_data].result = cqe->res;
		n++;
	}
	io_uring_cq_advance(&v->ring, n);
	return n;
}

/* Sends that do not wait are done within the call. One that was interrupted, or for which memory was short, is
 * made again with the rest. */
static int volley_submit(struct loop_volley *v)
{
	unsigned left = v->n, idle = 0;

	while (left > 0) {
		int err = io_uring_submit_and_wait(&v->ring, left);
		unsigned done = volley_reap(v);

		left -= done;
		idle = done > 0 ? 0 : idle + 1;
		if (idle == PATIENCE || (err < 0 && err != -EINTR && err != -EAGAIN))
			return err < 0 ? err : -EBUSY;
	}
	return 0;
}

/* What the ring still holds goes with it, unseen by the kernel. */
static void volley_give_up(struct loop_volley *v, int err)
{
	log_warn("loop", "io-uring-failed", "worker=%u err=%s", loop_id(v->loop),
		 err_text(err));
	io_uring_queue_exit(&v->ring);
	v->state = VOLLEY_OFF;
}

static ssize_t shot_result(const struct loop_shot *s)
{
	if (s->result != UNKNOWN && s->result != -EINTR)
		return s->result;
	ssize_t n;
	do
		n = send(s->fd, s->bytes.p, s->bytes.n, SEND_FLAGS);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

void loop_volley_fire(struct loop *l)
{
	struct loop_volley *v = loop_volley_of(l);
	unsigned n = v->n;

	if (n == 0)
		return;
	assert(!v->firing);
	v->firing = true;
	loop_task_cancel(&v->task);
	if (n > FEW) {
		volley_prepare(v);
		int err = volley_submit(v);
		if (UNLIKELY(err < 0))
			volley_give_up(v, err);
	}
	for (unsigned i = 0; i < n; i++) {
		const struct loop_shot *s = &v->shots[i];
		s->fn(s->arg, s->bytes, shot_result(s));
	}
	v->n = 0;
	v->firing = false;
}
