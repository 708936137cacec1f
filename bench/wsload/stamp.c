#include "stamp.h"

#include <string.h>

static void write_hex(char *out, uint64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--, v >>= 4)
		out[i] = "0123456789abcdef"[v & 15];
}

static bool read_hex(const char *p, int digits, uint64_t *out)
{
	uint64_t v = 0;

	for (int i = 0; i < digits; i++) {
		unsigned c = (unsigned char)p[i];

		if (c - '0' < 10)
			v = v << 4 | (c - '0');
		else if (c - 'a' < 6)
			v = v << 4 | (c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

void stamp_write(char out[STAMP_LEN - STAMP_MARK], struct stamp s)
{
	write_hex(out, s.time, 16);
	write_hex(out + 16, s.seq, 4);
}

bool stamp_find(const char *p, size_t n, struct stamp *out)
{
	/* The envelope is mostly the same from message to message: look there first. */
	static size_t hint;
	const char *at = NULL;
	uint64_t seq;

	if (n < STAMP_LEN)
		return false;
	if (hint <= n - STAMP_LEN && p[hint] == '@' && p[hint + 1] == 'T') {
		at = p + hint;
	} else {
		at = memmem(p, n - STAMP_LEN + STAMP_MARK, "@T", STAMP_MARK);
		if (!at)
			return false;
		hint = (size_t)(at - p);
	}
	if (!read_hex(at + 2, 16, &out->time) || !read_hex(at + 18, 4, &seq))
		return false;
	out->seq = (uint16_t)seq;
	return true;
}
