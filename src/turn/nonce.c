#include "turn/nonce.h"

#include "base/base64.h"
#include "base/map.h"

#define PREFIX "obMatJos2AAAB"
#define AHEAD 60000 /* ms that another worker's clock may be ahead */

static void write_text(struct turn_nonce *out, const uint64_t key[2],
		       const struct addr *client, uint32_t seconds)
{
	uint8_t text[4 + 16], bytes[12];
	struct buf b = { .p = (uint8_t *)out->text,
			 .cap = TURN_NONCE,
			 .max = TURN_NONCE };

	for (unsigned i = 0; i < 4; i++)
		text[i] = bytes[i] = (uint8_t)(seconds >> (24 - 8 * i));
	memcpy(text + 4, client->ip, 16);
	uint64_t hash = hash_keyed(slice_of(text, sizeof(text)), key);
	for (unsigned i = 0; i < 8; i++)
		bytes[4 + i] = (uint8_t)(hash >> (56 - 8 * i));
	buf_str(&b, PREFIX);
	base64_encode(&b, slice_of(bytes, sizeof(bytes)));
}

void turn_nonce_make(struct turn_nonce *out, const uint64_t key[2],
		     const struct addr *client, ms_t wall)
{
	write_text(out, key, client, (uint32_t)(wall / 1000));
}

static bool read_seconds(struct slice nonce, uint32_t *seconds)
{
	struct buf b = BUF_INIT(16);
	size_t prefix = sizeof(PREFIX) - 1;
	bool good = nonce.n == TURN_NONCE &&
		    base64_decode(&b, slice_from(nonce, prefix)) == 0;

	if (good)
		*seconds = (uint32_t)b.p[0] << 24 | (uint32_t)b.p[1] << 16 |
			   (uint32_t)b.p[2] << 8 | b.p[3];
	buf_fini(&b);
	return good;
}

bool turn_nonce_is_good(struct slice nonce, const uint64_t key[2],
			const struct addr *client, ms_t wall, ms_t life)
{
	struct turn_nonce want;
	uint32_t seconds;

	if (!read_seconds(nonce, &seconds))
		return false;
	ms_t age = wall - (ms_t)seconds * 1000;
	if (age > life || age < -AHEAD)
		return false;
	write_text(&want, key, client, seconds);
	return memcmp(want.text, nonce.p, TURN_NONCE) == 0;
}
