/* STUN messages as the generator and the yardstick of TURN need them; the server under test has
 * its own. IPv4 alone. Writers trust that there is room; readers keep to the `n` bytes they get.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define COOKIE 0x2112A442u
#define PACKET_MAX 1600
#define MAC 20 /* HMAC-SHA1 */

enum message {
	REFLECT = 0x001, /* Binding */
	ALLOCATE = 0x003,
	REFRESH = 0x004,
	SEND = 0x006,
	DATA = 0x007,
	PERMIT = 0x008,
	BIND = 0x009,
	INDICATION = 0x010,
	SUCCESS = 0x100,
	FAILURE = 0x110,
};

enum attribute {
	USERNAME = 0x06,
	INTEGRITY = 0x08,
	ERROR_CODE = 0x09,
	CHANNEL = 0x0C,
	LIFETIME = 0x0D,
	PEER = 0x12,
	PAYLOAD = 0x13,
	REALM = 0x14,
	NONCE = 0x15,
	RELAYED = 0x16,
	TRANSPORT = 0x19,
	MAPPED = 0x20,
};

struct message_buf {
	uint8_t b[PACKET_MAX];
	int n;
};

void put16(uint8_t *p, unsigned v);
void put32(uint8_t *p, uint32_t v);
unsigned get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
/* The value of an attribute that holds an address. */
void put_address(uint8_t v[8], const struct sockaddr_in *a);

void message_begin(struct message_buf *m, unsigned type, const uint8_t tid[12]);
void message_put(struct message_buf *m, unsigned type, const void *value, int n);
void message_put_address(struct message_buf *m, unsigned type,
			 const struct sockaddr_in *a);
/* Ends it with its MESSAGE-INTEGRITY. */
void message_seal(struct message_buf *m, const uint8_t key[16]);
/* NULL when there is none. */
const uint8_t *message_find(const uint8_t *b, int n, unsigned type, int *length);
bool message_find_address(const uint8_t *b, int n, unsigned type, struct sockaddr_in *a);
