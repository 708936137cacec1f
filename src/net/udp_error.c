/* What ICMP says of packets that a socket has sent (ip(7), IP_RECVERR): the kernel keeps it in a queue of its own,
 * bounded by the socket's receive buffer.
 *
 * Such a word also fails the socket's next system call, whatever that is about; see send_batch() in udp_out.c.
 */
#include <errno.h>
#include <time.h> /* before linux/errqueue.h, which needs struct timespec */

#include <linux/errqueue.h>

#include "net/socket.h"
#include "net/udp_private.h"

#define AT_ONCE 16 /* more comes with the next turn */

int udp_hear_errors(struct udp *u, udp_error_fn *fn)
{
	int err = udp_set_told(u, u->io.fd);

	if (err == 0)
		u->error_fn = fn;
	return err;
}

int udp_set_told(const struct udp *u, int fd)
{
	bool v6 = u->family == AF_INET6;

	return net_socket_set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			      v6 ? IPV6_RECVERR : IP_RECVERR, 1);
}

static const struct sock_extended_err *find_error(const struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c;
	     c = CMSG_NXTHDR((struct msghdr *)h, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			return (const void *)CMSG_DATA(c);
	return NULL;
}

/* False: there is no more. */
static bool read_one(struct udp *u, int fd)
{
	uint8_t control[256] __attribute__((aligned(8)));
	union udp_name name;
	struct msghdr h = {
		.msg_name = &name,
		.msg_namelen = sizeof(name),
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct udp_error e = { 0 };

	if (recvmsg(fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	const struct sock_extended_err *x = find_error(&h);
	if (!x ||
	    (x->ee_origin != SO_EE_ORIGIN_ICMP && x->ee_origin != SO_EE_ORIGIN_ICMP6) ||
	    addr_from_sock(&e.to, &name.sa) < 0)
		return true;
	e.type = x->ee_type;
	e.code = x->ee_code;
	e.info = x->ee_info;
	metric_add(METRIC_UDP_ERRORS, 1);
	u->error_fn(u->arg, u, &e);
	return true;
}

void udp_read_errors(struct udp *u, int fd)
{
	for (unsigned i = 0; i < AT_ONCE && !u->closed && read_one(u, fd); i++)
		;
}
