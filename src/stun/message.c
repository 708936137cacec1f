#include "stun/message.h"

#include <errno.h>
#include <zlib.h>

#include "base/err.h"

#define FINGERPRINT_XOR 0x5354554eu /* RFC 8489, 14.7 */
#define FINGERPRINT_SIZE 8          /* with its head */

/* --- the header's first 16 bits (RFC 8489, 5): M11..M7 C1 M6..M4 C0 M3..M0 --- */

static uint16_t type_of(unsigned method, unsigned class)
{
	return (uint16_t)((method & 0x000f) | (method & 0x0070) << 1 |
			  (method & 0x0f80) << 2 | (class & 1) << 4 | (class & 2) << 7);
}

static uint16_t method_of(unsigned type)
{
	return (uint16_t)((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2);
}

static uint8_t class_of(unsigned type)
{
	return (uint8_t)((type >> 4 & 1) | (type >> 7 & 2));
}

/* --- in --- */

int stun_size(const uint8_t *p, size_t n)
{
	struct cur c = cur_of(p, n);

	if (n > 0 && p[0] >> 6 != 0)
		return 0;
	cur_skip(&c, 2);
	uint16_t len = cur_be16(&c);
	uint32_t cookie = cur_be32(&c);
	if (c.bad)
		return -EAGAIN;
	return cookie == STUN_COOKIE && (len & 3) == 0 ? STUN_HEADER + len : 0;
}

static uint32_t fingerprint(struct slice s)
{
	return (uint32_t)crc32(0, s.p, (unsigned)s.n) ^ FINGERPRINT_XOR;
}

/* The FINGERPRINT is the last attribute, or none. */
static int check_fingerprint(struct stun_msg *m, struct slice value, size_t at)
{
	struct cur c = cur_of_slice(value);

	if (value.n != 4 || at + FINGERPRINT_SIZE != m->raw.n)
		return E_MALFORMED;
	if (cur_be32(&c) != fingerprint(slice_of(m->raw.p, at)))
		return E_MALFORMED;
	m->fingerprint = true;
	return 0;
}

/* Only MESSAGE-INTEGRITY-SHA256 and FINGERPRINT count after an integrity (RFC 8489, 14.5 and 14.6). */
static bool is_unproven(const struct stun_msg *m, unsigned type)
{
	if (m->integrity256_at)
		return true;
	return m->integrity_at && type != STUN_INTEGRITY_SHA256;
}

static int decode_attr(struct stun_msg *m, struct cur *body)
{
	size_t at = (size_t)(body->p - m->raw.p);
	uint16_t type = cur_be16(body);
	uint16_t len = cur_be16(body);
	struct slice value = cur_slice(body, len);

	cur_skip(body, (4 - (len & 3)) & 3);
	if (body->bad)
		return E_MALFORMED;
	if (type == STUN_FINGERPRINT)
		return check_fingerprint(m, value, at);
	if (is_unproven(m, type))
		return 0;
	if (type == STUN_INTEGRITY)
		m->integrity_at = (uint16_t)at;
	else if (type == STUN_INTEGRITY_SHA256)
		m->integrity256_at = (uint16_t)at;
	if (m->count == STUN_MAX_ATTRS)
		return E_LIMIT;
	m->attr[m->count++] = (struct stun_attr){ type, value };
	return 0;
}

int stun_decode(struct stun_msg *m, const uint8_t *p, size_t n)
{
	struct cur c = cur_of(p, n);
	uint16_t type = cur_be16(&c);
	uint16_t len = cur_be16(&c);
	uint32_t cookie = cur_be32(&c);
	struct slice tid = cur_slice(&c, STUN_TID);
	struct cur body = cur_sub(&c, len);

	if (c.bad)
		return E_TRUNCATED;
	if (type >> 14 != 0 || cookie != STUN_COOKIE || (len & 3) != 0 ||
	    cur_left(&c) != 0)
		return E_MALFORMED;
	m->method = method_of(type);
	m->class = class_of(type);
	m->raw = slice_of(p, n);
	m->tid = tid;
	m->count = 0;
	m->fingerprint = false;
	m->integrity_at = m->integrity256_at = 0;
	while (cur_left(&body) > 0) {
		int err = decode_attr(m, &body);
		if (err < 0)
			return err;
	}
	return 0;
}

bool stun_is_known(unsigned type)
{
	switch ((enum stun_attr_type)type) {
	case STUN_MAPPED_ADDRESS:
	case STUN_USERNAME:
	case STUN_INTEGRITY:
	case STUN_ERROR_CODE:
	case STUN_UNKNOWN_ATTRIBUTES:
	case STUN_CHANNEL_NUMBER:
	case STUN_LIFETIME:
	case STUN_XOR_PEER_ADDRESS:
	case STUN_DATA_VALUE:
	case STUN_REALM:
	case STUN_NONCE:
	case STUN_XOR_RELAYED_ADDRESS:
	case STUN_REQUESTED_FAMILY:
	case STUN_EVEN_PORT:
	case STUN_REQUESTED_TRANSPORT:
	case STUN_DONT_FRAGMENT:
	case STUN_INTEGRITY_SHA256:
	case STUN_PASSWORD_ALGORITHM:
	case STUN_USERHASH:
	case STUN_XOR_MAPPED_ADDRESS:
	case STUN_RESERVATION_TOKEN:
	case STUN_PRIORITY:
	case STUN_USE_CANDIDATE:
	case STUN_CONNECTION_ID:
		return true;
	default:
		return type >= 0x8000; /* comprehension-optional */
	}
}

const struct stun_attr *stun_find(const struct stun_msg *m, unsigned type)
{
	for (unsigned i = 0; i < m->count; i++)
		if (m->attr[i].type == type)
			return &m->attr[i];
	return NULL;
}

struct slice stun_value(const struct stun_msg *m, unsigned type)
{
	const struct stun_attr *a = stun_find(m, type);

	return a ? a->value : SLICE_NONE;
}

int stun_get_u32(const struct stun_msg *m, unsigned type, uint32_t *out)
{
	const struct stun_attr *a = stun_find(m, type);

	if (!a)
		return E_NOT_FOUND;
	if (a->value.n != 4)
		return E_MALFORMED;
	struct cur c = cur_of_slice(a->value);
	*out = cur_be32(&c);
	return 0;
}

/* The address is XORed with the cookie, and for IPv6 with the transaction id after it: together the 16 bytes
 * from the fourth of the message on (RFC 8489, 14.2). */
int stun_get_xor_addr(const struct stun_msg *m, const struct stun_attr *a,
		      struct addr *out)
{
	struct cur c = cur_of_slice(a->value);
	const uint8_t *mask = m->raw.p + 4;
	uint8_t ip[16];

	cur_skip(&c, 1);
	uint8_t family = cur_u8(&c);
	uint16_t port = cur_be16(&c);
	size_t n = family == STUN_IPV4 ? 4 : 16;
	struct slice s = cur_slice(&c, n);
	if (c.bad || cur_left(&c) != 0 || (family != STUN_IPV4 && family != STUN_IPV6))
		return E_MALFORMED;
	for (size_t i = 0; i < n; i++)
		ip[i] = s.p[i] ^ mask[i];
	*out = addr_of_ip(slice_of(ip, n), port ^ (uint16_t)(STUN_COOKIE >> 16));
	return 0;
}

int stun_get_error(const struct stun_msg *m, unsigned *code)
{
	struct slice value = stun_value(m, STUN_ERROR_CODE);
	struct cur c = cur_of_slice(value);

	cur_skip(&c, 2);
	unsigned hundreds = cur_u8(&c) & 7;
	unsigned rest = cur_u8(&c);
	if (c.bad || rest > 99)
		return E_MALFORMED;
	*code = hundreds * 100 + rest;
	return 0;
}

/* --- out --- */

void stun_begin(struct buf *b, enum stun_method method, enum stun_class class,
		struct slice tid)
{
	buf_clear(b);
	buf_be16(b, type_of(method, class));
	buf_be16(b, 0); /* grows with each attribute */
	buf_be32(b, STUN_COOKIE);
	buf_put(b, tid);
}

static void put_head(struct buf *b, unsigned type, size_t n)
{
	size_t padded = (n + 3) & ~(size_t)3;
	size_t body = b->n - STUN_HEADER + 4;

	if (n > UINT16_MAX - 4 || body > UINT16_MAX - padded) {
		b->bad = true;
		return;
	}
	buf_set_be16(b, 2, (uint16_t)(body + padded));
	buf_be16(b, (uint16_t)type);
	buf_be16(b, (uint16_t)n);
}

void stun_put(struct buf *b, unsigned type, struct slice value)
{
	static const uint8_t zero[3];

	put_head(b, type, value.n);
	buf_put(b, value);
	buf_add(b, zero, (4 - (value.n & 3)) & 3);
}

void stun_put_u32(struct buf *b, unsigned type, uint32_t value)
{
	put_head(b, type, 4);
	buf_be32(b, value);
}

static void put_masked(struct buf *b, unsigned type, const struct addr *a,
		       const uint8_t *mask, uint16_t port_mask)
{
	bool v6 = a->family == AF_INET6;
	size_t n = v6 ? 16 : 4;

	put_head(b, type, 4 + n);
	buf_be16(b, v6 ? STUN_IPV6 : STUN_IPV4);
	buf_be16(b, a->port ^ port_mask);
	uint8_t *to = buf_take(b, n);
	for (size_t i = 0; to && i < n; i++)
		to[i] = a->ip[i] ^ mask[i];
}

void stun_put_xor_addr(struct buf *b, unsigned type, const struct addr *a)
{
	uint8_t mask[16];

	if (b->bad)
		return;
	memcpy(mask, b->p + 4, sizeof(mask)); /* the buf may move meanwhile */
	put_masked(b, type, a, mask, (uint16_t)(STUN_COOKIE >> 16));
}

void stun_put_addr(struct buf *b, unsigned type, const struct addr *a)
{
	static const uint8_t none[16];

	put_masked(b, type, a, none, 0);
}

void stun_put_icmp(struct buf *b, unsigned type, unsigned code, uint32_t data)
{
	put_head(b, STUN_ICMP, 8);
	buf_be32(b, (type & 0x7f) << 9 | (code & 0x1ff));
	buf_be32(b, data);
}

void stun_put_error(struct buf *b, unsigned code, const char *reason)
{
	uint8_t value[4 + 128] = { 0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100) };
	size_t n = strlen(reason);

	if (n > sizeof(value) - 4)
		n = sizeof(value) - 4;
	memcpy(value + 4, reason, n);
	stun_put(b, STUN_ERROR_CODE, slice_of(value, 4 + n));
}

void stun_put_fingerprint(struct buf *b)
{
	size_t at = b->n;

	if (b->bad)
		return;
	put_head(b, STUN_FINGERPRINT, 4); /* counts itself */
	if (!b->bad)
		buf_be32(b, fingerprint(slice_of(b->p, at)));
}
