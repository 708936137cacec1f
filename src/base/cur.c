#include "base/cur.h"

static uint64_t read_be(struct cur *c, size_t n)
{
	struct slice s = cur_slice(c, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t cur_u8(struct cur *c)
{
	return (uint8_t)read_be(c, 1);
}

uint16_t cur_be16(struct cur *c)
{
	return (uint16_t)read_be(c, 2);
}

uint32_t cur_be32(struct cur *c)
{
	return (uint32_t)read_be(c, 4);
}

uint64_t cur_be64(struct cur *c)
{
	return read_be(c, 8);
}

struct slice cur_prefixed(struct cur *c)
{
	return cur_slice(c, cur_be32(c));
}
