/* Payloads through the relays: what falls due is sent every tick, what arrives is checked. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "../wsload/latency.h"
#include "../wsload/util.h"
#include "turnload.h"
#include "udp.h"

/* One direction, in the measured window. */
struct count {
	uint64_t sent, recv, dup_or_late, gap, bad, eagain;
	struct latency latency;
};

static struct count up, down;
static bool counting;
static int ep, peer_fd;
static uint8_t pattern[PACKET_MAX];

static struct mmsghdr mm[BATCH];
static struct iovec iov[BATCH];
static struct message_buf bufs[BATCH];
static struct sockaddr_in addrs[BATCH];

static bool echoes(void)
{
	return strcmp(load.dir, "echo") == 0;
}

static bool goes_up(void)
{
	return echoes() || strcmp(load.dir, "up") == 0 || strcmp(load.dir, "both") == 0;
}

static bool goes_down(void)
{
	return strcmp(load.dir, "down") == 0 || strcmp(load.dir, "both") == 0;
}

/* --- payloads --- */

static void fill(uint8_t *p, uint32_t id, uint64_t seq, char d)
{
	uint64_t t = now_ns();
	memcpy(p, d == 'u' ? "PlyU" : "PlyD", 4);
	memcpy(p + 4, &id, 4);
	memcpy(p + 8, &seq, 8);
	memcpy(p + 16, &t, 8);
	memcpy(p + STAMP, pattern + (seq & 63), (size_t)(load.size - STAMP));
}

static void check(struct count *c, const uint8_t *p, int n, char d, struct alloc *expect)
{
	uint32_t id;
	uint64_t seq, t, now = now_ns();
	if (n != load.size || memcmp(p, d == 'u' ? "PlyU" : "PlyD", 4)) {
		c->bad += counting;
		return;
	}
	memcpy(&id, p + 4, 4);
	memcpy(&seq, p + 8, 8);
	memcpy(&t, p + 16, 8);
	if (id >= (uint32_t)load.count || (expect && expect != &allocs[id])) {
		c->bad += counting;
		return;
	}
	if ((seq & 15) == 0 &&
	    memcmp(p + STAMP, pattern + (seq & 63), (size_t)(n - STAMP))) {
		c->bad += counting;
		return;
	}
	uint64_t *next = d == 'u' ? &allocs[id].up_next : &allocs[id].down_next;
	if (seq < *next) {
		c->dup_or_late += counting;
	} else {
		c->gap += counting ? seq - *next : 0;
		*next = seq + 1;
	}
	if (counting) {
		c->recv++;
		latency_add(&c->latency, now - t);
	}
}

/* one message from client i through the relay, laid out in b, returns its length */
static int make_up(struct alloc *a, uint8_t *b)
{
	uint32_t id = (uint32_t)(a - allocs);
	if (load.channel) {
		put16(b, 0x4000);
		put16(b + 2, (unsigned)load.size);
		fill(b + 4, id, a->up_seq++, 'u');
		return 4 + load.size;
	}
	struct message_buf *m = (struct message_buf *)(void *)b;
	message_begin(m, SEND | INDICATION, a->tid);
	message_put_address(m, PEER, &load.peer);
	put16(m->b + m->n, PAYLOAD);
	put16(m->b + m->n + 2, (unsigned)load.size);
	fill(m->b + m->n + 4, id, a->up_seq++, 'u');
	m->n += 4 + load.size;
	while (m->n & 3)
		m->b[m->n++] = 0;
	put16(m->b + 2, (unsigned)m->n - 20);
	return m->n;
}

/* --- in --- */

