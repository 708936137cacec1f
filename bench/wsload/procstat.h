/* procstat: what the server's processes have spent and hold, read from /proc. */
#pragma once
#include <stdbool.h>

struct procstat_cpu {
	double ticks_s;          /* from /proc/PID/stat: coarse, but always there */
	double user_s, system_s; /* its two parts */
	double exact_s;          /* nanoseconds of all threads, from schedstat */
	bool exact;
};

struct procstat_mem {
	long rss_kb, peak_kb;
	long slab_kb;   /* of the machine: both ends of a local connection */
	long tcp_pages; /* of the machine: bytes that wait in sockets */
};

/* Sums over the processes of opt.pids. */
struct procstat_cpu procstat_cpu(void);
struct procstat_mem procstat_mem(void);
/* Seconds between two readings, by the best clock that both have. */
double procstat_cpu_between(struct procstat_cpu a, struct procstat_cpu b);
