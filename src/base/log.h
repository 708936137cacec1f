/* log: lines for the person woken at night: level, module, event, fields ("room=%s n=%zu").
 *
 * Written to stderr with one write(2) per line, from any thread. As text
 *   2026-11-20T10:53:49.123Z info  room     joined room=amber-fox n=2
 * or as JSON {"time","level","module","event",...fields as strings}. A value that a stranger
 * chose goes through log_value(), which quotes it when needed; our own may have spaces as
 * they are. Never tokens, passwords, message text or whole SDP.
 */
#pragma once
#include <stdatomic.h>
#include "base/clock.h"
#include "base/compiler.h"
#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_setup(enum log_level level, bool json);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *module, const char *event,
	       const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The fields of a line that is not wanted are not worked out. */
#define log_if_enabled(level, ...)                                                       \
	do {                                                                             \
		if (log_enabled(level))                                                  \
			log_write((level), __VA_ARGS__);                                 \
	} while (0)
#define log_debug(...) log_if_enabled(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_if_enabled(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

/* For what strangers can trigger: at most `burst` lines per second and place; how many were
 * left out is told with the next one. One of these per place and loop, static _Thread_local
 * or in an object. */
struct log_limit {
	ms_t window;
	uint32_t count;
	uint32_t dropped;
};
bool log_allow(struct log_limit *l, uint32_t burst);
#define log_limited(limit, ...)                                                          \
	do {                                                                             \
		if (log_allow((limit), 5))                                               \
			log_write(LOG_WARN, __VA_ARGS__);                                \
	} while (0)

/* A wire text made fit for a log field: quoted when needed, control bytes as \xNN, cut at
 * 100 bytes. Written into `out`; returns it for use in the call. */
struct log_text {
	char s[220];
};
const char *log_value(struct log_text *out, struct slice s);
