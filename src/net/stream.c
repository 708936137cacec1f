#include "net/stream.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/err.h"
#include "base/mem.h"
#include "net/stream_private.h"

static_assert(sizeof(struct stream) <= 200, "an idle connection shall cost little");
/* 16 KiB and a bit more: the record that OpenSSL may hold back from earlier reads. */
static_assert(STREAM_CARRY_MAX + STREAM_CIPHER_MAX + (size_t)20 * 1024 <=
		      STREAM_CIPHER_AT,
	      "plaintext must not run into the ciphertext it is made from");

static void stream_on_event(struct loop_io *io, uint32_t events);

/* --- the end --- */

static void stream_reap(struct loop_task *t)
{
	struct stream *s = container_of(t, struct stream, task);

	stream_fire(s);
	if (s->watched)
		loop_io_close(s->loop, &s->io);
	else
		close(s->io.fd);
	s->blocked = false;
	stream_gauge(s);
	stream_tls_free(s);
	stream_out_free(s->loop, &s->out);
	free(s->carry);
	s->carry = NULL;
	metric_add(METRIC_CONNECTIONS, -1);
	s->ops->closed(s->io.owner, s, s->err);
	free(s);
}

static void stream_post_reap(struct stream *s)
{
	loop_task_cancel(&s->task);
	s->task.fn = stream_reap;
	loop_task_post(s->loop, LOOP_REAP, &s->task);
}

void stream_die(struct stream *s, int err)
{
	if (s->state == STREAM_DEAD)
		return;
	s->state = STREAM_DEAD;
	s->err = err;
	if (!s->loop)
		return; /* detached: its next loop will do the rest */
	loop_timer_stop(s->loop, &s->timer);
	stream_post_reap(s);
}

void stream_abort(struct stream *s, int err)
{
	stream_die(s, err);
}

static void stream_on_timer(struct loop_timer *t)
{
	struct stream *s = container_of(t, struct stream, timer);

	if (s->mode == STREAM_TLS && s->waits_first)
		metric_add(METRIC_TLS_FAILURES, 1);
	/* Draining: everything was said, the peer just does not hang up. */
	stream_die(s, s->state == STREAM_DRAINING ? s->err : E_TIMEOUT);
}

void stream_finish_with(struct stream *s, int err)
{
	if (s->state != STREAM_OPEN)
		return;
	s->state = STREAM_FINISHING;
	s->err = err;
	s->paused = false;
	free(s->carry);
	s->carry = NULL;
	if (s->loop) {
		if (!s->peer_ended && !(s->io.want & EPOLLIN))
			loop_io_want(s->loop, &s->io, s->io.want | EPOLLIN);
		loop_timer_start(s->loop, &s->timer, s->linger);
		stream_post(s, LOOP_FLUSH);
	}
}

void stream_finish(struct stream *s)
{
	stream_finish_with(s, 0);
}

void stream_finish_now(struct stream *s)
{
	s->peer_ended = true;
	stream_finish_with(s, 0);
}

void stream_stop_reading(struct stream *s)
{
	loop_io_want(s->loop, &s->io, s->io.want & ~(uint32_t)EPOLLIN);
}

/* Another event shall come if there is more to read. */
static void stream_read_later(struct stream *s)
{
	loop_io_again(s->loop, &s->io);
}

/* The peer has nothing more to say; what we have for it still goes out. */
void stream_on_end(struct stream *s)
{
	s->peer_ended = true;
	if (s->state == STREAM_DRAINING) {
		stream_die(s, s->err);
		return;
	}
	if (s->blocked)
		stream_stop_reading(s);
	stream_finish_with(s, 0);
}

/* --- reading --- */

static void stream_keep(struct stream *s, const uint8_t *p, size_t n)
{
	if (n == 0 || s->state != STREAM_OPEN)
		return;
	/* On its way to another loop it may hold a whole read: that is shown before the next one. */
	if (n > STREAM_CARRY_MAX && s->loop) {
		stream_die(s, E_LIMIT);
		return;
	}
	s->carry = xmalloc(sizeof(*s->carry) + n);
	s->carry->n = n;
	memcpy(s->carry->p, p, n);
}

void stream_deliver(struct stream *s, uint8_t *p, size_t n)
{
	s->in_data = true;
	do {
		s->again = false;
		ssize_t used = s->ops->data(s->io.owner, s, p, n);
		if (used < 0) {
			stream_die(s, (int)used);
			break;
		}
		assert((size_t)used <= n);
		p += used;
		n -= (size_t)used;
	} while (s->again && n > 0 && s->state == STREAM_OPEN && !s->paused);
	s->in_data = s->again = false;
	stream_keep(s, p, n);
	/* Much to say: at once, while it is in the cache, and its block serves the next stream. A
	 * hundred such connections in one turn would else hold megabytes until its end. */
	if (s->loop && stream_out_left(s->out) > STREAM_FLUSH_AT)
		stream_flush(s);
}

