/* slice: borrowed bytes, a pointer and a length. Text from the wire is a slice, never a C
 * string. A slice owns nothing; it is valid while the memory it points into is.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/compiler.h"

struct slice {
	const uint8_t *p;
	size_t n;
};

#define SLICE_NONE ((struct slice){ NULL, 0 })
/* A slice of a string literal, usable in initialisers. */
/* clang-format off */
#define SLICE_LIT(s) { (const uint8_t *)(s), sizeof(s) - 1 }
/* clang-format on */
#define SLICE(s) ((struct slice)SLICE_LIT(s))
/* For printf: "%.*s". */
#define SLICE_FMT(s) (int)(s).n, (const char *)(s).p

static inline struct slice slice_of(const void *p, size_t n)
{
	return (struct slice){ p, n };
}

static inline struct slice slice_str(const char *s)
{
	return slice_of(s, strlen(s));
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_str(s));
}

/* Where the slice ends. C17 knows no NULL + 0, so this is not simply a.p + a.n. */
static inline const uint8_t *slice_end(struct slice a)
{
	return a.n ? a.p + a.n : a.p;
}

/* The part from `at` on; empty when `at` is past the end. */
static inline struct slice slice_from(struct slice a, size_t at)
{
	return at >= a.n ? SLICE_NONE : slice_of(a.p + at, a.n - at);
}

/* ASCII letters only, as HTTP names want it. */
bool slice_ieq(struct slice a, struct slice b);
bool slice_starts(struct slice a, struct slice prefix);
bool slice_ends(struct slice a, struct slice suffix);
/* Without spaces and tabs at both ends. */
struct slice slice_trim(struct slice a);
/* Offset of the first `c`, or a.n. */
size_t slice_find(struct slice a, uint8_t c);
/* Cuts *rest at the first `sep`: the part before comes in *part, *rest moves past it.
 * False when nothing is left. */
bool slice_split(struct slice *rest, uint8_t sep, struct slice *part);
/* Decimal digits only, whole slice. E_MALFORMED, E_LIMIT when it does not fit. */
int slice_to_u32(struct slice a, uint32_t *out) NODISCARD;
int slice_to_u64(struct slice a, uint64_t *out) NODISCARD;
/* A copy with a NUL behind it, to be freed by the caller. */
char *slice_dup(struct slice a);
