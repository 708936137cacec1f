/* run: what one run of the generator has measured, and its report. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "procstat.h"
#include "stats.h"

struct run {
	struct stats total;       /* of all processes */
	double connect_s, wall_s; /* opening; the measured window */
	double generator_s;       /* CPU of our own processes in the window */
	struct procstat_cpu connect_from, connect_to, from, to;
	struct procstat_mem mem_before, mem;
	bool timed_out; /* not all connections were ready in time */
};

/* One JSON object on stdout. */
void report_print(const struct run *r);
/* True when something was measured at all. */
bool report_ok(const struct run *r);
