#include "net/addr.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include "base/err.h"

/* Turns ::ffff:a.b.c.d into a.b.c.d. */
static void addr_unmap(struct addr *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family != AF_INET6 || memcmp(a->ip, prefix, sizeof(prefix)) != 0)
		return;
	memmove(a->ip, a->ip + 12, 4);
	memset(a->ip + 4, 0, 12);
	a->family = AF_INET;
	a->scope = 0;
}

static int parse_ip(struct addr *a, struct slice s)
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof(text) || slice_find(s, 0) != s.n)
		return E_MALFORMED;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	if (inet_pton(AF_INET, text, a->ip) == 1)
		a->family = AF_INET;
	else if (inet_pton(AF_INET6, text, a->ip) == 1)
		a->family = AF_INET6;
	else
		return E_MALFORMED;
	return 0;
}

int addr_parse_ip(struct addr *a, struct slice s)
{
	struct addr got = { 0 };
	int err = parse_ip(&got, s);

	if (err < 0)
		return err;
	addr_unmap(&got);
	*a = got;
	return 0;
}

static int parse_host(struct addr *a, struct slice host)
{
	if (host.n == 0) { /* ":8443": any address of both families */
		a->family = AF_INET6;
		return 0;
	}
	if (host.p[0] == '[') {
		if (host.n < 2 || host.p[host.n - 1] != ']')
			return E_MALFORMED;
		int err = parse_ip(a, slice_of(host.p + 1, host.n - 2));
		return err < 0 || a->family == AF_INET6 ? err : E_MALFORMED;
	}
	if (slice_ieq(host, SLICE("localhost")))
		host = SLICE("127.0.0.1");
	int err = parse_ip(a, host);
	return err < 0 || a->family == AF_INET ? err : E_MALFORMED;
}

int addr_parse(struct addr *a, struct slice s)
{
	struct addr got = { 0 };
	size_t colon = s.n;
	uint32_t port;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return E_MALFORMED;
	if (slice_to_u32(slice_from(s, colon), &port) < 0 || port > UINT16_MAX)
		return E_MALFORMED;
	int err = parse_host(&got, slice_of(s.p, colon - 1));
	if (err < 0)
		return err;
	got.port = (uint16_t)port;
	addr_unmap(&got);
	*a = got;
	return 0;
}

void addr_print_ip(const struct addr *a, struct buf *b)
{
	char text[INET6_ADDRSTRLEN];

	if (a->family && inet_ntop(a->family, a->ip, text, sizeof(text)))
		buf_str(b, text);
	else
		buf_str(b, "none");
}

void addr_print(const struct addr *a, struct buf *b)
{
	bool v6 = a->family == AF_INET6;

	buf_str(b, v6 ? "[" : "");
	addr_print_ip(a, b);
	buf_str(b, v6 ? "]:" : ":");
	buf_dec(b, a->port);
}

const char *addr_text(const struct addr *a, struct addr_text *t)
{
	struct buf b = { .p = (uint8_t *)t->s, .cap = sizeof(t->s), .max = sizeof(t->s) };

	addr_print(a, &b); /* at most 47 characters: never grows */
	t->s[b.n] = 0;
	return t->s;
}

struct addr addr_of_ip(struct slice ip, uint16_t port)
{
	struct addr a = { .port = port };

	if (ip.n != 4 && ip.n != 16)
		return a;
	a.family = ip.n == 4 ? AF_INET : AF_INET6;
	memcpy(a.ip, ip.p, ip.n);
	addr_unmap(&a);
	return a;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->port == b->port && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool addr_same_ip(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->ip[0] == 127;
	return a->family == AF_INET6 && memcmp(a->ip, &in6addr_loopback, 16) == 0;
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return a->family != 0 && memcmp(a->ip, zero, sizeof(zero)) == 0;
}

socklen_t addr_to_sock(const struct addr *a, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	in6->sin6_scope_id = a->scope;
	memcpy(&in6->sin6_addr, a->ip, 16);
	return sizeof(*in6);
}

int addr_from_sock(struct addr *a, const struct sockaddr *sa)
{
	*a = (struct addr){ 0 };
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
		a->family = AF_INET;
		a->port = ntohs(in->sin_port);
		memcpy(a->ip, &in->sin_addr, 4);
		return 0;
	}
	if (sa->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
	a->family = AF_INET6;
	a->port = ntohs(in6->sin6_port);
	a->scope = in6->sin6_scope_id;
	memcpy(a->ip, &in6->sin6_addr, 16);
	addr_unmap(a);
	return 0;
}

static bool addr_is_link_local(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->ip[0] == 169 && a->ip[1] == 254;
	return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

/* Networks of containers and virtual machines of this host: nobody outside can use their addresses. */
static bool is_bridge(const char *name)
{
	static const char *const prefixes[] = { "docker", "br-",    "virbr", "veth",
						"cni",    "podman", "lxcbr", "lxdbr",
						"cali",   "flannel" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (slice_starts(slice_str(name), slice_str(prefixes[i])))
			return true;
	return false;
}

/* One that others can use. */
static bool is_usable(const struct ifaddrs *i, const struct addr *a)
{
	return (i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK) &&
	       !is_bridge(i->ifa_name) && !addr_is_loopback(a) && !addr_is_link_local(a);
}

static size_t list_own(struct addr *out, size_t max, bool usable)
{
	struct ifaddrs *all;
	size_t n = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	for (struct ifaddrs *i = all; i && n < max; i = i->ifa_next)
		if (i->ifa_addr && addr_from_sock(&out[n], i->ifa_addr) == 0 &&
		    (!usable || is_usable(i, &out[n])))
			n++;
	freeifaddrs(all);
	return n;
}

size_t addr_local(struct addr *out, size_t max)
{
	return list_own(out, max, true);
}

size_t addr_own(struct addr *out, size_t max)
{
	return list_own(out, max, false);
}
