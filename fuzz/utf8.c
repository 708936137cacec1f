/* utf8: in pieces or whole the answer is the same, bad stays bad, and what is said to be
 * valid agrees with a decoder written plainly after RFC 3629.
 */
#include "base/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length of the character at p, 0 when it is none. */
static size_t character(const uint8_t *p, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
				   : 4;

	if (len <= 1)
		return len;
	if (len > n || p[0] >= 0xf8)
		return 0;
	uint32_t c = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : len;
}

static bool plainly_valid(const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t len = character(p, n);
		if (len == 0)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

static uint32_t feed_in_pieces(struct slice s, size_t piece)
{
	uint32_t state = UTF8_START;

	while (s.n > 0) {
		size_t n = s.n < piece ? s.n : piece;
		uint32_t next = utf8_feed(state, slice_of(s.p, n));
		assert(state != UTF8_BAD || next == UTF8_BAD);
		state = next;
		s = slice_from(s, n);
	}
	return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	uint32_t whole = utf8_feed(UTF8_START, s);

	assert(utf8_complete(whole) == plainly_valid(data, size));
	assert(utf8_valid(s) == utf8_complete(whole));
	assert(feed_in_pieces(s, 1) == whole);
	assert(feed_in_pieces(s, 3) == whole);
	assert(feed_in_pieces(s, 33) == whole);
	return 0;
}
