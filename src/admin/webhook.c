#include "admin/webhook.h"

#include <assert.h>
#include <errno.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "admin/http_client.h"
#include "auth/jwt.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "bus/member_json.h"
#include "loop/metric.h"

#define BODY_MAX (64u << 10)
#define ID_LETTERS 16
#define SIGNED_FOR 300 /* seconds */

/* An event on its way to one URL. */
struct notice {
	struct list link;
	struct buf body;
};

/* One URL. */
struct hook {
	struct webhook *webhook;
	const char *url;
	pthread_t thread;
	pthread_mutex_t lock; /* of the list and the count */
	pthread_cond_t change;
	struct list queue;
	size_t count;
	bool started;
};

struct webhook {
	struct webhook_settings settings;
	struct hook hooks[WEBHOOK_MAX_URLS];
	_Atomic ms_t give_up; /* clock_mono(): the process ends; 0: not yet */
	_Atomic bool stopping;
};

/* --- words: as LiveKit's, so that receivers made for it understand them --- */

static const char *const event_names[ROOM_CHANGES] = {
	[ROOM_STARTED] = "room_started",
	[ROOM_FINISHED] = "room_finished",
	[ROOM_MEMBER_JOINED] = "participant_joined",
	[ROOM_MEMBER_LEFT] = "participant_left",
	[ROOM_MESSAGE] = "chat_message",
};

/* 64-bit numbers are texts in protobuf's JSON. */
static void put_seconds(struct jsonw *w, const char *name, ms_t at)
{
	struct buf b = BUF_INIT(24);

	buf_dec(&b, (uint64_t)(at / 1000));
	json_field_string(w, name, buf_slice(&b));
	buf_fini(&b);
}

static void put_room(struct jsonw *w, const struct room_change *c)
{
	json_key(w, SLICE("room"));
	json_object(w);
	json_field_string(w, "name", c->room);
	json_field_u64(w, "numParticipants", c->members);
	put_seconds(w, "creationTime", c->made_at);
	json_object_end(w);
}

static void put_participant(struct jsonw *w, const struct room_change *c)
{
	const struct member_info *m = c->member;
	char id[BUS_MEMBER_TEXT];

	bus_member_text(id, m->id);
	json_key(w, SLICE("participant"));
	json_object(w);
	json_field_string(w, "sid", slice_of(id, sizeof(id)));
	json_field_string(w, "identity",
			  m->user.n > 0 ? m->user : slice_of(id, sizeof(id)));
	json_field_string(w, "name", m->name);
	if (m->metadata.n > 0)
		json_field_string(w, "metadata", m->metadata);
	if (m->joined_at > 0)
		put_seconds(w, "joinedAt", m->joined_at);
	json_object_end(w);
}

static void put_message(struct jsonw *w, const struct room_change *c)
{
	json_key(w, SLICE("message"));
	json_object(w);
	json_field_u64(w, "n", c->n);
	json_field_string(w, "text", c->text);
	if (c->files.n > 0)
		json_field_raw(w, "files", c->files);
	json_object_end(w);
}

static void put_event(struct buf *b, const struct room_change *c, ms_t wall)
{
	char id[3 + ID_LETTERS] = { 'E', 'V', '_' };
	struct jsonw w;

	rand_text(id + 3, ID_LETTERS);
	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "event", slice_str(event_names[c->kind]));
	json_field_string(&w, "id", slice_of(id, sizeof(id)));
	put_seconds(&w, "createdAt", wall);
	put_room(&w, c);
	if (c->member)
		put_participant(&w, c);
	if (c->kind == ROOM_MESSAGE)
		put_message(&w, c);
	json_object_end(&w);
}

/* --- sending --- */

/* "Authorization: TOKEN": signed by the API key, with the body's hash. */
static void put_signature(struct buf *b, const struct webhook_settings *s,
			  struct slice body)
{
	struct buf claims = BUF_INIT(4096), hash = BUF_INIT(64);
	uint8_t sum[SHA256_DIGEST_LENGTH];
	struct auth_held key;
	struct jsonw w;

	/* There is one at the start, and it is not taken away while somebody is to be told. */
	bool held = auth_keys_hold(s->keys, s->key, &key);
	assert(held);
	(void)held;
	SHA256(body.p, body.n, sum);
	base64_encode(&hash, slice_of(sum, sizeof(sum)));
	json_begin(&w, &claims);
	json_object(&w);
	json_field_string(&w, "iss", key.name);
	json_field_u64(&w, "exp", (uint64_t)clock_wall() / 1000 + SIGNED_FOR);
	json_field_string(&w, "sha256", buf_slice(&hash));
	json_object_end(&w);
	buf_str(b, "Authorization: ");
	auth_jwt_sign(b, buf_slice(&claims), key.secret);
	buf_u8(b, 0);
	auth_keys_release(s->keys, &key);
	buf_fini(&claims);
	buf_fini(&hash);
}

static long send_once(const struct hook *h, const struct notice *n)
{
	const struct webhook_settings *s = &h->webhook->settings;
	struct buf authorization = BUF_INIT(8192);

	put_signature(&authorization, s, buf_slice(&n->body));
	const char *const headers[] = { "Content-Type: application/webhook+json",
					"Expect:", (const char *)authorization.p, NULL };
	const struct slice body = buf_slice(&n->body);
	long status = admin_http_send(&(struct admin_http){
		.url = h->url,
		.agent = s->version,
		.headers = headers,
		.body = &body,
		.timeout = s->timeout,
		.give_up = &h->webhook->give_up,
	});
	buf_fini(&authorization);
	return status;
}

