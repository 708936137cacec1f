/* The twin of a relay's socket: a second one on its port, connected to the address that the relay sends to message
 * after message. For each packet to it the kernel then neither looks up the way nor reads an address, which is a
 * tenth of what relaying a packet costs. What comes from that address arrives at the twin, all else at the
 * socket itself; the user sees one socket.
 *
 * Only what is busy has one: a descriptor is dearer than a seldom packet's way.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/socket.h"
#include "net/udp_private.h"

#define RUN 32        /* messages to one address */
#define RUN_SPAN 1000 /* ms that they may take */
#define TWINS_MAX 1024

struct udp_twin {
	struct loop_io io;
	struct udp *of;
	union udp_name to;
};

bool udp_twin_takes(const struct udp *u, const struct udp_out *o)
{
	return u->twin && !o->whole && udp_same_name(u, &u->twin->to, &o->to);
}

int udp_twin_fd(const struct udp *u)
{
	return u->twin->io.fd;
}

void udp_twin_close(struct udp *u)
{
	struct udp_twin *w = u->twin;

	if (!w)
		return;
	loop_io_close(u->pool->loop, &w->io);
	u->pool->twins--;
	u->twin = NULL;
	free(w);
}

static void on_event(struct loop_io *io, uint32_t events)
{
	struct udp_twin *w = container_of(io, struct udp_twin, io);

	udp_read(w->of, io->fd, events);
}

static int turn_to(int fd, const union udp_name *to)
{
	return connect(fd, &to->sa, sizeof(*to)) < 0 ? -errno : 0;
}

static int set_up(struct udp *u, struct udp_twin *w, int fd)
{
	int err = udp_set_whole(u, fd, false);

	if (err == 0 && u->error_fn)
		err = udp_set_told(u, fd);
	if (err == 0)
		err = turn_to(fd, &w->to);
	return err < 0 ? err : loop_io_add(u->pool->loop, &w->io, fd, EPOLLIN, on_event);
}

/* Both allow it for a moment only: nobody else is to share the port. */
static int bind_beside(const struct udp *u, const struct addr *at)
{
	net_socket_set(u->io.fd, SOL_SOCKET, SO_REUSEADDR, 1);
	int fd = net_socket_bound(at, SOCK_DGRAM, NET_PORT_BESIDE);
	net_socket_set(u->io.fd, SOL_SOCKET, SO_REUSEADDR, 0);
	if (fd >= 0)
		net_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	return fd;
}

static void create(struct udp *u, const union udp_name *to)
{
	struct addr at = udp_address(u);

	/* Bound to any, it would go on sending from the address of the way to its first peer. */
	if (u->pool->twins >= TWINS_MAX || addr_is_any(&at))
		return;
	int fd = bind_beside(u, &at);
	if (fd < 0)
		return;
	struct udp_twin *w = xzalloc(sizeof(*w));
	*w = (struct udp_twin){ .of = u, .to = *to };
	if (set_up(u, w, fd) < 0) {
		close(fd);
		free(w);
		return;
	}
	u->pool->twins++;
	u->twin = w;
}

/* Two addresses that it takes for one only make the twin come sooner. */
static uint32_t mixed(const struct udp *u, const union udp_name *to)
{
	uint32_t ip;

	memcpy(&ip,
	       u->family == AF_INET ? (const void *)&to->in.sin_addr
				    : &to->in6.sin6_addr.s6_addr[12],
	       sizeof(ip));
	return ip * 31 + to->in.sin_port;
}

static bool is_run(struct udp *u, const union udp_name *to)
{
	uint32_t now = (uint32_t)loop_now(u->pool->loop), key = mixed(u, to);

	if (key != u->run_to || now - u->run_since > RUN_SPAN) {
		u->run_to = key;
		u->run_since = now;
		u->run_n = 0;
	}
	return ++u->run_n == RUN;
}

void udp_twin_note(struct udp *u, const struct udp_out *o)
{
	if (!is_run(u, &o->to))
		return;
	/* Where there is no way to that address, the twin stays as it is. It is not closed here: it may be just
	 * now that it is read. */
	if (!u->twin)
		create(u, &o->to);
	else if (turn_to(udp_twin_fd(u), &o->to) == 0)
		u->twin->to = o->to;
}