static void rx_client(struct alloc *a)
{
	for (int turn = 0; turn < 8; turn++) {
		for (int i = 0; i < BATCH; i++) {
			iov[i].iov_base = bufs[i].b;
			iov[i].iov_len = PACKET_MAX;
			mm[i].msg_hdr =
				(struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		int k = recvmmsg(a->fd, mm, BATCH, MSG_DONTWAIT, NULL);
		if (k <= 0)
			return;
		for (int i = 0; i < k; i++) {
			uint8_t *b = bufs[i].b;
			int n = (int)mm[i].msg_len, l;
			if (n < 4)
				continue;
			if ((b[0] & 0xc0) == 0x40) {
				l = (int)get16(b + 2);
				if (l + 4 > n || get16(b) != 0x4000)
					down.bad += counting;
				else
					check(&down, b + 4, l, 'd', a);
			} else if (n >= 20 && (b[0] & 0xc0) == 0 &&
				   get32(b + 4) == COOKIE) {
				if (get16(b) == (DATA | INDICATION)) {
					const uint8_t *v =
						message_find(b, n, PAYLOAD, &l);
					if (v)
						check(&down, v, l, 'd', a);
					else
						down.bad += counting;
				} else
					alloc_on_answer(a, b, n);
			}
		}
		if (k < BATCH)
			return;
	}
}

static void rx_peer(void)
{
	for (int turn = 0; turn < 16; turn++) {
		for (int i = 0; i < BATCH; i++) {
			iov[i].iov_base = bufs[i].b;
			iov[i].iov_len = PACKET_MAX;
			mm[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
							 .msg_iovlen = 1,
							 .msg_name = &addrs[i],
							 .msg_namelen = sizeof addrs[i] };
		}
		int k = recvmmsg(peer_fd, mm, BATCH, MSG_DONTWAIT, NULL);
		if (k <= 0)
			return;
		for (int i = 0; i < k; i++) {
			int n = (int)mm[i].msg_len;
			check(&up, bufs[i].b, n, 'u', NULL);
			if (echoes() && n >= STAMP) {
				uint32_t id;
				memcpy(&id, bufs[i].b + 4, 4);
				if (id < (uint32_t)load.count) {
					memcpy(bufs[i].b, "PlyD",
					       4); /* keeps seq and the first time stamp: latency of both legs */
					iov[i].iov_len = (size_t)n;
					down.sent += counting;
				}
			}
		}
		if (echoes()) {
			int o = 0;
			while (o < k) {
				int s = sendmmsg(peer_fd, mm + o, (unsigned)(k - o),
						 MSG_DONTWAIT);
				if (s <= 0) {
					down.eagain += counting;
					break;
				}
				o += s;
			}
		}
		if (k < BATCH)
			return;
	}
}

void relay_poll(int ms)
{
	struct epoll_event e[128];
	int k = epoll_wait(ep, e, 128, ms);
	for (int i = 0; i < k; i++)
		if (e[i].data.ptr)
			rx_client(e[i].data.ptr);
		else
			rx_peer();
}

/* --- out --- */

static void send_up(uint64_t due)
{
	static int rr;
	while (due > 0) {
		struct alloc *a = &allocs[rr];
		rr = (rr + 1) % load.count;
		if (a->phase != BOUND) {
			if (failed_count >= load.count)
				return;
			continue;
		}
		int k = 0;
		while (k < load.burst && k < BATCH && due > 0) {
			iov[k].iov_base = bufs[k].b;
			iov[k].iov_len = (size_t)make_up(a, bufs[k].b);
			mm[k].msg_hdr =
				(struct msghdr){ .msg_iov = &iov[k], .msg_iovlen = 1 };
			k++;
			due--;
		}
		int s = sendmmsg(a->fd, mm, (unsigned)k, MSG_DONTWAIT);
		if (s < 0)
			s = 0;
		up.sent += counting ? (uint64_t)k : 0;
		up.eagain += counting ? (uint64_t)(k - s) : 0;
	}
}

static void send_down(uint64_t due)
{
	static int rr;
	while (due > 0) {
		int k = 0, guard = 0;
		while (k < BATCH && due > 0 && guard++ < load.count + BATCH) {
			struct alloc *a = &allocs[rr];
			rr = (rr + 1) % load.count;
			if (a->phase != BOUND)
				continue;
			fill(bufs[k].b, (uint32_t)(a - allocs), a->down_seq++, 'd');
			iov[k].iov_base = bufs[k].b;
			iov[k].iov_len = (size_t)load.size;
			mm[k].msg_hdr =
				(struct msghdr){ .msg_iov = &iov[k],
						 .msg_iovlen = 1,
						 .msg_name = &a->relayed,
						 .msg_namelen = sizeof a->relayed };
			k++;
			due--;
		}
		if (!k)
			return;
		int s = sendmmsg(peer_fd, mm, (unsigned)k, MSG_DONTWAIT);
		if (s < 0)
			s = 0;
		down.sent += counting ? (uint64_t)k : 0;
		down.eagain += counting ? (uint64_t)(k - s) : 0;
	}
}

void relay_run(double seconds)
{
	uint64_t t0 = now_ns(), sent = 0, end = t0 + (uint64_t)(seconds * 1e9), next = t0;
	for (;;) {
		uint64_t t = now_ns();
		if (t >= end)
			break;
		if (t < next) { /* between ticks: receive only */
			relay_poll(load.spin ? 0 : 1);
			continue;
		}
		next += (uint64_t)load.tick_us * 1000u;
		if (next < t)
			next = t;
		uint64_t want = (uint64_t)(load.rate * (double)(t - t0) / 1e9);
		uint64_t due = want > sent ? want - sent : 0;
		if (due > 2048) {
			sent = want - 2048;
			due = 2048;
		} /* never try to catch up a long stall */
		sent += due;
		if (goes_up())
			send_up(due);
		if (goes_down())
			send_down(due);
		relay_poll(0);
	}
}

/* --- life --- */

static int socket_at(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
		die("socket: %s", strerror(errno));
	return fd;
}

static void watch(int fd, struct alloc *a)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = a };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e) < 0)
		die("epoll: %s", strerror(errno));
}

