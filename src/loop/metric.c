#include "loop/metric.h"
#include <stdbool.h>
#include <string.h>
#include "loop/loop_private.h"

/* Not in the loops, so that a reader needs no lock against one that ends; each on cache
 * lines of its own. `spare` is for threads without a loop: main, before and after. */
static struct {
	_Alignas(64) struct metric_set set;
} sets[LOOP_MAX];
static struct metric_set spare;

/* BIT(id) of the loops that there are: each connection asks for totals, of few loops. */
static _Atomic uint64_t alive;
static_assert(LOOP_MAX <= 64, "a loop has a bit");

_Thread_local struct metric_set *metric_here = &spare;

struct metric_set *metric_open(unsigned id)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		atomic_store_explicit(&sets[id].set.v[i], 0, memory_order_relaxed);
	atomic_fetch_or(&alive, UINT64_C(1) << id);
	return &sets[id].set;
}

/* What a loop counted stays in the totals: counters never fall, and a gauge that was
 * raised on one thread and lowered on another comes out right. */
void metric_close(unsigned id)
{
	atomic_fetch_and(&alive, ~(UINT64_C(1) << id));
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		if (i != METRIC_LOOP_LAG_MAX_US)
			atomic_fetch_add(&spare.v[i], atomic_load(&sets[id].set.v[i]));
}

static int64_t metric_read(const struct metric_set *s, enum metric m)
{
	return atomic_load_explicit(&s->v[m], memory_order_relaxed);
}

int64_t metric_of(unsigned loop_id, enum metric m)
{
	if (loop_id >= LOOP_MAX || !(atomic_load(&alive) >> loop_id & 1))
		return 0;
	return metric_read(&sets[loop_id].set, m);
}

int64_t metric_elsewhere(enum metric m)
{
	int64_t sum = metric_read(&spare, m);

	for (unsigned i = LOOP_WORKERS; i < LOOP_MAX; i++)
		sum += m == METRIC_LOOP_LAG_MAX_US ? 0 : metric_of(i, m);
	return sum;
}

int64_t metric_total(enum metric m)
{
	int64_t sum = metric_read(&spare, m);

	for (uint64_t left = atomic_load(&alive); left; left &= left - 1) {
		int64_t v = metric_read(&sets[__builtin_ctzll(left)].set, m);
		if (m != METRIC_LOOP_LAG_MAX_US)
			sum += v;
		else if (v > sum)
			sum = v;
	}
	return sum;
}
