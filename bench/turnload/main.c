/* turnload: load for a TURN server over UDP (RFC 8656); one JSON object on standard output. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../wsload/options.h"
#include "../wsload/procstat.h"
#include "../wsload/util.h"
#include "turnload.h"

#define ALLOCATE_LIMIT_S 45
#define FREE_LIMIT_S 20

struct options opt; /* procstat wants to know of which processes */
struct load load = {
	.user = "bench",
	.password = "bench",
	.dir = "up",
	.channel = true,
	.count = 1,
	.size = 160,
	.window = 64,
	.burst = 1,
	.tick_us = 1000,
	.rate = 10000,
	.seconds = 8,
	.warmup = 1,
};

static const char usage_text[] =
	"usage: turnload --server IP:PORT [options]\n"
	"  --user U --pass P        long-term credentials (bench/bench)\n"
	"  -n N                     allocations, one client socket each (1)\n"
	"  --mode channel|send      ChannelData, or Send and Data indications\n"
	"  --dir up|down|both|echo|none   none: allocate only\n"
	"  -l BYTES                 payload of a packet, 24..1400 (160)\n"
	"  --rate PPS               packets per second, all allocations together, per "
	"direction (10000)\n"
	"  --tick-us T              what is due is sent every T us (1000; 0: as it falls "
	"due)\n"
	"  --spin                   never sleep between ticks: spares the server the "
	"cost of waking us\n"
	"  --burst K                packets sent together on one allocation (1..64)\n"
	"  --secs S --warm S        measured window and the warm-up before it (8, 1)\n"
	"  --window W               transactions in flight while allocating (64)\n"
	"  --pid PID                the server process, for CPU and memory\n"
	"  --hold S                 seconds idle before memory is read\n";

static _Noreturn void usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static bool read_address(const char *s, struct sockaddr_in *a)
{
	char host[64];
	const char *colon = strrchr(s, ':');

	if (!colon || (size_t)(colon - s) >= sizeof(host))
		return false;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = 0;
	*a = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_port = htons((uint16_t)atoi(colon + 1)) };
	return inet_pton(AF_INET, host, &a->sin_addr) == 1;
}

static void read_option(int which, const char *value)
{
	switch (which) {
	case 's':
		if (!read_address(value, &load.server))
			usage();
		break;
	case 'u':
		load.user = value;
		break;
	case 'w':
		load.password = value;
		break;
	case 'm':
		load.channel = strcmp(value, "channel") == 0;
		if (!load.channel && strcmp(value, "send") != 0)
			usage();
		break;
	case 'd':
		load.dir = value;
		break;
	case 'r':
		load.rate = atof(value);
		break;
	case 'b':
		load.burst = atoi(value);
		break;
	case 't':
		load.seconds = atof(value);
		break;
	case 'W':
		load.warmup = atof(value);
		break;
	case 'k':
		load.window = atoi(value);
		break;
	case 'P':
		opt.pids[0] = (pid_t)atoi(value);
		opt.npids = 1;
		break;
	case 'H':
		load.hold = atoi(value);
		break;
	case 'T':
		load.tick_us = atoi(value);
		break;
	case 'S':
		load.spin = true;
		break;
	case 'n':
		load.count = atoi(value);
		break;
	case 'l':
		load.size = atoi(value);
		break;
	default:
		usage();
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "server", 1, 0, 's' },  { "user", 1, 0, 'u' }, { "pass", 1, 0, 'w' },
		{ "mode", 1, 0, 'm' },    { "dir", 1, 0, 'd' },  { "rate", 1, 0, 'r' },
		{ "burst", 1, 0, 'b' },   { "secs", 1, 0, 't' }, { "warm", 1, 0, 'W' },
		{ "window", 1, 0, 'k' },  { "pid", 1, 0, 'P' },  { "hold", 1, 0, 'H' },
		{ "tick-us", 1, 0, 'T' }, { "spin", 0, 0, 'S' }, { 0, 0, 0, 0 },
	};
	int which;

	read_address("127.0.0.1:0", &load.peer);
	while ((which = getopt_long(argc, argv, "n:l:", options, NULL)) != -1)
		read_option(which, optarg);
	if (load.server.sin_port == 0 || load.count < 1 || load.count > 60000 ||
	    load.size < STAMP || load.size > 1400 || load.burst < 1 ||
	    load.burst > BATCH || load.window < 1 || load.tick_us < 0 ||
	    load.tick_us > 1000000 || load.seconds > 600 || load.warmup > 60)
		usage();
}

/* A socket each. */
static void raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static int count_of(enum phase phase)
{
	int n = 0;

	for (int i = 0; i < load.count; i++)
		n += allocs[i].phase == phase;
	return n;
}

static void idle(double seconds)
{
	uint64_t until = now_ns() + (uint64_t)(seconds * NS_PER_S);

	while (now_ns() < until)
		relay_poll(10);
}

/* Makes the allocations and binds them; how many relay. */
static int allocate(void)
{
	struct procstat_mem before = procstat_mem();
	struct procstat_cpu start = procstat_cpu();
	double seconds = alloc_drive(IDLE, ASKING, ALLOCATE_LIMIT_S);
	struct procstat_cpu allocated = procstat_cpu();
	int made = count_of(READY);

	printf("\"allocations\":%d,\"allocated\":%d,", load.count, made);
	if (made == 0)
		return 0;
	printf("\"alloc_per_s\":%.0f,\"alloc_cpu_us\":%.1f,", made / seconds,
	       procstat_cpu_between(start, allocated) * 1e6 / made);
	alloc_drive(READY, PERMITTING, ALLOCATE_LIMIT_S);
	struct procstat_cpu bound = procstat_cpu();
	idle(load.hold);
	long grown = procstat_mem().rss_kb - before.rss_kb;
	printf("\"bound\":%d,\"bind_cpu_us\":%.1f,\"setup_cpu_us\":%.1f,\"rss_bytes_per_"
	       "alloc\":%.0f,",
	       count_of(BOUND), procstat_cpu_between(allocated, bound) * 1e6 / made,
	       procstat_cpu_between(start, bound) * 1e6 / made,
	       (double)grown * 1024 / made);
	return count_of(BOUND);
}

static void relay(void)
{
	relay_run(load.warmup);
	relay_measure(true);
	struct procstat_cpu before = procstat_cpu();
	relay_run(load.seconds);
	idle(0.2); /* what is in flight still counts */
	double cpu = procstat_cpu_between(before, procstat_cpu());
	relay_measure(false);
	relay_report();
	uint64_t n = relay_arrived();
	printf("\"relayed\":%llu,\"cpu_us_per_packet\":%.3f,", (unsigned long long)n,
	       n ? cpu * 1e6 / (double)n : 0);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	alarm((unsigned)(load.seconds + load.warmup + load.hold +
			 100)); /* it never hangs */
	raise_descriptors();
	relay_open();
	printf("{");
	int bound = allocate();
	if (bound && strcmp(load.dir, "none") != 0)
		relay();
	if (bound)
		alloc_drive(BOUND, FREEING, FREE_LIMIT_S);
	printf("\"failed\":%d}\n", failed_count);
	return failed_count ? 1 : 0;
}
