#include <unistd.h>

#include "admin/admin.h"
#include "base/file.h"

static const struct {
	const char *name, *kind, *help;
} metrics[METRIC_COUNT] = {
#define X(id, kind, name, help) [METRIC_##id] = { name, #kind, help },
	METRIC_LIST(X)
#undef X
};

static void print_head(struct buf *b, const char *name, const char *kind,
		       const char *help)
{
	buf_printf(b, "# HELP parley_%s %s\n# TYPE parley_%s %s\n", name, help, name,
		   kind);
}

/* /proc/self/statm, second number: resident pages (proc(5)). */
static uint64_t resident_bytes(void)
{
	struct buf b = BUF_INIT(256);
	struct slice rest, word;
	uint64_t pages = 0;

	if (file_read("/proc/self/statm", 200, &b) == 0) {
		rest = buf_slice(&b);
		if (!slice_split(&rest, ' ', &word) || !slice_split(&rest, ' ', &word) ||
		    slice_to_u64(word, &pages) < 0)
			pages = 0;
	}
	buf_fini(&b);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void print_process(const struct admin_state *s, struct buf *b)
{
	print_head(b, "build_info", "gauge", "the version that runs");
	buf_printf(b, "parley_build_info{version=\"%s\"} 1\n", s->version);
	print_head(b, "uptime_seconds", "gauge", "time since the start");
	buf_printf(b, "parley_uptime_seconds %.3f\n",
		   (double)(clock_mono() - s->started) / 1000);
	print_head(b, "resident_memory_bytes", "gauge", "resident memory of the process");
	buf_printf(b, "parley_resident_memory_bytes %llu\n",
		   (unsigned long long)resident_bytes());
}

void metrics_print(const struct admin_state *s, struct buf *b)
{
	print_process(s, b);
	for (unsigned m = 0; m < METRIC_COUNT; m++) {
		print_head(b, metrics[m].name, metrics[m].kind, metrics[m].help);
		for (unsigned w = 0; w < s->workers; w++)
			buf_printf(b, "parley_%s{worker=\"%u\"} %lld\n", metrics[m].name,
				   w, (long long)metric_of(w, (enum metric)m));
		int64_t rest = metric_elsewhere((enum metric)m);
		if (rest != 0)
			buf_printf(b, "parley_%s{worker=\"none\"} %lld\n",
				   metrics[m].name, (long long)rest);
	}
}

void admin_on_metrics(struct http_exchange *x, void *arg)
{
	struct buf b = BUF_INIT(4u << 20);

	metrics_print(arg, &b);
	http_add_header(x, "Cache-Control", SLICE("no-store"));
	http_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", buf_slice(&b));
	buf_fini(&b);
}
