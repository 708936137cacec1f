/* conn: one client connection: socket, what waits to be written, what was read too
 * early.
 *
 * The array of connections never moves; a connection that is closed may be opened
 * again.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "stamp.h"

struct worker;

#define CONN_STATES(X)                                                                   \
	X(FREE, "not open: to be opened")                                                \
	X(CONNECTING, "TCP handshake")                                                   \
	X(UPGRADING, "request sent, waits for 101")                                      \
	X(GREETING, "Socket.IO: connect packet sent, waits for its answer")              \
	X(JOINING, "first message sent, waits for its answer")                           \
	X(READY, "traffic")                                                              \
	X(CLOSING, "close frame sent")                                                   \
	X(DEAD, "failed, or the end of the run")

#define X(name, text) CONN_##name,
enum conn_state { CONN_STATES(X) };
#undef X

struct conn {
	struct worker *w;
	int fd;
	enum conn_state state;
	bool wants_out, piece_hit;
	uint32_t id, room, member; /* id and room are numbers over all processes */
	unsigned char mask[4];
	struct frame_message message;
	uint64_t opened_at;
	char *early; /* an unfinished frame */
	size_t early_n;
	char *out; /* what the socket did not take */
	size_t out_at, out_n, out_cap;
};

/* dial.c */
void conn_open(struct conn *c);
void conn_connected(struct conn *c);

/* receive.c */
void conn_read(struct conn *c);
/* Connected, and upgraded where that is needed: on to what is said first. */
void conn_begin(struct conn *c);

/* conn.c */
void conn_close(struct conn *c, enum conn_state next);
/* Closes after an error, counts and notes it. `err` is an errno or 0. */
void conn_fail(struct conn *c, const char *why, int err);
void conn_want_out(struct conn *c, bool on);
/* Both return 0 or -errno. */
int conn_write(struct conn *c, const void *p, size_t n);
int conn_flush(struct conn *c);
int conn_send_frame(struct conn *c, enum frame_op op, const char *p, size_t n);
/* Expands a template for this connection into a buffer that lasts until the next call. */
const char *conn_expand(struct conn *c, const char *text, size_t *n, size_t *stamp_at);
/* Sends `count` messages with this stamp and counts what they shall bring. */
void conn_send_messages(struct conn *c, unsigned count, struct stamp s);
