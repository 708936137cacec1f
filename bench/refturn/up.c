/* From clients to peers. */
#include <stddef.h>

#include "../turnload/message.h"
#include "../turnload/udp.h"
#include "refturn.h"

#define BATCH 64
#define MAX_BATCHES 4 /* of one turn: relays wait meanwhile */

/* Packets read. */
static uint8_t bytes[BATCH][PACKET_MAX];
static struct sockaddr_in from[BATCH];
static struct iovec places[BATCH];
static struct mmsghdr heads[BATCH];

/* Neighbours among them that leave by one relay. */
static struct {
	struct alloc *a;
	unsigned n;
	struct iovec data[BATCH];
	struct mmsghdr heads[BATCH];
} run;

static void flush_run(void)
{
	if (run.n > 0)
		udp_send(run.a->fd, run.heads, run.n);
	run.n = 0;
}

static void add_to_run(struct alloc *a, struct iovec data)
{
	if (a != run.a)
		flush_run();
	run.a = a;
	run.data[run.n] = data;
	run.heads[run.n] = udp_datagram(&run.data[run.n], &a->peer);
	run.n++;
}

static void on_channel(struct alloc *a, uint8_t *b, int n)
{
	unsigned length = get16(b + 2);

	if (a && a->bound && get16(b) == a->channel && length + 4 <= (unsigned)n)
		add_to_run(a, (struct iovec){ b + 4, length });
}

static void on_send(struct alloc *a, uint8_t *b, int n)
{
	struct sockaddr_in to;
	int length;
	const uint8_t *data = message_find(b, n, PAYLOAD, &length);

	if (data && a && a->bound && message_find_address(b, n, PEER, &to) &&
	    to.sin_addr.s_addr == a->peer.sin_addr.s_addr)
		add_to_run(a, (struct iovec){ b + (data - b), (size_t)length });
}

static void on_packet(uint8_t *b, int n, const struct sockaddr_in *client)
{
	if (n >= 4 && (b[0] & 0xc0) == 0x40) {
		on_channel(alloc_find(client), b, n);
	} else if (n >= 20 && get32(b + 4) == COOKIE) {
		if (get16(b) == (SEND | INDICATION)) {
			on_send(alloc_find(client), b, n);
		} else {
			flush_run(); /* it may end the relay */
			request_answer(b, n, client);
		}
	}
}

static void prepare(void)
{
	for (int i = 0; i < BATCH; i++) {
		places[i] = (struct iovec){ bytes[i], PACKET_MAX };
		heads[i] = udp_datagram(&places[i], &from[i]);
	}
}

void up_readable(void)
{
	int n = BATCH;

	if (!places[0].iov_base)
		prepare();
	for (int i = 0; i < MAX_BATCHES && n == BATCH; i++) {
		n = recvmmsg(clients, heads, BATCH, MSG_DONTWAIT, NULL);
		for (int j = 0; j < n; j++)
			on_packet(bytes[j], (int)heads[j].msg_len, &from[j]);
		flush_run();
	}
}