void relay_open(void)
{
	socklen_t n = sizeof(load.peer);

	for (int i = 0; i < PACKET_MAX; i++)
		pattern[i] = (uint8_t)(i * 31 + (i >> 3));
	ep = epoll_create1(EPOLL_CLOEXEC);
	peer_fd = socket_at(&load.peer);
	udp_enlarge(peer_fd, 64 << 20);
	getsockname(peer_fd, (struct sockaddr *)&load.peer, &n);
	watch(peer_fd, NULL);
	allocs = xzalloc((size_t)load.count * sizeof(*allocs));
	for (int i = 0; i < load.count; i++) {
		/* An address has some 28000 ports of its own. */
		const struct sockaddr_in at = {
			.sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(i / 20000)),
		};
		allocs[i].fd = socket_at(&at);
		if (connect(allocs[i].fd, (struct sockaddr *)&load.server,
			    sizeof(load.server)) < 0)
			die("connect: %s", strerror(errno));
		udp_enlarge(allocs[i].fd, 4 << 20);
		watch(allocs[i].fd, &allocs[i]);
	}
}

void relay_measure(bool on)
{
	counting = on;
}

uint64_t relay_arrived(void)
{
	return up.recv + down.recv;
}

static void report(const char *name, const struct count *c)
{
	double loss = c->sent ? 100.0 * (1 - (double)c->recv / (double)c->sent) : 0;

	printf("\"%s\":{\"sent\":%llu,\"received\":%llu,\"loss_pct\":%.3f,\"gaps\":%llu,"
	       "\"late_or_dup\":%llu,\"bad\":%llu,\"local_eagain\":%llu,\"p50_us\":%.1f,"
	       "\"p99_us\":%.1f},",
	       name, (unsigned long long)c->sent, (unsigned long long)c->recv, loss,
	       (unsigned long long)c->gap, (unsigned long long)c->dup_or_late,
	       (unsigned long long)c->bad, (unsigned long long)c->eagain,
	       latency_quantile_us(&c->latency, .5),
	       latency_quantile_us(&c->latency, .99));
}

void relay_report(void)
{
	report("up", &up);
	report("down", &down);
}
