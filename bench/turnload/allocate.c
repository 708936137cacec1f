/* Allocations: the requests that make them, several in flight, sent anew when no answer comes. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "../wsload/util.h"
#include "turnload.h"

struct alloc *allocs;
int failed_count;
static int done_count;

static void new_tid(struct alloc *a)
{
	static uint64_t x = 0x9e3779b97f4a7c15u;
	for (int i = 0; i < 12; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		a->tid[i] = (uint8_t)(x >> 24);
	}
}

static void prove(struct message_buf *m, const struct alloc *a)
{
	message_put(m, USERNAME, load.user, (int)strlen(load.user));
	message_put(m, REALM, a->realm, (int)strlen(a->realm));
	message_put(m, NONCE, a->nonce, (int)strlen(a->nonce));
	message_seal(m, a->key);
}

static void request(struct alloc *a)
{
	struct message_buf m;
	uint8_t v[4];
	switch (a->phase) {
	case ASKING:
	case PROVING:
		message_begin(&m, ALLOCATE, a->tid);
		memcpy(v, (uint8_t[]){ 17, 0, 0, 0 }, 4);
		message_put(&m, TRANSPORT, v, 4);
		if (a->phase == PROVING)
			prove(&m, a);
		break;
	case PERMITTING:
		message_begin(&m, PERMIT, a->tid);
		message_put_address(&m, PEER, &load.peer);
		prove(&m, a);
		break;
	case BINDING:
		message_begin(&m, BIND, a->tid);
		put16(v, 0x4000);
		put16(v + 2, 0);
		message_put(&m, CHANNEL, v, 4);
		message_put_address(&m, PEER, &load.peer);
		prove(&m, a);
		break;
	case FREEING:
		message_begin(&m, REFRESH, a->tid);
		put32(v, 0);
		message_put(&m, LIFETIME, v, 4);
		prove(&m, a);
		break;
	default:
		return;
	}
	a->sent_at = now_ns();
	send(a->fd, m.b, (size_t)m.n, 0);
}

static void enter(struct alloc *a, enum phase p)
{
	a->phase = p;
	a->tries = 0;
	if (p == ASKING || p == PROVING || p == PERMITTING || p == BINDING ||
	    p == FREEING) {
		new_tid(a);
		request(a);
	}
}

static void settle(struct alloc *a, enum phase p)
{
	a->phase = p;
	if (p == FAILED)
		failed_count++;
	done_count++;
}

void alloc_on_answer(struct alloc *a, const uint8_t *b, int n)
{
	unsigned t = get16(b);
	int l;
	const uint8_t *v;
	if (memcmp(b + 8, a->tid, 12))
		return; /* an answer to an earlier try */
	if ((t & FAILURE) == FAILURE) {
		v = message_find(b, n, ERROR_CODE, &l);
		int code = v && l >= 4 ? (v[2] & 7) * 100 + v[3] : 0;
		bool first = code == 401 && a->phase == ASKING;
		if ((first || code == 438) && a->tries < 8) {
			if ((v = message_find(b, n, REALM, &l)) &&
			    l < (int)sizeof a->realm) {
				memcpy(a->realm, v, (size_t)l);
				a->realm[l] = 0;
			}
			if ((v = message_find(b, n, NONCE, &l)) &&
			    l < (int)sizeof a->nonce) {
				memcpy(a->nonce, v, (size_t)l);
				a->nonce[l] = 0;
			}
			char s[600];
			unsigned kl = 16;
			snprintf(s, sizeof s, "%s:%s:%s", load.user, a->realm,
				 load.password);
			EVP_Digest(s, strlen(s), a->key, &kl, EVP_md5(), NULL);
			if (first)
				enter(a, PROVING);
			else {
				a->tries++;
				new_tid(a);
				request(a);
			}
			return;
		}
		a->code = code;
		settle(a, FAILED);
		return;
	}
	if ((t & FAILURE) != SUCCESS)
		return;
	switch (a->phase) {
	case ASKING: /* a server without authentication */
	case PROVING:
		if (message_find_address(b, n, RELAYED, &a->relayed))
			settle(a, READY);
		else
			settle(a, FAILED);
		break;
	case PERMITTING:
		if (load.channel)
			enter(a, BINDING);
		else
			settle(a, BOUND);
		break;
	case BINDING:
		settle(a, BOUND);
		break;
	case FREEING:
		settle(a, FREED);
		break;
	default:
		break;
	}
}

static void retransmit(void)
{
	uint64_t t = now_ns();
	for (int i = 0; i < load.count; i++) {
		struct alloc *a = &allocs[i];
		if (a->phase != ASKING && a->phase != PROVING && a->phase != PERMITTING &&
		    a->phase != BINDING && a->phase != FREEING)
			continue;
		if (t - a->sent_at < 500000000u)
			continue;
		if (++a->tries > 8)
			settle(a, FAILED);
		else
			request(a);
	}
}

/* drive all allocations from one settled phase to another, `window` at a time; returns seconds */
double alloc_drive(enum phase from, enum phase start, double limit)
{
	uint64_t t0 = now_ns(), last = t0;
	int next = 0, target = 0, begun = 0;
	for (int i = 0; i < load.count; i++)
		target += allocs[i].phase == from;
	done_count = 0;
	while (done_count < target) {
		while (begun - done_count < load.window && next < load.count) {
			struct alloc *a = &allocs[next++];
			if (a->phase != from)
				continue;
			begun++;
			enter(a, start);
		}
		relay_poll(20);
		uint64_t t = now_ns();
		if (t - last > 100000000u) {
			retransmit();
			last = t;
		}
		if ((double)(t - t0) / 1e9 > limit)
			break;
	}
	return (double)(now_ns() - t0) / 1e9;
}
