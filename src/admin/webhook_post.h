/* webhook_post: one HTTP POST by libcurl, which is opened when it is needed. For threads that may wait. */
#pragma once
#include <stdatomic.h>
#include "base/buf.h"
#include "base/clock.h"

/* Once, before the threads. E_UNAVAILABLE: it is not installed. */
int webhook_post_open(void) NODISCARD;
/* Can it be posted to: http or https? */
bool webhook_post_fits(const char *url);

struct webhook_post {
	const char *url, *agent, *authorization;
	struct slice body;
	ms_t timeout;
	const _Atomic ms_t
		*give_up; /* clock_mono() after which the attempt ends; 0: never */
};
/* The status; 0 when there was no answer. Redirects are not followed. */
long webhook_post_send(const struct webhook_post *p);
