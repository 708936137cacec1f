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

#include "message.h"

#define BATCH 64
#define STAMP 24 /* head of a payload: magic 4, allocation 4, number 8, time 8 */

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
