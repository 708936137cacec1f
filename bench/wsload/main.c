/* wsload: loads a WebSocket server and says what that costs it. See ../README.md.
 *
 * The parent starts the worker processes, leads them through the phases of a run
 * (open, warm up, measure, drain), reads the server's CPU time at both ends of the
 * measured window and prints one JSON object. Every phase has a deadline: the program
 * always ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "run.h"
#include "util.h"
#include "worker.h"

#define QUIET_NS (200 * NS_PER_MS)
#define SETTLE_NS (15 * NS_PER_S)
#define DRAIN_NS (3 * NS_PER_S)
#define QUIT_NS (10 * NS_PER_S)

static struct shared *shared;
static pid_t *children;

static void set_phase(enum phase p)
{
	atomic_store_explicit(&shared->phase, p, memory_order_release);
}

static double seconds_since(uint64_t from)
{
	return (double)(now_ns() - from) / 1e9;
}

static uint32_t share_of(uint32_t all, unsigned i)
{
	return all / opt.procs + (i < all % opt.procs);
}

static void start_workers(void)
{
	double limit = opt.connect_timeout + opt.warmup + opt.duration + opt.hold + 40;
	struct worker_share share = { 0 };

	children = xzalloc(opt.procs * sizeof(*children));
	for (unsigned i = 0; i < opt.procs; i++) {
		share.first_conn += share.conns;
		share.first_room += share.rooms;
		share.rooms = options_rooms() ? share_of(opt.rooms, i) : 0;
		share.conns = options_rooms() ? share.rooms * opt.members
					      : share_of(opt.conns, i);
		children[i] = fork();
		if (children[i] < 0)
			die("cannot fork");
		if (children[i] == 0)
			worker_run(shared, i, &share, (unsigned)limit);
	}
}

static void stop_workers(void)
{
	uint64_t from = now_ns();

	set_phase(PHASE_QUIT);
	for (unsigned i = 0; i < opt.procs; i++)
		while (waitpid(children[i], NULL, WNOHANG) == 0) {
			if (now_ns() - from > QUIT_NS)
				kill(children[i], SIGKILL);
			sleep_ms(2);
		}
}

static uint32_t count_settled(void)
{
	uint32_t settled = 0;

	for (unsigned i = 0; i < opt.procs; i++)
		settled += atomic_load(&shared->of[i].ready) +
			   atomic_load(&shared->of[i].failed);
	return settled;
}

static void wait_until_open(struct run *r)
{
	uint64_t from = now_ns();

	do {
		sleep_ms(2);
		r->timed_out = seconds_since(from) > opt.connect_timeout;
	} while (count_settled() < opt.conns && !r->timed_out);
	r->connect_s = seconds_since(from);
}

/* All are dropped first, then all must be there again. */
static void wait_until_back(double seconds)
{
	uint64_t from = now_ns();

	fputs("dropping\n", stderr); /* for who measures others meanwhile */
	while (count_settled() >= opt.conns && seconds_since(from) < seconds)
		sleep_ms(1);
	while (count_settled() < opt.conns && seconds_since(from) < seconds)
		sleep_ms(1);
}

/* A SIGUSR1 ends a warm-up, or the measured window, early. */
static void on_user_signal(int sig)
{
	(void)sig;
}

/* Returns once nothing has arrived for QUIET_NS: what joins have set off is over, and
 * what was sent has come. */
static void wait_until_quiet(uint64_t limit)
{
	uint64_t from = now_ns(), quiet = from;
	unsigned long long last = 0;

	while (now_ns() - quiet < QUIET_NS && now_ns() - from < limit) {
		unsigned long long n = 0;

		sleep_ms(10);
		for (unsigned i = 0; i < opt.procs; i++)
			n += shared->of[i].delivered_all + shared->of[i].other_all;
		if (n != last)
			quiet = now_ns();
		last = n;
	}
}

static void measure(struct run *r, double seconds)
{
	r->from = procstat_cpu();
	uint64_t from = now_ns();
	set_phase(PHASE_MEASURE);
	if (opt.mode == MODE_RESUME)
		wait_until_back(seconds);
	else
		sleep_ms((unsigned)(seconds * 1000));
	set_phase(PHASE_DRAIN);
	r->wall_s = seconds_since(from);
	r->to = procstat_cpu();
	r->mem = procstat_mem();
}

static void lead(struct run *r)
{
	r->connect_from = procstat_cpu();
	if (opt.mode != MODE_STORM)
		wait_until_open(r);
	r->connect_to = procstat_cpu();
	if (opt.mode != MODE_STORM)
		wait_until_quiet(SETTLE_NS);
	if (opt.mode == MODE_IDLE) {
		measure(r, opt.hold);
	} else {
		set_phase(PHASE_WARM);
		sleep_ms((unsigned)(opt.warmup * 1000));
		measure(r, opt.duration);
	}
	wait_until_quiet(DRAIN_NS);
}

static double seconds_between(struct timespec a, struct timespec b)
{
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	static struct run r;

	options_read(argc, argv);
	options_fit_descriptors();
	signal(SIGUSR1, on_user_signal);
	for (size_t i = 0; i < opt.npids; i++)
		if (kill(opt.pids[i], 0) < 0 && errno == ESRCH)
			die("there is no process %d", (int)opt.pids[i]);
	shared = shared_create(opt.procs);
	r.mem_before = procstat_mem();
	start_workers();
	lead(&r);
	stop_workers();
	for (unsigned i = 0; i < opt.procs; i++) {
		stats_merge(&r.total, &shared->of[i]);
		r.generator_s +=
			seconds_between(shared->of[i].cpu_from, shared->of[i].cpu_to);
	}
	report_print(&r);
	return report_ok(&r) ? 0 : 1;
}
