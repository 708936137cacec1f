#include <stdio.h>

#include "options.h"
#include "run.h"
#include "util.h"

static void put_text(const char *key, const char *text)
{
	printf(",\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text >= 32)
			putchar(*text);
	}
	putchar('"');
}

static void put_count(const char *key, uint64_t v)
{
	printf(",\"%s\":%llu", key, (unsigned long long)v);
}

static void put_real(const char *key, double v)
{
	printf(",\"%s\":%.4f", key, v);
}

static double per(double sum, uint64_t n)
{
	return n > 0 ? sum / (double)n : 0;
}

static void put_server(const struct run *r)
{
	double ticks = r->to.ticks_s - r->from.ticks_s;
	double cpu = procstat_cpu_between(r->from, r->to);

	if (opt.npids == 0)
		return;
	put_real("server_cpu_s", cpu);
	put_real("server_util", cpu / r->wall_s);
	put_real("server_sys_share",
		 ticks > 0 ? (r->to.system_s - r->from.system_s) / ticks : 0);
	put_count("rss_before_kb", (uint64_t)r->mem_before.rss_kb);
	put_count("rss_kb", (uint64_t)r->mem.rss_kb);
	put_count("rss_peak_kb", (uint64_t)r->mem.peak_kb);
}

static void put_traffic(const struct run *r)
{
	const struct stats *s = &r->total;
	double cpu_us = procstat_cpu_between(r->from, r->to) * 1e6;

	put_count("messages", s->sent);
	put_count("deliveries", s->delivered);
	put_real("deliveries_per_s", (double)s->delivered / r->wall_s);
	put_real("cpu_us_per_delivery", per(cpu_us, s->delivered));
	put_real("cpu_us_per_message", per(cpu_us, s->sent));
	put_count("sent_total", s->sent_all);
	put_count("expected_total", s->expected_all);
	put_count("delivered_total", s->delivered_all);
	put_count("stalled", s->stalled);
	put_count("dropped_sends", s->dropped);
	if (opt.rate > 0)
		put_real("generator_late_share", per((double)s->paced_late, s->paced));
}

static void put_storm(const struct run *r)
{
	const struct stats *s = &r->total;
	double cpu_us = procstat_cpu_between(r->from, r->to) * 1e6;

	put_count("connections", s->connected);
	put_count("failures", s->refused);
	put_real("connections_per_s", (double)s->connected / r->wall_s);
	put_real("cpu_us_per_connection", per(cpu_us, s->connected));
}

static void put_resume(const struct run *r)
{
	const struct stats *s = &r->total;

	put_count("resumed", s->connected);
	put_count("incomplete", s->refused);
	put_real("back_s", latency_quantile_us(&s->latency, 1) / 1e6);
}

static void put_idle(const struct run *r)
{
	uint64_t n = r->total.ready;
	double cpu_us = procstat_cpu_between(r->from, r->to) * 1e6;
	double connect_us = procstat_cpu_between(r->connect_from, r->connect_to) * 1e6;
	double rss = (double)(r->mem.rss_kb - r->mem_before.rss_kb) * 1024;
	double slab = (double)(r->mem.slab_kb - r->mem_before.slab_kb) * 1024;

	put_real("rss_bytes_per_conn", per(rss, n));
	put_real("slab_bytes_per_conn_both_ends", per(slab, n));
	put_real("connect_cpu_us_per_conn", per(connect_us, n));
	put_real("idle_cpu_us_per_conn_per_s", per(cpu_us / r->wall_s, n));
}

static void put_latency(const struct latency *l)
{
	static const struct {
		const char *name;
		double q;
	} at[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };

	printf(",\"latency_us\":{");
	for (size_t i = 0; i < ARRAY_LEN(at); i++)
		printf("\"%s\":%.1f,", at[i].name, latency_quantile_us(l, at[i].q));
	printf("\"max\":%.1f}", latency_quantile_us(l, 1));
}

void report_print(const struct run *r)
{
	const struct stats *s = &r->total;

	printf("{\"mode\":\"%s\"", opt.mode_name);
	put_text("label", opt.label);
	put_count("size", opt.size);
	put_count("conns", opt.conns);
	put_count("ready", s->ready);
	put_count("failed", s->failed);
	put_count("closed", s->closed);
	put_count("other_messages", s->other_all);
	put_real("connect_s", r->connect_s);
	put_real("wall_s", r->wall_s);
	put_real("generator_util", r->generator_s / r->wall_s / opt.procs);
	put_server(r);
	switch (opt.mode) {
	case MODE_ECHO:
	case MODE_ROOM:
		put_traffic(r);
		break;
	case MODE_STORM:
		put_storm(r);
		break;
	case MODE_IDLE:
		put_idle(r);
		break;
	case MODE_RESUME:
		put_resume(r);
		break;
	case MODES:
		break;
	}
	if (latency_count(&s->latency) > 0)
		put_latency(&s->latency);
	printf(",\"timed_out\":%s", r->timed_out ? "true" : "false");
	if (r->timed_out && s->said[0])
		put_text("said_instead", s->said);
	put_text("error", s->error);
	printf("}\n");
}

bool report_ok(const struct run *r)
{
	const struct stats *s = &r->total;
	bool some = opt.mode == MODE_STORM || opt.mode == MODE_RESUME ? s->connected > 0
		    : opt.mode == MODE_IDLE                           ? s->ready > 0
								      : s->delivered > 0;

	return some && !r->timed_out;
}
