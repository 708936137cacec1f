/* frame: WebSocket frames (RFC 6455, 5.2) as a client writes and reads them; and bare
 * messages, of which only the length is known.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stamp.h"

#define FRAME_MAX_HEAD 14
#define FRAME_MAX (1u << 20) /* what a server may send in one frame */

enum frame_op {
	FRAME_MORE = 0,
	FRAME_TEXT = 1,
	FRAME_BINARY = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10,
};

struct frame {
	unsigned op;
	bool fin;
	const char *p; /* into the bytes read */
	size_t n;
};

/* Writes head and masked payload; `out` has room for FRAME_MAX_HEAD + n. Returns the
 * length. */
size_t frame_write(unsigned char *out, enum frame_op op, const char *p, size_t n,
		   const unsigned char mask[4]);
/* Bytes used; 0 when the frame is not complete; -1 when no server may send it. */
ssize_t frame_read(const char *p, size_t n, struct frame *out);
/* The same of a message of `size` bytes without a frame. */
ssize_t frame_read_bare(const char *p, size_t n, size_t size, struct frame *out);

/* A text frame, or a bare message, that is sent many times, with a new stamp each time. */
struct frame_message {
	unsigned char *p;
	size_t n, stamp_at;
	unsigned char stamp_mask[4]; /* the mask, turned to begin at the stamp */
};

void frame_message_init(struct frame_message *m, const char *text, size_t n,
			size_t stamp_at, const unsigned char mask[4]);
void frame_message_init_bare(struct frame_message *m, const char *text, size_t n,
			     size_t stamp_at);
void frame_message_fini(struct frame_message *m);
void frame_message_stamp(struct frame_message *m, struct stamp s);
