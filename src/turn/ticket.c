#include "turn/ticket.h"

#include <openssl/crypto.h>

#include "base/base64.h"
#include "base/err.h"

#define CLAIM 12
#define PROOF 12

void turn_ticket_write(const struct turn_ticket *k, struct stun_hmac *h,
		       const uint8_t key[TURN_TICKET_KEY], uint8_t out[TURN_TICKET])
{
	uint8_t bytes[CLAIM + PROOF], mac[STUN_SHA256];
	struct buf claim = { .p = bytes, .cap = CLAIM, .max = CLAIM };
	struct buf text = { .p = out, .cap = TURN_TICKET, .max = TURN_TICKET };

	buf_be64(&claim, (uint64_t)k->worker << 56 | k->number);
	buf_be32(&claim, k->round);
	stun_hmac_sha256(h, slice_of(key, TURN_TICKET_KEY), buf_slice(&claim), mac);
	memcpy(bytes + CLAIM, mac, PROOF);
	base64_encode(&text, slice_of(bytes, sizeof(bytes)));
}

int turn_ticket_read(struct turn_ticket *out, struct slice text, struct stun_hmac *h,
		     const uint8_t key[TURN_TICKET_KEY])
{
	struct buf b = BUF_INIT(TURN_TICKET);
	uint8_t want[TURN_TICKET];
	struct turn_ticket k;

	if (text.n != TURN_TICKET || base64_decode(&b, text) < 0) {
		buf_fini(&b);
		return E_MALFORMED;
	}
	struct cur c = cur_of_slice(buf_slice(&b));
	uint64_t first = cur_be64(&c);
	k.worker = (uint8_t)(first >> 56);
	k.number = first & TURN_TICKET_NUMBERS;
	k.round = cur_be32(&c);
	buf_fini(&b);
	turn_ticket_write(&k, h, key, want);
	if (CRYPTO_memcmp(want, text.p, TURN_TICKET) != 0)
		return E_MALFORMED;
	*out = k;
	return 0;
}
