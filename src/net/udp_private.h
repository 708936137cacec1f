/* udp_private: what udp.c (sockets, receiving), udp_out.c (sending), udp_twin.c and udp_error.c share; nobody else includes it. */
#pragma once
#include <netinet/in.h>
#include "net/udp.h"

#define SLOTS 256
/* An odd number of cache lines, so that the packets' heads do not compete for the same ones. */
#define SLOT_SIZE ((size_t)141 * 64)
#define BATCH 64
#define OUTS 512
#define ARENA ((size_t)256 * 1024)
#define SEGMENTS 32 /* of one message */
#define CONTROL 80  /* a local address and a segment size */

static_assert(SLOT_SIZE > UDP_MAX, "one byte more shows that a datagram was too long");

union udp_name {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* A datagram to be sent. */
struct udp_out {
	struct udp_out *next; /* of the same socket */
	union udp_name to;
	uint8_t from
		[16]; /* local address, in the form of the socket's family; zero: any */
	struct slice body;
	uint16_t size; /* of all parts */
	uint8_t head_n;
	uint8_t pad;
	bool has_from;
	bool whole;
	uint8_t head[UDP_HEAD_MAX];
};

struct udp {
	struct loop_io io;
	struct udp_pool *pool;
	udp_input_fn *fn;
	udp_error_fn *error_fn; /* NULL: errors are not heard */
	void *arg;
	struct udp_out *first, *last; /* to be sent */
	struct list dirty;            /* in pool->dirty while it has output */
	struct list gone;             /* in pool->gone once it is closed */
	struct udp_twin *twin;        /* of a relay; NULL: none */
	int family;
	uint16_t want; /* packets to ask for first */
	/* Of a relay: messages sent one after the other to an address that the twin is not connected to. */
	uint16_t run_n;
	uint32_t run_to;    /* that address, mixed up */
	uint32_t run_since; /* ms, as the loop's */
	bool any;           /* bound to any: local addresses count */
	bool relay;         /* UDP_RELAY */
	bool whole;         /* DF is set just now */
	bool no_segments;
	bool closed;
};

struct udp_pool {
	struct loop *loop;
	struct loop_task flush, reap;
	struct list dirty, gone;
	/* Receiving: message i is for slot i, prepared once. */
	struct mmsghdr in[SLOTS];
	struct iovec in_iov[SLOTS];
	union udp_name in_name[SLOTS];
	uint8_t in_control[SLOTS][CONTROL] __attribute__((aligned(8)));
	unsigned twins;
	unsigned cursor; /* the first slot that holds nothing to be sent */
	bool kept;       /* something of the present batch is to be sent */
	/* Sending. */
	unsigned out_n;
	size_t arena_n;
	struct udp_out out[OUTS];
	struct mmsghdr msg[BATCH];
	uint8_t control[BATCH][CONTROL] __attribute__((aligned(8)));
	struct iovec iov[BATCH * 4 + SEGMENTS * 3];
	uint8_t *slots;
	uint8_t *arena; /* bytes that did not come from a slot */
};

/* What is to be read of `fd`, the socket's own or its twin's. */
void udp_read(struct udp *u, int fd, uint32_t events);
void udp_flush_all(struct udp_pool *pool);
void udp_flush(struct udp *u);
bool udp_same_name(const struct udp *u, const union udp_name *a, const union udp_name *b);
int udp_set_whole(const struct udp *u, int fd, bool whole);

/* udp_error.c */
int udp_set_told(const struct udp *u, int fd);
void udp_read_errors(struct udp *u, int fd);

/* udp_twin.c */
struct udp_twin;
/* Whether `o` leaves by the twin; and by which descriptor then. */
bool udp_twin_takes(const struct udp *u, const struct udp_out *o);
int udp_twin_fd(const struct udp *u);
/* A message that did not: after enough of them to one address the twin is made, or turned to that address. */
void udp_twin_note(struct udp *u, const struct udp_out *o);
void udp_twin_close(struct udp *u);
