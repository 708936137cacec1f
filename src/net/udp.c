#include "net/udp_private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/socket.h"

#define BUFFER_SHARED (4 << 20)
#define ROUNDS 4 /* batches of one socket per turn, so that others get theirs */

/* --- the pool --- */

static void on_flush(struct loop_task *t)
{
	struct udp_pool *pool = container_of(t, struct udp_pool, flush);

	udp_flush_all(pool);
	pool->cursor = 0;
}

static void on_reap(struct loop_task *t)
{
	struct udp_pool *pool = container_of(t, struct udp_pool, reap);

	list_each_safe (n, &pool->gone) {
		list_unlink(n);
		free(list_entry(n, struct udp, gone));
	}
}

static void prepare(struct udp_pool *pool, unsigned i)
{
	pool->in_iov[i] = (struct iovec){ pool->slots + i * SLOT_SIZE, UDP_MAX + 1 };
	pool->in[i].msg_hdr = (struct msghdr){
		.msg_name = &pool->in_name[i],
		.msg_namelen = sizeof(pool->in_name[i]),
		.msg_iov = &pool->in_iov[i],
		.msg_iovlen = 1,
		.msg_control = pool->in_control[i],
		.msg_controllen = CONTROL,
	};
}

struct udp_pool *udp_pool_create(struct loop *l)
{
	struct udp_pool *pool = xzalloc(sizeof(*pool));

	pool->loop = l;
	pool->slots = xmalloc(SLOTS * SLOT_SIZE);
	pool->arena = xmalloc(ARENA);
	list_init(&pool->dirty);
	list_init(&pool->gone);
	loop_task_init(&pool->flush, on_flush);
	loop_task_init(&pool->reap, on_reap);
	for (unsigned i = 0; i < SLOTS; i++)
		prepare(pool, i);
	return pool;
}

void udp_pool_destroy(struct udp_pool *pool)
{
	if (!pool)
		return;
	udp_flush_all(pool);
	on_reap(&pool->reap);
	loop_task_cancel(&pool->flush);
	loop_task_cancel(&pool->reap);
	free(pool->slots);
	free(pool->arena);
	free(pool);
}

/* --- in --- */

/* Where it was sent to: IP_PKTINFO, IPV6_PKTINFO. */
static void local_of(struct addr *a, const struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c;
	     c = CMSG_NXTHDR((struct msghdr *)h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			const struct in_pktinfo *i = (const void *)CMSG_DATA(c);
			*a = addr_of_ip(slice_of(&i->ipi_addr, 4), 0);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_PKTINFO) {
			const struct in6_pktinfo *i = (const void *)CMSG_DATA(c);
			*a = addr_of_ip(slice_of(&i->ipi6_addr, 16), 0);
		}
	}
}

static void take(struct udp *u, unsigned slot)
{
	struct udp_pool *pool = u->pool;
	struct mmsghdr *m = &pool->in[slot];
	struct udp_packet p = { .bytes = { pool->in_iov[slot].iov_base, m->msg_len } };
	int err = addr_from_sock(&p.from, &pool->in_name[slot].sa);

	if (u->any)
		local_of(&p.to, &m->msg_hdr);
	m->msg_hdr.msg_namelen = sizeof(pool->in_name[slot]);
	m->msg_hdr.msg_controllen = CONTROL;
	metric_add(METRIC_BYTES_IN, m->msg_len);
	if (m->msg_len > UDP_MAX)
		metric_add(METRIC_UDP_OVERSIZE, 1);
	else if (err == 0)
		u->fn(u->arg, u, &p);
}

