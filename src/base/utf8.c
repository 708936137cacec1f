/* Long runs of ASCII are skipped 32 bytes at a time; the rest goes through an automaton.
 *
 * The automaton has nine states. One 64-bit word per byte value holds the next state for
 * each of them, in a field of six bits; a state is the position of its field, so a step
 * is one load and one shift, and the shift alone is on the critical path:
 *
 *     next = step[byte] >> state          (the shift count is taken modulo 64)
 *
 * Outside, a state is the field's number; START is 0 and BAD is 1 there.
 */
#include "base/utf8.h"

#define FIELD 6u
enum {
	AT_START = 0 * FIELD,
	AT_BAD = 1 * FIELD, /* never left */
	AT_1 = 2 * FIELD,   /* one continuation byte to come */
	AT_2 = 3 * FIELD,
	AT_3 = 4 * FIELD,
	AT_E0 = 5 * FIELD, /* a0..bf next: no overlong form */
	AT_ED = 6 * FIELD, /* 80..9f next: no surrogate */
	AT_F0 = 7 * FIELD, /* 90..bf next: no overlong form */
	AT_F4 = 8 * FIELD, /* 80..8f next: up to U+10FFFF */
};

#define FROM(from, to) ((uint64_t)(to) << (from))
#define INSIDE_BAD                                                                       \
	(FROM(AT_BAD, AT_BAD) | FROM(AT_1, AT_BAD) | FROM(AT_2, AT_BAD) |                \
	 FROM(AT_3, AT_BAD) | FROM(AT_E0, AT_BAD) | FROM(AT_ED, AT_BAD) |                \
	 FROM(AT_F0, AT_BAD) | FROM(AT_F4, AT_BAD))
/* A byte that may only begin a character, and what it leads to. */
#define LEAD(to) (FROM(AT_START, to) | INSIDE_BAD)
/* A continuation byte; the four states that allow but a part of them are given. */
#define MORE(e0, ed, f0, f4)                                                             \
	(FROM(AT_START, AT_BAD) | FROM(AT_BAD, AT_BAD) | FROM(AT_1, AT_START) |          \
	 FROM(AT_2, AT_1) | FROM(AT_3, AT_2) | FROM(AT_E0, e0) | FROM(AT_ED, ed) |       \
	 FROM(AT_F0, f0) | FROM(AT_F4, f4))

/* RFC 3629, section 4. */
static const uint64_t step[256] = {
	[0x00 ... 0x7f] = LEAD(AT_START),
	[0x80 ... 0x8f] = MORE(AT_BAD, AT_1, AT_BAD, AT_2),
	[0x90 ... 0x9f] = MORE(AT_BAD, AT_1, AT_2, AT_BAD),
	[0xa0 ... 0xbf] = MORE(AT_1, AT_BAD, AT_2, AT_BAD),
	[0xc0 ... 0xc1] = LEAD(AT_BAD),
	[0xc2 ... 0xdf] = LEAD(AT_1),
	[0xe0] = LEAD(AT_E0),
	[0xe1 ... 0xec] = LEAD(AT_2),
	[0xed] = LEAD(AT_ED),
	[0xee ... 0xef] = LEAD(AT_2),
	[0xf0] = LEAD(AT_F0),
	[0xf1 ... 0xf3] = LEAD(AT_3),
	[0xf4] = LEAD(AT_F4),
	[0xf5 ... 0xff] = LEAD(AT_BAD),
};

#define HIGH_BITS 0x8080808080808080u

/* How far from p there is nothing but ASCII, in steps of 32 bytes and then of 8. */
static const uint8_t *skip_ascii(const uint8_t *from, const uint8_t *end)
{
	const uint8_t *p = from;

	while (end - p >= 32) {
		uint64_t w[4];
		memcpy(w, p, sizeof(w));
		if ((w[0] | w[1] | w[2] | w[3]) & HIGH_BITS)
			break;
		p += 32;
	}
	for (; end - p >= 8; p += 8) {
		uint64_t w;
		memcpy(&w, p, sizeof(w));
		if (w & HIGH_BITS)
			return p;
	}
	/* The last few bytes, together with some that have been seen. */
	if (p < end && end - from >= 8) {
		uint64_t w;
		memcpy(&w, end - sizeof(w), sizeof(w));
		if (!(w & HIGH_BITS))
			p = end;
	}
	return p;
}

uint32_t utf8_feed(uint32_t state, struct slice s)
{
	if (s.n == 0)
		return state;

	const uint8_t *p = s.p;
	const uint8_t *end = s.p + s.n;
	uint64_t at = state * FIELD;

	while (p < end) {
		if (at == AT_START)
			p = skip_ascii(p, end);
		const uint8_t *stop = end - p > 32 ? p + 32 : end;
		while (p < stop)
			at = step[*p++] >> (at & 63);
		at &= 63;
		if (at == AT_BAD)
			return UTF8_BAD;
	}
	return (uint32_t)at / FIELD;
}

bool utf8_valid(struct slice s)
{
	return utf8_complete(utf8_feed(UTF8_START, s));
}
