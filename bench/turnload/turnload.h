/* turnload: what the files of the TURN load generator share.
 *
 * N allocations with long-term credentials, a permission and in channel mode a channel for each, all towards one peer
 * socket of our own; then numbered, time-stamped, patterned payloads through them, checked at the other end.
 * One process, one thread: everything here belongs to it.
 */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define COOKIE 0x2112A442u
#define BATCH 64
#define PACKET_MAX 1600
#define STAMP 24 /* head of a payload: magic 4, allocation 4, number 8, time 8 */

enum message {
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
};

/* From nothing to an allocation that relays, and back. */
enum phase {
	IDLE,
	ASKING,  /* Allocate, without a credential */
	PROVING, /* Allocate, with one */
	READY,   /* allocated */
	PERMITTING,
	BINDING,
	BOUND, /* relays */
	FREEING,
	FREED,
	FAILED,
};

struct alloc {
	int fd;
	enum phase phase;
	int tries, code;
	uint8_t tid[12];
	uint64_t sent_at;
	uint8_t key[16];
	char realm[128], nonce[256];
	struct sockaddr_in relayed;
	uint64_t up_seq, down_seq;   /* next to send */
	uint64_t up_next, down_next; /* next expected */
};

/* --- main.c --- */
struct load {
	struct sockaddr_in server, peer;
	const char *user, *password, *dir;
	int count, size, window, burst, hold, tick_us;
	bool channel, spin;
	double rate, seconds, warmup;
};
extern struct load load;

/* --- message.c --- */
struct message_buf {
	uint8_t b[PACKET_MAX];
	int n;
};
void put16(uint8_t *p, unsigned v);
void put32(uint8_t *p, uint32_t v);
unsigned get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);
void message_begin(struct message_buf *m, unsigned type, const uint8_t tid[12]);
void message_put(struct message_buf *m, unsigned type, const void *value, int n);
void message_put_address(struct message_buf *m, unsigned type,
			 const struct sockaddr_in *a);
void message_prove(struct message_buf *m, const struct alloc *a);
/* NULL when there is none. */
const uint8_t *message_find(const uint8_t *b, int n, unsigned type, int *length);

/* --- allocate.c --- */
extern struct alloc *allocs;
extern int failed_count;
void alloc_on_answer(struct alloc *a, const uint8_t *b, int n);
/* Moves all allocations of one phase on, `window` at a time, until they have settled; the seconds it took. */
double alloc_drive(enum phase from, enum phase start, double limit);

/* --- relay.c --- */
/* The peer's socket, and one per allocation. */
void relay_open(void);
/* Waits for packets and handles them. */
void relay_poll(int ms);
void relay_run(double seconds);
void relay_measure(bool on); /* the measured window begins or ends */
uint64_t relay_arrived(void);
void relay_report(void); /* as members of a JSON object */
