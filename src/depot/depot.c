/* depot: the threads, and the desks that ask them. */
#include "depot/depot.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "depot/disk.h"
#include "loop/mail.h"

#define LOOK_EVERY 1000
/* The first time round, for what a crash has left. */
#define LOOK_FIRST 20

enum job { JOB_BEGIN, JOB_WRITE, JOB_FINISH, JOB_DROP, JOB_READ, JOBS };
enum part { WRITER, READER, PARTS };

struct part_thread {
	struct depot *depot;
	enum part part;
	struct loop *loop;
	pthread_t thread;
	bool started;
};

struct depot {
	struct depot_disk disk;
	struct part_thread parts[PARTS];
	struct store_desk *store; /* the writer's */
	struct store_ticket asked;
	struct loop_timer look;
	unsigned shard, looks;
};

/* --- jobs --- */

static const unsigned loops[PARTS] = { LOOP_DEPOT_WRITER, LOOP_DEPOT_READER };

static void send_done(unsigned to, uint64_t number, int err, struct slice hash,
		      uint64_t size, struct slice bytes)
{
	struct buf letter = BUF_INIT(BUS_LETTER_MAX);

	buf_be64(&letter, number);
	buf_be32(&letter, (uint32_t)err);
	buf_be64(&letter, size);
	buf_prefixed(&letter, hash);
	buf_prefixed(&letter, bytes);
	bus_send_letter(to, BUS_DEPOT_DONE, &letter);
}

static void complain(int err, const char *what)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_FILES_FAILED, 1);
	log_limited(&limit, "depot", "failed", "job=%s err=%s", what, err_text(err));
}

static void do_begin(struct depot *d, unsigned from, uint64_t number, uint64_t upload,
		     struct cur *in)
{
	int err = depot_disk_begin(&d->disk, upload, cur_be64(in));

	if (err < 0)
		complain(err, "begin");
	send_done(from, number, err < 0 ? E_UNAVAILABLE : 0, SLICE_NONE, 0, SLICE_NONE);
}

static void do_write(struct depot *d, unsigned from, uint64_t number, uint64_t upload,
		     struct cur *in)
{
	uint64_t at = cur_be64(in);
	struct slice bytes = cur_prefixed(in);
	int err = depot_disk_write(&d->disk, upload, at, bytes);

	if (err < 0)
		complain(err, "write");
	send_done(from, number, err < 0 ? E_UNAVAILABLE : 0, SLICE_NONE, at + bytes.n,
		  SLICE_NONE);
}

static void do_finish(struct depot *d, unsigned from, uint64_t number, uint64_t upload,
		      struct cur *in)
{
	uint64_t size = cur_be64(in);
	uint8_t hash[STORE_HASH];
	int err = depot_disk_finish(&d->disk, upload, size, hash);

	if (err < 0)
		complain(err, "finish");
	send_done(from, number, err < 0 ? E_UNAVAILABLE : 0,
		  err < 0 ? SLICE_NONE : slice_of(hash, sizeof(hash)), size, SLICE_NONE);
}

static void do_read(struct depot *d, unsigned from, uint64_t number, struct cur *in)
{
	uint64_t at = cur_be64(in);
	uint32_t n = cur_be32(in);
	struct slice hash = cur_prefixed(in);
	struct buf out = BUF_INIT(DEPOT_PIECE);
	int err = depot_disk_read(&d->disk, hash, at, n, &out);

	if (err < 0 && err != -ENOENT)
		complain(err, "read");
	send_done(from, number,
		  err == -ENOENT ? E_NOT_FOUND
		  : err < 0      ? E_UNAVAILABLE
				 : 0,
		  SLICE_NONE, 0, buf_slice(&out));
	buf_fini(&out);
}

static void on_job(void *arg, unsigned from, struct slice body)
{
	struct part_thread *t = arg;
	struct cur in = cur_of_slice(body);
	uint8_t job = cur_u8(&in);
	uint64_t number = cur_be64(&in), upload = cur_be64(&in);

	/* Of workers that count for themselves. */
	upload |= (uint64_t)from << 48;
	if (job == JOB_BEGIN)
		do_begin(t->depot, from, number, upload, &in);
	else if (job == JOB_WRITE)
		do_write(t->depot, from, number, upload, &in);
	else if (job == JOB_FINISH)
		do_finish(t->depot, from, number, upload, &in);
	else if (job == JOB_READ)
		do_read(t->depot, from, number, &in);
	else
		depot_disk_drop(&t->depot->disk, upload);
}

/* --- what nobody needs goes --- */

static void look_again(struct depot *d)
{
	loop_timer_start(d->parts[WRITER].loop, &d->look,
			 ++d->looks < DEPOT_SHARDS ? LOOK_FIRST : LOOK_EVERY);
}

static void on_unused(struct store_ticket *t, const struct store_answer *a)
{
	struct depot *d = container_of(t, struct depot, asked);
	ms_t cutoff = clock_wall() - DEPOT_GRACE;

	for (struct slice left = a->err < 0 ? SLICE_NONE : a->body; left.n >= STORE_HASH;
	     left = slice_from(left, STORE_HASH))
		if (depot_disk_remove(&d->disk, slice_of(left.p, STORE_HASH), cutoff))
			metric_add(METRIC_FILES_REMOVED, 1);
	look_again(d);
}

static void on_look(struct loop_timer *timer)
{
	struct depot *d = container_of(timer, struct depot, look);
	struct buf hashes = BUF_INIT((size_t)DEPOT_SHARD_MAX * STORE_HASH);
	int err = E_NOT_FOUND;

	depot_disk_list(&d->disk, d->shard++, clock_wall() - DEPOT_GRACE, &hashes);
	d->asked.done = on_unused;
	if (hashes.n > 0)
		err = store_ask(d->store,
				&(struct store_query){ .op = STORE_FILES_UNUSED,
						       .text = buf_slice(&hashes) },
				&d->asked);
	buf_fini(&hashes);
	if (err < 0)
		look_again(d);
}