/* Puts the carry back where it was, in front of what has been read behind its place. */
size_t stream_unpack_carry(struct stream *s, uint8_t *to)
{
	size_t n = 0;

	if (s->carry) {
		n = s->carry->n;
		memcpy(to, s->carry->p, n);
		free(s->carry);
		s->carry = NULL;
	}
	return n;
}

/* What was left over, once more: to a new owner, or after a pause. */
static void stream_deliver_again(struct stream *s)
{
	uint8_t *p = loop_scratch(s->loop);

	s->again = false;
	if (s->state != STREAM_OPEN || s->paused)
		return;
	size_t n = stream_unpack_carry(s, p);
	if (n)
		stream_deliver(s, p, n);
	if (s->loop && s->peer_ended && !s->paused)
		stream_on_end(s);
}

/* Sums up one recv: bytes, the end, or trouble. False: nothing to deliver. */
static bool stream_received(struct stream *s, ssize_t n)
{
	if (n > 0) {
		metric_add(METRIC_BYTES_IN, n);
		return s->state == STREAM_OPEN;
	}
	if (n == 0)
		stream_on_end(s);
	else if (errno == EINTR)
		stream_read_later(s);
	else if (errno != EAGAIN)
		stream_die(s, s->state == STREAM_DRAINING ? s->err : -errno);
	return false;
}

/* One recv of at most `room` bytes. The descriptor is edge-triggered, which spares the kernel a
 * look at each connection after each event; a recv that fills its room, and one beside the
 * peer's end, may have left something of which no further edge would tell. */
static bool stream_recv(struct stream *s, uint8_t *p, size_t room, uint32_t events,
			size_t *n)
{
	ssize_t k = stream_sys_recv(s->io.fd, p, room, MSG_DONTWAIT);

	if (k == (ssize_t)room ||
	    (k > 0 && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))))
		stream_read_later(s);
	*n = k > 0 ? (size_t)k : 0;
	return stream_received(s, k);
}

static void stream_read_plain(struct stream *s, uint32_t events)
{
	uint8_t *p = loop_scratch(s->loop);
	size_t have = s->carry ? s->carry->n : 0;
	size_t n;

	if (s->ops->fetch)
		s->ops->fetch(s->io.owner);
	if (!stream_recv(s, p + have, LOOP_SCRATCH - have, events, &n))
		return;
	stream_unpack_carry(s, p);
	stream_deliver(s, p, have + n);
}

void stream_settled(struct stream *s, enum stream_mode mode)
{
	s->mode = (uint8_t)mode;
	s->waits_first = false;
	s->context = NULL;
	if (s->state == STREAM_OPEN)
		loop_timer_stop(s->loop, &s->timer);
	if (s->out)
		stream_post(s, LOOP_FLUSH);
}

/* TLS, or the first bytes that say whether it is: 22 begins a handshake record (RFC 8446,
 * 5.1) and no HTTP request. */
static void stream_read_cipher(struct stream *s, uint32_t events)
{
	uint8_t *p = loop_scratch(s->loop) + STREAM_CIPHER_AT;
	size_t n;

	if (!stream_recv(s, p, STREAM_CIPHER_MAX, events, &n))
		return;
	if (s->mode == STREAM_UNKNOWN && s->context && p[0] == 0x16)
		stream_tls_start(s);
	if (s->mode == STREAM_TLS) {
		stream_tls_input(s, p, n);
		return;
	}
	stream_settled(s, STREAM_PLAIN);
	stream_deliver(s, p, n);
}

static void stream_paused_event(struct stream *s, uint32_t events)
{
	stream_stop_reading(s); /* only now: most pauses are short */
	if ((events & EPOLLRDHUP) && s->ops->hung_up)
		s->ops->hung_up(s->io.owner, s);
}

static void stream_readable(struct stream *s, uint32_t events)
{
	if (s->paused && s->state == STREAM_OPEN) {
		if (events & (EPOLLERR | EPOLLHUP))
			stream_die(s, -ECONNRESET);
		else
			stream_paused_event(s, events);
	} else if (LIKELY(s->mode == STREAM_PLAIN && !s->waits_first)) {
		stream_read_plain(s, events);
	} else {
		stream_read_cipher(s, events);
	}
}

static void stream_on_event(struct loop_io *io, uint32_t events)
{
	struct stream *s = container_of(io, struct stream, io);

	if (s->state == STREAM_DEAD)
		return;
	if ((events & EPOLLOUT) && s->blocked) {
		s->blocked = false;
		stream_post(s, LOOP_FLUSH);
	}
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		stream_readable(s, events);
}

