#include "stats.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "util.h"

struct shared *shared_create(unsigned procs)
{
	size_t n = sizeof(struct shared) + procs * sizeof(struct stats);
	void *p =
		mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("no shared memory");
	return p;
}

void stats_merge(struct stats *into, const struct stats *from)
{
	into->ready += from->ready;
	into->failed += from->failed;
	into->sent_all += from->sent_all;
	into->expected_all += from->expected_all;
	into->delivered_all += from->delivered_all;
	into->other_all += from->other_all;
	into->sent += from->sent;
	into->delivered += from->delivered;
	into->stalled += from->stalled;
	into->dropped += from->dropped;
	into->closed += from->closed;
	into->connected += from->connected;
	into->refused += from->refused;
	into->paced += from->paced;
	into->paced_late += from->paced_late;
	latency_merge(&into->latency, &from->latency);
	if (!into->error[0])
		memcpy(into->error, from->error, sizeof(into->error));
	if (!into->said[0])
		memcpy(into->said, from->said, sizeof(into->said));
}

void stats_note(struct stats *s, const char *fmt, ...)
{
	va_list ap;

	if (s->error[0])
		return;
	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
}
