/* stream_pair: for tests: a TCP connection over loopback whose far end is a plain
 * descriptor of the test's, and an owner of the near end that writes down what happens.
 */
#pragma once
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "loop/loop_turns.h"
#include "net/stream.h"

struct owner {
	struct stream *s;
	struct buf got;
	unsigned calls; /* of data */
	unsigned closed;
	unsigned drained;
	int err;
	/* Instead of keeping the bytes. */
	ssize_t (*data)(struct owner *o, uint8_t *p, size_t n);
};

static inline ssize_t owner_data(void *arg, struct stream *s, uint8_t *p, size_t n)
{
	struct owner *o = arg;

	assert_ptr_equal(o->s, s);
	assert_ptr_equal(stream_owner(s), o);
	assert_int_equal(o->closed, 0);
	assert_true(n > 0);
	o->calls++;
	if (o->data)
		return o->data(o, p, n);
	buf_add(&o->got, p, n);
	return (ssize_t)n;
}

static inline void owner_closed(void *arg, struct stream *s, int err)
{
	struct owner *o = arg;

	(void)s;
	o->closed++;
	o->err = err;
}

static inline void owner_drained(void *arg, struct stream *s)
{
	struct owner *o = arg;

	assert_int_equal(stream_queued(s), 0);
	o->drained++;
}

static const struct stream_ops owner_ops = { owner_data, owner_closed, owner_drained,
					     NULL, NULL };
/* Long times, that no test waits for, and short ones for those that do. */
static const struct stream_limits owner_limits = { 1 << 20, 10000, 10000 };
static const struct stream_limits owner_hurry = { 1 << 20, 50, 50 };

static inline void owner_init(struct owner *o)
{
	*o = (struct owner){ .got = BUF_INIT(64 << 20) };
}

/* fd[0] for the stream (non-blocking), fd[1] for the test (non-blocking as well). */
static inline void tcp_pair(int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(l, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(l, 1), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&a, &n), 0);
	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd[1], (struct sockaddr *)&a, n), 0);
	fd[0] = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd[0] >= 0);
	close(l);
}

/* Opens a connection with its owner; the test's descriptor. */
static inline int owner_open(struct owner *o, struct loop *l, struct tls_context *tls,
			     const struct stream_limits *limits)
{
	static const struct addr peer = { .family = AF_INET, .ip = { 127, 0, 0, 1 } };
	int fd[2];

	owner_init(o);
	tcp_pair(fd);
	o->s = stream_create(l, fd[0], &peer, limits, tls, &owner_ops, o);
	return fd[1];
}

static inline void far_write(int fd, struct slice s)
{
	assert_int_equal(send(fd, s.p, s.n, MSG_NOSIGNAL), s.n);
}

/* What is there now, appended to b; 0 at the end, -errno (-EAGAIN: nothing). */
static inline int far_read(int fd, struct buf *b)
{
	static uint8_t chunk[65536];
	ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	buf_add(b, chunk, (size_t)n);
	return (int)n;
}

/* Reads with turns of the loop between until the stream's end; 0, or the error. */
static inline int far_read_all(int fd, struct loop *l, struct buf *b)
{
	int n = 1;

	loop_until(l, (n = far_read(fd, b)) <= 0 && n != -EAGAIN);
	return n;
}

#define assert_text(b, text)                                                             \
	do {                                                                             \
		assert_int_equal((b)->n, strlen(text));                                  \
		assert_memory_equal((b)->p, text, (b)->n);                               \
	} while (0)
