#include "turn/refusals.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct entry {
	uint64_t user; /* hash of the name */
	struct turn_refused refused;
};

struct turn_refusals {
	pthread_mutex_t lock; /* of all that follows */
	struct entry ring[TURN_REFUSALS];
	size_t count; /* since the start */
};

static const struct {
	const char *name, *phrase;
	unsigned code;
} refusals[] = {
#define X(id, code, phrase) [TURN_REFUSAL_##id] = { #id, phrase, code },
	TURN_REFUSAL_LIST(X)
#undef X
};

const char *turn_refusal_name(enum turn_refusal why)
{
	return refusals[why].name;
}

const char *turn_refusal_phrase(enum turn_refusal why)
{
	return refusals[why].phrase;
}

unsigned turn_refusal_code(enum turn_refusal why)
{
	return refusals[why].code;
}

struct turn_refusals *turn_refusals_create(void)
{
	struct turn_refusals *l = xzalloc(sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void turn_refusals_destroy(struct turn_refusals *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void turn_refusals_note(struct turn_refusals *l, struct slice user,
			const struct turn_refused *r)
{
	const struct entry e = { hash_bytes(user), *r };

	pthread_mutex_lock(&l->lock);
	l->ring[l->count++ % TURN_REFUSALS] = e;
	pthread_mutex_unlock(&l->lock);
}

size_t turn_refusals_of(struct turn_refusals *l, struct slice user,
			struct turn_refused *out, size_t max)
{
	uint64_t hash = hash_bytes(user);
	size_t n = 0;

	pthread_mutex_lock(&l->lock);
	for (size_t i = 1; i <= TURN_REFUSALS && i <= l->count && n < max; i++) {
		const struct entry *e = &l->ring[(l->count - i) % TURN_REFUSALS];
		if (e->user == hash)
			out[n++] = e->refused;
	}
	pthread_mutex_unlock(&l->lock);
	return n;
}
