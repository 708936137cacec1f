#include "store/store.h"

#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/note.h"
#include "store/url.h"

struct store {
	struct store_settings settings;
	struct store_thread *threads[STORE_THREADS];
	uint64_t boot;
	_Atomic int err[STORE_THREADS]; /* of the last batch of each */
	_Atomic int stalled;            /* desks that wait for too long */
};

const struct backend_ops *store_backend_of(const struct store_settings *s)
{
	/* Whoever made the settings has looked at the URL. */
	struct buf why = BUF_INIT(512);
	bool postgres = store_url_kind(s->url, &why) == STORE_URL_POSTGRES;

	buf_fini(&why);
	return postgres ? &store_postgres : &store_sqlite;
}

int store_create(struct store **out, const struct store_settings *settings,
		 struct buf *why)
{
	struct store *s = xzalloc(sizeof(*s));
	int err = 0;

	s->settings = *settings;
	for (unsigned i = 0; err == 0 && i < STORE_THREADS; i++)
		err = store_thread_create(&s->threads[i], s, (enum store_thread_kind)i,
					  store_backend_of(settings), &s->settings,
					  &s->boot, why);
	if (err < 0) {
		store_destroy(s);
		return err;
	}
	*out = s;
	return 0;
}

int store_start(struct store *s)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < STORE_THREADS; i++)
		err = store_thread_start(s->threads[i]);
	return err;
}

void store_destroy(struct store *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < STORE_THREADS; i++)
		store_thread_destroy(s->threads[i]);
	free(s);
}

bool store_ready(const struct store *s)
{
	return atomic_load(&s->err[STORE_WRITER]) == 0 &&
	       atomic_load(&s->err[STORE_READER]) == 0 && atomic_load(&s->stalled) == 0;
}

uint64_t store_boot(const struct store *s)
{
	return s->boot;
}

int store_each_seat(struct store *s, store_seat_fn *fn, void *arg)
{
	return store_backend_of(&s->settings)
		->seats(store_thread_backend(s->threads[STORE_READER]), fn, arg);
}

int store_each_note(struct store *s, store_note_fn *fn, void *arg)
{
	struct backend *b = store_thread_backend(s->threads[STORE_READER]);
	struct store_query q = { .op = STORE_KEPT, .time = clock_wall() };
	struct buf name = BUF_INIT(SIZE_MAX), out = BUF_INIT(SIZE_MAX);
	bool more = true;
	int err = 0;

	while (err == 0 && more) {
		struct store_answer a = { 0 };

		buf_clear(&out);
		err = store_backend_of(&s->settings)->now(b, &q, &a, &out);
		a.body = buf_slice(&out);
		if (err == 0)
			more = store_notes_next(&q, &name, &a, fn, arg);
	}
	buf_fini(&name);
	buf_fini(&out);
	return err;
}

/* Secrets have 130 random bits: a plain hash keeps them. */
void store_hash(struct slice secret, uint8_t out[STORE_HASH])
{
	SHA256(secret.p, secret.n, out);
}

const struct store_settings *store_settings_of(const struct store *s)
{
	return &s->settings;
}

void store_report(struct store *s, enum store_thread_kind kind, int err)
{
	atomic_store(&s->err[kind], err);
}

void store_count_stalled(struct store *s, int by)
{
	atomic_fetch_add(&s->stalled, by);
}
