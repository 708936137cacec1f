/* Requests, and what they are answered (RFC 8656): all that sets a relay up. */
#include <openssl/evp.h>
#include <string.h>
#include <sys/socket.h>

#include "../turnload/message.h"
#include "refturn.h"

#define CREDENTIAL "bench:" NAME ":bench" /* user, realm, password */
#define NAME "refturn"
#define ANY_NONCE "0123456789abcdef"
#define LIFETIME_S 600

static uint8_t key[16];

void request_start(void)
{
	unsigned n = sizeof(key);

	EVP_Digest(CREDENTIAL, strlen(CREDENTIAL), key, &n, EVP_md5(), NULL);
}

/* What the client would have to say is worked out and compared. */
static bool proven(const uint8_t *b, int n)
{
	struct message_buf m;
	int l;
	const uint8_t *mac = message_find(b, n, INTEGRITY, &l);

	if (!mac || l != MAC)
		return false;
	m.n = (int)(mac - b) - 4;
	memcpy(m.b, b, (size_t)m.n);
	message_seal(&m, key);
	return memcmp(m.b + m.n - MAC, mac, MAC) == 0;
}

static void reply(const struct message_buf *m, const struct sockaddr_in *to)
{
	sendto(clients, m->b, (size_t)m->n, MSG_DONTWAIT, (const struct sockaddr *)to,
	       sizeof(*to));
}

static void challenge(struct message_buf *m, unsigned type, const uint8_t *tid)
{
	message_begin(m, type | FAILURE, tid);
	message_put(m, ERROR_CODE, (uint8_t[]){ 0, 0, 4, 1 }, 4);
	message_put(m, REALM, NAME, (int)strlen(NAME));
	message_put(m, NONCE, ANY_NONCE, (int)strlen(ANY_NONCE));
}

static void put_allocation(struct message_buf *m, const struct alloc *a)
{
	uint8_t lifetime[4];

	put32(lifetime, LIFETIME_S);
	message_put_address(m, RELAYED, &a->relayed);
	message_put_address(m, MAPPED, &a->client);
	message_put(m, LIFETIME, lifetime, sizeof(lifetime));
}

static void bind_peer(struct alloc *a, const uint8_t *b, int n)
{
	int l;
	const uint8_t *channel = message_find(b, n, CHANNEL, &l);

	if (!message_find_address(b, n, PEER, &a->peer))
		return;
	a->bound = true;
	if (channel && l >= 2)
		a->channel = get16(channel);
}

/* False: no answer. */
static bool serve(struct message_buf *m, const uint8_t *b, int n,
		  const struct sockaddr_in *from)
{
	struct alloc *a = alloc_find(from);
	unsigned type = get16(b);

	if (!a && type == ALLOCATE)
		a = alloc_make(from);
	if (!a)
		return false;
	message_begin(m, type | SUCCESS, b + 8);
	if (type == ALLOCATE)
		put_allocation(m, a);
	else if (type == PERMIT || type == BIND)
		bind_peer(a, b, n);
	else if (type == REFRESH)
		alloc_free(a); /* turnload refreshes nothing else */
	message_seal(m, key);
	return true;
}

void request_answer(const uint8_t *b, int n, const struct sockaddr_in *from)
{
	struct message_buf m;
	unsigned type = get16(b);

	if (type == REFLECT) {
		message_begin(&m, REFLECT | SUCCESS, b + 8);
		message_put_address(&m, MAPPED, from);
	} else if (!proven(b, n)) {
		challenge(&m, type, b + 8);
	} else if (!serve(&m, b, n, from)) {
		return;
	}
	reply(&m, from);
}
