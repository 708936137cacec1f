/* loop_private: what the files of loop/ share; nobody else includes it. */
#pragma once
#include <liburing.h>
#include <stdatomic.h>
#include "base/slice.h"
#include "loop/mail.h"
#include "loop/volley.h"

/* --- the timer wheel (timer.c) --- */
#define WHEEL_BITS 6
#define WHEEL_SLOTS (1 << WHEEL_BITS)
#define WHEEL_LEVELS 5

struct loop_wheel {
	ms_t tick;                   /* everything due up to here has been taken out */
	uint64_t used[WHEEL_LEVELS]; /* a bit per slot that is not empty */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
	struct list expired; /* taken out, to be run in this turn */
};

void loop_wheel_init(struct loop_wheel *w, ms_t now);
void loop_wheel_start(struct loop_wheel *w, struct loop_timer *t, ms_t after);
void loop_wheel_stop(struct loop_wheel *w, struct loop_timer *t);
/* Takes what is due up to `now` into w->expired, in the order of its time. */
void loop_wheel_advance(struct loop_wheel *w, ms_t now);
void loop_wheel_run(struct loop_wheel *w);
/* When the wheel next wants to be advanced: never later than the first timer; -1:
 * never. */
ms_t loop_wheel_next(const struct loop_wheel *w);

/* --- the letter box (mail.c) --- */

/* One batch of mail, or one posted function. */
struct loop_parcel {
	struct loop_parcel *next;
	loop_post_fn *fn; /* NULL: mail */
	void *arg;
	uint32_t from;
	uint32_t n;
	uint32_t cap;
	uint8_t bytes[] __attribute__((aligned(8)));
};

/* A stack of parcels. LOOP_ASLEEP instead of NULL at its bottom says that the owner waits
 * (or is about to) and must be woken; so a batch costs one wake-up at most, and none when
 * the receiver is busy anyhow. */
struct loop_box {
	_Atomic(struct loop_parcel *) top;
	int wake_fd;
};
#define LOOP_ASLEEP ((struct loop_parcel *)1)

struct loop_handler {
	loop_mail_fn *fn;
	void *arg;
};

struct loop_mailer {
	struct loop_box box;
	struct loop_handler handler[LOOP_MAIL_KINDS];
	struct loop_parcel *out[LOOP_MAX];
	uint64_t dirty; /* a bit per `out` that is not NULL */
};

int loop_mailer_init(struct loop_mailer *m, unsigned id) NODISCARD;
void loop_mailer_fini(struct loop_mailer *m, unsigned id);
/* Says that the owner is going to wait; false when there is mail, so that it must not. */
bool loop_mailer_sleep(struct loop_mailer *m);
void loop_mailer_drain(struct loop_mailer *m);
void loop_mailer_flush(struct loop_mailer *m);
struct loop_mailer *loop_mailer_of(struct loop *l);

/* --- recycled blocks (block.c) --- */
struct loop_blocks {
	struct loop_spare *spare[LOOP_BLOCK_KINDS];
	unsigned count[LOOP_BLOCK_KINDS];
};

void loop_blocks_fini(struct loop_blocks *b);
struct loop_blocks *loop_blocks_of(struct loop *l);

/* --- sends that leave together (volley.c) --- */
#define VOLLEY_MAX 256

struct loop_shot {
	struct slice bytes;
	loop_sent_fn *fn;
	void *arg;
	int fd;
	int32_t result;
};

struct loop_volley {
	struct io_uring ring; /* VOLLEY_ON only */
	struct loop *loop;
	struct loop_task task;   /* in LOOP_FLUSH while some wait */
	struct loop_shot *shots; /* n of VOLLEY_MAX */
	unsigned n;
	bool firing;
	enum { VOLLEY_UNTRIED, VOLLEY_ON, VOLLEY_OFF } state;
};

void loop_volley_fini(struct loop_volley *v);
struct loop_volley *loop_volley_of(struct loop *l);

/* --- metrics (metric.c) --- */
struct metric_set *metric_open(unsigned id);
void metric_close(unsigned id);
