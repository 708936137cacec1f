#include "dialect/event_log.h"

#include <assert.h>

#include "base/mem.h"

void event_log_init(struct event_log *l, size_t size, ms_t life)
{
	*l = (struct event_log){ .life = life };
	for (unsigned i = 0; i < EVENT_TAPES; i++) {
		struct event_tape *t = &l->tape[i];

		t->size = size / EVENT_TAPES / MEM_PAGE * MEM_PAGE;
		/* No entry has place 0. */
		t->head = t->tail = t->size;
	}
}

void event_log_fini(struct event_log *l)
{
	for (unsigned i = 0; i < EVENT_TAPES; i++)
		mem_unmap(l->tape[i].p, l->tape[i].size);
	event_log_init(l, 0, l->life);
}

/* --- a tape --- */

static uint8_t *tape_at(const struct event_tape *t, uint64_t position)
{
	return t->p + position % t->size;
}

/* n bytes in one piece; what does not fit before the end begins at the front. */
static uint64_t tape_take(struct event_tape *t, size_t n)
{
	size_t left = t->size - t->head % t->size;
	uint64_t at = n <= left ? t->head : t->head + left;

	if (!t->p)
		t->p = mem_map(t->size);
	t->head = at + n;
	if (t->head - t->tail > t->size)
		t->tail = t->head - t->size;
	return at;
}

/* What lies before `tail` goes; but for an empty tape it goes by whole pages. */
static void tape_forget(struct event_tape *t, uint64_t tail)
{
	uint8_t *front = t->p, *end = t->p + t->size;
	uint64_t from = t->tail;

	if (tail == t->head) {
		t->tail = tail;
		mem_give_back(front, end);
		return;
	}
	tail -= tail % MEM_PAGE;
	if (tail <= from)
		return;
	t->tail = tail;
	if (from / t->size == tail / t->size) {
		mem_give_back(tape_at(t, from), tape_at(t, tail));
	} else {
		mem_give_back(tape_at(t, from), end);
		mem_give_back(front, tape_at(t, tail));
	}
}

/* --- places: a position and the tape that it is of --- */

static uint64_t place_of(uint64_t position, unsigned tape)
{
	return position * EVENT_TAPES + tape;
}

/* NULL: it is not there any more. */
static const struct event_log_entry *entry_at(const struct event_log *l, uint64_t place)
{
	const struct event_tape *t = &l->tape[place % EVENT_TAPES];
	uint64_t position = place / EVENT_TAPES;

	return position >= t->tail && position < t->head ? (void *)tape_at(t, position)
							 : NULL;
}

/* --- entries --- */

static unsigned tape_for(const struct event_log *l, struct event_trail *t, ms_t now,
			 size_t n)
{
	if (now - t->since > l->life) {
		t->since = now;
		t->bytes = 0;
	}
	t->bytes += n;
	return t->bytes > l->tape[EVENT_TAPE_QUIET].size / EVENT_LOG_SHARE
		       ? EVENT_TAPE_BUSY
		       : EVENT_TAPE_QUIET;
}

/* The entry, and behind it the message. */
static void entry_store(uint8_t *to, const struct event_log_entry *e,
			struct slice message)
{
	struct {
		struct event_log_entry entry;
		uint8_t text[MEM_LINE - sizeof(*e)];
	} first = { .entry = *e };
	size_t k = message.n < sizeof(first.text) ? message.n : sizeof(first.text);

	if (k > 0)
		memcpy(first.text, message.p, k);
	mem_store_lines(to, &first, sizeof(first));
	if (message.n > k)
		mem_store_lines(to + sizeof(first), message.p + k, message.n - k);
}

void event_log_add(struct event_log *l, struct event_trail *t, ms_t now,
		   const struct event_log_entry *e, struct slice message)
{
	size_t n = (sizeof(*e) + message.n + MEM_LINE - 1) / MEM_LINE * MEM_LINE;
	unsigned which = tape_for(l, t, now, n);
	struct event_tape *tape = &l->tape[which];

	assert(e->seq > t->seq);
	if (n > tape->size / 4) {
		t->last = 0;
		t->seq = e->seq;
		return;
	}
	uint64_t at = tape_take(tape, n);
	struct event_log_entry kept = *e;
	kept.before = t->last;
	kept.before_seq = t->seq;
	kept.n = message.n;
	entry_store(tape_at(tape, at), &kept, message);
	t->last = place_of(at, which);
	t->seq = e->seq;
}

bool event_log_since(const struct event_log *l, const struct event_trail *t,
		     uint64_t seen, uint32_t most, struct buf *found)
{
	uint64_t place = t->last, seq = t->seq;
	size_t room = EVENT_LOG_REPLAY;

	while (seq > seen) {
		const struct event_log_entry *e = place ? entry_at(l, place) : NULL;

		if (!e || most-- == 0 || e->n > room)
			return false;
		room -= e->n;
		if (found)
			buf_add(found, &e, sizeof(e));
		place = e->before;
		seq = e->before_seq;
	}
	return true;
}

bool event_log_age(struct event_log *l)
{
	unsigned now = l->ages++ % EVENT_LOG_AGES;
	bool left = false;

	for (unsigned i = 0; i < EVENT_TAPES; i++) {
		struct event_tape *t = &l->tape[i];

		if (!t->p)
			continue;
		if (t->was[now] > t->tail)
			tape_forget(t, t->was[now]);
		t->was[now] = t->head;
		left |= t->tail < t->head;
	}
	return left;
}
