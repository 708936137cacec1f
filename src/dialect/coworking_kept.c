/* coworking_kept: rooms of the co-working API as notes in the store, so that a page finds its room, and itself in it, after
 * a restart. A room in which nobody has come or gone for HALL_KEPT is not brought back.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/coworking_call.h"
#include "store/note.h"

#define HALL_KEPT (INT64_C(90) * 86400 * 1000)
#define FORM 1 /* of the value; another one is not read */
#define VALUE_MAX (64u * 1024)

/* --- to the store --- */

static void encode(struct buf *b, const struct hall *h)
{
	buf_u8(b, FORM);
	buf_prefixed(b, slice_str(h->name));
	buf_prefixed(b, slice_str(h->description));
	buf_prefixed(b, slice_str(h->color));
	buf_prefixed(b, slice_str(h->maker));
	buf_be32(b, h->max);
	for (uint32_t i = 0; i < h->people_count; i++) {
		const struct person *p = &h->people[i];

		buf_prefixed(b, slice_str(p->id));
		buf_prefixed(b, slice_str(p->name));
		buf_u8(b, p->muted);
		buf_be64(b, (uint64_t)p->joined_at);
	}
}

/* The value lies in `value`. False: there is nowhere to keep it. */
static bool note_of(const struct coworking *c, const struct hall *h, struct buf *value,
		    struct store_note *n)
{
	encode(value, h);
	*n = (struct store_note){
		.kind = STORE_NOTE_HALL,
		.name = slice_str(h->id),
		.value = buf_slice(value),
		.time = h->made_at,
		.until = loop_wall(c->dialect->loop) + HALL_KEPT,
	};
	return c->dialect->settings->store && !value->bad;
}

void coworking_keep(const struct coworking *c, const struct hall *h)
{
	struct buf value = BUF_INIT(VALUE_MAX);
	struct store_note n;

	if (note_of(c, h, &value, &n))
		store_tell(room_registry_store(c->dialect->rooms),
			   &(struct store_query){ .op = STORE_KEEP, .note = &n });
	buf_fini(&value);
}

void coworking_drop(const struct coworking *c, const struct hall *h)
{
	const struct store_note n = { .kind = STORE_NOTE_HALL, .name = slice_str(h->id) };

	if (c->dialect->settings->store)
		store_tell(room_registry_store(c->dialect->rooms),
			   &(struct store_query){ .op = STORE_KEEP, .note = &n });
}

static void answer_made(struct call *c)
{
	http_reply(c->x, 201, "application/json", slice_str(c->text));
	c->answered = true;
}

static void on_made(struct store_ticket *t, const struct store_answer *a)
{
	struct call *c = container_of(t, struct call, ticket);

	(void)a;
	if (!c->answered)
		answer_made(c);
	coworking_free(c);
}

static void on_made_overdue(struct store_ticket *t)
{
	answer_made(container_of(t, struct call, ticket));
}

void coworking_keep_made(struct call *c, const struct hall *h, struct buf *answer)
{
	struct buf value = BUF_INIT(VALUE_MAX);
	struct call *later = coworking_later(c);
	struct store_note n;

	later->text = slice_dup(buf_slice(answer));
	later->ticket.done = on_made;
	later->ticket.overdue = on_made_overdue;
	if (!note_of(c->c, h, &value, &n) ||
	    store_ask(room_registry_store(c->c->dialect->rooms),
		      &(struct store_query){ .op = STORE_KEEP, .note = &n },
		      &later->ticket) < 0) {
		answer_made(later);
		coworking_free(later);
	}
	buf_fini(&value);
	buf_fini(answer);
}

/* --- from it --- */

/* All are asked once more before anybody counts as silent. */
static void decode_person(struct person *p, struct cur *in)
{
	p->id = slice_dup(cur_prefixed(in));
	p->name = slice_dup(cur_prefixed(in));
	p->muted = cur_u8(in) != 0;
	p->joined_at = (ms_t)cur_be64(in);
	p->seen = clock_wall();
}

static int decode(struct hall *h, struct cur *in)
{
	if (cur_u8(in) != FORM)
		return E_MALFORMED;
	h->name = slice_dup(cur_prefixed(in));
	h->description = slice_dup(cur_prefixed(in));
	h->color = slice_dup(cur_prefixed(in));
	h->maker = slice_dup(cur_prefixed(in));
	h->max = cur_be32(in);
	while (cur_left(in) > 0 && h->people_count < COWORKING_PEOPLE)
		decode_person(&h->people[h->people_count++], in);
	return in->bad || cur_left(in) > 0 || h->max > COWORKING_PEOPLE ? E_MALFORMED : 0;
}

int coworking_take(struct coworking *c, const struct store_note *n)
{
	struct cur in = cur_of_slice(n->value);

	if (n->name.n != ROOM_ID)
		return E_MALFORMED;
	if (coworking_hall(c, n->name))
		return 0; /* told already */
	struct hall *h = xzalloc(sizeof(*h));
	memcpy(h->id, n->name.p, ROOM_ID);
	h->made_at = n->time;
	int err = decode(h, &in);
	if (err == 0)
		err = coworking_add_hall(c, h);
	if (err < 0)
		coworking_free_hall(h);
	return err;
}