/* --- life --- */

int depot_create(struct depot **out, const char *dir, uint64_t reserve,
		 struct store *store, struct buf *why)
{
	struct depot *d = xzalloc(sizeof(*d));
	int err = depot_disk_open(&d->disk, dir, reserve);

	if (err < 0)
		buf_printf(why, "%s cannot be used: %s", dir, err_text(err));
	for (unsigned i = 0; i < PARTS; i++) {
		struct part_thread *t = &d->parts[i];

		t->depot = d;
		t->part = (enum part)i;
		t->loop = loop_create(loops[i]);
		loop_mail_handler(t->loop, BUS_DEPOT_JOB, on_job, t);
	}
	d->store = store_desk_create(store, d->parts[WRITER].loop);
	loop_timer_init(&d->look, on_look);
	loop_timer_start(d->parts[WRITER].loop, &d->look, LOOK_FIRST);
	if (err < 0) {
		depot_destroy(d);
		return err;
	}
	*out = d;
	return 0;
}

static void *thread_main(void *arg)
{
	struct part_thread *t = arg;

	loop_run(t->loop);
	return NULL;
}

int depot_start(struct depot *d)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < PARTS; i++) {
		err = pthread_create(&d->parts[i].thread, NULL, thread_main,
				     &d->parts[i]);
		d->parts[i].started = err == 0;
	}
	return -err;
}

void depot_stop(struct depot *d)
{
	for (unsigned i = 0; d && i < PARTS; i++) {
		if (!d->parts[i].started)
			continue;
		loop_stop(d->parts[i].loop);
		pthread_join(d->parts[i].thread, NULL);
		d->parts[i].started = false;
	}
}

void depot_destroy(struct depot *d)
{
	if (!d)
		return;
	depot_stop(d);
	loop_timer_stop(d->parts[WRITER].loop, &d->look);
	store_desk_destroy(d->store);
	for (unsigned i = 0; i < PARTS; i++)
		loop_destroy(d->parts[i].loop);
	depot_disk_close(&d->disk);
	free(d);
}

/* --- desks --- */

struct depot_desk {
	struct loop *loop;
	uint64_t last;
	struct map waiting; /* of tickets, by number */
};

static void begin_job(struct buf *b, enum job job, uint64_t number, uint64_t upload)
{
	buf_u8(b, (uint8_t)job);
	buf_be64(b, number);
	buf_be64(b, upload);
}

static void ask(struct depot_desk *d, enum part part, struct buf *letter,
		struct depot_ticket *t)
{
	loop_assert(d->loop);
	if (t)
		map_put_u64(&d->waiting, t->number, t);
	bus_send_letter(loops[part], BUS_DEPOT_JOB, letter);
}

uint64_t depot_begin(struct depot_desk *d, uint64_t size, struct depot_ticket *t)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);
	uint64_t upload = ++d->last;

	t->number = ++d->last;
	begin_job(&b, JOB_BEGIN, t->number, upload);
	buf_be64(&b, size);
	ask(d, WRITER, &b, t);
	return upload;
}

void depot_write(struct depot_desk *d, uint64_t upload, uint64_t at, struct slice bytes,
		 struct depot_ticket *t)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	t->number = ++d->last;
	begin_job(&b, JOB_WRITE, t->number, upload);
	buf_be64(&b, at);
	buf_prefixed(&b, bytes);
	ask(d, WRITER, &b, t);
}

void depot_finish(struct depot_desk *d, uint64_t upload, uint64_t size,
		  struct depot_ticket *t)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	t->number = ++d->last;
	begin_job(&b, JOB_FINISH, t->number, upload);
	buf_be64(&b, size);
	ask(d, WRITER, &b, t);
}

void depot_drop(struct depot_desk *d, uint64_t upload)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	begin_job(&b, JOB_DROP, 0, upload);
	ask(d, WRITER, &b, NULL);
}

void depot_read(struct depot_desk *d, struct slice hash, uint64_t at, size_t n,
		struct depot_ticket *t)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	t->number = ++d->last;
	begin_job(&b, JOB_READ, t->number, 0);
	buf_be64(&b, at);
	buf_be32(&b, (uint32_t)(n < DEPOT_PIECE ? n : DEPOT_PIECE));
	buf_prefixed(&b, hash);
	ask(d, READER, &b, t);
}

static void on_done(void *arg, unsigned from, struct slice body)
{
	struct depot_desk *d = arg;
	struct cur in = cur_of_slice(body);
	struct depot_ticket *t = map_del_u64(&d->waiting, cur_be64(&in));
	struct depot_answer a = { .err = (int)cur_be32(&in) };

	(void)from;
	a.size = cur_be64(&in);
	a.hash = cur_prefixed(&in);
	a.bytes = cur_prefixed(&in);
	if (t)
		t->done(t, &a);
}

struct depot_desk *depot_desk_create(struct loop *l)
{
	struct depot_desk *d = xzalloc(sizeof(*d));

	d->loop = l;
	map_init(&d->waiting);
	loop_mail_handler(l, BUS_DEPOT_DONE, on_done, d);
	return d;
}

void depot_desk_destroy(struct depot_desk *d)
{
	const struct depot_answer gone = { .err = E_UNAVAILABLE };
	struct depot_ticket *t;
	size_t at = 0;

	if (!d)
		return;
	while ((t = map_next(&d->waiting, &at)))
		t->done(t, &gone);
	map_fini(&d->waiting);
	free(d);
}
