/* stats: what the worker processes count and the parent reads. One slot per process in
 * memory that they share; only its own process writes it.
 */
#pragma once
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "latency.h"

enum phase {
	PHASE_CONNECT, /* open and join */
	PHASE_WARM,    /* traffic runs */
	PHASE_MEASURE, /* and counts */
	PHASE_DRAIN,   /* nothing new is sent */
	PHASE_QUIT,
};

struct stats {
	/* Read by the parent while the run goes on. */
	atomic_uint ready, failed;
	atomic_ullong sent_all, expected_all, delivered_all, other_all;
	/* Inside the measured window; read by the parent at the end. */
	uint64_t sent, delivered, stalled, dropped, closed;
	uint64_t connected, refused; /* storm */
	uint64_t paced, paced_late;  /* open loop: sends, those over 1 ms late */
	struct latency latency;
	struct timespec cpu_from, cpu_to;
	char error[160]; /* the first thing that went wrong */
	char said[160];  /* the last text that was not the awaited one */
};

struct shared {
	_Atomic enum phase phase;
	struct stats of[];
};

struct shared *shared_create(unsigned procs);
/* Adds `from` to `into`: all that can be added up; keeps the first error. */
void stats_merge(struct stats *into, const struct stats *from);
void stats_note(struct stats *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline void stats_count(atomic_ullong *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}
