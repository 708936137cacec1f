/* integrity: MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489, 14.5 and 14.6), and the
 * HMACs under them.
 *
 * Owner: one loop. The OpenSSL contexts are fetched once and kept, and remember their last key: a
 * message with the key of the one before costs half of one with another.
 */
#pragma once
#include "stun/message.h"

#define STUN_SHA1 20
#define STUN_SHA256 32
#define STUN_MAX_KEY 64 /* longer keys are not remembered */

struct stun_hmac;
struct stun_hmac *stun_hmac_create(void);
void stun_hmac_destroy(struct stun_hmac *h);

/* Of the parts one after the other; STUN_SHA1 or STUN_SHA256 bytes. */
void stun_hmac_sha1(struct stun_hmac *h, struct slice key, struct slice text,
		    uint8_t out[STUN_SHA1]);
void stun_hmac_sha256(struct stun_hmac *h, struct slice key, struct slice text,
		      uint8_t out[STUN_SHA256]);

/* Which proof a message has; SHA-256 when it has both. */
enum stun_proof { STUN_PROOF_NONE, STUN_PROOF_SHA1, STUN_PROOF_SHA256 };
enum stun_proof stun_proof(const struct stun_msg *m);
/* E_MALFORMED: of a wrong length or none at all, E_DENIED: not made with this key. */
int stun_check_integrity(struct stun_hmac *h, const struct stun_msg *m,
			 enum stun_proof proof, struct slice key) NODISCARD;
/* Appends it, over everything before. */
void stun_put_integrity(struct stun_hmac *h, struct buf *b, enum stun_proof proof,
			struct slice key);
