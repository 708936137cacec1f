#include "turn/nonce.h"

#include "base/base64.h"
#include "base/cur.h"
#include "base/map.h"

#define COOKIE "obMatJos2"
#define AHEAD 60000 /* ms that another worker's clock may be ahead */

static void write_text(struct turn_nonce *out, const uint64_t key[2],
		       const struct addr *client, uint32_t seconds, unsigned features)
{
	uint8_t text[4 + 16 + 1], bytes[12];
	const uint8_t bits[3] = { 0, 0, (uint8_t)features };
	struct buf b = { .p = (uint8_t *)out->text,
			 .cap = TURN_NONCE,
			 .max = TURN_NONCE };

	for (unsigned i = 0; i < 4; i++)
		text[i] = bytes[i] = (uint8_t)(seconds >> (24 - 8 * i));
	memcpy(text + 4, client->ip, 16);
	text[20] = (uint8_t)features;
	uint64_t hash = hash_keyed(slice_of(text, sizeof(text)), key);
	for (unsigned i = 0; i < 8; i++)
		bytes[4 + i] = (uint8_t)(hash >> (56 - 8 * i));
	buf_str(&b, COOKIE);
	base64_encode(&b, slice_of(bits, sizeof(bits)));
	base64_encode(&b, slice_of(bytes, sizeof(bytes)));
}

void turn_nonce_make(struct turn_nonce *out, const uint64_t key[2],
		     const struct addr *client, ms_t wall, unsigned features)
{
	write_text(out, key, client, (uint32_t)(wall / 1000), features);
}

static bool read_claim(struct slice nonce, uint32_t *seconds, unsigned *features)
{
	struct buf b = BUF_INIT(16);
	size_t cookie = sizeof(COOKIE) - 1;
	bool good = nonce.n == TURN_NONCE &&
		    base64_decode(&b, slice_from(nonce, cookie)) == 0;

	if (good) {
		struct cur c = cur_of_slice(buf_slice(&b));
		*features = (unsigned)cur_be16(&c) << 8;
		*features |= cur_u8(&c);
		*seconds = cur_be32(&c);
		good = *features <= (TURN_ALGORITHMS | TURN_ANONYMITY);
	}
	buf_fini(&b);
	return good;
}

bool turn_nonce_is_good(struct slice nonce, const uint64_t key[2],
			const struct addr *client, ms_t wall, ms_t life,
			unsigned *features)
{
	struct turn_nonce want;
	uint32_t seconds;

	if (!read_claim(nonce, &seconds, features))
		return false;
	ms_t age = wall - (ms_t)seconds * 1000;
	if (age > life || age < -AHEAD)
		return false;
	write_text(&want, key, client, seconds, *features);
	return memcmp(want.text, nonce.p, TURN_NONCE) == 0;
}
