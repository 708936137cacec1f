#include <assert.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "base/err.h"
#include "base/mem.h"
#include "net/stream_private.h"

#define SMALL_CAP (LOOP_BLOCK_SMALL_SIZE - sizeof(struct stream_out))
#define LARGE_CAP (LOOP_BLOCK_LARGE_SIZE - sizeof(struct stream_out))
#define LAST_WORDS 256

/* --- growing buffers out of recycled blocks --- */

static struct stream_out *out_create(struct loop *l, size_t cap)
{
	struct stream_out *o;

	if (cap <= SMALL_CAP) {
		o = loop_block_take(l, LOOP_BLOCK_SMALL);
		cap = SMALL_CAP;
	} else if (cap <= LARGE_CAP) {
		o = loop_block_take(l, LOOP_BLOCK_LARGE);
		cap = LARGE_CAP;
	} else {
		assert(cap <= UINT32_MAX);
		o = xmalloc(sizeof(*o) + cap);
	}
	*o = (struct stream_out){ .cap = (uint32_t)cap };
	return o;
}

void stream_out_free(struct loop *l, struct stream_out **out)
{
	struct stream_out *o = *out;

	*out = NULL;
	if (!o)
		return;
	if (o->cap == SMALL_CAP)
		loop_block_give(l, LOOP_BLOCK_SMALL, o);
	else if (o->cap == LARGE_CAP)
		loop_block_give(l, LOOP_BLOCK_LARGE, o);
	else
		free(o);
}

/* Not enough room behind: moves to the front when at least half is sent, else grows. */
static void out_make_room(struct loop *l, struct stream_out **out, size_t n)
{
	struct stream_out *o = *out;
	size_t left = stream_out_left(o);

	if (o && left + n <= o->cap && o->at >= o->cap / 2) {
		memmove(o->p, o->p + o->at, left);
	} else {
		size_t twice = o && o->cap > SMALL_CAP ? 2 * (size_t)o->cap : 0;
		struct stream_out *bigger =
			out_create(l, left + n > twice ? left + n : twice);
		if (o)
			memcpy(bigger->p, o->p + o->at, left);
		stream_out_free(l, out);
		o = *out = bigger;
	}
	o->at = 0;
	o->n = (uint32_t)left;
}

uint8_t *stream_out_take(struct loop *l, struct stream_out **out, size_t n)
{
	if (!*out || n > (*out)->cap - (*out)->n)
		out_make_room(l, out, n);
	uint8_t *p = (*out)->p + (*out)->n;
	(*out)->n += (uint32_t)n;
	return p;
}

void stream_out_add(struct loop *l, struct stream_out **out, struct slice bytes)
{
	if (bytes.n)
		memcpy(stream_out_take(l, out, bytes.n), bytes.p, bytes.n);
}

/* --- gathering --- */

size_t stream_queued(const struct stream *s)
{
	stream_fire(s);
	size_t n = stream_out_left(s->out);

	if (s->tls)
		n += stream_out_left(*stream_tls_wire((struct stream *)s));
	return n;
}

size_t stream_behind(const struct stream *s)
{
	size_t queued = stream_queued(s);
	int unacked = 0;

	if (s->state == STREAM_DEAD || ioctl(s->io.fd, SIOCOUTQ, &unacked) < 0)
		unacked = 0;
	return queued + (size_t)unacked;
}

void stream_gauge(struct stream *s)
{
	uint32_t now = s->blocked ? (uint32_t)stream_queued(s) : 0;

	if (now == s->gauged)
		return;
	metric_add(METRIC_QUEUED_BYTES, (int64_t)now - s->gauged);
	s->gauged = now;
}

static uint8_t *stream_gather(struct stream *s, size_t n)
{
	assert(s->loop);
	stream_fire(s);
	uint8_t *p = stream_out_take(s->loop, &s->out, n);

	if (s->blocked)
		stream_gauge(s);
	else
		stream_post(s, LOOP_FLUSH);
	return p;
}

static bool stream_fits(const struct stream *s, size_t n)
{
	size_t queued = stream_queued(s);

	return queued <= s->queue_limit && n <= s->queue_limit - queued;
}

