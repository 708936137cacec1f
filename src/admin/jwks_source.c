#include "admin/jwks_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "admin/http_client.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/metric.h"

/* How often a file is looked at, as certificates are. */
#define FILE_INTERVAL 2000
#define CACHE_CONTROL_MAX 512

struct jwks_source {
	struct jwks_settings settings;
	struct auth_keys *keys;
	pthread_t thread;
	pthread_mutex_t lock; /* of the next five */
	pthread_cond_t change;
	bool wanted, reloads, busy, stopping;
	ms_t last; /* when it was looked at last */
	bool started;
	_Atomic ms_t give_up; /* clock_mono(): the process ends; 0: not yet */
	/* The thread's own. */
	struct stat seen; /* of the file */
	ms_t pause;       /* after the next failure */
};

bool jwks_source_is_url(const char *place)
{
	return admin_http_fits(place);
}

/* --- when --- */

/* The seconds of max-age; false: it has none, or more than anybody waits. */
static bool read_max_age(struct slice cache_control, uint64_t *seconds)
{
	struct slice part;

	while (slice_split(&cache_control, ',', &part)) {
		part = slice_trim(part);
		if (part.n > 8 && slice_ieq(slice_of(part.p, 8), SLICE("max-age=")) &&
		    slice_to_u64(slice_from(part, 8), seconds) == 0)
			return *seconds < UINT32_MAX;
	}
	return false;
}

ms_t jwks_source_next(struct slice cache_control, ms_t gap, ms_t interval)
{
	uint64_t seconds;
	ms_t next = interval;

	if (read_max_age(cache_control, &seconds) && (ms_t)seconds * 1000 < next)
		next = (ms_t)seconds * 1000;
	return next > gap ? next : gap;
}

/* --- looking --- */

static ms_t failed(struct jwks_source *j, const char *why)
{
	ms_t pause = j->pause;

	metric_add(METRIC_JWKS_FAILURES, 1);
	log_error("auth", "jwks-kept", "place=%s why=%s retry=%lldms", j->settings.place,
		  log_value(&(struct log_text){ 0 }, slice_str(why)), (long long)pause);
	j->pause = 2 * pause < j->settings.interval ? 2 * pause : j->settings.interval;
	return pause;
}

/* False, after telling, when the text is no set of keys. */
static bool use(struct jwks_source *j, struct slice text, ms_t *pause)
{
	struct buf why = BUF_INIT(1024);
	int n = auth_keys_replace(j->keys, text, &why);

	if (n >= 0) {
		j->pause = j->settings.gap;
		metric_add(METRIC_JWKS_LOADS, 1);
		log_info("auth", "jwks", "place=%s keys=%d", j->settings.place, n);
	} else {
		buf_u8(&why, 0);
		*pause = failed(j, (const char *)why.p);
	}
	buf_fini(&why);
	return n >= 0;
}

static ms_t look_at_url(struct jwks_source *j)
{
	const struct jwks_settings *s = &j->settings;
	struct buf body = BUF_INIT(AUTH_MAX_JWKS), head = BUF_INIT(CACHE_CONTROL_MAX);
	struct buf why = BUF_INIT(64);
	ms_t pause;
	long status = admin_http_send(&(struct admin_http){ .url = s->place,
							    .agent = s->version,
							    .timeout = s->timeout,
							    .give_up = &j->give_up,
							    .answer = &body,
							    .cache_control = &head });

	if (status == 200 && !body.bad) {
		if (use(j, buf_slice(&body), &pause))
			pause = jwks_source_next(buf_slice(&head), s->gap, s->interval);
	} else {
		buf_printf(&why,
			   status == 0 ? "no answer, or too long a one" : "status %ld",
			   status);
		buf_u8(&why, 0);
		pause = failed(j, (const char *)why.p);
	}
	buf_fini(&body);
	buf_fini(&head);
	buf_fini(&why);
	return pause;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_size == b->st_size &&
	       a->st_ino == b->st_ino;
}

