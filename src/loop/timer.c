/* A hierarchical wheel: five levels of 64 slots; a slot of level n is 64^n ms wide, so
 * the wheel spans twelve days (what is due later waits in the last slot and is put in
 * again). A timer goes into the level that its distance asks for and trickles down as its
 * time comes near; an idle wheel jumps from one used slot to the next by the bit maps,
 * without counting through the milliseconds between.
 *
 * Timers of a second and more are rounded up by at most 1/64: twenty thousand keep-alives
 * then fire in a few turns per second instead of each in a turn of its own.
 */
#include "loop/loop_private.h"

#define SHIFT(level) (WHEEL_BITS * (level))
#define WHEEL_MASK (WHEEL_SLOTS - 1)
#define ROUND_FROM 1024
#define ROUND_BITS 6
#define SPAN_MAX ((ms_t)1 << 40)

void loop_wheel_init(struct loop_wheel *w, ms_t now)
{
	*w = (struct loop_wheel){ .tick = now };
	for (unsigned i = 0; i < WHEEL_LEVELS; i++)
		for (unsigned k = 0; k < WHEEL_SLOTS; k++)
			list_init(&w->slot[i][k]);
	list_init(&w->expired);
}

static ms_t timer_due(ms_t now, ms_t after)
{
	if (after < 1)
		return now + 1; /* not in the turn that starts it */
	if (after < ROUND_FROM)
		return now + after;
	if (after > SPAN_MAX)
		after = SPAN_MAX;
	ms_t step = (ms_t)1 << (63 - __builtin_clzll((uint64_t)after) - ROUND_BITS);
	return (now + after + step - 1) & -step;
}

static void wheel_put(struct loop_wheel *w, struct loop_timer *t)
{
	ms_t distance = t->due - w->tick;
	ms_t at = t->due;
	unsigned level = 0;

	if (distance <= 0) {
		list_append(&w->expired, &t->link);
		return;
	}
	while (distance >> SHIFT(level + 1) != 0 && level + 1 < WHEEL_LEVELS)
		level++;
	if (distance >> SHIFT(WHEEL_LEVELS) != 0)
		at = w->tick + ((ms_t)1 << SHIFT(WHEEL_LEVELS)) - 1;

	size_t slot = (size_t)(at >> SHIFT(level)) & WHEEL_MASK;
	list_append(&w->slot[level][slot], &t->link);
	w->used[level] |= (uint64_t)1 << slot;
}

static void wheel_take(struct loop_wheel *w, struct loop_timer *t)
{
	struct list *next = t->link.next;
	struct list *first = &w->slot[0][0];
	bool alone = next == t->link.prev; /* then `next` is the head */

	list_unlink(&t->link);
	if (!alone || next < first || next >= first + (size_t)WHEEL_LEVELS * WHEEL_SLOTS)
		return;
	size_t i = (size_t)(next - first);
	w->used[i / WHEEL_SLOTS] &= ~((uint64_t)1 << (i % WHEEL_SLOTS));
}

void loop_wheel_start(struct loop_wheel *w, struct loop_timer *t, ms_t after)
{
	if (t->due)
		wheel_take(w, t);
	t->due = timer_due(w->tick, after);
	wheel_put(w, t);
}

void loop_wheel_stop(struct loop_wheel *w, struct loop_timer *t)
{
	if (!t->due)
		return;
	wheel_take(w, t);
	t->due = 0;
}

/* The start of the next used slot of a level. The slot of the present index holds
 * what comes one whole round later, hence the search from the one behind it. */
static ms_t level_next(const struct loop_wheel *w, unsigned level)
{
	uint64_t used = w->used[level];
	ms_t base = (w->tick >> SHIFT(level)) + 1;
	unsigned turn = (unsigned)base & WHEEL_MASK;

	used = used >> turn | used << (-turn & WHEEL_MASK);
	return (base + __builtin_ctzll(used)) << SHIFT(level);
}

ms_t loop_wheel_next(const struct loop_wheel *w)
{
	ms_t next = -1;

	for (unsigned i = 0; i < WHEEL_LEVELS; i++) {
		if (!w->used[i])
			continue;
		ms_t at = level_next(w, i);
		if (next < 0 || at < next)
			next = at;
	}
	return next;
}

static void wheel_open_slot(struct loop_wheel *w, unsigned level)
{
	size_t slot = (size_t)(w->tick >> SHIFT(level)) & WHEEL_MASK;
	struct list moved;

	list_init(&moved);
	list_splice(&moved, &w->slot[level][slot]);
	w->used[level] &= ~((uint64_t)1 << slot);
	list_each_safe (n, &moved) {
		list_unlink(n);
		wheel_put(w, list_entry(n, struct loop_timer, link));
	}
}

void loop_wheel_advance(struct loop_wheel *w, ms_t now)
{
	for (;;) {
		ms_t next = loop_wheel_next(w);
		if (next < 0 || next > now)
			break;
		w->tick = next;
		for (unsigned i = WHEEL_LEVELS; i-- > 0;)
			if ((next & (((ms_t)1 << SHIFT(i)) - 1)) == 0)
				wheel_open_slot(w, i);
	}
	if (now > w->tick)
		w->tick = now;
}

void loop_wheel_run(struct loop_wheel *w)
{
	while (!list_empty(&w->expired)) {
		struct loop_timer *t =
			list_entry(w->expired.next, struct loop_timer, link);
		list_unlink(&t->link);
		t->due = 0;
		t->fn(t);
	}
}

void loop_timer_init(struct loop_timer *t, loop_timer_fn *fn)
{
	list_init(&t->link);
	t->due = 0;
	t->fn = fn;
}
