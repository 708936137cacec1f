/* recall: what was said in a room and who was there: read back for those who ask. */
#include "room/chat.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "room/internal.h"

/* A question under way. */
struct recall {
	struct store_ticket ticket;
	struct room_registry *registry;
	struct bus_home home;
	uint64_t request;
	enum event_kind kind;
	bool answered;
	uint64_t read;               /* the mark that may still be on its way */
	uint64_t member, seq, until; /* REPLAY only */
	uint16_t name_len;
	char name[];
};

static struct slice recall_room(const struct recall *q)
{
	return slice_of(q->name, q->name_len);
}

static struct recall *recall_make(struct room_registry *g, struct slice room,
				  struct bus_home home, uint64_t request,
				  enum event_kind kind)
{
	struct recall *q = xzalloc(sizeof(*q) + room.n + 1);

	q->registry = g;
	q->home = home;
	q->request = request;
	q->kind = kind;
	q->name_len = (uint16_t)room.n;
	memcpy(q->name, room.p, room.n);
	return q;
}

static void answer(const struct recall *q, const struct store_answer *a)
{
	struct buf more = BUF_INIT(256);
	struct event e = { .kind = a->err < 0 ? EVENT_REPLY : q->kind,
			   .err = a->err,
			   .request = q->request,
			   .partial = a->partial,
			   .backlog = a->body,
			   .n = a->n > q->read ? a->n : q->read };

	bus_chat_encode(&more, &(struct chat_more){ .epoch = a->epoch });
	e.more = buf_slice(&more);
	room_answer(q->registry, q->home, recall_room(q), &e);
	buf_fini(&more);
}

static void on_recalled(struct store_ticket *t, const struct store_answer *a)
{
	struct recall *q = container_of(t, struct recall, ticket);

	if (!q->answered && !q->registry->closing)
		answer(q, a);
	free(q);
}

static void on_overdue(struct store_ticket *t)
{
	struct recall *q = container_of(t, struct recall, ticket);

	answer(q, &(struct store_answer){ .err = E_UNAVAILABLE });
	q->answered = true;
}

/* Without a store: what the ring has. */
static int recall_memory(struct room_registry *g, struct slice room,
			 const struct member *m, struct bus_home home, uint64_t request,
			 const struct command *c)
{
	struct room *r = room_find(g, room);

	if (c->kind != COMMAND_HISTORY)
		return E_UNAVAILABLE;
	if (!r)
		return E_NOT_FOUND;
	struct buf body = BUF_INIT(BUS_LETTER_MAX);
	struct store_answer a = { .epoch = r->chat->epoch, .n = m ? m->read : 0 };
	uint32_t limit = c->limit > 0 ? c->limit : STORE_PAGE;
	struct recall *q = recall_make(g, room, home, request, EVENT_HISTORY);

	a.partial = room_ring_put(&r->chat->ring, m ? m->id : 0, c->n, c->after, limit,
				  &body);
	a.body = buf_slice(&body);
	answer(q, &a);
	free(q);
	buf_fini(&body);
	return ROOM_LATER;
}

int room_recall(struct room_registry *g, struct slice room, const struct member *m,
		struct bus_home home, uint64_t request, const struct command *c)
{
	static const enum store_op ops[COMMAND_KINDS] = {
		[COMMAND_HISTORY] = STORE_HISTORY,
		[COMMAND_SEARCH] = STORE_SEARCH,
		[COMMAND_WHOWAS] = STORE_VISITS,
	};
	char reader[BUS_MEMBER_TEXT];

	if (c->limit > STORE_PAGE_MAX || c->text.n > ROOM_MAX_TEXT)
		return E_BAD_FIELD;
	if (!g->store)
		return recall_memory(g, room, m, home, request, c);
	struct recall *q =
		recall_make(g, room, home, request,
			    c->kind == COMMAND_WHOWAS ? EVENT_WHOWAS : EVENT_HISTORY);
	q->ticket.done = on_recalled;
	q->ticket.overdue = on_overdue;
	q->read = m ? m->read : 0;
	const struct store_query query = {
		.op = ops[c->kind],
		.room = room,
		.viewer = m ? m->id : 0,
		.viewer_user = m ? room_proven_user(m) : SLICE_NONE,
		.reader = m ? room_reader(m, reader) : SLICE_NONE,
		.before = c->n,
		.after = c->after,
		.forward = c->on,
		.limit = c->limit,
		.text = c->text,
	};
	int err = store_ask(g->store, &query, &q->ticket);
	if (err == 0)
		return ROOM_LATER;
	free(q);
	return err;
}

