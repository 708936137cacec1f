#include "turn/policy.h"

#include "base/err.h"

struct range {
	uint8_t ip[16];
	uint8_t bits;
};

/* IANA's special-purpose registries of IPv4 and IPv6 addresses: what is not globally reachable. */
static const struct range closed_ipv4[] = {
	{ { 0 }, 8 },          /* this network */
	{ { 10 }, 8 },         /* private */
	{ { 100, 64 }, 10 },   /* shared by carriers */
	{ { 127 }, 8 },        /* loopback */
	{ { 169, 254 }, 16 },  /* link-local */
	{ { 172, 16 }, 12 },   /* private */
	{ { 192, 0, 0 }, 24 }, /* protocol assignments */
	{ { 192, 168 }, 16 },  /* private */
	{ { 198, 18 }, 15 },   /* benchmarks */
	{ { 224 }, 3 },        /* multicast, reserved, broadcast */
};

/* Public IPv6 is 2000::/3; what of it is not: */
static const struct range closed_ipv6[] = {
	{ { 0x20, 0x01, 0x00, 0x00 }, 32 }, /* Teredo: wraps IPv4 */
	{ { 0x20, 0x01, 0x00, 0x02 }, 48 }, /* benchmarks */
	{ { 0x20, 0x02 }, 16 },             /* 6to4: wraps IPv4 */
};

static bool has_prefix(const uint8_t *ip, const uint8_t *prefix, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	if (memcmp(ip, prefix, bytes) != 0)
		return false;
	return rest == 0 || (ip[bytes] ^ prefix[bytes]) >> (8 - rest) == 0;
}

static bool is_in(const uint8_t *ip, const struct range *r, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_prefix(ip, r[i].ip, r[i].bits))
			return true;
	return false;
}

bool turn_policy_is_public(const struct addr *a)
{
	if (a->family == AF_INET)
		return !is_in(a->ip, closed_ipv4, ARRAY_LEN(closed_ipv4));
	return a->family == AF_INET6 && a->ip[0] >> 5 == 1 &&
	       !is_in(a->ip, closed_ipv6, ARRAY_LEN(closed_ipv6));
}

int turn_policy_allow(struct turn_policy *p, struct slice text)
{
	size_t slash = slice_find(text, '/');
	struct turn_range r = { 0 };
	uint32_t bits;

	if (p->allowed_count == TURN_MAX_RANGES)
		return E_LIMIT;
	if (addr_parse_ip(&r.from, slice_of(text.p, slash)) < 0)
		return E_MALFORMED;
	uint32_t most = r.from.family == AF_INET ? 32 : 128;
	if (slash == text.n)
		bits = most;
	else if (slice_to_u32(slice_from(text, slash + 1), &bits) < 0 || bits > most)
		return E_MALFORMED;
	r.bits = (uint8_t)bits;
	p->allowed[p->allowed_count++] = r;
	return 0;
}

void turn_policy_add_own(struct turn_policy *p, const struct addr *a)
{
	if (p->own_count < TURN_MAX_OWN && !turn_policy_is_own(p, a))
		p->own[p->own_count++] = *a;
}

bool turn_policy_is_own(const struct turn_policy *p, const struct addr *a)
{
	for (size_t i = 0; i < p->own_count; i++)
		if (addr_same_ip(&p->own[i], a))
			return true;
	return false;
}

bool turn_policy_permits(const struct turn_policy *p, const struct addr *a)
{
	for (size_t i = 0; i < p->allowed_count; i++)
		if (p->allowed[i].from.family == a->family &&
		    has_prefix(a->ip, p->allowed[i].from.ip, p->allowed[i].bits))
			return true;
	return turn_policy_is_public(a) && !turn_policy_is_own(p, a);
}
