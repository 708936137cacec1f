#include "base/slice.h"

#include "base/err.h"
#include "base/mem.h"

static uint8_t ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool slice_ieq(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[i] && ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool slice_starts(struct slice a, struct slice prefix)
{
	return a.n >= prefix.n && slice_eq(slice_of(a.p, prefix.n), prefix);
}

bool slice_ends(struct slice a, struct slice suffix)
{
	return a.n >= suffix.n && slice_eq(slice_from(a, a.n - suffix.n), suffix);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice a)
{
	while (a.n > 0 && is_blank(a.p[a.n - 1]))
		a.n--;
	while (a.n > 0 && is_blank(a.p[0])) {
		a.p++;
		a.n--;
	}
	return a;
}

size_t slice_find(struct slice a, uint8_t c)
{
	const uint8_t *at = a.n ? memchr(a.p, c, a.n) : NULL;

	return at ? (size_t)(at - a.p) : a.n;
}

bool slice_split(struct slice *rest, uint8_t sep, struct slice *part)
{
	if (rest->n == 0)
		return false;
	size_t at = slice_find(*rest, sep);
	*part = slice_of(rest->p, at);
	*rest = slice_from(*rest, at + 1);
	return true;
}

int slice_to_u64(struct slice a, uint64_t *out)
{
	uint64_t v = 0;
	bool fits = true;

	if (a.n == 0)
		return E_MALFORMED;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] < '0' || a.p[i] > '9')
			return E_MALFORMED;
		/* On to the end even when it does not fit: "99999999999999999999x" is no number. */
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(a.p[i] - '0'), &v))
			fits = false;
	}
	if (!fits)
		return E_LIMIT;
	*out = v;
	return 0;
}

int slice_to_u32(struct slice a, uint32_t *out)
{
	uint64_t v;
	int err = slice_to_u64(a, &v);

	if (err < 0)
		return err;
	if (v > UINT32_MAX)
		return E_LIMIT;
	*out = (uint32_t)v;
	return 0;
}

char *slice_dup(struct slice a)
{
	char *s = xmalloc(a.n + 1);

	if (a.n)
		memcpy(s, a.p, a.n);
	s[a.n] = '\0';
	return s;
}
