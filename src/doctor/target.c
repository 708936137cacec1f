#include "doctor/target.h"

#include "base/err.h"

#define PORT_STUN 3478 /* RFC 7064, 3.2 */
#define PORT_STUNS 5349

/* host, host:port, [v6], [v6]:port */
static int parse_authority(struct target *t, struct slice text)
{
	struct slice port = SLICE_NONE;

	if (text.n > 0 && text.p[0] == '[') {
		size_t end = slice_find(text, ']');

		if (end == text.n)
			return E_MALFORMED;
		t->host = slice_of(text.p + 1, end - 1);
		port = slice_from(text, end + 1);
		if (port.n > 0 && port.p[0] != ':')
			return E_MALFORMED;
		port = slice_from(port, 1);
	} else {
		size_t colon = slice_find(text, ':');

		t->host = slice_of(text.p, colon);
		port = slice_from(text, colon + 1);
	}
	uint32_t number = t->port;
	if (port.n > 0 &&
	    (slice_to_u32(port, &number) < 0 || number == 0 || number > 65535))
		return E_MALFORMED;
	t->port = (uint16_t)number;
	return t->host.n > 0 ? 0 : E_MALFORMED;
}

int target_parse(struct target *t, struct slice url)
{
	struct target made = { 0 };

	if (slice_starts(url, SLICE("https://")))
		made = (struct target){ .tls = true, .port = 443 };
	else if (slice_starts(url, SLICE("http://")))
		made = (struct target){ .port = 80 };
	else
		return E_MALFORMED;
	url = slice_from(url, made.tls ? 8 : 7);
	url.n = slice_find(url, '/');
	url.n = slice_find(url, '?');
	int err = parse_authority(&made, url);
	if (err == 0)
		*t = made;
	return err;
}

int target_parse_ice(struct ice_target *t, struct slice uri)
{
	struct ice_target made = { 0 };
	size_t colon = slice_find(uri, ':');
	struct slice scheme = slice_of(uri.p, colon), rest = slice_from(uri, colon + 1);
	size_t mark = slice_find(rest, '?');
	struct slice query = slice_from(rest, mark + 1);

	rest.n = mark;
	made.turn = slice_is(scheme, "turn") || slice_is(scheme, "turns");
	made.tls = slice_is(scheme, "turns") || slice_is(scheme, "stuns");
	if (!made.turn && !made.tls && !slice_is(scheme, "stun"))
		return E_MALFORMED;
	made.tcp = slice_is(query, "transport=tcp") || (made.tls && query.n == 0);
	made.at.port = made.tls ? PORT_STUNS : PORT_STUN;
	made.at.tls = made.tls;
	int err = parse_authority(&made.at, rest);
	if (err == 0)
		*t = made;
	return err;
}
