#include "udp.h"

void udp_enlarge(int fd, int size)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

void udp_send(int fd, struct mmsghdr *m, unsigned n)
{
	for (unsigned sent = 0; sent < n;) {
		int k = sendmmsg(fd, m + sent, n - sent, MSG_DONTWAIT);

		sent += k > 0 ? (unsigned)k : 1;
	}
}
