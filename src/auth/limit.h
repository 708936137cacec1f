/* limit: how often somebody may do something: a token bucket per address and budget.
 *
 * Owner:  a loop; one table per worker, so the numbers are those of one worker.
 * Memory: bounded: at most `addresses` are known, who has not been seen the longest is forgotten.
 */
#pragma once
#include "base/clock.h"
#include "base/slice.h"

enum auth_budget {
	AUTH_CONNECTS, /* sockets opened */
	AUTH_REQUESTS, /* HTTP requests */
	AUTH_ROOMS,    /* rooms made */
	AUTH_FILES,    /* KiB of files uploaded; the address is a member or a user here */
	AUTH_BUDGETS
};

struct auth_limit_settings {
	uint32_t per_minute
		[AUTH_BUDGETS]; /* 0: no limit; at once as many as in a minute */
	uint32_t addresses;
};

struct auth_limits;

/* The settings must outlive it. */
struct auth_limits *auth_limits_create(const struct auth_limit_settings *s);
void auth_limits_destroy(struct auth_limits *l);
/* 0: go on. Else it is over the limit: in so many seconds it may come again. */
unsigned auth_limits_take(struct auth_limits *l, struct slice address,
			  enum auth_budget budget, ms_t now);
/* The same for `amount` of it at once; more than there is in a minute takes all of that. */
unsigned auth_limits_take_many(struct auth_limits *l, struct slice address,
			       enum auth_budget budget, uint64_t amount, ms_t now);
