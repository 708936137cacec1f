#include "auth/seat_key.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"

/* Of the longest room name there is, and then some. */
#define SIGNED_MAX 4096

void auth_seat_key(char out[AUTH_SEAT_KEY], struct slice secret, struct slice room,
		   struct slice member)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct buf text = BUF_INIT(SIGNED_MAX);
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	assert(member.n == AUTH_SEAT_MEMBER);
	/* Of one length first, so that no two pairs are the same text. */
	buf_put(&text, member);
	buf_put(&text, room);
	uint8_t *ok =
		HMAC(EVP_sha256(), secret.p, (int)secret.n, text.p, text.n, mac, &n);
	assert(ok && !text.bad);
	buf_fini(&text);
	memcpy(out, member.p, AUTH_SEAT_MEMBER);
	out[AUTH_SEAT_MEMBER] = '.';
	for (size_t i = 0; i < AUTH_SEAT_KEY - AUTH_SEAT_MEMBER - 1; i++)
		out[AUTH_SEAT_MEMBER + 1 + i] = letters[mac[i] & 31];
}

bool auth_seat_key_looks(struct slice key)
{
	return key.n == AUTH_SEAT_KEY && key.p[0] == 'm' && key.p[1] == '_' &&
	       key.p[AUTH_SEAT_MEMBER] == '.';
}

struct slice auth_seat_key_member(struct slice key)
{
	return slice_of(key.p, AUTH_SEAT_MEMBER);
}

bool auth_seat_key_is_good(struct slice key, struct slice secret, struct slice room)
{
	char good[AUTH_SEAT_KEY];

	auth_seat_key(good, secret, room, auth_seat_key_member(key));
	return CRYPTO_memcmp(good, key.p, sizeof(good)) == 0;
}