/* One that is being replaced is not there for a moment. */
static ms_t look_at_file(struct jwks_source *j)
{
	const char *path = j->settings.place;
	struct buf text = BUF_INIT(AUTH_MAX_JWKS);
	ms_t pause = FILE_INTERVAL;
	struct stat now;

	if (stat(path, &now) < 0 || is_same(&now, &j->seen))
		return pause;
	j->seen = now;
	int err = file_read(path, AUTH_MAX_JWKS, &text);
	if (err < 0)
		(void)failed(j, err_text(err));
	else
		(void)use(j, buf_slice(&text), &pause);
	buf_fini(&text);
	return FILE_INTERVAL;
}

/* --- the thread --- */

static void wait_until(struct jwks_source *j, ms_t at)
{
	struct timespec t = { .tv_sec = at / 1000,
			      .tv_nsec = (long)(at % 1000) * 1000000 };

	while (!j->stopping && !j->wanted && clock_mono() < at)
		(void)pthread_cond_timedwait(&j->change, &j->lock, &t);
}

static void *source_main(void *arg)
{
	struct jwks_source *j = arg;
	bool url = jwks_source_is_url(j->settings.place);

	pthread_mutex_lock(&j->lock);
	while (!j->stopping) {
		if (j->reloads)
			j->seen = (struct stat){ 0 };
		j->wanted = j->reloads = false;
		j->busy = true;
		j->last = clock_mono();
		pthread_mutex_unlock(&j->lock);
		ms_t pause = url ? look_at_url(j) : look_at_file(j);
		pthread_mutex_lock(&j->lock);
		j->busy = false;
		wait_until(j, j->last + pause);
	}
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

/* A token names a key that is not there: true: it may be soon. Called on any worker. */
static bool on_unknown(void *arg)
{
	struct jwks_source *j = arg;

	pthread_mutex_lock(&j->lock);
	bool soon = j->busy || j->wanted;
	if (!soon && clock_mono() >= j->last + j->settings.gap) {
		soon = j->wanted = true;
		pthread_cond_signal(&j->change);
	}
	pthread_mutex_unlock(&j->lock);
	return soon;
}

void jwks_source_reload(struct jwks_source *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->wanted = j->reloads = true;
	pthread_cond_signal(&j->change);
	pthread_mutex_unlock(&j->lock);
}

/* --- life --- */

/* Whoever is on the way to such a place can let in whom he likes. */
static bool is_exposed(const char *place)
{
	struct slice s = slice_str(place);

	return slice_starts(s, SLICE("http://")) &&
	       !slice_starts(s, SLICE("http://127.0.0.1")) &&
	       !slice_starts(s, SLICE("http://[::1]")) &&
	       !slice_starts(s, SLICE("http://localhost"));
}

int jwks_source_create(struct jwks_source **out, const struct jwks_settings *s,
		       struct auth_keys *keys, struct buf *why)
{
	pthread_condattr_t attr;

	if (jwks_source_is_url(s->place) && admin_http_open() < 0) {
		buf_str(why, "auth.jwks: libcurl is missing (Debian: libcurl4)");
		return E_UNAVAILABLE;
	}
	if (is_exposed(s->place))
		log_warn("auth", "jwks-exposed", "place=%s: use https", s->place);
	struct jwks_source *j = xzalloc(sizeof(*j));
	j->settings = *s;
	j->keys = keys;
	j->pause = s->gap;
	pthread_mutex_init(&j->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->change, &attr);
	pthread_condattr_destroy(&attr);
	j->last = clock_mono();
	j->busy = true; /* until it has looked for the first time */
	if (jwks_source_is_url(s->place))
		auth_keys_on_unknown(keys, on_unknown, j);
	int err = admin_http_thread(&j->thread, source_main, j);
	j->started = err == 0;
	if (err < 0) {
		buf_printf(why, "cannot start a thread: %s", err_text(err));
		jwks_source_destroy(j);
		return err;
	}
	*out = j;
	return 0;
}

void jwks_source_destroy(struct jwks_source *j)
{
	if (!j)
		return;
	j->give_up = clock_mono();
	pthread_mutex_lock(&j->lock);
	j->stopping = true;
	pthread_cond_signal(&j->change);
	pthread_mutex_unlock(&j->lock);
	if (j->started)
		pthread_join(j->thread, NULL);
	auth_keys_on_unknown(j->keys, NULL, NULL);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->change);
	free(j);
}
