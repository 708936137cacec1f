/* latency: a histogram of nanoseconds with 64 steps per power of two, so that every
 * answer is at most 1.6 % off. Lives in memory shared by processes; one process writes
 * it.
 */
#pragma once
#include <stdint.h>

#define LATENCY_STEPS 64
#define LATENCY_BUCKETS (36 * LATENCY_STEPS)

struct latency {
	uint64_t bucket[LATENCY_BUCKETS];
};

void latency_add(struct latency *l, uint64_t ns);
void latency_merge(struct latency *into, const struct latency *from);
uint64_t latency_count(const struct latency *l);
/* Microseconds below which the share `q` (0..1) of all values lies; 0 when there are
 * none. */
double latency_quantile_us(const struct latency *l, double q);
