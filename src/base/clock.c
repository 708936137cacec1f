#include "base/clock.h"

#include <time.h>

static uint64_t now_us(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

ms_t clock_mono(void)
{
	return (ms_t)(now_us(CLOCK_MONOTONIC) / 1000);
}

ms_t clock_wall(void)
{
	return (ms_t)(now_us(CLOCK_REALTIME) / 1000);
}

uint64_t clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

void clock_iso(struct buf *b, ms_t wall)
{
	ms_t ms = wall % 1000;
	if (ms < 0)
		ms += 1000; /* before 1970 seconds count down, their fractions still up */
	time_t sec = (time_t)((wall - ms) / 1000);
	struct tm t;

	gmtime_r(&sec, &t);
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900,
		   t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, (int)ms);
}
