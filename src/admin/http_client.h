/* http_client: one HTTP request by libcurl, which is opened when it is needed. For threads that may wait. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "base/buf.h"
#include "base/clock.h"

/* Before the threads that send; again is no harm. E_UNAVAILABLE: it is not installed. */
int admin_http_open(void) NODISCARD;
/* Can it be asked: http or https? */
bool admin_http_fits(const char *url);

/* A thread that may wait. Signals are for the main thread's loop alone. -errno. */
int admin_http_thread(pthread_t *t, void *(*fn)(void *), void *arg) NODISCARD;

struct admin_http {
	const char *url, *agent;
	const char *const *headers; /* whole lines, the last one NULL; or NULL */
	const struct slice *body;   /* of a POST; NULL: it is a GET */
	ms_t timeout;
	const _Atomic ms_t *give_up; /* clock_mono() after which it ends; 0: never */
	/* What comes back; a longer body than the buffer takes is no answer. NULL: it is of no interest. */
	struct buf *answer, *cache_control;
};
/* The status; 0 when there was no answer. Redirects are not followed. */
long admin_http_send(const struct admin_http *r);