/* --- replay --- */

/* More are not told one by one: the client pages through its history. */
#define REPLAY_MAX 2000

static void tell_replay(struct room *r, struct member *m, const struct recall *q,
			const struct store_answer *a)
{
	struct event e = { .kind = EVENT_REPLAY,
			   .err = a->err,
			   .request = q->request,
			   .partial = a->partial,
			   .member = m->id,
			   .seq = q->seq,
			   .n = q->until,
			   .backlog = a->body };

	room_tell(r, &e, m, NULL);
}

static int ask_replay(struct recall *q, const struct member *m, uint64_t after)
{
	return store_ask(q->registry->store,
			 &(struct store_query){ .op = STORE_HISTORY,
						.room = recall_room(q),
						.viewer = m->id,
						.viewer_user = room_proven_user(m),
						.after = after,
						.before = q->until + 1,
						.forward = true,
						.limit = STORE_PAGE_MAX },
			 &q->ticket);
}

static uint64_t last_number(struct slice body)
{
	struct cur in = cur_of_slice(body);
	uint64_t n = 0;
	struct event e;

	while (cur_left(&in) > 0 && bus_event_decode(&e, &in) == 0)
		n = e.n;
	return n;
}

static void on_replay(struct store_ticket *t, const struct store_answer *a)
{
	struct recall *q = container_of(t, struct recall, ticket);
	struct room *r =
		q->registry->closing ? NULL : room_find(q->registry, recall_room(q));
	struct member *m = r ? room_member(r, q->member) : NULL;
	struct store_answer last = *a;

	if (!m) {
		free(q);
		return;
	}
	if (a->err == 0 && a->partial) {
		if (ask_replay(q, m, last_number(a->body)) == 0) {
			tell_replay(r, m, q, a);
			return;
		}
		last.err = E_UNAVAILABLE;
		last.partial = false;
	}
	tell_replay(r, m, q, &last);
	free(q);
}

/* Nothing is missing, or it cannot be told what. */
static void replay_nothing(struct member *m, uint64_t told, int err)
{
	const struct recall q = { .seq = m->room->seq,
				  .until = told,
				  .request = m->replay_request };

	tell_replay(m->room, m, &q, &(struct store_answer){ .err = err });
}

static void replay(struct member *m)
{
	struct room *r = m->room;
	uint64_t told = r->chat->told;

	if (m->until > 0 && m->until < told)
		told = m->until;
	m->replays = false;
	if (r->chat->state != CHAT_AWAKE) {
		replay_nothing(m, 0, E_UNAVAILABLE);
	} else if (m->known >= told) {
		replay_nothing(m, told,
			       m->known == UINT64_MAX && told > 0 ? E_NOT_FOUND : 0);
	} else if (told - m->known > REPLAY_MAX) {
		replay_nothing(m, told, E_LIMIT);
	} else {
		struct recall *q = recall_make(r->registry, room_name(r), m->home,
					       m->replay_request, EVENT_REPLAY);

		q->member = m->id;
		q->seq = r->seq;
		q->until = told;
		q->ticket.done = on_replay;
		if (ask_replay(q, m, m->known) == 0)
			return;
		free(q);
		replay_nothing(m, told, E_UNAVAILABLE);
	}
}

void room_replay(struct member *m, uint64_t request, uint64_t known, uint64_t until)
{
	m->known = known;
	m->until = until;
	m->replay_request = request;
	m->replays = true;
	if (m->room->chat->state != CHAT_WAKING)
		replay(m);
}

void room_replay_all(struct room *r)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (r->members[i]->replays)
			replay(r->members[i]);
}
