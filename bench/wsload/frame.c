#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static size_t write_head(unsigned char *out, enum frame_op op, size_t n,
			 const unsigned char mask[4])
{
	size_t at = 2, bytes = n < 126 ? 0 : n < 65536 ? 2 : 8;

	out[0] = (unsigned char)(0x80 | op);
	out[1] = (unsigned char)(0x80 | (bytes == 0 ? n : bytes == 2 ? 126 : 127));
	for (size_t i = bytes; i-- > 0;)
		out[at++] = (unsigned char)((uint64_t)n >> (8 * i));
	for (size_t i = 0; i < 4; i++)
		out[at++] = mask[i];
	return at;
}

size_t frame_write(unsigned char *out, enum frame_op op, const char *p, size_t n,
		   const unsigned char mask[4])
{
	size_t head = write_head(out, op, n, mask);

	for (size_t i = 0; i < n; i++)
		out[head + i] = (unsigned char)p[i] ^ mask[i & 3];
	return head + n;
}

ssize_t frame_read(const char *p, size_t n, struct frame *out)
{
	const unsigned char *b = (const unsigned char *)p;

	if (n < 2)
		return 0;
	if (b[1] & 0x80) /* 5.1: a server must not mask */
		return -1;
	uint64_t len = b[1] & 127;
	size_t bytes = len < 126 ? 0 : len == 126 ? 2 : 8;
	if (n < 2 + bytes)
		return 0;
	if (bytes > 0)
		len = 0;
	for (size_t i = 0; i < bytes; i++)
		len = len << 8 | b[2 + i];
	if (len > FRAME_MAX)
		return -1;
	if (n - 2 - bytes < len)
		return 0;
	*out = (struct frame){
		.op = b[0] & 15,
		.fin = b[0] & 0x80,
		.p = p + 2 + bytes,
		.n = (size_t)len,
	};
	return (ssize_t)(2 + bytes + len);
}

ssize_t frame_read_bare(const char *p, size_t n, size_t size, struct frame *out)
{
	if (n == 0 || n < size)
		return 0;
	*out = (struct frame){ .op = FRAME_BINARY, .fin = true, .p = p, .n = size };
	return (ssize_t)size;
}

void frame_message_init(struct frame_message *m, const char *text, size_t n,
			size_t stamp_at, const unsigned char mask[4])
{
	size_t digits = stamp_at + STAMP_MARK;

	m->p = xzalloc(FRAME_MAX_HEAD + n);
	m->n = frame_write(m->p, FRAME_TEXT, text, n, mask);
	m->stamp_at = m->n - n + digits;
	for (size_t i = 0; i < 4; i++)
		m->stamp_mask[i] = mask[(digits + i) & 3];
}

void frame_message_init_bare(struct frame_message *m, const char *text, size_t n,
			     size_t stamp_at)
{
	*m = (struct frame_message){ .p = xzalloc(n), .n = n };
	memcpy(m->p, text, n);
	m->stamp_at = stamp_at + STAMP_MARK;
}

void frame_message_fini(struct frame_message *m)
{
	free(m->p);
	*m = (struct frame_message){ 0 };
}

void frame_message_stamp(struct frame_message *m, struct stamp s)
{
	char digits[STAMP_LEN - STAMP_MARK];

	stamp_write(digits, s);
	for (size_t i = 0; i < sizeof(digits); i++)
		m->p[m->stamp_at + i] = (unsigned char)digits[i] ^ m->stamp_mask[i & 3];
}
