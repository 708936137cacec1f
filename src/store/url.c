#include "store/url.h"

#include "base/err.h"

#define SHAPE "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"

static bool is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Printable ASCII, and two hexadecimal digits behind each percent sign, but not %00. */
static const char *wrong_bytes(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return "a space or special character that is not written as %XX";
		if (s.p[i] != '%')
			continue;
		if (s.n - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]) ||
		    (s.p[i + 1] == '0' && s.p[i + 2] == '0'))
			return "a % that is not followed by two digits (%25 is a percent "
			       "sign)";
	}
	return NULL;
}

/* HOST[:PORT] or [ADDRESS][:PORT]. libpq would tell a port that is none, and it may be a password with its @ forgotten. */
static bool is_port_wrong(struct slice host)
{
	uint32_t port;

	if (host.n > 0 && host.p[0] == '[')
		host = slice_from(host, slice_find(host, ']'));
	struct slice text = slice_from(host, slice_find(host, ':') + 1);
	return text.n > 0 && (slice_to_u32(text, &port) < 0 || port > 65535);
}

/* After the scheme: [USER[:PASSWORD]@][HOST[:PORT][,...]][/DATABASE][?NAME=VALUE&...]. */
static const char *wrong_parts(struct slice rest)
{
	size_t end = rest.n;

	for (size_t i = 0; i < end; i++)
		if (rest.p[i] == '/' || rest.p[i] == '?')
			end = i;
	struct slice authority = slice_of(rest.p, end);
	struct slice after = slice_from(rest, end);
	size_t at = slice_find(authority, '@');
	struct slice host = at < authority.n ? slice_from(authority, at + 1) : authority;
	struct slice options = slice_from(after, slice_find(after, '?'));

	if (slice_find(host, '@') < host.n || slice_find(after, '@') < after.n)
		return "more than one @ (in a password it is written %40, a / %2F)";
	for (struct slice one; slice_split(&host, ',', &one);)
		if (is_port_wrong(one))
			return "a port that is no number";
	if (options.n > 1 && slice_find(options, '=') == options.n)
		return "a ? that no NAME=VALUE follows";
	return NULL;
}

static int postgres(struct slice rest, struct buf *why)
{
	const char *wrong = wrong_bytes(rest);

	if (!wrong)
		wrong = wrong_parts(rest);
	if (!wrong)
		return STORE_URL_POSTGRES;
	buf_printf(why, "store.url is not " SHAPE ": it has %s", wrong);
	return E_MALFORMED;
}

int store_url_kind(const char *url, struct buf *why)
{
	static const struct slice schemes[] = { SLICE_LIT("postgresql://"),
						SLICE_LIT("postgres://") };
	struct slice s = slice_str(url);

	if (slice_is(s, "none"))
		return STORE_URL_NONE;
	if (slice_is(s, "sqlite"))
		return STORE_URL_SQLITE;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (slice_starts(s, schemes[i]))
			return postgres(slice_from(s, schemes[i].n), why);
	buf_str(why, "store.url is none of: sqlite, none, " SHAPE);
	return E_MALFORMED;
}
