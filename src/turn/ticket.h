/* ticket: what a client shows when it comes from elsewhere, in place of the path that it was known by (RFC 8016,
 * MOBILITY-TICKET). Nothing is kept for it: it says where its allocation is, and a keyed hash makes it ours. It is
 * no proof of who shows it; the password is. Text, because there are clients that take it for a C string.
 *
 *   base64 of: worker and number of the allocation   round    HMAC-SHA256, its beginning
 *                     8 and 56 bits                  32 bits        96 bits
 */
#pragma once
#include "stun/integrity.h"

#define TURN_TICKET 32
#define TURN_TICKET_KEY 32
#define TURN_TICKET_NUMBERS (((uint64_t)1 << 56) - 1)

struct turn_ticket {
	uint64_t number;
	uint32_t round; /* one more with each ticket that the allocation is given */
	uint8_t worker;
};

void turn_ticket_write(const struct turn_ticket *k, struct stun_hmac *h,
		       const uint8_t key[TURN_TICKET_KEY], uint8_t out[TURN_TICKET]);
/* E_MALFORMED: not ours. */
int turn_ticket_read(struct turn_ticket *out, struct slice text, struct stun_hmac *h,
		     const uint8_t key[TURN_TICKET_KEY]) NODISCARD;
