#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "message.h"

void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}
unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}
uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

void message_begin(struct message_buf *m, unsigned type, const uint8_t tid[12])
{
	put16(m->b, type);
	put16(m->b + 2, 0);
	put32(m->b + 4, COOKIE);
	memcpy(m->b + 8, tid, 12);
	m->n = 20;
}

void message_put(struct message_buf *m, unsigned type, const void *v, int len)
{
	put16(m->b + m->n, type);
	put16(m->b + m->n + 2, (unsigned)len);
	memcpy(m->b + m->n + 4, v, (size_t)len);
	m->n += 4 + len;
	while (m->n & 3)
		m->b[m->n++] = 0;
	put16(m->b + 2, (unsigned)m->n - 20);
}

void put_address(uint8_t v[8], const struct sockaddr_in *a)
{
	v[0] = 0;
	v[1] = 1; /* IPv4 */
	put16(v + 2, ntohs(a->sin_port) ^ (COOKIE >> 16));
	put32(v + 4, ntohl(a->sin_addr.s_addr) ^ COOKIE);
}

void message_put_address(struct message_buf *m, unsigned type,
			 const struct sockaddr_in *a)
{
	uint8_t v[8];

	put_address(v, a);
	message_put(m, type, v, 8);
}

void message_seal(struct message_buf *m, const uint8_t key[16])
{
	uint8_t mac[MAC];
	unsigned l = MAC;

	/* The length that is proven counts the proof. */
	put16(m->b + 2, (unsigned)m->n - 20 + 4 + MAC);
	HMAC(EVP_sha1(), key, 16, m->b, (size_t)m->n, mac, &l);
	message_put(m, INTEGRITY, mac, MAC);
}

const uint8_t *message_find(const uint8_t *b, int n, unsigned type, int *len)
{
	int o = 20;
	while (o + 4 <= n) {
		int l = (int)get16(b + o + 2);
		if (o + 4 + l > n)
			return NULL;
		if (get16(b + o) == type) {
			*len = l;
			return b + o + 4;
		}
		o += 4 + ((l + 3) & ~3);
	}
	return NULL;
}

bool message_find_address(const uint8_t *b, int n, unsigned type, struct sockaddr_in *a)
{
	int l;
	const uint8_t *v = message_find(b, n, type, &l);

	if (!v || l < 8 || v[1] != 1)
		return false;
	*a = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(get16(v + 2) ^ (COOKIE >> 16))),
		.sin_addr.s_addr = htonl(get32(v + 4) ^ COOKIE),
	};
	return true;
}
