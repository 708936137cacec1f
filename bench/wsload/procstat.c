#include "procstat.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "options.h"

static void add_ticks(struct procstat_cpu *u, pid_t pid)
{
	char path[64], line[1024];
	unsigned long long user, system;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return;
	size_t n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';

	/* The name in brackets may hold anything: count fields from behind it. */
	const char *p = strrchr(line, ')');
	if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
			 &user, &system) != 2)
		return;
	double hz = (double)sysconf(_SC_CLK_TCK);
	u->user_s += (double)user / hz;
	u->system_s += (double)system / hz;
	u->ticks_s += (double)(user + system) / hz;
}

static void add_schedstat(struct procstat_cpu *u, pid_t pid, const char *thread)
{
	char path[320];
	unsigned long long ns;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, thread);
	FILE *f = fopen(path, "r");
	if (!f)
		return;
	if (fscanf(f, "%llu", &ns) == 1) {
		u->exact_s += (double)ns / 1e9;
		u->exact = true;
	}
	fclose(f);
}

struct procstat_cpu procstat_cpu(void)
{
	struct procstat_cpu u = { 0 };

	for (size_t i = 0; i < opt.npids; i++) {
		char path[64];
		struct dirent *e;

		add_ticks(&u, opt.pids[i]);
		snprintf(path, sizeof(path), "/proc/%d/task", (int)opt.pids[i]);
		DIR *d = opendir(path);
		while (d && (e = readdir(d)))
			if (e->d_name[0] != '.')
				add_schedstat(&u, opt.pids[i], e->d_name);
		if (d)
			closedir(d);
	}
	return u;
}

double procstat_cpu_between(struct procstat_cpu a, struct procstat_cpu b)
{
	return a.exact && b.exact ? b.exact_s - a.exact_s : b.ticks_s - a.ticks_s;
}

/* Calls sscanf with each line; formats hold one %ld. */
static void scan_file(const char *path, size_t n, const char *const formats[],
		      long *const into[])
{
	char line[512];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < n; i++) {
			long v;

			if (sscanf(line, formats[i], &v) == 1)
				*into[i] += v;
		}
	if (f)
		fclose(f);
}

struct procstat_mem procstat_mem(void)
{
	struct procstat_mem m = { 0 };

	for (size_t i = 0; i < opt.npids; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/status", (int)opt.pids[i]);
		scan_file(path, 2, (const char *const[]){ "VmRSS: %ld", "VmHWM: %ld" },
			  (long *const[]){ &m.rss_kb, &m.peak_kb });
	}
	scan_file("/proc/meminfo", 1, (const char *const[]){ "Slab: %ld" },
		  (long *const[]){ &m.slab_kb });
	scan_file("/proc/net/sockstat", 1,
		  (const char *const[]){
			  "TCP: inuse %*d orphan %*d tw %*d alloc %*d mem %ld" },
		  (long *const[]){ &m.tcp_pages });
	return m;
}
