#include "http/forwarded.h"

#include "base/err.h"

#define IP_MAX 64

static int parse_ip(struct addr *a, struct slice text)
{
	struct buf b = BUF_INIT(IP_MAX);
	bool v6 = slice_find(text, ':') < text.n && text.p[0] != '[';

	if (text.n == 0)
		return E_MALFORMED;
	buf_str(&b, v6 ? "[" : "");
	buf_put(&b, text);
	buf_str(&b, v6 ? "]:0" : ":0");
	int err = b.bad ? E_MALFORMED : addr_parse(a, buf_slice(&b));
	buf_fini(&b);
	return err;
}

int http_proxy_parse(struct http_proxy *p, struct slice text)
{
	size_t slash = slice_find(text, '/');
	struct slice bits = slice_from(text, slash + 1);
	struct addr net;
	uint32_t n = 0;

	if (slash == 0 || parse_ip(&net, slice_of(text.p, slash)) < 0)
		return E_MALFORMED;
	uint32_t most = net.family == AF_INET ? 32 : 128;
	if (slash == text.n)
		n = most;
	else if (slice_to_u32(bits, &n) < 0 || n > most)
		return E_MALFORMED;
	*p = (struct http_proxy){ net, (uint8_t)n };
	return 0;
}

static bool is_in(const struct http_proxy *p, const struct addr *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (a->family != p->net.family || memcmp(a->ip, p->net.ip, whole) != 0)
		return false;
	return rest == 0 || ((a->ip[whole] ^ p->net.ip[whole]) >> (8 - rest)) == 0;
}

bool http_proxy_has(const struct http_proxy *list, size_t count, const struct addr *a)
{
	for (size_t i = 0; i < count; i++)
		if (is_in(&list[i], a))
			return true;
	return false;
}

struct addr http_forwarded(const struct http_proxy *list, size_t count,
			   const struct addr *peer, struct slice field)
{
	struct addr client = *peer, next;

	while (field.n > 0 && http_proxy_has(list, count, &client)) {
		size_t at = field.n;

		while (at > 0 && field.p[at - 1] != ',')
			at--;
		if (parse_ip(&next, slice_trim(slice_from(field, at))) < 0)
			break;
		client = next;
		field.n = at > 0 ? at - 1 : 0;
	}
	return client;
}