int stream_write(struct stream *s, struct slice bytes)
{
	if (s->state != STREAM_OPEN || bytes.n == 0)
		return 0;
	if (!stream_fits(s, bytes.n))
		return E_SLOW;
	memcpy(stream_gather(s, bytes.n), bytes.p, bytes.n);
	return 0;
}

uint8_t *stream_reserve(struct stream *s, size_t n)
{
	if (s->state != STREAM_OPEN || !stream_fits(s, n))
		return NULL;
	return stream_gather(s, n);
}

void stream_write_last(struct stream *s, struct slice bytes)
{
	assert(bytes.n <= LAST_WORDS);
	if (s->state == STREAM_OPEN && bytes.n)
		memcpy(stream_gather(s, bytes.n), bytes.p, bytes.n);
}

/* --- sending --- */

static void stream_block(struct stream *s)
{
	s->blocked = s->was_blocked = true;
	/* A peer's end would make the socket readable for ever. */
	loop_io_want(s->loop, &s->io, (s->peer_ended ? 0 : s->io.want) | EPOLLOUT);
}

/* Sums up a send of n bytes that gave k, or -errno: the count that the socket took, less than n when it is
 * full or broken. */
static size_t stream_sent(struct stream *s, ssize_t k, size_t n)
{
	if (k < 0) {
		if (k == -EAGAIN || k == -ENOBUFS)
			stream_block(s);
		else
			stream_die(s, (int)k);
		return 0;
	}
	metric_add(METRIC_BYTES_OUT, k);
	if ((size_t)k < n)
		stream_block(s);
	return (size_t)k;
}

