/* SHA-1 of a short text (RFC 3174), for the handshake: the yardstick needs no library. */
#include <string.h>

#include "refws.h"

#define BLOCK 64
#define MAX_TEXT (2 * BLOCK - 9)

static uint32_t turn(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t mix(unsigned i, uint32_t b, uint32_t c, uint32_t d)
{
	if (i < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (i < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (i < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void add_block(uint32_t h[5], const unsigned char *block)
{
	uint32_t w[80], v[5];

	for (unsigned i = 0; i < 16; i++)
		w[i] = be32(block + (size_t)4 * i);
	for (unsigned i = 16; i < 80; i++)
		w[i] = turn(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(v, h, sizeof(v));
	for (unsigned i = 0; i < 80; i++) {
		uint32_t t = turn(v[0], 5) + mix(i, v[1], v[2], v[3]) + v[4] + w[i];

		v[4] = v[3];
		v[3] = v[2];
		v[2] = turn(v[1], 30);
		v[1] = v[0];
		v[0] = t;
	}
	for (unsigned i = 0; i < 5; i++)
		h[i] += v[i];
}

void sha1(const char *p, size_t n, unsigned char out[20])
{
	unsigned char text[2 * BLOCK] = { 0 };
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };

	if (n > MAX_TEXT)
		n = MAX_TEXT;
	size_t total = n + 9 > BLOCK ? 2 * BLOCK : BLOCK;
	memcpy(text, p, n);
	text[n] = 0x80;
	text[total - 2] = (unsigned char)(n * 8 >> 8);
	text[total - 1] = (unsigned char)(n * 8);
	for (size_t at = 0; at < total; at += BLOCK)
		add_block(h, text + at);
	for (unsigned i = 0; i < 20; i++)
		out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}
