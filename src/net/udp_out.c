/* What the sockets of a loop say in a turn: gathered per socket, written at its end.
 *
 * Packets of equal size to the same address, one after the other, become one message that the
 * kernel cuts up (UDP_SEGMENT): it then takes its way through the stack once for all of them. Where the
 * kernel or the network card refuses that, the socket goes on without.
 */
#include <errno.h>
#include <netinet/udp.h>

#include "net/socket.h"
#include "net/udp_private.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; glibc 2.36 does not have it everywhere */
#endif

#define SEGMENTS_BYTES 60000

/* --- gathering --- */

static void put_name(const struct udp *u, union udp_name *to, const struct addr *a)
{
	if (u->family == AF_INET) {
		to->in = (struct sockaddr_in){ .sin_family = AF_INET,
					       .sin_port = htons(a->port) };
		memcpy(&to->in.sin_addr, a->ip, 4);
		return;
	}
	to->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					 .sin6_port = htons(a->port),
					 .sin6_scope_id = a->scope };
	uint8_t *ip = to->in6.sin6_addr.s6_addr;
	if (a->family == AF_INET6) {
		memcpy(ip, a->ip, 16);
	} else { /* ::ffff:a.b.c.d */
		ip[10] = ip[11] = 0xff;
		memcpy(ip + 12, a->ip, 4);
	}
}

static bool is_in_slots(const struct udp_pool *pool, struct slice s)
{
	return s.p >= pool->slots && s.p < pool->slots + SLOTS * SLOT_SIZE;
}

/* The body where it can stay until the turn's end. */
static struct slice keep(struct udp_pool *pool, struct slice body)
{
	if (body.n == 0)
		return SLICE_NONE;
	if (is_in_slots(pool, body)) {
		pool->kept = true;
		return body;
	}
	uint8_t *p = pool->arena + pool->arena_n;
	memcpy(p, body.p, body.n);
	pool->arena_n += body.n;
	return slice_of(p, body.n);
}

static void enqueue(struct udp *u, struct udp_out *o)
{
	o->next = NULL;
	if (u->first)
		u->last->next = o;
	else
		u->first = o;
	u->last = o;
	if (list_empty(&u->dirty))
		list_append(&u->pool->dirty, &u->dirty);
}

void udp_send(struct udp *u, const struct addr *to, const struct addr *from,
	      const struct udp_parts *parts)
{
	struct udp_pool *pool = u->pool;
	size_t size = parts->head.n + parts->body.n + parts->pad;

	if (u->closed || parts->head.n > UDP_HEAD_MAX || size > UDP_MAX + UDP_HEAD_MAX ||
	    (u->family == AF_INET && to->family != AF_INET)) {
		metric_add(METRIC_UDP_DROPPED, 1);
		return;
	}
	if (pool->out_n == OUTS || ARENA - pool->arena_n < parts->body.n)
		udp_flush_all(pool);
	struct udp_out *o = &pool->out[pool->out_n++];
	put_name(u, &o->to, to);
	o->body = keep(pool, parts->body);
	o->size = (uint16_t)size;
	o->head_n = (uint8_t)parts->head.n;
	o->pad = parts->pad;
	o->whole = parts->whole;
	o->has_from = from && u->any && from->family != 0;
	if (o->has_from) {
		union udp_name name;
		put_name(u, &name, from);
		if (u->family == AF_INET)
			memcpy(o->from, &name.in.sin_addr, 4);
		else
			memcpy(o->from, &name.in6.sin6_addr, 16);
	}
	if (o->head_n > 0)
		memcpy(o->head, parts->head.p, o->head_n);
	enqueue(u, o);
	loop_task_post(pool->loop, LOOP_FLUSH, &pool->flush);
}

/* --- writing --- */

static unsigned put_iov(struct iovec *v, const struct udp_out *o)
{
	static uint8_t zero[4];
	unsigned n = 0;

	if (o->head_n > 0)
		v[n++] = (struct iovec){ (void *)o->head, o->head_n };
	if (o->body.n > 0)
		v[n++] = (struct iovec){ (void *)o->body.p, o->body.n };
	if (o->pad > 0)
		v[n++] = (struct iovec){ zero, o->pad };
	return n;
}

static void put_control(struct msghdr *h, int level, int type, const void *data, size_t n)
{
	struct cmsghdr *c =
		(struct cmsghdr *)((uint8_t *)h->msg_control + h->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), data, n);
	h->msg_controllen += CMSG_SPACE(n);
}

static void put_from(struct msghdr *h, const struct udp *u, const struct udp_out *o)
{
	if (u->family == AF_INET) {
		struct in_pktinfo i = { 0 };
		memcpy(&i.ipi_spec_dst, o->from, 4);
		put_control(h, IPPROTO_IP, IP_PKTINFO, &i, sizeof(i));
	} else {
		struct in6_pktinfo i = { 0 };
		memcpy(&i.ipi6_addr, o->from, 16);
		put_control(h, IPPROTO_IPV6, IPV6_PKTINFO, &i, sizeof(i));
	}
}

static socklen_t name_size(const struct udp *u)
{
	return u->family == AF_INET ? sizeof(struct sockaddr_in)
				    : sizeof(struct sockaddr_in6);
}

bool udp_same_name(const struct udp *u, const union udp_name *a, const union udp_name *b)
{
	return memcmp(a, b, name_size(u)) == 0;
}

