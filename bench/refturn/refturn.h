/* refturn: the yardstick of TURN: the least that one thread can do to relay what turnload sends,
 * which shows how low the CPU per packet can go on a machine. Not a server to be used: an
 * allocation has one peer and one channel, nonces do not age, lifetimes do not end, and memory
 * of what was freed is not taken anew.
 *
 * A turn of the loop: packets of clients are read 64 at a time, and a run of them on one
 * allocation leaves in one sendmmsg; the sockets of relays are read behind room for a header, and
 * all that goes to clients leaves in one sendmmsg.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_ALLOCS (1 << 16) /* made in one life */

struct alloc {
	struct sockaddr_in client, relayed, peer;
	int fd;
	unsigned channel; /* 0: none yet; its packets travel in Data indications */
	bool used, bound; /* bound: it has a peer */
};

/* main.c */
extern int clients; /* the socket that they send to */
/* A socket on loopback that is watched in the name of `a`; -1 when there is none to be had. */
int open_socket(uint16_t port, int buffer, struct alloc *a);

/* alloc.c */
struct alloc *alloc_find(const struct sockaddr_in *client);
struct alloc *alloc_make(const struct sockaddr_in *client);
void alloc_free(struct alloc *a);

/* request.c */
void request_start(void);
/* `n` is at least that of a message's header. */
void request_answer(const uint8_t *b, int n, const struct sockaddr_in *from);

/* up.c */
/* Packets of clients, to peers; requests among them are answered. */
void up_readable(void);

/* down.c */
/* Packets of peers, kept until down_flush(). */
void down_readable(struct alloc *a);
void down_flush(void);
