#include "auth/limit.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#define MINUTE 60000

struct known {
	struct list link;            /* of limits->seen: seen longest ago first */
	uint64_t left[AUTH_BUDGETS]; /* in parts of MINUTE */
	ms_t at;
	size_t n;
	uint8_t address[];
};

struct auth_limits {
	const struct auth_limit_settings *settings;
	struct map known;
	struct list seen;
};

struct auth_limits *auth_limits_create(const struct auth_limit_settings *s)
{
	struct auth_limits *l = xzalloc(sizeof(*l));

	l->settings = s;
	map_init(&l->known);
	list_init(&l->seen);
	return l;
}

static void forget(struct auth_limits *l, struct known *k)
{
	map_del(&l->known, slice_of(k->address, k->n));
	list_unlink(&k->link);
	free(k);
}

void auth_limits_destroy(struct auth_limits *l)
{
	if (!l)
		return;
	while (!list_empty(&l->seen))
		forget(l, list_entry(l->seen.next, struct known, link));
	map_fini(&l->known);
	free(l);
}

static uint64_t full(const struct auth_limits *l, unsigned budget)
{
	return (uint64_t)l->settings->per_minute[budget] * MINUTE;
}

static struct known *get_to_know(struct auth_limits *l, struct slice address, ms_t now)
{
	struct known *k = xzalloc(sizeof(*k) + address.n);

	if (l->known.count >= l->settings->addresses)
		forget(l, list_entry(l->seen.next, struct known, link));
	k->at = now;
	k->n = address.n;
	memcpy(k->address, address.p, address.n);
	for (unsigned i = 0; i < AUTH_BUDGETS; i++)
		k->left[i] = full(l, i);
	list_init(&k->link);
	map_put(&l->known, address, k);
	return k;
}

static void refill(const struct auth_limits *l, struct known *k, ms_t now)
{
	uint64_t span = now > k->at ? (uint64_t)(now - k->at) : 0;

	span = span > MINUTE ? MINUTE : span;
	for (unsigned i = 0; i < AUTH_BUDGETS; i++) {
		uint64_t left = k->left[i] + span * l->settings->per_minute[i];

		k->left[i] = left > full(l, i) ? full(l, i) : left;
	}
	k->at = now;
}

unsigned auth_limits_take_many(struct auth_limits *l, struct slice address,
			       enum auth_budget budget, uint64_t amount, ms_t now)
{
	uint32_t rate = l->settings->per_minute[budget];
	struct known *k;

	if (rate == 0 || address.n == 0 || l->settings->addresses == 0)
		return 0;
	k = map_find(&l->known, address);
	if (!k)
		k = get_to_know(l, address, now);
	refill(l, k, now);
	list_unlink(&k->link);
	list_append(&l->seen, &k->link);
	uint64_t wanted = (amount < rate ? amount : rate) * MINUTE;
	if (k->left[budget] >= wanted) {
		k->left[budget] -= wanted;
		return 0;
	}
	uint64_t ms = (wanted - k->left[budget] + rate - 1) / rate;
	return (unsigned)((ms + 999) / 1000);
}

unsigned auth_limits_take(struct auth_limits *l, struct slice address,
			  enum auth_budget budget, ms_t now)
{
	return auth_limits_take_many(l, address, budget, 1, now);
}
