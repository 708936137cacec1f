#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define BUF_FIRST 64

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf)BUF_INIT(max);
}

void buf_fini(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

static size_t grown(const struct buf *b, size_t need)
{
	size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;

	if (cap < BUF_FIRST)
		cap = BUF_FIRST;
	if (cap < need)
		cap = need;
	return cap < b->max ? cap : b->max;
}

uint8_t *buf_room_slow(struct buf *b, size_t n)
{
	static uint8_t nothing;

	if (b->bad)
		return NULL;
	if (n > b->max - b->n) {
		b->bad = true;
		return NULL;
	}
	if (n == 0 && !b->p)
		return &nothing; /* an empty write into an empty buf takes no memory */
	if (n > b->cap - b->n) {
		b->cap = grown(b, b->n + n);
		b->p = xrealloc(b->p, b->cap);
	}
	return b->p + b->n;
}

static void store_be(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = n; i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

static void add_be(struct buf *b, size_t n, uint64_t v)
{
	uint8_t *p = buf_take(b, n);

	if (p)
		store_be(p, n, v);
}

void buf_be16(struct buf *b, uint16_t v)
{
	add_be(b, 2, v);
}

void buf_be32(struct buf *b, uint32_t v)
{
	add_be(b, 4, v);
}

void buf_be64(struct buf *b, uint64_t v)
{
	add_be(b, 8, v);
}

void buf_prefixed(struct buf *b, struct slice s)
{
	if (s.n > UINT32_MAX) {
		b->bad = true;
		return;
	}
	buf_be32(b, (uint32_t)s.n);
	buf_put(b, s);
}

static void set_be(struct buf *b, size_t at, size_t n, uint64_t v)
{
	if (b->bad)
		return;
	assert(at <= b->n && n <= b->n - at);
	store_be(b->p + at, n, v);
}

void buf_set_be16(struct buf *b, size_t at, uint16_t v)
{
	set_be(b, at, 2, v);
}

void buf_set_be32(struct buf *b, size_t at, uint32_t v)
{
	set_be(b, at, 4, v);
}

void buf_dec(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		unsigned pair = (unsigned)(v % 100);
		digits[--at] = (char)('0' + pair % 10);
		digits[--at] = (char)('0' + pair / 10);
		v /= 100;
	} while (v);
	at += digits[at] == '0'; /* also of 0 one is left */
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

/* Formatted aside and then added, since the NUL of vsnprintf() would need one byte more
 * than the buf may have. */
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	char small[256];
	va_list again;

	va_copy(again, ap);
	int len = vsnprintf(small, sizeof(small), fmt, ap);
	size_t n = len < 0 ? SIZE_MAX : (size_t)len;
	if (n < sizeof(small)) {
		buf_add(b, small, n);
	} else if (n > b->max - b->n) {
		b->bad = true;
	} else {
		char *large = xmalloc(n + 1);
		vsnprintf(large, n + 1, fmt, again);
		buf_add(b, large, n);
		free(large);
	}
	va_end(again);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->bad = false;
}

void buf_drop(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->n -= n;
	if (n > 0 && b->n > 0)
		memmove(b->p, b->p + n, b->n);
}
