#include "base/base64.h"

#include "base/err.h"

void base64_encode(struct buf *b, struct slice s)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	while (s.n > 0) {
		size_t n = s.n < 3 ? s.n : 3;
		uint32_t v = (uint32_t)s.p[0] << 16;
		if (n > 1)
			v |= (uint32_t)s.p[1] << 8;
		if (n > 2)
			v |= s.p[2];
		char four[4] = { digit[v >> 18], digit[v >> 12 & 63],
				 n > 1 ? digit[v >> 6 & 63] : '=',
				 n > 2 ? digit[v & 63] : '=' };
		buf_add(b, four, sizeof(four));
		s = slice_from(s, n);
	}
}

/* 0 to 63, or 64 for what is no digit. */
static uint32_t value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0' + 52);
	if (c == '+')
		return 62;
	return c == '/' ? 63 : 64;
}

/* Four digits, the last `pad` of which are "=". */
static int decode_four(struct buf *b, const uint8_t *p, size_t pad)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		uint32_t d = i < 4 - pad ? value_of(p[i]) : 0;
		if (d == 64)
			return E_MALFORMED;
		v = v << 6 | d;
	}
	/* RFC 4648, 3.5: one text for one value, so the bits that pad must be zero. */
	if (pad > 0 && (v & ((1u << (8 * pad)) - 1)) != 0)
		return E_MALFORMED;
	uint8_t three[3] = { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
	buf_add(b, three, 3 - pad);
	return 0;
}

int base64_decode(struct buf *b, struct slice s)
{
	size_t start = buf_at(b);
	int err = s.n % 4 == 0 ? 0 : E_MALFORMED;

	for (size_t at = 0; at < s.n && err == 0; at += 4) {
		size_t pad = 0;
		if (at + 4 == s.n && s.p[at + 3] == '=')
			pad = s.p[at + 2] == '=' ? 2 : 1;
		err = decode_four(b, s.p + at, pad);
	}
	if (err == 0 && b->bad)
		err = E_LIMIT;
	if (err < 0)
		b->n = start;
	return err;
}

/* Over the standard form: tokens are short, and there is one decoder to trust. */
#define URL_MAX ((size_t)64 << 10)

void base64_url_encode(struct buf *b, struct slice s)
{
	size_t start = buf_at(b);

	base64_encode(b, s);
	while (b->n > start && b->p[b->n - 1] == '=')
		b->n--;
	for (size_t i = start; i < b->n; i++) {
		if (b->p[i] == '+')
			b->p[i] = '-';
		else if (b->p[i] == '/')
			b->p[i] = '_';
	}
}

int base64_url_decode(struct buf *b, struct slice s)
{
	struct buf standard = BUF_INIT(URL_MAX);
	int err = 0;

	for (size_t i = 0; i < s.n && err == 0; i++) {
		uint8_t c = s.p[i];

		if (c == '+' || c == '/' || c == '=')
			err = E_MALFORMED;
		buf_u8(&standard, c == '-' ? '+' : c == '_' ? '/' : c);
	}
	while (standard.n % 4 != 0 && !standard.bad)
		buf_u8(&standard, '=');
	if (standard.bad)
		err = E_LIMIT;
	if (err == 0)
		err = base64_decode(b, buf_slice(&standard));
	buf_fini(&standard);
	return err;
}

void hex_encode(struct buf *b, struct slice s)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		char two[2] = { digit[s.p[i] >> 4], digit[s.p[i] & 15] };
		buf_add(b, two, sizeof(two));
	}
}
