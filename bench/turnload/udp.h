/* UDP sockets and the batches that recvmmsg and sendmmsg take, for the generator and the yardstick
 * of TURN. What is pointed to stays the caller's.
 */
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

/* Buffers of `size` both ways; beyond the system's limit only where that is allowed. */
void udp_enlarge(int fd, int size);

/* One datagram of a batch: its bytes, and where it comes from or goes to. */
static inline struct mmsghdr udp_datagram(struct iovec *data, struct sockaddr_in *address)
{
	return (struct mmsghdr){
		.msg_hdr.msg_iov = data,
		.msg_hdr.msg_iovlen = 1,
		.msg_hdr.msg_name = address,
		.msg_hdr.msg_namelen = sizeof(*address),
	};
}

/* What the socket does not take is lost. */
void udp_send(int fd, struct mmsghdr *m, unsigned n);
