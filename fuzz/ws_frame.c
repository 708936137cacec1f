/* ws_frame: the input is what a client sent. No prefix of a head is taken for a whole one
 * or judged otherwise than the whole, our own encoder writes the same head back, and
 * unmasking in parts is unmasking at once.
 */
#include "ws/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_prefixes(struct slice s, int whole, const struct ws_head *h)
{
	size_t need = whole == 0 ? h->size : s.n;

	for (size_t n = 0; n < need && n < WS_CLIENT_HEAD_MAX; n++) {
		struct ws_head part;
		int err = ws_head_decode(&part, s.p, n);
		assert(err == -EAGAIN || err == whole);
		assert(err != 0);
	}
}

static void check_encode(struct slice s, const struct ws_head *h)
{
	uint8_t out[WS_HEAD_MAX];
	size_t n = ws_head_encode(out, (enum ws_op)h->op, h->rsv1, h->len);

	assert(n + sizeof(h->mask) == h->size);
	assert((out[0] & 0x7f) == (s.p[0] & 0x7f));
	assert((out[1] | 0x80) == s.p[1]);
	assert(memcmp(out + 2, s.p + 2, n - 2) == 0);
	assert(memcmp(&h->mask, s.p + n, sizeof(h->mask)) == 0);
}

static void check_unmask(struct slice payload, uint32_t mask)
{
	uint8_t *whole = malloc(payload.n + 1), *parts = malloc(payload.n + 1);
	size_t cut = payload.n > 0 ? payload.p[0] % payload.n : 0;

	assert(whole && parts);
	memcpy(whole, payload.p, payload.n);
	memcpy(parts, payload.p, payload.n);
	ws_unmask(whole, payload.n, mask, 0);
	ws_unmask(parts, cut, mask, 0);
	ws_unmask(parts + cut, payload.n - cut, mask, cut);
	assert(memcmp(whole, parts, payload.n) == 0);
	ws_unmask(whole, payload.n, mask, 0);
	assert(memcmp(whole, payload.p, payload.n) == 0);
	free(whole);
	free(parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);

	while (s.n > 0) {
		struct ws_head h;
		int err = ws_head_decode(&h, s.p, s.n);
		check_prefixes(s, err, &h);
		if (err < 0)
			return 0;
		check_encode(s, &h);
		s = slice_from(s, h.size);
		struct slice payload = slice_of(s.p, h.len < s.n ? (size_t)h.len : s.n);
		if (payload.n > 0)
			check_unmask(payload, h.mask);
		s = slice_from(s, payload.n);
	}
	return 0;
}
