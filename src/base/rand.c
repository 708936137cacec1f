/* One block of 4 KiB per thread, so that a system call serves many small requests. Bytes are
 * wiped as they are handed out, and a child process throws its copy away.
 */
#include "base/rand.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/log.h"

#define RAND_BLOCK 4096

static _Thread_local struct {
	uint8_t p[RAND_BLOCK];
	size_t left; /* unused bytes, at the end of p */
} pool;

static void from_kernel(uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			/* Going on without randomness would be worse than ending. */
			log_error("rand", "getrandom-failed", "errno=%d", errno);
			abort();
		}
		p += got;
		n -= (size_t)got;
	}
}

/* Runs in the child, whose only thread is the one that forked. */
static void forget(void)
{
	explicit_bzero(&pool, sizeof(pool));
}

static void forget_in_children(void)
{
	pthread_atfork(NULL, NULL, forget);
}

static void refill(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, forget_in_children);
	from_kernel(pool.p, sizeof(pool.p));
	pool.left = sizeof(pool.p);
}

void rand_bytes(void *p, size_t n)
{
	if (n > RAND_BLOCK / 4) {
		from_kernel(p, n);
		return;
	}
	if (n == 0)
		return;
	if (pool.left < n)
		refill();
	uint8_t *from = pool.p + (sizeof(pool.p) - pool.left);
	memcpy(p, from, n);
	explicit_bzero(from, n);
	pool.left -= n;
}

uint64_t rand_u64(void)
{
	uint64_t v;

	rand_bytes(&v, sizeof(v));
	return v;
}

void rand_text(char *p, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

	rand_bytes(p, n);
	for (size_t i = 0; i < n; i++)
		p[i] = letters[(uint8_t)p[i] & 31];
}
