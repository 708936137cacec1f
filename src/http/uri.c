#include "http/uri.h"

#include "base/err.h"
#include "base/utf8.h"

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_letter_or_digit(uint8_t c)
{
	uint8_t low = c | 0x20;

	return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z');
}

/* pchar, '/' and '?' of RFC 3986, and those that browsers leave as they are though the RFC
 * wants them coded: none of them means anything to us. */
static const bool char_ok[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true,
	['.'] = true,         ['_'] = true,         ['~'] = true,         ['!'] = true,
	['$'] = true,         ['&'] = true,         ['\''] = true,        ['('] = true,
	[')'] = true,         ['*'] = true,         ['+'] = true,         [','] = true,
	[';'] = true,         ['='] = true,         [':'] = true,         ['@'] = true,
	['/'] = true,         ['?'] = true,         ['%'] = true,         ['['] = true,
	[']'] = true,         ['|'] = true,         ['^'] = true,         ['`'] = true,
	['{'] = true,         ['}'] = true,         ['"'] = true,         ['\\'] = true,
};

static bool coded_ok(struct slice s, size_t at)
{
	return s.n - at >= 3 && hex_digit(s.p[at + 1]) >= 0 &&
	       hex_digit(s.p[at + 2]) >= 0;
}

bool http_uri_chars_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!char_ok[s.p[i]] || (s.p[i] == '%' && !coded_ok(s, i)))
			return false;
	return true;
}

static bool port_ok(struct slice s)
{
	uint32_t port;

	return s.n == 0 || (s.n <= 5 && slice_to_u32(s, &port) == 0 && port <= 65535);
}

static bool name_char_ok(uint8_t c)
{
	return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool v6_char_ok(uint8_t c)
{
	return hex_digit(c) >= 0 || c == ':' || c == '.';
}

bool http_uri_host_ok(struct slice s)
{
	bool v6 = s.n > 0 && s.p[0] == '[';
	size_t end = slice_find(s, v6 ? ']' : ':');
	struct slice host = v6 ? slice_from(slice_of(s.p, end), 1) : slice_of(s.p, end);
	struct slice rest = slice_from(s, v6 ? end + 1 : end);

	if (host.n == 0 || host.n > 255 || (v6 && end == s.n))
		return false;
	for (size_t i = 0; i < host.n; i++)
		if (!(v6 ? v6_char_ok(host.p[i]) : name_char_ok(host.p[i])))
			return false;
	return rest.n == 0 || (rest.p[0] == ':' && port_ok(slice_from(rest, 1)));
}

bool http_uri_absolute(struct slice s, struct slice *host, struct slice *rest)
{
	size_t colon = slice_find(s, ':');
	struct slice scheme = slice_of(s.p, colon);

	if (!slice_ieq(scheme, SLICE("http")) && !slice_ieq(scheme, SLICE("https")))
		return false;
	struct slice after = slice_from(s, colon + 1);
	if (!slice_starts(after, SLICE("//")))
		return false;
	after = slice_from(after, 2);
	size_t end = slice_find(after, '/');
	size_t query = slice_find(after, '?');
	if (query < end)
		end = query;
	*host = slice_of(after.p, end);
	*rest = slice_from(after, end);
	return true;
}

bool http_uri_is_coded(struct slice s, bool plus)
{
	return slice_find(s, '%') < s.n || (plus && slice_find(s, '+') < s.n);
}

static bool text_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return utf8_valid(s);
}

int http_uri_decode(struct slice s, bool plus, struct buf *b)
{
	size_t start = b->n;

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c == '%') {
			if (!coded_ok(s, i))
				goto malformed;
			c = (uint8_t)(hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		buf_u8(b, c);
	}
	if (!b->bad && text_ok(slice_from(buf_slice(b), start)))
		return 0;
malformed:
	b->n = start;
	return E_MALFORMED;
}

bool http_uri_query_find(struct slice query, struct slice name, struct slice *value)
{
	struct slice pair;

	while (slice_split(&query, '&', &pair)) {
		if (!slice_starts(pair, name) ||
		    (pair.n > name.n && pair.p[name.n] != '='))
			continue;
		*value = slice_from(pair, name.n + 1);
		return true;
	}
	return false;
}
