/* refws: the yardstick: what one epoll thread can reach when frames are encoded once
 * and written once per member and loop turn. Not a server to be used: it has no TLS,
 * hardly a limit, and trusts its clients.
 *
 * Dialect: the text "J<room>" joins a room and is answered "joined"; each later
 * message goes to the other members. Before a join messages are echoed.
 *
 * Connections are numbered by their descriptor.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MAX_DESCRIPTORS (1 << 20)
#define MAX_HEAD 10 /* of a frame from a server */

struct room;

struct conn {
	struct room *room;
	char *early, *out; /* an unfinished frame; what the socket did not take */
	uint32_t early_n, out_at, out_n, out_cap;
	uint32_t place; /* in its room */
	bool open, upgraded, wants_out, sent_now;
};

extern struct conn *conns;
extern int epoll;

/* conn.c */
void conn_accepted(int fd);
void conn_readable(int fd);
void conn_writable(int fd);
/* Sends, or queues what does not fit; a slow reader loses whole messages. */
void conn_put(int fd, const char *p, size_t n);
size_t frame_head(char *out, unsigned op, size_t n);

/* room.c */
void room_join(int fd, const char *name, size_t n);
void room_leave(int fd);
void room_publish(int from, unsigned op, const char *p, size_t n);
/* The end of a loop turn: one write per member, with everything but its own. */
void rooms_flush(void);

/* handshake.c */
/* Answers the request in `p`. Bytes used, 0 when it is not complete, -1 when it is
 * none. */
ssize_t handshake(int fd, char *p, size_t n);

/* sha1.c */
void sha1(const char *p, size_t n, unsigned char out[20]);

void *grow(void *p, size_t n);
