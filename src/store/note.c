#include "store/note.h"

#include "base/err.h"

void store_note_encode(struct buf *b, const struct store_note *n)
{
	buf_be64(b, n->kind);
	buf_prefixed(b, n->name);
	buf_prefixed(b, n->value);
	buf_be64(b, (uint64_t)n->time);
	buf_be64(b, (uint64_t)n->until);
}

int store_note_decode(struct store_note *n, struct cur *in)
{
	n->kind = cur_be64(in);
	n->name = cur_prefixed(in);
	n->value = cur_prefixed(in);
	n->time = (ms_t)cur_be64(in);
	n->until = (ms_t)cur_be64(in);
	return in->bad ? E_TRUNCATED : 0;
}

bool store_notes_next(struct store_query *q, struct buf *name,
		      const struct store_answer *a, store_note_fn *fn, void *arg)
{
	struct cur in = cur_of_slice(a->body);
	struct store_note n = { 0 };

	while (cur_left(&in) > 0 && store_note_decode(&n, &in) == 0)
		fn(arg, &n);
	buf_clear(name);
	buf_put(name, n.name);
	q->n = n.kind;
	q->text = buf_slice(name);
	return a->partial && a->body.n > 0;
}
