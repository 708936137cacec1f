#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "refws.h"

#define BACKLOG (1u << 20) /* a slow reader loses whole messages beyond this */
#define BUFFER (1 << 19)

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct frame {
	unsigned op;
	char *p;
	size_t n;
};

/* Echoes of one read leave in one write. */
struct echo {
	char p[BUFFER];
	size_t n;
};

static char in[BUFFER];
static struct echo echo;

static void watch(int fd, int how, bool out)
{
	struct epoll_event e = {
		.events = EPOLLIN | (out ? (uint32_t)EPOLLOUT : 0),
		.data.fd = fd,
	};

	epoll_ctl(epoll, how, fd, &e);
}

static void want_out(int fd, bool on)
{
	if (conns[fd].wants_out == on)
		return;
	conns[fd].wants_out = on;
	watch(fd, EPOLL_CTL_MOD, on);
}

void conn_accepted(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	conns[fd].open = true;
	watch(fd, EPOLL_CTL_ADD, false);
}

static void forget(int fd)
{
	struct conn *c = &conns[fd];

	room_leave(fd);
	free(c->early);
	free(c->out);
	*c = (struct conn){ 0 };
	close(fd);
}

static void queue(int fd, const char *p, size_t n)
{
	struct conn *c = &conns[fd];

	if (c->out_at > 0) {
		memmove(c->out, c->out + c->out_at, c->out_n - c->out_at);
		c->out_n -= c->out_at;
		c->out_at = 0;
	}
	if (n > c->out_cap - c->out_n) {
		c->out_cap = (c->out_n + (uint32_t)n) * 2;
		c->out = grow(c->out, c->out_cap);
	}
	memcpy(c->out + c->out_n, p, n);
	c->out_n += (uint32_t)n;
	want_out(fd, true);
}

void conn_put(int fd, const char *p, size_t n)
{
	const struct conn *c = &conns[fd];

	if (c->out) {
		if (c->out_n - c->out_at < BACKLOG)
			queue(fd, p, n);
		return;
	}
	ssize_t k = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	size_t sent = k > 0 ? (size_t)k : 0;
	if (sent < n)
		queue(fd, p + sent, n - sent);
}

void conn_writable(int fd)
{
	struct conn *c = &conns[fd];

	if (!c->open || !c->out)
		return;
	ssize_t k = send(fd, c->out + c->out_at, c->out_n - c->out_at,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (k > 0)
		c->out_at += (uint32_t)k;
	if (c->out_at < c->out_n)
		return;
	free(c->out);
	c->out = NULL;
	c->out_at = c->out_n = c->out_cap = 0;
	want_out(fd, false);
}

size_t frame_head(char *out, unsigned op, size_t n)
{
	size_t bytes = n < 126 ? 0 : n < 65536 ? 2 : 8;

	out[0] = (char)(0x80 | op);
	out[1] = (char)(bytes == 0 ? n : bytes == 2 ? 126 : 127);
	for (size_t i = 0; i < bytes; i++)
		out[2 + i] = (char)((uint64_t)n >> (8 * (bytes - 1 - i)));
	return 2 + bytes;
}

static void unmask(char *p, size_t n, const unsigned char *mask)
{
	uint32_t m;
	size_t i = 0;

	memcpy(&m, mask, sizeof(m));
	uint64_t wide = (uint64_t)m << 32 | m;
	for (; n - i >= sizeof(wide); i += sizeof(wide)) {
		uint64_t v;

		memcpy(&v, p + i, sizeof(v));
		v ^= wide;
		memcpy(p + i, &v, sizeof(v));
	}
	for (; i < n; i++)
		p[i] = (char)(p[i] ^ mask[i & 3]);
}

/* Bytes used, 0 when the frame is not complete, -1 when it is longer than is needed
 * here. */
static ssize_t take_frame(char *p, size_t n, struct frame *f)
{
	const unsigned char *b = (const unsigned char *)p;
	size_t head = 2;

	if (n < 6)
		return 0;
	size_t len = b[1] & 127;
	if (len == 127)
		return -1;
	if (len == 126) {
		len = (size_t)b[2] << 8 | b[3];
		head = 4;
	}
	if (n - head < 4 + len)
		return 0;
	*f = (struct frame){ b[0] & 15, p + head + 4, len };
	unmask(f->p, len, b + head);
	return (ssize_t)(head + 4 + len);
}

static void flush_echo(int fd)
{
	if (echo.n > 0)
		conn_put(fd, echo.p, echo.n);
	echo.n = 0;
}

static void add_echo(int fd, unsigned op, const struct frame *f)
{
	if (f->n + MAX_HEAD > sizeof(echo.p) - echo.n)
		flush_echo(fd);
	echo.n += frame_head(echo.p + echo.n, op, f->n);
	memcpy(echo.p + echo.n, f->p, f->n);
	echo.n += f->n;
}

static void on_frame(int fd, const struct frame *f)
{
	if (f->op == OP_PONG)
		return;
	if (f->op == OP_PING) {
		add_echo(fd, OP_PONG, f);
	} else if (conns[fd].room) {
		room_publish(fd, f->op, f->p, f->n);
	} else if (f->op == OP_TEXT && f->n > 0 && f->p[0] == 'J') {
		room_join(fd, f->p + 1, f->n - 1);
		conn_put(fd, "\x81\x06joined", 8);
	} else {
		add_echo(fd, f->op, f);
	}
}

/* Bytes used, or -1: the connection has to go. */
static ssize_t take_bytes(int fd, char *p, size_t n)
{
	size_t used = 0;

	if (!conns[fd].upgraded) {
		ssize_t k = handshake(fd, p, n);
		if (k <= 0)
			return k;
		conns[fd].upgraded = true;
		used = (size_t)k;
	}
	for (;;) {
		struct frame f;
		ssize_t k = take_frame(p + used, n - used, &f);

		if (k < 0 || (k > 0 && f.op == OP_CLOSE))
			return -1;
		if (k == 0)
			break;
		used += (size_t)k;
		on_frame(fd, &f);
	}
	flush_echo(fd);
	return (ssize_t)used;
}

static void keep_early(struct conn *c, const char *p, size_t n)
{
	if (n > 0) {
		c->early = grow(c->early, n);
		memcpy(c->early, p, n);
	} else {
		free(c->early);
		c->early = NULL;
	}
	c->early_n = (uint32_t)n;
}

void conn_readable(int fd)
{
	struct conn *c = &conns[fd];

	if (!c->open)
		return;
	if (c->early_n > 0)
		memcpy(in, c->early, c->early_n);
	ssize_t k = recv(fd, in + c->early_n, sizeof(in) - c->early_n - 1, MSG_DONTWAIT);
	if (k < 0 && errno == EAGAIN)
		return;
	if (k <= 0) {
		forget(fd);
		return;
	}
	size_t n = c->early_n + (size_t)k;
	in[n] = '\0';
	ssize_t used = take_bytes(fd, in, n);
	if (used < 0) {
		echo.n = 0;
		forget(fd);
		return;
	}
	keep_early(c, in + used, n - (size_t)used);
}
