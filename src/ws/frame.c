#include "ws/frame.h"

#include <errno.h>

#include "base/cur.h"
#include "base/err.h"

#define LEN_16 126
#define LEN_64 127

static bool op_is_known(uint8_t op)
{
	return op <= WS_BINARY || (op >= WS_CLOSE && op <= WS_PONG);
}

static int check_head(const struct ws_head *h, uint8_t flags, uint8_t len7)
{
	bool starts = h->op == WS_TEXT || h->op == WS_BINARY;

	if ((flags & 0x30) != 0 || !op_is_known(h->op))
		return E_MALFORMED;
	if (h->rsv1 && !starts)
		return E_MALFORMED;
	if (ws_op_is_control(h->op) && (!h->fin || len7 > WS_CONTROL_MAX))
		return E_MALFORMED;
	return h->masked ? 0 : E_DENIED;
}

int ws_head_decode(struct ws_head *h, const uint8_t *p, size_t n)
{
	struct cur c = cur_of(p, n);
	uint8_t flags = cur_u8(&c);
	uint8_t len7 = cur_u8(&c);
	uint64_t least = 0;

	if (c.bad)
		return -EAGAIN;
	struct ws_head head = {
		.fin = flags & 0x80,
		.rsv1 = flags & 0x40,
		.op = flags & 0x0f,
		.masked = len7 & 0x80,
	};
	len7 &= 0x7f;
	int err = check_head(&head, flags, len7);
	if (err < 0)
		return err;

	head.len = len7;
	if (len7 == LEN_16) {
		head.len = cur_be16(&c);
		least = LEN_16;
	} else if (len7 == LEN_64) {
		head.len = cur_be64(&c);
		least = UINT64_C(1) << 16;
	}
	if (c.bad)
		return -EAGAIN;
	if (head.len < least || head.len >> 63)
		return E_MALFORMED;
	struct slice mask = cur_slice(&c, sizeof(head.mask));
	if (c.bad)
		return -EAGAIN;
	memcpy(&head.mask, mask.p, sizeof(head.mask));
	head.size = (uint8_t)(c.p - p);
	*h = head;
	return 0;
}

size_t ws_head_encode(uint8_t *out, enum ws_op op, bool rsv1, uint64_t len)
{
	size_t size = ws_head_size(len);

	out[0] = (uint8_t)(0x80 | (rsv1 ? 0x40 : 0) | op);
	if (size == 2) {
		out[1] = (uint8_t)len;
		return 2;
	}
	out[1] = size == 4 ? LEN_16 : LEN_64;
	for (size_t i = 2; i < size; i++)
		out[i] = (uint8_t)(len >> 8 * (size - 1 - i));
	return size;
}

/* The mask as it applies from `offset` on, twice over. */
static uint64_t turned_mask(uint32_t mask, size_t offset)
{
	uint8_t key[4], turned[8];
	uint64_t k;

	if (LIKELY((offset & 3) == 0))
		return (uint64_t)mask << 32 | mask;
	memcpy(key, &mask, sizeof(key));
	for (unsigned b = 0; b < sizeof(turned); b++)
		turned[b] = key[(offset + b) & 3];
	memcpy(&k, turned, sizeof(k));
	return k;
}

static inline void xor_8(uint8_t *p, uint64_t k)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	w ^= k;
	memcpy(p, &w, sizeof(w));
}

void ws_unmask(uint8_t *p, size_t n, uint32_t mask, size_t offset)
{
	uint64_t k = turned_mask(mask, offset);
	uint8_t key[8];

	for (; n >= 16; p += 16, n -= 16) {
		xor_8(p, k);
		xor_8(p + 8, k);
	}
	if (n >= 8) {
		xor_8(p, k);
		p += 8;
		n -= 8;
	}
	memcpy(key, &k, sizeof(key));
	for (size_t i = 0; i < n; i++)
		p[i] ^= key[i];
}

bool ws_close_code_ok(uint16_t code)
{
	if (code >= 3000)
		return code <= 4999;
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