/* One batch of at most `want`; how many came. */
static unsigned receive(struct udp *u, int fd, unsigned want)
{
	struct udp_pool *pool = u->pool;

	if (pool->cursor + want > SLOTS) {
		udp_flush_all(pool);
		pool->cursor = 0;
	}
	unsigned base = pool->cursor;
	int n = recvmmsg(fd, &pool->in[base], want, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return 0; /* also an error that somebody on the way reported: it is that packet's */
	metric_add(METRIC_UDP_IN, n);
	pool->cursor = base + (unsigned)n;
	pool->kept = false;
	for (unsigned i = 0; i < (unsigned)n && !u->closed; i++)
		take(u, base + i);
	if (!pool->kept)
		pool->cursor = base;
	return (unsigned)n;
}

/* Few headers first: where there are many sockets each holds one packet. */
void udp_read(struct udp *u, int fd, uint32_t events)
{
	if ((events & EPOLLERR) && u->error_fn)
		udp_read_errors(u, fd);
	for (unsigned i = 0; i < ROUNDS && !u->closed; i++) {
		unsigned want = u->want;
		unsigned n = receive(u, fd, want);
		if (n < want) {
			u->want = (uint16_t)(n < 2 ? 2 : n);
			return;
		}
		u->want = (uint16_t)(want * 4 < BATCH ? want * 4 : BATCH);
	}
}

static void on_event(struct loop_io *io, uint32_t events)
{
	udp_read(container_of(io, struct udp, io), io->fd, events);
}

/* --- life --- */

int udp_reserve(const struct addr *a)
{
	int fd = net_socket_bound(a, SOCK_DGRAM, NET_PORT_ALONE);

	if (fd < 0)
		return fd;
	close(fd);
	return net_socket_bound(a, SOCK_DGRAM, NET_PORT_SHARED);
}

/* As large as we may have them; the kernel clips without an error. */
static void enlarge(int fd)
{
	if (net_socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SHARED) < 0)
		(void)net_socket_set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_SHARED);
	if (net_socket_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_SHARED) < 0)
		(void)net_socket_set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_SHARED);
}

static int set_up(struct udp *u, int fd, unsigned flags)
{
	bool v6 = u->family == AF_INET6;
	int err = 0;

	if (flags & UDP_SHARED)
		enlarge(fd);
	if (u->any && v6)
		err = net_socket_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	else if (u->any)
		err = net_socket_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (err == 0 && u->relay)
		err = udp_set_whole(u, fd, false);
	return err < 0 ? err : loop_io_add(u->pool->loop, &u->io, fd, EPOLLIN, on_event);
}

int udp_open(struct udp **out, struct udp_pool *pool, const struct addr *at,
	     unsigned flags, udp_input_fn *fn, void *arg)
{
	int fd = net_socket_bound(at, SOCK_DGRAM,
				  flags & UDP_SHARED ? NET_PORT_SHARED : NET_PORT_ALONE);

	if (fd < 0)
		return fd;
	struct udp *u = xzalloc(sizeof(*u));
	*u = (struct udp){
		.pool = pool,
		.fn = fn,
		.arg = arg,
		.family = at->family,
		.want = 2,
		.any = (flags & UDP_SHARED) && addr_is_any(at),
		.relay = flags & UDP_RELAY,
	};
	list_init(&u->dirty);
	list_init(&u->gone);
	int err = set_up(u, fd, flags);
	if (err < 0) {
		close(fd);
		free(u);
		return err;
	}
	*out = u;
	return 0;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	udp_flush(u);
	udp_twin_close(u);
	loop_io_del(u->pool->loop, &u->io);
	close(u->io.fd);
	u->closed = true;
	/* A batch of its packets may be on the way through `fn`. */
	list_append(&u->pool->gone, &u->gone);
	loop_task_post(u->pool->loop, LOOP_REAP, &u->pool->reap);
}

struct addr udp_address(const struct udp *u)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	struct addr a = { 0 };

	if (getsockname(u->io.fd, (struct sockaddr *)&ss, &n) < 0 ||
	    addr_from_sock(&a, (struct sockaddr *)&ss) < 0)
		return (struct addr){ 0 };
	return a;
}
