/* utf8: validation as RFC 3629 has it (no surrogates, no overlong forms, up to U+10FFFF). */
#pragma once
#include "base/slice.h"

/* State of a text that comes in pieces; start with UTF8_START. */
#define UTF8_START 0u
#define UTF8_BAD 1u

bool utf8_valid(struct slice s);
/* Fails fast: UTF8_BAD as soon as the bytes so far cannot begin a valid text. */
uint32_t utf8_feed(uint32_t state, struct slice s);
/* True when the text may end here. */
static inline bool utf8_complete(uint32_t state)
{
	return state == UTF8_START;
}
