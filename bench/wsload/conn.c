#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"
#include "template.h"
#include "util.h"
#include "worker.h"

#define MAX_TEXT (1u << 16)
#define MAX_BACKLOG (4u << 20) /* beyond this messages are not sent but counted */

static const char *state_name(enum conn_state s)
{
#define X(name, text) [CONN_##name] = #name,
	static const char *const names[] = { CONN_STATES(X) };
#undef X

	return names[s];
}

void conn_want_out(struct conn *c, bool on)
{
	struct epoll_event e = {
		.events = EPOLLIN | (on ? (uint32_t)EPOLLOUT : 0),
		.data.ptr = c,
	};

	if (c->wants_out == on)
		return;
	c->wants_out = on;
	epoll_ctl(c->w->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

void conn_close(struct conn *c, enum conn_state next)
{
	/* A reset leaves no TIME_WAIT behind: ports must not run out. */
	struct linger reset = { .l_onoff = 1 };

	if (c->fd >= 0) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(c->fd);
		c->fd = -1;
	}
	free(c->early);
	free(c->out);
	c->early = c->out = NULL;
	c->early_n = c->out_at = c->out_n = c->out_cap = 0;
	c->wants_out = c->piece_hit = false;
	c->state = next;
}

void conn_fail(struct conn *c, const char *why, int err)
{
	struct stats *s = c->w->stats;
	enum conn_state was = c->state;

	stats_note(s, "connection %u (%s): %s%s%s", c->id, state_name(was), why,
		   err ? ": " : "", err ? strerror(err) : "");
	conn_close(c, CONN_DEAD);
	if (c->w->mode.failed) {
		c->w->mode.failed(c, was);
		return;
	}
	if (was == CONN_READY) {
		s->closed++;
		atomic_fetch_sub(&s->ready, 1);
	}
	atomic_fetch_add(&s->failed, 1);
}

static void queue(struct conn *c, const char *p, size_t n)
{
	if (c->out_at > 0 && c->out_n + n > c->out_cap) {
		memmove(c->out, c->out + c->out_at, c->out_n - c->out_at);
		c->out_n -= c->out_at;
		c->out_at = 0;
	}
	if (c->out_n + n > c->out_cap) {
		c->out_cap = (c->out_n + n) * 2;
		c->out = xrealloc(c->out, c->out_cap);
	}
	memcpy(c->out + c->out_n, p, n);
	c->out_n += n;
	conn_want_out(c, true);
}

/* Bytes the socket took, or -errno. */
static ssize_t offer(struct conn *c, const char *p, size_t n)
{
	ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (k >= 0)
		return k;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int conn_write(struct conn *c, const void *p, size_t n)
{
	ssize_t k = 0;

	if (c->out_n == c->out_at) {
		k = offer(c, p, n);
		if (k < 0)
			return (int)k;
	}
	if ((size_t)k < n)
		queue(c, (const char *)p + k, n - (size_t)k);
	return 0;
}

int conn_flush(struct conn *c)
{
	while (c->out_at < c->out_n) {
		ssize_t k = offer(c, c->out + c->out_at, c->out_n - c->out_at);

		if (k <= 0)
			return (int)k;
		c->out_at += (size_t)k;
	}
	c->out_at = c->out_n = 0;
	conn_want_out(c, false);
	return 0;
}

int conn_send_frame(struct conn *c, enum frame_op op, const char *p, size_t n)
{
	static unsigned char frame[FRAME_MAX_HEAD + MAX_TEXT];

	if (opt.tcp)
		return conn_write(c, p, n);
	if (n > MAX_TEXT)
		return -EMSGSIZE;
	return conn_write(c, frame, frame_write(frame, op, p, n, c->mask));
}

const char *conn_expand(struct conn *c, const char *text, size_t *n, size_t *stamp_at)
{
	static char out[MAX_TEXT];
	struct template_names names = { c->room, c->id, c->member, opt.size };

	*n = template_expand(text, &names, out, sizeof(out), stamp_at);
	return out;
}

static void render(struct conn *c)
{
	size_t n, stamp_at;
	const char *text = conn_expand(c, opt.msg, &n, &stamp_at);

	if (stamp_at == TEMPLATE_NO_STAMP)
		die("--msg must contain {stamp}");
	if (!opt.tcp)
		frame_message_init(&c->message, text, n, stamp_at, c->mask);
	else if (n == opt.size)
		frame_message_init_bare(&c->message, text, n, stamp_at);
	else
		die("--proto tcp: --msg must be --size bytes long");
}

/* Several in one write: that is what pipelining looks like to the server. */
static int write_messages(struct conn *c, unsigned count)
{
	static unsigned char batch[1u << 18];
	const struct frame_message *m = &c->message;
	size_t n = 0;
	int err = 0;

	if (count == 1)
		return conn_write(c, m->p, m->n);
	for (unsigned i = 0; i < count && err == 0; i++) {
		if (m->n > sizeof(batch) - n) {
			err = conn_write(c, batch, n);
			n = 0;
		}
		memcpy(batch + n, m->p, m->n);
		n += m->n;
	}
	return err < 0 ? err : conn_write(c, batch, n);
}

void conn_send_messages(struct conn *c, unsigned count, struct stamp s)
{
	struct stats *stats = c->w->stats;

	if (c->state != CONN_READY)
		return;
	if (c->out_n - c->out_at > MAX_BACKLOG) {
		stats->dropped += count;
		return;
	}
	if (!c->message.p)
		render(c);
	frame_message_stamp(&c->message, s);
	int err = write_messages(c, count);
	if (err < 0) {
		conn_fail(c, "write", -err);
		return;
	}
	stats_count(&stats->sent_all, count);
	stats_count(&stats->expected_all, (uint64_t)count * c->w->fan);
	if (c->w->phase == PHASE_MEASURE)
		stats->sent += count;
}
