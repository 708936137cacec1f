/* From peers to clients. */
#include <string.h>

#include "../turnload/message.h"
#include "../turnload/udp.h"
#include "refturn.h"

#define BATCH 64
#define MAX_BATCHES 6 /* of one relay and turn */
#define PLACES 1024
#define DATA_HEAD 36 /* of a Data indication: header, peer, head of the payload */
#define HEADROOM 64
#define PLACE (HEADROOM + PACKET_MAX)

/* What leaves at the end of the turn. */
static struct {
	unsigned n;
	uint8_t bytes[PLACES][PLACE];
	struct iovec data[PLACES];
	struct mmsghdr heads[PLACES];
} out;

void down_flush(void)
{
	udp_send(clients, out.heads, out.n);
	out.n = 0;
}

static struct iovec wrap_channel(const struct alloc *a, uint8_t *p, unsigned n)
{
	put16(p - 4, a->channel);
	put16(p - 2, n);
	return (struct iovec){ p - 4, 4 + n };
}

static struct iovec wrap_data(uint8_t *p, unsigned n, const struct sockaddr_in *peer)
{
	unsigned padded = (n + 3) & ~3u;
	uint8_t *head = p - DATA_HEAD;

	put16(head, DATA | INDICATION);
	put16(head + 2, DATA_HEAD - 20 + padded);
	put32(head + 4, COOKIE);
	memset(head + 8, 7, 12); /* any transaction */
	put16(head + 20, PEER);
	put16(head + 22, 8);
	put_address(head + 24, peer);
	put16(head + 32, PAYLOAD);
	put16(head + 34, n);
	memset(p + n, 0, padded - n);
	return (struct iovec){ head, DATA_HEAD + padded };
}

static void keep(struct alloc *a, uint8_t *p, unsigned n, const struct sockaddr_in *peer)
{
	if (!a->bound || peer->sin_addr.s_addr != a->peer.sin_addr.s_addr)
		return;
	out.data[out.n] = a->channel ? wrap_channel(a, p, n) : wrap_data(p, n, peer);
	out.heads[out.n] = udp_datagram(&out.data[out.n], &a->client);
	out.n++;
}

/* How many there were, at most `want`. */
static int receive(struct alloc *a, int want)
{
	static struct sockaddr_in from[BATCH];
	struct iovec places[BATCH];
	struct mmsghdr heads[BATCH];

	if (out.n + (unsigned)want > PLACES)
		down_flush();
	unsigned first = out.n;
	for (int i = 0; i < want; i++) {
		uint8_t *p = out.bytes[first + (unsigned)i] + HEADROOM;

		places[i] = (struct iovec){ p, PACKET_MAX };
		heads[i] = udp_datagram(&places[i], &from[i]);
	}
	int n = recvmmsg(a->fd, heads, (unsigned)want, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		keep(a, places[i].iov_base, heads[i].msg_len, &from[i]);
	/* A stranger's packet leaves a gap: the next ones would be read over ours. */
	if (n > 0 && out.n < first + (unsigned)n)
		down_flush();
	return n;
}

/* Few at first: of many relays most hold one packet, and each head costs. */
void down_readable(struct alloc *a)
{
	int want = 2;

	for (int i = 0; i < MAX_BATCHES && receive(a, want) == want; i++)
		want = want < BATCH / 2 ? want * 4 : BATCH;
}
