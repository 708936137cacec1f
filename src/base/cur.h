/* cur: the only way to read wire bytes. Every read checks its bound; after the first that
 * fails the cursor is `bad` and empty, further reads give zeroes.
 */
#pragma once
#include "base/slice.h"

struct cur {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct cur cur_of(const void *p, size_t n)
{
	return (struct cur){ p, slice_end(slice_of(p, n)), false };
}

static inline struct cur cur_of_slice(struct slice s)
{
	return (struct cur){ s.p, slice_end(s), false };
}

static inline size_t cur_left(const struct cur *c)
{
	return (size_t)(c->end - c->p);
}

/* The next n bytes, or none and bad. */
static inline struct slice cur_slice(struct cur *c, size_t n)
{
	if (n > cur_left(c)) {
		c->bad = true;
		c->p = c->end;
		return SLICE_NONE;
	}
	struct slice s = { c->p, n };
	c->p = slice_end(s);
	return s;
}

static inline void cur_skip(struct cur *c, size_t n)
{
	(void)cur_slice(c, n);
}

/* A cursor over the next n bytes; the outer one moves past them. */
static inline struct cur cur_sub(struct cur *c, size_t n)
{
	struct slice s = cur_slice(c, n);
	struct cur sub = { s.p, slice_end(s), c->bad };
	return sub;
}

uint8_t cur_u8(struct cur *c);
uint16_t cur_be16(struct cur *c);
uint32_t cur_be32(struct cur *c);
uint64_t cur_be64(struct cur *c);
/* A slice written by buf_prefixed(): 32-bit length, bytes. */
struct slice cur_prefixed(struct cur *c);
