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

size_t ws_head_encode(uint8_t out[WS_HEAD_MAX], enum ws_op op, bool rsv1, uint64_t len)
{
	unsigned bytes = len < LEN_16 ? 0 : len <= UINT16_MAX ? 2 : 8;

	out[0] = (uint8_t)(0x80 | (rsv1 ? 0x40 : 0) | op);
	out[1] = (uint8_t)(bytes == 0 ? len : bytes == 2 ? LEN_16 : LEN_64);
	for (unsigned i = 0; i < bytes; i++)
		out[2 + i] = (uint8_t)(len >> 8 * (bytes - 1 - i));
	return 2 + bytes;
}

void ws_unmask(uint8_t *p, size_t n, uint32_t mask, size_t offset)
{
	uint8_t key[4], turned[8];
	uint64_t k, w[2];
	size_t i = 0;

	memcpy(key, &mask, sizeof(key));
	for (unsigned b = 0; b < sizeof(turned); b++)
		turned[b] = key[(offset + b) & 3];
	memcpy(&k, turned, sizeof(k));
	for (; n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(w, p + i, sizeof(w));
		w[0] ^= k;
		w[1] ^= k;
		memcpy(p + i, w, sizeof(w));
	}
	for (; i < n; i++)
		p[i] ^= turned[i & 7];
}

bool ws_close_code_ok(uint16_t code)
{
	if (code >= 3000)
		return code <= 4999;
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
