#include "latency.h"

#include <stddef.h>

/* Values below 64 have a bucket each. Above, the highest bit selects a group of 64 and
 * the six bits under it the step in the group. */
static size_t bucket_of(uint64_t v)
{
	if (v < LATENCY_STEPS)
		return (size_t)v;
	unsigned top = 63 - (unsigned)__builtin_clzll(v);
	size_t b = (size_t)(top - 5) * LATENCY_STEPS +
		   ((v >> (top - 6)) & (LATENCY_STEPS - 1));
	return b < LATENCY_BUCKETS ? b : LATENCY_BUCKETS - 1;
}

static double middle_of(size_t b)
{
	if (b < LATENCY_STEPS)
		return (double)b;
	unsigned top = (unsigned)(b / LATENCY_STEPS) + 5;
	double step = (double)(1ull << (top - 6));
	return (double)(1ull << top) + ((double)(b % LATENCY_STEPS) + 0.5) * step;
}

void latency_add(struct latency *l, uint64_t ns)
{
	l->bucket[bucket_of(ns)]++;
}

void latency_merge(struct latency *into, const struct latency *from)
{
	for (size_t i = 0; i < LATENCY_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}

uint64_t latency_count(const struct latency *l)
{
	uint64_t n = 0;

	for (size_t i = 0; i < LATENCY_BUCKETS; i++)
		n += l->bucket[i];
	return n;
}

double latency_quantile_us(const struct latency *l, double q)
{
	double wanted = q * (double)latency_count(l);
	uint64_t seen = 0;

	for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
		seen += l->bucket[i];
		if (seen > 0 && (double)seen >= wanted)
			return middle_of(i) / 1e3;
	}
	return 0;
}
