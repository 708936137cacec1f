#include "net/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

int net_socket_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int net_socket_bound(const struct addr *a, int type, enum net_port port)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sock(a, &ss);
	int fd = socket(ss.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int err = 0;
	/* Of a datagram port it would let two programs take it unnoticed. */
	if (type == SOCK_STREAM || port == NET_PORT_BESIDE)
		err = net_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (err == 0 && port == NET_PORT_SHARED)
		err = net_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (err == 0 && a->family == AF_INET6)
		err = net_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !addr_is_any(a));
	if (err == 0 && bind(fd, (struct sockaddr *)&ss, n) < 0)
		err = -errno;
	if (err == 0)
		return fd;
	close(fd);
	return err;
}
