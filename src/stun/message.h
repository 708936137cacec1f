/* message: STUN messages (RFC 8489): cutting one into attributes, putting one together, and the
 * two proofs it may carry. Bytes in, values out: no sockets, no clock, no memory of its own.
 *
 * Memory: slices of a decoded message point into the input. A message is put together in a
 *         struct buf that holds nothing else.
 * Limits: STUN_MAX_ATTRS attributes, 65535 bytes; what is longer or has more is refused.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |0 0|     method and class      |   length of the attributes    |
 * |                   cookie 0x2112A442                           |
 * |                   transaction id, 96 bits                     |
 * |        attribute type         |            length             | each padded to 4 bytes
 * |                          value ...                            |
 */
#pragma once
#include "base/cur.h"
#include "net/addr.h"

#define STUN_COOKIE 0x2112A442u
#define STUN_HEADER 20
#define STUN_TID 12
#define STUN_MAX_ATTRS 24

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

enum stun_method {
	STUN_BINDING = 0x001,
	/* RFC 8656, section 17 */
	STUN_ALLOCATE = 0x003,
	STUN_REFRESH = 0x004,
	STUN_SEND = 0x006,
	STUN_DATA = 0x007,
	STUN_CREATE_PERMISSION = 0x008,
	STUN_CHANNEL_BIND = 0x009,
	/* RFC 6062, section 6.1 */
	STUN_CONNECT = 0x00a,
	STUN_CONNECTION_BIND = 0x00b,
	STUN_CONNECTION_ATTEMPT = 0x00c,
};

/* What we know; of other types those under 0x8000 must be understood (RFC 8489, 14). */
enum stun_attr_type {
	STUN_MAPPED_ADDRESS = 0x0001,
	STUN_USERNAME = 0x0006,
	STUN_INTEGRITY = 0x0008,
	STUN_ERROR_CODE = 0x0009,
	STUN_UNKNOWN_ATTRIBUTES = 0x000a,
	STUN_CHANNEL_NUMBER = 0x000c,
	STUN_LIFETIME = 0x000d,
	STUN_XOR_PEER_ADDRESS = 0x0012,
	STUN_DATA_VALUE = 0x0013,
	STUN_REALM = 0x0014,
	STUN_NONCE = 0x0015,
	STUN_XOR_RELAYED_ADDRESS = 0x0016,
	STUN_REQUESTED_FAMILY = 0x0017,
	STUN_EVEN_PORT = 0x0018,
	STUN_REQUESTED_TRANSPORT = 0x0019,
	STUN_DONT_FRAGMENT = 0x001a,
	STUN_INTEGRITY_SHA256 = 0x001c,
	STUN_PASSWORD_ALGORITHM = 0x001d,
	STUN_USERHASH = 0x001e,
	STUN_XOR_MAPPED_ADDRESS = 0x0020,
	STUN_RESERVATION_TOKEN = 0x0022,
	STUN_PRIORITY = 0x0024,
	STUN_USE_CANDIDATE = 0x0025,
	STUN_CONNECTION_ID = 0x002a,
	STUN_ADDITIONAL_FAMILY = 0x8000,
	STUN_ADDRESS_ERROR_CODE = 0x8001,
	STUN_PASSWORD_ALGORITHMS = 0x8002,
	STUN_ALTERNATE_DOMAIN = 0x8003,
	STUN_ICMP = 0x8004,
	STUN_SOFTWARE = 0x8022,
	STUN_ALTERNATE_SERVER = 0x8023,
	STUN_FINGERPRINT = 0x8028,
	STUN_ICE_CONTROLLED = 0x8029,
	STUN_ICE_CONTROLLING = 0x802a,
	STUN_MOBILITY_TICKET = 0x8030,
};

/* Families in attributes (RFC 8489, 14.1; RFC 8656, 18.6). */
#define STUN_IPV4 1
#define STUN_IPV6 2

struct stun_attr {
	uint16_t type;
	struct slice value;
};

struct stun_msg {
	uint16_t method;
	uint8_t class;
	uint8_t count;
	bool fingerprint; /* it has one, and it is right */
	struct slice raw;
	struct slice tid;
	/* Offsets in raw of the attributes that vouch for what is before them; 0: none. */
	uint16_t integrity_at;
	uint16_t integrity256_at;
	/* In their order; what comes after the integrity is left out (RFC 8489, 14.5). */
	struct stun_attr attr[STUN_MAX_ATTRS];
};

/* How many bytes the message that begins at p has, of which n are there; 0: they cannot begin a STUN
 * message, -EAGAIN: too few to tell. For streams, and to tell STUN from other protocols. */
int stun_size(const uint8_t *p, size_t n);
/* One whole message of exactly n bytes. E_TRUNCATED, E_MALFORMED (also a wrong FINGERPRINT), E_LIMIT. */
int stun_decode(struct stun_msg *m, const uint8_t *p, size_t n) NODISCARD;

/* False for what must be understood and is not. */
bool stun_is_known(unsigned type);
/* The first of that type, or NULL. */
const struct stun_attr *stun_find(const struct stun_msg *m, unsigned type);
/* Its value, empty when there is none. */
struct slice stun_value(const struct stun_msg *m, unsigned type);
/* Values of a fixed form. E_NOT_FOUND when absent, E_MALFORMED when of another length. */
int stun_get_u32(const struct stun_msg *m, unsigned type, uint32_t *out) NODISCARD;
int stun_get_xor_addr(const struct stun_msg *m, const struct stun_attr *a,
		      struct addr *out) NODISCARD;
int stun_get_error(const struct stun_msg *m, unsigned *code) NODISCARD;

/* --- putting together: begin, attributes, perhaps integrity, perhaps fingerprint --- */
void stun_begin(struct buf *b, enum stun_method method, enum stun_class class,
		struct slice tid);
void stun_put(struct buf *b, unsigned type, struct slice value);
void stun_put_u32(struct buf *b, unsigned type, uint32_t value);
void stun_put_xor_addr(struct buf *b, unsigned type, const struct addr *a);
void stun_put_addr(struct buf *b, unsigned type, const struct addr *a);
/* RFC 8656, 18.13: 16 zero bits, 7 of the type, 9 of the code, and 32 of data. */
void stun_put_icmp(struct buf *b, unsigned type, unsigned code, uint32_t data);
void stun_put_error(struct buf *b, unsigned code, const char *reason);
void stun_put_fingerprint(struct buf *b);
