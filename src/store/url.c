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

/* The first / or ? after the scheme: there the part with the hosts ends. */
static size_t end_of_authority(struct slice rest)
{
	size_t slash = slice_find(rest, '/'), mark = slice_find(rest, '?');

	return slash < mark ? slash : mark;
}

/* After the scheme: [USER[:PASSWORD]@][HOST[:PORT][,...]][/DATABASE][?NAME=VALUE&...]. */
static const char *wrong_parts(struct slice rest)
{
	size_t end = end_of_authority(rest);
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

static const struct slice schemes[] = { SLICE_LIT("postgresql://"),
					SLICE_LIT("postgres://") };

int store_url_kind(const char *url, struct buf *why)
{
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

/* --- the hosts --- */

/* Of "a=1&b=2"; empty when it is not there. */
static struct slice parameter(struct slice query, const char *name)
{
	struct slice one;

	while (slice_split(&query, '&', &one)) {
		size_t equals = slice_find(one, '=');

		if (slice_is(slice_of(one.p, equals), name))
			return slice_from(one, equals + 1);
	}
	return SLICE_NONE;
}

/* The item of that number between commas; of a single one, that one. Empty: there is none. */
static struct slice item(struct slice list, unsigned number, bool repeats)
{
	struct slice one = SLICE_NONE;
	unsigned i = 0;

	if (repeats && slice_find(list, ',') == list.n)
		return list;
	do {
		one = SLICE_NONE;
		if (!slice_split(&list, ',', &one))
			return SLICE_NONE;
	} while (i++ < number);
	return one;
}

/* HOST[:PORT], [ADDRESS][:PORT] */
static void cut_port(struct slice *host, struct slice *port)
{
	struct slice whole = *host;
	bool quoted = whole.n > 0 && whole.p[0] == '[';
	size_t end = slice_find(whole, quoted ? ']' : ':');

	*port = slice_from(whole, end + 1 + quoted);
	*host = quoted ? slice_of(whole.p + 1, end - 1) : slice_of(whole.p, end);
}

/* A folder, where its socket lies: '/', which in front of the database is written %2F; or '@'. */
static bool is_socket(struct slice host)
{
	return slice_starts(host, SLICE("/")) || slice_starts(host, SLICE("@")) ||
	       slice_starts(host, SLICE("%2F")) || slice_starts(host, SLICE("%2f"));
}

bool store_url_next_host(const char *url, unsigned *at, struct store_host *out)
{
	struct slice s = slice_str(url), rest = SLICE_NONE, port = SLICE_NONE;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (slice_starts(s, schemes[i]))
			rest = slice_from(s, schemes[i].n);
	size_t end = end_of_authority(rest),
	       user = slice_find(slice_of(rest.p, end), '@');
	struct slice query = slice_from(rest, slice_find(rest, '?') + 1);
	struct slice hosts = user < end ? slice_of(rest.p + user + 1, end - user - 1)
					: slice_of(rest.p, end);
	struct slice other = parameter(query, "host");

	for (;; (*at)++) {
		struct slice host = item(other.n > 0 ? other : hosts, *at, false);
		uint32_t number = STORE_POSTGRES_PORT;

		if (host.n == 0)
			return false;
		if (other.n > 0)
			port = item(parameter(query, "port"), *at, true);
		else
			cut_port(&host, &port);
		if (is_socket(host))
			continue;
		if (port.n > 0 && slice_to_u32(port, &number) < 0)
			number = STORE_POSTGRES_PORT;
		*out = (struct store_host){ host, (uint16_t)number };
		(*at)++;
		return true;
	}
}