/* Waits, unless the process ends meanwhile. */
static void rest(struct hook *h, ms_t span)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += span / 1000;
	until.tv_nsec += (long)(span % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&h->lock);
	while (!h->webhook->stopping &&
	       pthread_cond_timedwait(&h->change, &h->lock, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&h->lock);
}

static bool is_late(const struct webhook *w)
{
	ms_t at = w->give_up;

	return at != 0 && clock_mono() >= at;
}

static void deliver(struct hook *h, const struct notice *n)
{
	ms_t pause = h->webhook->settings.retry;

	for (int i = 0; i < WEBHOOK_TRIES && !is_late(h->webhook); i++, pause *= 2) {
		long status = send_once(h, n);

		if (status >= 200 && status < 300) {
			metric_add(METRIC_WEBHOOKS_SENT, 1);
			return;
		}
		metric_add(METRIC_WEBHOOKS_FAILED, 1);
		if (i + 1 < WEBHOOK_TRIES)
			rest(h, pause);
	}
	metric_add(METRIC_WEBHOOKS_DROPPED, 1);
	log_error("webhook", "given-up", "url=%s tries=%d", h->url, WEBHOOK_TRIES);
}

static struct notice *take(struct hook *h)
{
	struct notice *n = NULL;

	pthread_mutex_lock(&h->lock);
	while (list_empty(&h->queue) && !h->webhook->stopping)
		pthread_cond_wait(&h->change, &h->lock);
	if (!list_empty(&h->queue)) {
		n = list_entry(h->queue.next, struct notice, link);
		list_unlink(&n->link);
		h->count--;
	}
	pthread_mutex_unlock(&h->lock);
	return n;
}

static void notice_free(struct notice *n)
{
	buf_fini(&n->body);
	free(n);
}

static void *hook_main(void *arg)
{
	struct hook *h = arg;
	struct notice *n;

	while ((n = take(h))) {
		deliver(h, n);
		notice_free(n);
	}
	return NULL;
}

/* --- telling --- */

static void push(struct hook *h, struct slice body)
{
	struct notice *n = xzalloc(sizeof(*n));
	bool full;

	buf_init(&n->body, BODY_MAX);
	buf_put(&n->body, body);
	list_init(&n->link);
	pthread_mutex_lock(&h->lock);
	full = h->count >= h->webhook->settings.queue;
	if (!full) {
		list_append(&h->queue, &n->link);
		h->count++;
		pthread_cond_signal(&h->change);
	}
	pthread_mutex_unlock(&h->lock);
	if (full) {
		metric_add(METRIC_WEBHOOKS_DROPPED, 1);
		notice_free(n);
	}
}

void webhook_tell(void *arg, const struct room_change *c)
{
	struct webhook *w = arg;
	struct buf body = BUF_INIT(BODY_MAX);

	put_event(&body, c, clock_wall());
	for (size_t i = 0; !body.bad && i < w->settings.url_count; i++)
		push(&w->hooks[i], buf_slice(&body));
	buf_fini(&body);
}

/* --- life --- */

static int check(const struct webhook_settings *s, struct buf *why)
{
	struct auth_held key;

	if (s->url_count > WEBHOOK_MAX_URLS) {
		buf_printf(why, "webhook.url: at most %d", WEBHOOK_MAX_URLS);
		return E_LIMIT;
	}
	for (size_t i = 0; i < s->url_count; i++)
		if (!admin_http_fits(s->urls[i])) {
			buf_printf(why, "webhook.url: %s is no http or https URL",
				   s->urls[i]);
			return E_MALFORMED;
		}
	if (!auth_keys_hold(s->keys, s->key, &key)) {
		buf_str(why, "webhook.url: an auth.key is needed, to sign what is sent");
		return E_MALFORMED;
	}
	auth_keys_release(s->keys, &key);
	if (admin_http_open() < 0) {
		buf_str(why, "webhook.url: libcurl is missing (Debian: libcurl4)");
		return E_UNAVAILABLE;
	}
	return 0;
}

int webhook_create(struct webhook **out, const struct webhook_settings *s,
		   struct buf *why)
{
	int err = 0;

	*out = NULL;
	if (s->url_count == 0)
		return 0;
	err = check(s, why);
	if (err < 0)
		return err;
	struct webhook *w = xzalloc(sizeof(*w));
	w->settings = *s;
	for (size_t i = 0; i < s->url_count; i++) {
		struct hook *h = &w->hooks[i];

		h->webhook = w;
		h->url = s->urls[i];
		list_init(&h->queue);
		pthread_mutex_init(&h->lock, NULL);
		pthread_cond_init(&h->change, NULL);
		if (err == 0)
			err = admin_http_thread(&h->thread, hook_main, h);
		h->started = err == 0;
	}
	if (err < 0) {
		buf_printf(why, "cannot start a thread: %s", err_text(err));
		webhook_destroy(w, 0);
		return err;
	}
	*out = w;
	return 0;
}

void webhook_destroy(struct webhook *w, ms_t patience)
{
	if (!w)
		return;
	w->give_up = clock_mono() + patience;
	w->stopping = true;
	for (size_t i = 0; i < w->settings.url_count; i++) {
		struct hook *h = &w->hooks[i];

		pthread_mutex_lock(&h->lock);
		pthread_cond_broadcast(&h->change);
		pthread_mutex_unlock(&h->lock);
		if (h->started)
			pthread_join(h->thread, NULL);
		while (!list_empty(&h->queue)) {
			struct notice *n = list_entry(h->queue.next, struct notice, link);

			list_unlink(&n->link);
			notice_free(n);
		}
		pthread_mutex_destroy(&h->lock);
		pthread_cond_destroy(&h->change);
	}
	free(w);
}