static bool same_way(const struct udp *u, const struct udp_out *a,
		     const struct udp_out *b)
{
	return udp_same_name(u, &a->to, &b->to) && a->has_from == b->has_from &&
	       a->whole == b->whole &&
	       (!a->has_from || memcmp(a->from, b->from, sizeof(a->from)) == 0);
}

/* One message: `o` and the equal ones after it. Of a row of segments only the last may be shorter. Where it ended
 * in *next. */
static unsigned put_message(const struct udp *u, struct msghdr *h, struct udp_out *o,
			    struct udp_out **next)
{
	unsigned iovs = put_iov(h->msg_iov, o), segments = 1;
	struct udp_out *last = o;
	size_t bytes = o->size;

	while (!u->no_segments && segments < SEGMENTS && last->next &&
	       last->size == o->size && last->next->size <= o->size &&
	       last->next->size > 0 && bytes + last->next->size <= SEGMENTS_BYTES &&
	       same_way(u, o, last->next)) {
		last = last->next;
		iovs += put_iov(h->msg_iov + iovs, last);
		bytes += last->size;
		segments++;
	}
	h->msg_name = &o->to;
	h->msg_namelen = name_size(u);
	h->msg_iovlen = iovs;
	h->msg_controllen = 0;
	h->msg_flags = 0;
	if (o->has_from)
		put_from(h, u, o);
	if (segments > 1)
		put_control(h, IPPROTO_UDP, UDP_SEGMENT, &o->size, sizeof(o->size));
	if (h->msg_controllen == 0)
		h->msg_control = NULL;
	*next = last->next;
	metric_add(METRIC_UDP_OUT, segments);
	return iovs;
}

int udp_set_whole(const struct udp *u, int fd, bool whole)
{
	bool v6 = u->family == AF_INET6;

	/* The same numbers for IPv6. */
	return net_socket_set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			      v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
			      whole ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
}

static int send_once(int fd, struct mmsghdr *m, unsigned n)
{
	const struct msghdr *h = &m->msg_hdr;

	if (n > 1)
		return sendmmsg(fd, m, n, MSG_DONTWAIT);
	/* One part to one relay's peer, the usual packet: the kernel has less to copy. */
	if (h->msg_iovlen == 1 && !h->msg_control)
		return sendto(fd, h->msg_iov->iov_base, h->msg_iov->iov_len, MSG_DONTWAIT,
			      h->msg_name, h->msg_namelen) < 0
			       ? -1
			       : 1;
	return sendmsg(fd, h, MSG_DONTWAIT) < 0 ? -1 : 1;
}

/* Sends n messages; how many of them were done with, sent or given up. */
static unsigned send_batch(struct udp *u, int fd, struct mmsghdr *m, unsigned n)
{
	int sent = send_once(fd, m, n);

	/* It may have failed for what ICMP said of an earlier packet, which is then said and done with. */
	if (sent < 0 && u->error_fn && errno != EAGAIN)
		sent = send_once(fd, m, n);
	if (sent > 0)
		return (unsigned)sent;
	bool segmented = m->msg_hdr.msg_controllen >= CMSG_SPACE(sizeof(uint16_t)) &&
			 !u->no_segments;
	if (segmented && (errno == EIO || errno == EINVAL || errno == EOPNOTSUPP)) {
		u->no_segments = true;
		return 0;
	}
	/* A full buffer is full for all of them; other trouble is that of one destination. */
	unsigned lost = errno == EAGAIN ? n : 1;
	metric_add(METRIC_UDP_DROPPED, lost);
	return lost;
}

/* The messages from `o` on that leave by one call. Where the first was not sent in *next. */
static void flush_some(struct udp *u, struct udp_out *o, struct udp_out **next)
{
	struct udp_pool *pool = u->pool;
	struct udp_out *begun[BATCH], *end = o;
	bool direct = udp_twin_takes(u, o), whole = o->whole;
	int fd = direct ? udp_twin_fd(u) : u->io.fd;
	unsigned n = 0, iovs = 0;

	while (end && n < BATCH && iovs < ARRAY_LEN(pool->iov) - SEGMENTS * 3 &&
	       end->whole == whole && udp_twin_takes(u, end) == direct) {
		struct msghdr *h = &pool->msg[n].msg_hdr;
		begun[n++] = end;
		h->msg_iov = pool->iov + iovs;
		h->msg_control = pool->control[n - 1];
		iovs += put_message(u, h, end, &end);
		if (direct) {
			h->msg_name = NULL;
			h->msg_namelen = 0;
		}
	}
	if (u->relay && !direct && u->whole != whole && udp_set_whole(u, fd, whole) == 0)
		u->whole = whole;
	unsigned done = send_batch(u, fd, pool->msg, n);
	if (u->relay && !direct && !whole)
		udp_twin_note(u, o);
	*next = done < n ? begun[done] : end;
}

void udp_flush(struct udp *u)
{
	struct udp_out *o = u->first;

	list_unlink(&u->dirty);
	u->first = u->last = NULL;
	while (o)
		flush_some(u, o, &o);
}

void udp_flush_all(struct udp_pool *pool)
{
	while (!list_empty(&pool->dirty))
		udp_flush(list_entry(pool->dirty.next, struct udp, dirty));
	pool->out_n = 0;
	pool->arena_n = 0;
}
