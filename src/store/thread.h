/* thread: one loop of the store and its connection to the database.
 *
 * What arrives in a turn, and while the database is busy, is gathered; then it is run as one batch.
 */
#pragma once
#include "store/query.h"
#include "store/tools.h"

struct store_thread;
struct backend;

/* One query, and its answer in the making. */
struct store_job {
	unsigned from; /* the worker */
	size_t at, n;  /* its letter in the batch's bytes */
	struct store_answer answer;
	size_t body_at; /* of answer.body in the batch's `out` until it is answered */
	size_t body_n;
};

struct store_batch {
	struct store_job *jobs;
	size_t count, cap;
	struct buf letters;
	struct buf out;
};

/* How a kind of database is talked to. A backend belongs to one thread; before that thread runs, to
 * the main one. */
struct backend_ops {
	/* The writer's comes first: it brings the tables up to date, lets go of what nobody can come back to, and says
	 * in `boot` how often that was done before. E_UNAVAILABLE: there is no database to be had; else it is not ours
	 * to use. */
	int (*open)(struct backend **out, const struct store_settings *s,
		    struct store_thread *t, uint64_t *boot, struct buf *why);
	void (*close)(struct backend *b);
	/* The seats of before, of either backend. */
	int (*seats)(struct backend *b, store_seat_fn *fn, void *arg);
	/* One question at once, before the reader's thread runs. */
	int (*now)(struct backend *b, const struct store_query *q, struct store_answer *a,
		   struct buf *out);
	/* Carries out the batch and fills in the answers, then calls store_thread_done(), now or later. A
	 * writer's is one transaction: when it fails, all of the batch has failed. */
	void (*run)(struct backend *b, struct store_batch *batch);
	/* Once a second: looks whether a failed database is well again; old rows go. */
	void (*tend)(struct backend *b, bool ailing);

	/* tools.h, without a backend */
	int (*check)(const struct store_settings *s, struct buf *why);
	int (*contents)(const struct store_settings *s, store_content_fn *fn, void *arg,
			struct buf *why);
	int (*backup)(const struct store_settings *s, const char *to,
		      store_content_fn *fn, void *arg, struct buf *why);
	int (*export)(const struct store_settings *s, store_line_fn *fn, void *arg,
		      struct buf *why);
};

int store_thread_create(struct store_thread **out, struct store *s,
			enum store_thread_kind kind, const struct backend_ops *ops,
			const struct store_settings *settings, uint64_t *boot,
			struct buf *why) NODISCARD;
int store_thread_start(struct store_thread *t) NODISCARD;
/* Ends after what has arrived is run. */
void store_thread_destroy(struct store_thread *t);
struct loop *store_thread_loop(struct store_thread *t);
struct backend *store_thread_backend(struct store_thread *t);
enum store_thread_kind store_thread_kind_of(const struct store_thread *t);

/* The batch is answered; `err`: how the whole of it went. */
void store_thread_done(struct store_thread *t, int err);
/* Whether the database does its work, for store_ready(). */
void store_thread_report(struct store_thread *t, int err);

/* The letter of a job. An unfit one is our own mistake: E_MALFORMED. */
int store_job_letter(const struct store_batch *b, const struct store_job *j,
		     struct store_letter *out) NODISCARD;

/* --- store.c --- */
const struct backend_ops *store_backend_of(const struct store_settings *s);
/* From any of its threads and desks; err 0: well. */
void store_report(struct store *s, enum store_thread_kind kind, int err);