/* --- the turn's end --- */

static void stream_on_task(struct loop_task *t)
{
	struct stream *s = container_of(t, struct stream, task);

	if (s->again) {
		stream_deliver_again(s);
		if (s->loop)
			stream_post(s, LOOP_FLUSH); /* after what others still add */
	} else {
		stream_flush(s);
	}
}

void stream_post(struct stream *s, enum loop_phase phase)
{
	if (s->state != STREAM_DEAD)
		loop_task_post(s->loop, phase, &s->task);
}

static void stream_show_again(struct stream *s)
{
	s->again = true;
	if (!s->in_data && s->loop)
		stream_post(s, LOOP_FANOUT);
}

void stream_pause(struct stream *s, bool paused)
{
	if (s->paused == paused || s->state != STREAM_OPEN)
		return;
	s->paused = paused;
	if (paused || !s->loop)
		return;
	if (!(s->io.want & EPOLLIN) && !s->peer_ended)
		loop_io_want(s->loop, &s->io, s->io.want | EPOLLIN);
	if (s->carry || s->in_data || s->peer_ended)
		stream_show_again(s);
}

/* --- owners and loops --- */

void stream_set_owner(struct stream *s, const struct stream_ops *ops, void *arg)
{
	s->ops = ops;
	s->io.owner = arg;
	if (s->carry || s->in_data)
		stream_show_again(s);
}

static void stream_watch(struct stream *s)
{
	int err = loop_io_add(s->loop, &s->io, s->io.fd, s->io.want, stream_on_event);

	s->watched = err == 0;
	if (err < 0)
		stream_die(s, err);
}

static uint32_t clamp32(uint64_t v)
{
	return v > INT32_MAX ? INT32_MAX : (uint32_t)v;
}

struct stream *stream_create(struct loop *l, int fd, const struct addr *peer,
			     const struct stream_limits *limits, struct tls_context *tls,
			     const struct stream_ops *ops, void *arg)
{
	struct stream *s = xzalloc_line(sizeof(*s));

	s->io.fd = fd;
	s->io.want = EPOLLIN | EPOLLRDHUP | EPOLLET;
	s->loop = l;
	s->ops = ops;
	s->io.owner = arg;
	s->context = tls;
	s->peer = *peer;
	s->queue_limit = clamp32(limits->queue);
	s->linger = clamp32((uint64_t)limits->linger);
	s->mode = tls ? STREAM_UNKNOWN : STREAM_PLAIN;
	s->waits_first = true;
	loop_task_init(&s->task, stream_on_task);
	loop_timer_init(&s->timer, stream_on_timer);
	metric_add(METRIC_CONNECTIONS, 1);
	if (limits->handshake > 0)
		loop_timer_start(l, &s->timer, limits->handshake);
	stream_watch(s);
	return s;
}

void stream_set_queue(struct stream *s, size_t bytes)
{
	s->queue_limit = clamp32(bytes);
}

void stream_detach(struct stream *s)
{
	struct loop *l = s->loop;

	assert(s->mode != STREAM_UNKNOWN || s->state == STREAM_DEAD);
	stream_fire(s);
	loop_timer_stop(l, &s->timer);
	loop_task_cancel(&s->task);
	if (s->watched)
		loop_io_del(l, &s->io);
	s->watched = false;
	s->again = false;
	metric_add(METRIC_CONNECTIONS, -1);
	metric_add(METRIC_QUEUED_BYTES, -(int64_t)s->gauged);
	s->gauged = 0;
	s->loop = NULL;
}

void stream_attach(struct loop *l, struct stream *s, const struct stream_ops *ops,
		   void *arg)
{
	assert(!s->loop);
	s->loop = l;
	s->ops = ops;
	s->io.owner = arg;
	s->paused = false;
	metric_add(METRIC_CONNECTIONS, 1);
	if (s->state == STREAM_DEAD) {
		stream_post_reap(s);
		return;
	}
	if (!s->peer_ended)
		s->io.want |= EPOLLIN;
	stream_watch(s);
	stream_gauge(s);
	if (s->state == STREAM_DEAD)
		return;
	if (s->state != STREAM_OPEN)
		loop_timer_start(l, &s->timer, s->linger);
	else if (s->carry || s->peer_ended)
		stream_show_again(s);
	stream_post(s, LOOP_FLUSH);
}

void *stream_owner(const struct stream *s)
{
	return s->io.owner;
}

struct loop *stream_loop(const struct stream *s)
{
	return s->loop;
}

const struct addr *stream_peer(const struct stream *s)
{
	return &s->peer;
}

bool stream_is_tls(const struct stream *s)
{
	return s->mode == STREAM_TLS;
}