static size_t stream_send(struct stream *s, const uint8_t *p, size_t n)
{
	ssize_t k;

	do
		k = stream_sys_send(s->io.fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	return stream_sent(s, k < 0 ? -errno : k, n);
}

/* Sends what is in *out; true when that was all. */
static bool stream_send_out(struct stream *s, struct stream_out **out)
{
	struct stream_out *o = *out;

	if (!o)
		return true;
	o->at += (uint32_t)stream_send(s, o->p + o->at, o->n - o->at);
	if (o->at < o->n)
		return false;
	stream_out_free(s->loop, out);
	return true;
}

static bool stream_send_tls(struct stream *s)
{
	struct stream_out **wire = stream_tls_wire(s);

	if (s->state == STREAM_FINISHING && !stream_tls_ready(s))
		stream_out_free(s->loop,
				&s->out); /* nobody will ever be able to read it */
	for (;;) {
		if (!*wire && s->out && stream_tls_ready(s))
			stream_tls_seal_out(s);
		if (s->state == STREAM_FINISHING && !s->out)
			stream_tls_end(s);
		if (!*wire)
			return !s->out;
		if (!stream_send_out(s, wire))
			return false;
	}
}

/* All of it is out: our end follows. */
static void stream_end_output(struct stream *s)
{
	if (s->peer_ended || shutdown(s->io.fd, SHUT_WR) < 0)
		stream_die(s, s->err);
	else
		s->state = STREAM_DRAINING;
}

static void stream_drained(struct stream *s)
{
	s->was_blocked = false;
	if (s->ops->drained)
		s->ops->drained(s->io.owner, s);
}

/* What the socket is to get of it: the wire of TLS, or what was gathered. */
static struct stream_out **stream_outlet(struct stream *s)
{
	return s->mode == STREAM_TLS ? stream_tls_wire(s) : &s->out;
}

static void stream_on_flushed(void *arg, struct slice bytes, ssize_t n)
{
	struct stream *s = arg;

	s->volley = false;
	if (s->state == STREAM_DEAD)
		return;
	struct stream_out **out = stream_outlet(s);
	(*out)->at += (uint32_t)stream_sent(s, n, bytes.n);
	if ((*out)->at == (*out)->n)
		stream_out_free(s->loop, out);
	else
		stream_gauge(s);
}

static bool stream_stage(struct stream *s)
{
	const struct stream_out *o = *stream_outlet(s);
	size_t left = stream_out_left(o);

	s->volley = left > 0 && left <= STREAM_FLUSH_AT &&
		    loop_volley_add(s->loop, s->io.fd, slice_of(o->p + o->at, left),
				    stream_on_flushed, s);
	return s->volley;
}

/* The usual flush leaves with those of others. */
static bool stream_flush_volley(struct stream *s)
{
	if (s->state != STREAM_OPEN || s->was_blocked ||
	    stream_out_left(s->out) > STREAM_FLUSH_AT)
		return false;
	if (s->mode == STREAM_TLS) {
		if (!stream_tls_ready(s))
			return false;
		if (!*stream_tls_wire(s) && s->out)
			stream_tls_seal_out(s);
		if (s->out)
			return false;
	}
	return stream_stage(s);
}

void stream_flush(struct stream *s)
{
	stream_fire(s);
	if (s->blocked || s->state >= STREAM_DRAINING ||
	    (s->mode == STREAM_UNKNOWN && s->state == STREAM_OPEN) ||
	    stream_flush_volley(s))
		return;
	bool all =
		s->mode == STREAM_TLS ? stream_send_tls(s) : stream_send_out(s, &s->out);
	if (s->state == STREAM_DEAD)
		return;
	stream_gauge(s);
	if (s->blocked)
		return;
	if (s->was_blocked)
		loop_io_want(s->loop, &s->io, s->io.want & ~(uint32_t)EPOLLOUT);
	if (!all)
		return; /* plaintext that waits for the handshake */
	if (s->state == STREAM_FINISHING)
		stream_end_output(s);
	else if (s->was_blocked)
		stream_drained(s);
}

static int stream_write_shared_tls(struct stream *s, struct slice bytes, bool together)
{
	struct stream_out **wire = stream_tls_wire(s);

	if (*wire || !stream_tls_ready(s))
		return stream_write(s, bytes);
	if (!stream_fits(s, bytes.n))
		return E_SLOW;
	stream_tls_seal(s, bytes);
	if (together && !s->was_blocked && stream_stage(s))
		return 0;
	(void)stream_send_out(s, wire);
	if (s->blocked)
		stream_gauge(s);
	return 0;
}

/* Past the gathering is possible: nothing waits in front. */
static bool stream_is_clear(const struct stream *s)
{
	return s->state == STREAM_OPEN && !s->out && s->mode != STREAM_UNKNOWN;
}

static void stream_keep_rest(struct stream *s, struct slice bytes, size_t sent)
{
	if (LIKELY(sent == bytes.n) || s->state == STREAM_DEAD)
		return;
	stream_out_add(s->loop, &s->out, slice_from(bytes, sent));
	stream_gauge(s);
}

/* The hot path of a room: no memory of ours is touched but the stream. */
int stream_write_shared(struct stream *s, struct slice bytes)
{
	stream_fire(s);
	if (!stream_is_clear(s) || bytes.n == 0)
		return stream_write(s, bytes);
	if (s->mode == STREAM_TLS)
		return stream_write_shared_tls(s, bytes, false);
	if (bytes.n > s->queue_limit)
		return E_SLOW;
	stream_keep_rest(s, bytes, stream_send(s, bytes.p, bytes.n));
	return 0;
}

static void stream_on_sent(void *arg, struct slice bytes, ssize_t n)
{
	struct stream *s = arg;

	s->volley = false;
	if (s->state != STREAM_DEAD)
		stream_keep_rest(s, bytes, stream_sent(s, n, bytes.n));
}

int stream_write_volley(struct stream *s, struct slice bytes)
{
	if (s->volley || !stream_is_clear(s) || bytes.n == 0 || bytes.n > s->queue_limit)
		return stream_write_shared(s, bytes);
	if (s->mode == STREAM_TLS)
		return stream_write_shared_tls(s, bytes, true);
	if (!loop_volley_add(s->loop, s->io.fd, bytes, stream_on_sent, s))
		return stream_write_shared(s, bytes);
	s->volley = true;
	return 0;
}
