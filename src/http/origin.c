#include "http/origin.h"

#include "http/uri.h"

struct authority {
	struct slice host;
	struct slice port; /* never empty */
};

static struct authority authority_of(struct slice s, struct slice default_port)
{
	size_t from = s.n > 0 && s.p[0] == '[' ? slice_find(s, ']') : 0;
	struct slice tail = slice_from(s, from);
	size_t colon = from + slice_find(tail, ':');
	struct slice port = slice_from(s, colon + 1);

	return (struct authority){ slice_of(s.p, colon), port.n ? port : default_port };
}

/* The scheme of a plain request is not ours to know: a proxy in front may have spoken TLS.
 * But a page that came in plain must not speak to the TLS side. */
static bool same_origin(struct slice authority, bool secure, struct slice host, bool tls)
{
	struct slice port = secure ? SLICE("443") : SLICE("80");
	struct authority a = authority_of(authority, port);
	struct authority b = authority_of(host, port);

	if (tls && !secure)
		return false;
	return slice_ieq(a.host, b.host) && slice_eq(a.port, b.port);
}

static bool is_v4_loopback(struct slice host)
{
	struct slice part;
	uint32_t value;
	unsigned parts = 0;

	if (!slice_starts(host, SLICE("127.")) || slice_ends(host, SLICE(".")))
		return false;
	for (struct slice rest = host; slice_split(&rest, '.', &part); parts++)
		if (part.n > 3 || slice_to_u32(part, &value) < 0 || value > 255)
			return false;
	return parts == 4;
}

static bool is_loopback(struct slice authority)
{
	struct slice host = authority_of(authority, SLICE("0")).host;

	if (slice_ieq(host, SLICE("localhost")) || slice_eq(host, SLICE("[::1]")))
		return true;
	if (host.n > 10 && slice_ieq(slice_from(host, host.n - 10), SLICE(".localhost")))
		return true;
	return is_v4_loopback(host);
}

static bool is_listed(const struct http_settings *s, struct slice origin)
{
	for (size_t i = 0; i < s->allowed_origin_count; i++) {
		struct slice allowed = slice_str(s->allowed_origins[i]);
		if (slice_is(allowed, "*") || slice_ieq(allowed, origin))
			return true;
	}
	return false;
}

enum origin_verdict http_origin_judge(const struct http_settings *s, struct slice origin,
				      struct slice host, bool tls)
{
	struct slice authority, rest;

	if (origin.n == 0)
		return ORIGIN_NONE;
	if (is_listed(s, origin))
		return ORIGIN_ALLOWED;
	if (!http_uri_absolute(origin, &authority, &rest) || rest.n > 0 ||
	    !http_uri_host_ok(authority))
		return ORIGIN_FOREIGN;
	bool secure = slice_ieq(slice_of(origin.p, 6), SLICE("https:"));
	if (host.n && same_origin(authority, secure, host, tls))
		return ORIGIN_ALLOWED;
	return !s->authenticated && is_loopback(authority) ? ORIGIN_ALLOWED
							   : ORIGIN_FOREIGN;
}
