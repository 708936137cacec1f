#include "net/listen.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/socket.h"

#define BACKLOG 4096
#define ACCEPT_BATCH 256 /* per turn, so that accepting never starves who is connected */
#define ACCEPT_PAUSE 100 /* ms without accepting when descriptors or memory are short */

struct listener {
	struct loop *loop;
	struct loop_io io;
	struct loop_timer resume;
	struct log_limit log;
	listen_accept_fn *fn;
	void *arg;
	bool closed; /* by its own callback: freed when that returns */
	bool busy;
};

static int socket_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int socket_port(int fd, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	struct addr bound;

	if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
		return -errno;
	int err = addr_from_sock(&bound, (struct sockaddr *)&ss);
	if (err == 0)
		*port = bound.port;
	return err;
}

int listen_reserve(struct addr *a)
{
	int fd = net_socket_bound(a, SOCK_STREAM, NET_PORT_ALONE);

	if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) && a->family == AF_INET6 &&
	    addr_is_any(a)) {
		a->family = AF_INET; /* a machine without IPv6: "any" is then any IPv4 */
		fd = net_socket_bound(a, SOCK_STREAM, NET_PORT_ALONE);
	}
	if (fd < 0)
		return fd;
	/* Two sockets may be bound with SO_REUSEADDR, but only one of them may listen. */
	int err = listen(fd, 1) < 0 ? -errno : socket_port(fd, &a->port);
	close(fd);
	return err < 0 ? err : net_socket_bound(a, SOCK_STREAM, NET_PORT_SHARED);
}

static void listener_resume(struct loop_timer *t)
{
	struct listener *ln = container_of(t, struct listener, resume);

	loop_io_want(ln->loop, &ln->io, EPOLLIN);
}

static void listener_failed(struct listener *ln, int err)
{
	metric_add(METRIC_ACCEPT_ERRORS, 1);
	log_limited(&ln->log, "net", "accept-failed", "err=%s", err_text(err));
	if (err != -EMFILE && err != -ENFILE && err != -ENOBUFS && err != -ENOMEM)
		return; /* that connection's own trouble: ECONNABORTED, ENETDOWN ... */
	loop_io_want(ln->loop, &ln->io, 0);
	loop_timer_start(ln->loop, &ln->resume, ACCEPT_PAUSE);
}

/* False: no more in this turn. */
static bool listener_accept(struct listener *ln)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	struct addr peer = { 0 };
	int fd = accept4(ln->io.fd, (struct sockaddr *)&ss, &n,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		int err = -errno;
		if (err == -EAGAIN)
			return false;
		if (err != -EINTR)
			listener_failed(ln, err);
		return ln->io.want != 0;
	}
	if (addr_from_sock(&peer, (struct sockaddr *)&ss) < 0) {
		close(fd);
		return true;
	}
	metric_add(METRIC_CONNECTS, 1);
	ln->fn(ln->arg, fd, &peer);
	return !ln->closed;
}

static void listener_on_event(struct loop_io *io, uint32_t events)
{
	struct listener *ln = container_of(io, struct listener, io);

	(void)events;
	ln->busy = true;
	for (unsigned i = 0; i < ACCEPT_BATCH && listener_accept(ln);)
		i++;
	ln->busy = false;
	if (ln->closed)
		free(ln);
}

int listen_open(struct listener **out, struct loop *l, const struct addr *a,
		listen_accept_fn *fn, void *arg)
{
	int fd = net_socket_bound(a, SOCK_STREAM, NET_PORT_SHARED);
	if (fd < 0)
		return fd;

	struct listener *ln = xzalloc(sizeof(*ln));
	*ln = (struct listener){ .loop = l, .fn = fn, .arg = arg };
	loop_timer_init(&ln->resume, listener_resume);
	/* Accepted sockets inherit TCP_NODELAY: one call less per connection. */
	int err = socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (err == 0 && listen(fd, BACKLOG) < 0)
		err = -errno;
	if (err == 0)
		err = loop_io_add(l, &ln->io, fd, EPOLLIN, listener_on_event);
	if (err < 0) {
		close(fd);
		free(ln);
		return err;
	}
	*out = ln;
	return 0;
}

void listen_close(struct listener *ln)
{
	if (!ln)
		return;
	loop_timer_stop(ln->loop, &ln->resume);
	loop_io_del(ln->loop, &ln->io);
	close(ln->io.fd);
	ln->closed = true;
	if (!ln->busy)
		free(ln);
}

int listen_connect(const struct addr *from, const struct addr *to)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sock(to, &ss);
	int fd = net_socket_bound(from, SOCK_STREAM, NET_PORT_SHARED);

	if (fd < 0)
		return fd;
	int err = socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (err == 0 && connect(fd, (struct sockaddr *)&ss, n) < 0 &&
	    errno != EINPROGRESS)
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

int listen_connect_result(int fd)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		return -errno;
	return -err;
}
