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
	size_t n = stream_out_left(s->out);

	if (s->tls)
		n += stream_out_left(*stream_tls_wire((struct stream *)s));
	return n;
}

size_t stream_behind(const struct stream *s)
{
	int unacked = 0;

	if (s->state == STREAM_DEAD || ioctl(s->io.fd, SIOCOUTQ, &unacked) < 0)
		unacked = 0;
	return stream_queued(s) + (size_t)unacked;
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

/* The count that the socket took, less than n when it is full or broken. */
static size_t stream_send(struct stream *s, const uint8_t *p, size_t n)
{
	ssize_t k;

	do
		k = stream_sys_send(s->io.fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k < 0) {
		if (errno == EAGAIN || errno == ENOBUFS)
			stream_block(s);
		else
			stream_die(s, -errno);
		return 0;
	}
	metric_add(METRIC_BYTES_OUT, k);
	if ((size_t)k < n)
		stream_block(s);
	return (size_t)k;
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

void stream_flush(struct stream *s)
{
	if (s->blocked || s->state >= STREAM_DRAINING ||
	    (s->mode == STREAM_UNKNOWN && s->state == STREAM_OPEN))
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

static int stream_write_shared_tls(struct stream *s, struct slice bytes)
{
	struct stream_out **wire = stream_tls_wire(s);

	if (*wire || !stream_tls_ready(s))
		return stream_write(s, bytes);
	if (!stream_fits(s, bytes.n))
		return E_SLOW;
	stream_tls_seal(s, bytes);
	(void)stream_send_out(s, wire);
	if (s->blocked)
		stream_gauge(s);
	return 0;
}

/* The hot path of a room: one system call and no memory of ours is touched but the
 * stream. */
int stream_write_shared(struct stream *s, struct slice bytes)
{
	if (s->state != STREAM_OPEN || s->out || s->mode == STREAM_UNKNOWN ||
	    bytes.n == 0)
		return stream_write(s, bytes);
	if (s->mode == STREAM_TLS)
		return stream_write_shared_tls(s, bytes);
	if (bytes.n > s->queue_limit)
		return E_SLOW;
	size_t k = stream_send(s, bytes.p, bytes.n);
	if (LIKELY(k == bytes.n) || s->state == STREAM_DEAD)
		return 0;
	stream_out_add(s->loop, &s->out, slice_from(bytes, k));
	stream_gauge(s);
	return 0;
}
