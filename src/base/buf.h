/* buf: bytes being written: grows up to `max`; past it writes do nothing and `bad` is set.
 * Write, then patch, then ask once: `if (b->bad) return E_LIMIT;`.
 * Memory is the caller's to free with buf_fini(); a zero-length buf holds none.
 */
#pragma once
#include <stdarg.h>
#include "base/slice.h"

struct buf {
	uint8_t *p;
	size_t n;
	size_t cap;
	size_t max;
	bool bad;
};

/* clang-format off */
#define BUF_INIT(limit) { .max = (limit) }
/* clang-format on */

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b); /* frees; b is as after buf_init() with the same max */
/* Room for n more bytes at b->p + b->n, or NULL and bad. */
uint8_t *buf_room_slow(struct buf *b, size_t n);

static inline uint8_t *buf_room(struct buf *b, size_t n)
{
	if (LIKELY(n <= b->cap - b->n && b->p && !b->bad))
		return b->p + b->n;
	return buf_room_slow(b, n);
}

/* Room taken: n more bytes belong to the buf, for the caller to fill. NULL when bad. */
static inline uint8_t *buf_take(struct buf *b, size_t n)
{
	uint8_t *p = buf_room(b, n);
	if (p)
		b->n += n;
	return p;
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	uint8_t *to = buf_take(b, n);
	if (to && n)
		memcpy(to, p, n);
}

static inline void buf_put(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.n);
}

static inline size_t buf_at(const struct buf *b)
{
	return b->n;
}

static inline struct slice buf_slice(const struct buf *b)
{
	return slice_of(b->p, b->n);
}

static inline void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static inline void buf_u8(struct buf *b, uint8_t v)
{
	uint8_t *to = buf_take(b, 1);
	if (to)
		*to = v;
}

void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
void buf_prefixed(struct buf *b, struct slice s); /* for cur_prefixed() */
void buf_set_be16(struct buf *b, size_t at, uint16_t v);
void buf_set_be32(struct buf *b, size_t at, uint32_t v);
void buf_dec(struct buf *b, uint64_t v); /* decimal digits, without printf */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void buf_clear(struct buf *b);          /* empty, memory kept, not bad any more */
void buf_drop(struct buf *b, size_t n); /* the first n bytes go (memmove) */
