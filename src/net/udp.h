/* udp: UDP sockets that receive and send in batches.
 *
 * Owner:  a loop. What the sockets of one loop share (receive slots, the queue of the turn's output) is its
 *         udp_pool, made before and destroyed after them.
 * Memory: a received packet lies in a slot of the pool. What udp_send() is given from there is not copied and
 *         leaves in LOOP_FLUSH: one system call for all that a socket says in a turn, and one message
 *         (UDP_SEGMENT) for packets of equal size to the same address. Anything else is copied.
 * Limits: UDP_MAX bytes of a datagram; longer ones are dropped and counted. UDP may lose: what the
 *         kernel does not take at once is dropped and counted.
 */
#pragma once
#include "loop/loop.h"
#include "net/addr.h"

#define UDP_MAX 9000
#define UDP_HEAD_MAX 48

struct udp_pool;
struct udp_pool *udp_pool_create(struct loop *l);
void udp_pool_destroy(struct udp_pool *pool);

struct udp;
struct udp_packet {
	struct slice bytes; /* valid during the call */
	struct addr from;
	struct addr
		to; /* the local address it was sent to; none unless the socket is bound to any */
};
typedef void udp_input_fn(void *arg, struct udp *u, const struct udp_packet *p);

enum udp_flags {
	UDP_SHARED =
		1, /* SO_REUSEPORT: every worker has one on the port; large buffers */
	/* Packets may be cut up on their way (no DF) unless they are sent whole. While it sends to one address again and
	 * again it holds a second descriptor (udp_twin.c). */
	UDP_RELAY = 2,
};
/* Dual stack when the address is [::]. -errno. */
int udp_open(struct udp **out, struct udp_pool *pool, const struct addr *at,
	     unsigned flags, udp_input_fn *fn, void *arg) NODISCARD;
/* What somebody on the way said of a packet (ICMP, or ICMPv6 where `to` is of IPv6). `info`: the largest packet
 * that would have passed, where it is about size. */
struct udp_error {
	struct addr to; /* of the packet */
	uint8_t type, code;
	uint32_t info;
};
typedef void udp_error_fn(void *arg, struct udp *u, const struct udp_error *e);
/* Has `fn` told of such, with the socket's `arg`. -errno. */
int udp_hear_errors(struct udp *u, udp_error_fn *fn) NODISCARD;
/* Allowed within `fn`. What it was given to send still leaves. */
void udp_close(struct udp *u);
struct addr udp_address(const struct udp *u); /* with the port it got */

/* Head (copied, at most UDP_HEAD_MAX bytes), body, and `pad` zero bytes (at most 3) in one datagram. `from`:
 * the local address to send from, for sockets bound to any; may be NULL. */
struct udp_parts {
	struct slice head;
	struct slice body;
	uint8_t pad;
	bool whole; /* with DF set */
};
void udp_send(struct udp *u, const struct addr *to, const struct addr *from,
	      const struct udp_parts *parts);

/* As listen_reserve(): fails when somebody has the port, then holds it until the workers have theirs. */
int udp_reserve(const struct addr *a) NODISCARD;
