/* json_scan: finds, in 16 bytes at once, what ends a plain run inside a JSON string: a
 * quote, a backslash or a control byte. Private to json.c and json_write.c.
 *
 * Bit i of each mask stands for byte i. No byte past the 16 (or past `n`) is read.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__) && !defined(JSON_SCALAR)
#include <emmintrin.h>
#endif

#define JSON_LANES 16u

struct json_lanes {
	uint32_t stop; /* '"', '\\', or below 0x20 */
	uint32_t high; /* 0x80 and above: UTF-8 is to be checked */
};

#if defined(__SSE2__) && !defined(JSON_SCALAR)
static inline struct json_lanes json_lanes16(const uint8_t *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	/* SSE2 compares signed bytes only; the minimum works unsigned. */
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
	__m128i stop = _mm_or_si128(_mm_or_si128(quote, slash), control);

	return (struct json_lanes){ (uint32_t)_mm_movemask_epi8(stop),
				    (uint32_t)_mm_movemask_epi8(v) };
}
#else
static inline struct json_lanes json_lanes16(const uint8_t *p)
{
	struct json_lanes l = { 0, 0 };

	for (uint32_t i = 0; i < JSON_LANES; i++) {
		bool stop = p[i] == '"' || p[i] == '\\' || p[i] < 0x20;
		l.stop |= (uint32_t)stop << i;
		l.high |= (uint32_t)(p[i] >> 7) << i;
	}
	return l;
}
#endif

/* The last n bytes of a text, n from 1 to 15; `room` more may be read before p. With less
 * than 16 in all a padded copy is looked at instead.
 */
static inline struct json_lanes json_lanes_tail(const uint8_t *p, uint32_t n, size_t room)
{
	if (room >= JSON_LANES - n) {
		struct json_lanes l = json_lanes16(p + n - JSON_LANES);
		l.stop >>= JSON_LANES - n;
		l.high >>= JSON_LANES - n;
		return l;
	}
	uint8_t padded[JSON_LANES] = { 0 };
	memcpy(padded, p, n);
	struct json_lanes l = json_lanes16(padded);
	l.stop &= (1u << n) - 1;
	return l;
}
