#include "store/thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "loop/mail.h"

#define TEND_EVERY 1000 /* ms */
/* Bytes of a batch; bounded by what desks may ask, this is where an error would show. */
#define BATCH_MAX (1u << 30)
/* More than this is given back after a burst. */
#define BATCH_KEEP (256u << 10)

struct store_thread {
	struct store *store;
	enum store_thread_kind kind;
	const struct backend_ops *ops;
	struct backend *backend;
	struct loop *loop;
	struct loop_task run;
	struct loop_timer tend;
	struct store_batch batches[2];
	struct store_batch *gathering, *running; /* NULL: the database is idle */
	int err;                                 /* of the last batch */
	bool stopping, started;
	bool burst; /* there was one since it last gave memory back */
	pthread_t thread;
};

/* --- batches --- */

static void batch_init(struct store_batch *b)
{
	*b = (struct store_batch){ 0 };
	buf_init(&b->letters, BATCH_MAX);
	buf_init(&b->out, BATCH_MAX);
}

static void batch_fini(struct store_batch *b)
{
	buf_fini(&b->letters);
	buf_fini(&b->out);
	free(b->jobs);
}

static bool batch_is_large(const struct store_batch *b)
{
	return b->letters.cap > BATCH_KEEP || b->out.cap > BATCH_KEEP;
}

static void batch_clear(struct store_batch *b)
{
	if (batch_is_large(b)) {
		batch_fini(b);
		batch_init(b);
	}
	b->count = 0;
	buf_clear(&b->letters);
	buf_clear(&b->out);
}

static void batch_add(struct store_batch *b, unsigned from, struct slice letter)
{
	if (b->count == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 64;
		b->jobs = xrealloc(b->jobs, size_mul(b->cap, sizeof(*b->jobs)));
	}
	b->jobs[b->count++] = (struct store_job){ .from = from,
						  .at = buf_at(&b->letters),
						  .n = letter.n };
	buf_put(&b->letters, letter);
}

int store_job_letter(const struct store_batch *b, const struct store_job *j,
		     struct store_letter *out)
{
	int err = store_query_decode(out, slice_of(b->letters.p + j->at, j->n));

	if (err < 0)
		log_error("store", "bad-letter", "from=%u err=%s", j->from,
			  err_text(err));
	return err;
}

/* --- running --- */

static void on_query(void *arg, unsigned from, struct slice body)
{
	struct store_thread *t = arg;

	batch_add(t->gathering, from, body);
	loop_task_post(t->loop, LOOP_FLUSH, &t->run);
}

static void on_run(struct loop_task *task)
{
	struct store_thread *t = container_of(task, struct store_thread, run);

	if (t->running || t->gathering->count == 0)
		return;
	t->running = t->gathering;
	t->gathering = &t->batches[t->running == &t->batches[0]];
	t->ops->run(t->backend, t->running);
}

static void send_answer(const struct store_batch *b, const struct store_job *j, int err)
{
	struct buf letter = BUF_INIT(BUS_LETTER_MAX);
	struct cur in = cur_of(b->letters.p + j->at, j->n);
	struct store_answer a = j->answer;

	if (err < 0)
		a = (struct store_answer){ .err = err };
	if (a.err >= 0 && j->body_n > 0)
		a.body = slice_of(b->out.p + j->body_at, j->body_n);
	store_answer_encode(&letter, cur_be64(&in), &a);
	bus_send_letter(j->from, BUS_STORE_ANSWER, &letter);
}

void store_thread_done(struct store_thread *t, int err)
{
	struct store_batch *b = t->running;

	store_thread_report(t, err);
	for (size_t i = 0; i < b->count; i++)
		send_answer(b, &b->jobs[i], err);
	if (t->kind == STORE_WRITER && err == 0) {
		metric_add(METRIC_STORE_COMMITS, 1);
		metric_add(METRIC_STORE_ROWS, (int64_t)b->count);
	}
	t->burst |= batch_is_large(b);
	batch_clear(b);
	t->running = NULL;
	if (t->gathering->count > 0)
		loop_task_post(t->loop, LOOP_FLUSH, &t->run);
	else if (t->stopping)
		loop_stop(t->loop);
}

void store_thread_report(struct store_thread *t, int err)
{
	const char *name = t->kind == STORE_WRITER ? "writer" : "reader";

	if (err < 0 && t->err == 0)
		log_error("store", "failed", "thread=%s err=%s", name, err_text(err));
	else if (err == 0 && t->err < 0)
		log_info("store", "well-again", "thread=%s", name);
	t->err = err;
	store_report(t->store, t->kind, err);
}

static void on_tend(struct loop_timer *timer)
{
	struct store_thread *t = container_of(timer, struct store_thread, tend);

	loop_timer_start(t->loop, timer, TEND_EVERY);
	if (t->running)
		return;
	t->ops->tend(t->backend, t->err < 0);
	if (t->burst)
		mem_trim();
	t->burst = false;
}

/* --- life --- */

int store_thread_create(struct store_thread **out, struct store *s,
			enum store_thread_kind kind, const struct backend_ops *ops,
			const struct store_settings *settings, uint64_t *boot,
			struct buf *why)
{
	struct store_thread *t = xzalloc(sizeof(*t));

	t->store = s;
	t->kind = kind;
	t->ops = ops;
	t->loop =
		loop_create(kind == STORE_WRITER ? LOOP_STORE_WRITER : LOOP_STORE_READER);
	loop_task_init(&t->run, on_run);
	loop_timer_init(&t->tend, on_tend);
	batch_init(&t->batches[0]);
	batch_init(&t->batches[1]);
	t->gathering = &t->batches[0];
	loop_mail_handler(t->loop, BUS_STORE_QUERY, on_query, t);
	int err = ops->open(&t->backend, settings, t, boot, why);
	if (err < 0) {
		store_thread_destroy(t);
		return err;
	}
	loop_timer_start(t->loop, &t->tend, TEND_EVERY);
	*out = t;
	return 0;
}

static void *thread_main(void *arg)
{
	struct store_thread *t = arg;

	loop_run(t->loop);
	return NULL;
}

int store_thread_start(struct store_thread *t)
{
	int err = pthread_create(&t->thread, NULL, thread_main, t);

	t->started = err == 0;
	return -err;
}

/* Mail comes before this in the same box, so all that was asked is gathered by now. */
static void stop_here(void *arg)
{
	struct store_thread *t = arg;

	t->stopping = true;
	if (!t->running && t->gathering->count == 0)
		loop_stop(t->loop);
}

void store_thread_destroy(struct store_thread *t)
{
	if (!t)
		return;
	if (t->started) {
		loop_post(t->loop, stop_here, t);
		pthread_join(t->thread, NULL);
	}
	if (t->backend)
		t->ops->close(t->backend);
	batch_fini(&t->batches[0]);
	batch_fini(&t->batches[1]);
	loop_destroy(t->loop);
	free(t);
}

struct loop *store_thread_loop(struct store_thread *t)
{
	return t->loop;
}

struct backend *store_thread_backend(struct store_thread *t)
{
	return t->backend;
}

enum store_thread_kind store_thread_kind_of(const struct store_thread *t)
{
	return t->kind;
}
