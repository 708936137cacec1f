/* Raw deflate streams that are begun anew for each message. The sender ends a message
 * with a sync flush and drops its last four bytes, always 00 00 ff ff (RFC 7692,
 * section 7.2.1); the receiver puts them back. Level 1: on signalling messages level 6
 * costs half as much again and saves a tenth.
 */
#define ZLIB_CONST
#include "ws/deflate.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "base/mem.h"

#define LEVEL 1
#define WINDOW_BITS (-15) /* negative: no zlib head */
#define MEM_LEVEL 8
#define PIECE_MIN 1024u
#define PIECE_MAX (256u * 1024)

static const uint8_t tail[4] = { 0x00, 0x00, 0xff, 0xff };

struct ws_deflate {
	z_stream out;
	z_stream in;
};

struct ws_deflate *ws_deflate_create(void)
{
	struct ws_deflate *d = xzalloc(sizeof(*d));

	/* With sound parameters zlib fails for want of memory only. */
	if (deflateInit2(&d->out, LEVEL, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK ||
	    inflateInit2(&d->in, WINDOW_BITS) != Z_OK)
		abort();
	return d;
}

void ws_deflate_destroy(struct ws_deflate *d)
{
	if (!d)
		return;
	deflateEnd(&d->out);
	inflateEnd(&d->in);
	free(d);
}

static size_t room_left(const struct buf *b)
{
	return b->bad ? 0 : b->max - b->n;
}

int ws_deflate_message(struct ws_deflate *d, struct slice message, struct buf *b)
{
	z_stream *z = &d->out;

	if (message.n > UINT32_MAX / 2)
		return E_LIMIT;
	/* deflateBound() is for Z_FINISH; a flush may add an empty block. */
	size_t room = deflateBound(z, message.n) + 16;
	if (room > room_left(b))
		room = room_left(b);
	uint8_t *to = buf_room(b, room);
	if (!to)
		return E_LIMIT;

	z->next_in = message.p;
	z->avail_in = (uInt)message.n;
	z->next_out = to;
	z->avail_out = (uInt)room;
	deflate(z, Z_SYNC_FLUSH);
	bool done = z->avail_in == 0 && z->avail_out > 0;
	size_t n = room - z->avail_out;
	deflateReset(z);
	if (!done)
		return E_LIMIT;
	assert(n > sizeof(tail) &&
	       memcmp(to + n - sizeof(tail), tail, sizeof(tail)) == 0);
	b->n += n - sizeof(tail);
	return 0;
}

/* Inflates one piece of the output, of at most `room` bytes. Returns its size. With no
 * room left one byte more is tried, so that a message of exactly the limit passes.
 */
static int inflate_piece(z_stream *z, struct buf *b, size_t room)
{
	uint8_t over;
	uint8_t *to = room > 0 ? buf_room(b, room) : &over;

	if (!to)
		return E_TOO_LARGE;
	z->next_out = to;
	z->avail_out = room > 0 ? (uInt)room : 1;
	int ret = inflate(z, Z_SYNC_FLUSH);
	size_t n = (size_t)(z->next_out - to);
	if (ret != Z_OK && ret != Z_BUF_ERROR && ret != Z_STREAM_END)
		return E_MALFORMED;
	/* Section 7.2.3.4: a sender may end its stream; what follows is a new one. */
	if (ret == Z_STREAM_END)
		inflateReset(z);
	if (to == &over)
		return n > 0 ? E_TOO_LARGE : 0;
	b->n += n;
	return (int)n;
}

/* Inflates all of `in`; *left is what may still come out. */
static int inflate_all(z_stream *z, struct slice in, struct buf *b, size_t *left)
{
	size_t piece = PIECE_MIN;

	z->next_in = in.p;
	z->avail_in = (uInt)in.n;
	do {
		int n = inflate_piece(z, b, piece < *left ? piece : *left);
		if (n < 0)
			return n;
		*left -= (size_t)n;
		if (piece < PIECE_MAX)
			piece *= 2;
	} while (z->avail_in > 0 || z->avail_out == 0);
	return 0;
}

/* zlib.h, inflate(): bit 7 of data_type is set right behind a block's end. Elsewhere the
 * tail was taken for data: the payload had lost its own end.
 */
static bool ends_with_block(const z_stream *z)
{
	return (z->data_type & 128) != 0;
}

int ws_inflate_message(struct ws_deflate *d, struct slice payload, size_t max,
		       struct buf *b)
{
	size_t start = buf_at(b);
	size_t left = max < room_left(b) ? max : room_left(b);

	if (payload.n > UINT32_MAX)
		return E_TOO_LARGE;
	inflateReset(&d->in);
	int err = inflate_all(&d->in, payload, b, &left);
	if (err == 0)
		err = inflate_all(&d->in, slice_of(tail, sizeof(tail)), b, &left);
	if (err == 0 && !ends_with_block(&d->in))
		err = E_MALFORMED;
	if (err < 0)
		b->n = start;
	return err;
}
