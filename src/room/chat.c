#include "room/chat.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "room/internal.h"

#define ENTRY_MAX (64u << 10) /* an encoded event: text, names, key, file */

/* An entry on its way into the store. */
struct record {
	struct store_ticket ticket;
	struct list link; /* of chat->held */
	struct room_chat *chat;
	struct bus_home home;
	uint64_t request;
	uint64_t viewer;
	uint64_t n;
	bool all;
	bool answered;
	struct buf bytes; /* the event, the viewer's user */
};

static struct slice chat_name(const struct room_chat *c)
{
	return slice_of(c->name, c->name_len);
}

/* --- records --- */

static void encode_entry(struct record *r, const struct chat_entry *entry)
{
	struct buf more = BUF_INIT(ENTRY_MAX);
	struct chat_more m = entry->more;
	struct event e = entry->event;

	m.epoch = r->chat->epoch;
	bus_chat_encode(&more, &m);
	e.more = buf_slice(&more);
	e.n = r->n;
	buf_clear(&r->bytes);
	bus_event_encode(&r->bytes, &e);
	buf_prefixed(&r->bytes, entry->viewer_user);
	buf_fini(&more);
}

/* The inverse; slices point into the record. */
static void decode_entry(const struct record *r, struct chat_entry *out)
{
	struct cur in = cur_of_slice(buf_slice(&r->bytes));

	*out = (struct chat_entry){
		.home = r->home, .request = r->request, .all = r->all, .viewer = r->viewer
	};
	int err = bus_event_decode(&out->event, &in);
	if (err == 0)
		err = bus_chat_decode(&out->more, out->event.more);
	out->viewer_user = cur_prefixed(&in);
	assert(err == 0 && !in.bad); /* we have written it */
}

static struct record *record_make(struct room_chat *c, const struct chat_entry *e)
{
	struct record *r = xzalloc(sizeof(*r));

	r->chat = c;
	r->home = e->home;
	r->request = e->request;
	r->viewer = e->viewer;
	r->all = e->all;
	list_init(&r->link);
	buf_init(&r->bytes, ENTRY_MAX + ROOM_MAX_NAME + 8);
	return r;
}

static void record_free(struct record *r)
{
	list_unlink(&r->link);
	buf_fini(&r->bytes);
	free(r);
}

/* --- answers --- */

static void answer(const struct record *r, const struct store_answer *a)
{
	struct buf more = BUF_INIT(256);
	const struct chat_more m = { .epoch = a->epoch, .replay = a->known };
	struct event e = { .kind = EVENT_REPLY,
			   .request = r->request,
			   .err = a->err,
			   .n = a->n,
			   .time = a->time };

	if (a->err < 0 && a->err == E_UNAVAILABLE)
		metric_add(METRIC_CHAT_REFUSED, 1);
	if (a->err < 0 || r->request) {
		bus_chat_encode(&more, &m);
		e.more = buf_slice(&more);
		room_answer(r->chat->registry, r->home, chat_name(r->chat), &e);
		buf_fini(&more);
	}
}

static void refuse(struct record *r, int err)
{
	const struct store_answer a = { .err = err };

	if (!r->answered)
		answer(r, &a);
	r->answered = true;
}

/* --- showing --- */

/* Direct messages are for two; a message to oneself is for one. */
static void tell_pair(struct room *r, struct event *e, uint64_t from, uint64_t to)
{
	struct member *a = room_member(r, from);
	struct member *b = from == to ? NULL : room_member(r, to);

	if (a)
		room_tell_one(r, e, a);
	if (b)
		room_tell_one(r, e, b);
}

/* Keeps the ring as the store is. */
static void remember(struct room_chat *c, const struct chat_entry *entry)
{
	const struct event *e = &entry->event;
	struct room_ring_entry *m;

	if (e->kind == EVENT_CHAT) {
		room_ring_add(&c->ring, c->registry->settings->chat_replay, e);
		return;
	}
	m = room_ring_find(&c->ring, entry->more.of);
	if (m && room_ring_change(m, e) < 0)
		log_error("room", "ring", "room=%s n=%llu",
			  log_value(&(struct log_text){ 0 }, chat_name(c)),
			  (unsigned long long)entry->more.of);
}

static void show(struct room_chat *c, struct chat_entry *entry,
		 const struct store_answer *a)
{
	struct event *e = &entry->event;

	metric_add(METRIC_CHAT_MESSAGES, 1);
	remember(c, entry);
	if (!c->room)
		return;
	if (e->kind == EVENT_CHAT && e->to)
		tell_pair(c->room, e, e->member, e->to);
	else if (e->kind != EVENT_CHAT && a->to)
		tell_pair(c->room, e, a->from, a->to);
	else
		room_tell_all(c->room, e, NULL);
	if (e->kind == EVENT_CHAT && !e->to)
		room_tell_watch_message(c->room, e);
}

/* The store has made the record of its files. */
static void show_kept(struct room_chat *c, struct chat_entry *entry,
		      const struct store_answer *a)
{
	struct buf more = BUF_INIT(ENTRY_MAX);

	if (entry->more.file.n > 0) {
		entry->more.file = a->body;
		bus_chat_encode(&more, &entry->more);
		entry->event.more = buf_slice(&more);
	}
	show(c, entry, a);
	buf_fini(&more);
}

/* Time never runs backwards, and bus_chat_id() rises strictly, over the end of the room too. */
static void stamp(struct room_chat *c, struct event *e)
{
	e->n = ++c->n;
	if (e->time <= c->last_time)
		e->time = c->last_time + ((e->n & BUS_CHAT_ID_N) == 0);
	c->last_time = e->time;
}

/* --- into the store --- */

static void on_kept(struct store_ticket *t, const struct store_answer *a)
{
	struct record *r = container_of(t, struct record, ticket);
	struct room_chat *c = r->chat;
	struct chat_entry entry;

	if (c->registry->closing)
		goto out;
	c->told = r->n;
	if (a->err == 0 && !a->known) {
		decode_entry(r, &entry);
		show_kept(c, &entry, a);
	} else if (a->err < 0) {
		log_info("room", "burned", "room=%s n=%llu err=%s",
			 log_value(&(struct log_text){ 0 }, chat_name(c)),
			 (unsigned long long)r->n, err_text(a->err));
	}
	if (!r->answered)
		answer(r, a);
out:
	record_free(r);
	c->pending--;
	room_chat_settle(c);
}

/* It may be kept later and is shown then; the sender shall not wait for that. */
static void on_overdue(struct store_ticket *t)
{
	refuse(container_of(t, struct record, ticket), E_UNAVAILABLE);
}

static void submit(struct record *r, struct chat_entry *entry)
{
	struct room_chat *c = r->chat;
	struct buf more = BUF_INIT(ENTRY_MAX);

	stamp(c, &entry->event);
	r->n = entry->event.n;
	encode_entry(r, entry);
	entry->more.epoch = c->epoch;
	bus_chat_encode(&more, &entry->more);
	entry->event.more = buf_slice(&more);
	const struct store_query q = {
		.op = entry->event.kind == EVENT_CHAT ? STORE_MESSAGE : STORE_CHANGE,
		.room = chat_name(c),
		.event = &entry->event,
		.viewer = entry->viewer,
		.viewer_user = entry->viewer_user,
		.all = entry->all,
	};
	r->ticket.done = on_kept;
	r->ticket.overdue = on_overdue;
	if (store_ask(c->registry->store, &q, &r->ticket) == 0) {
		c->pending++;
	} else {
		refuse(r, E_UNAVAILABLE);
		record_free(r);
	}
	buf_fini(&more);
}

static void submit_held(struct room_chat *c)
{
	struct chat_entry entry;

	c->held_count = 0;
	while (!list_empty(&c->held)) {
		struct record *r = list_entry(c->held.next, struct record, link);
		struct record copy = *r; /* its bytes are written anew */

		list_unlink(&r->link);
		decode_entry(&copy, &entry);
		buf_init(&r->bytes, copy.bytes.max);
		submit(r, &entry);
		buf_fini(&copy.bytes);
	}
}

/* --- without a store --- */

/* The message that a change is about, if the viewer may do that. */
static int find_own(const struct room_chat *c, const struct chat_entry *e,
		    struct room_ring_entry **out)
{
	struct room_ring_entry *m = room_ring_find(&c->ring, e->more.of);
	bool own = m && m->from == e->viewer;

	if (!m || (m->to && !own && m->to != e->viewer && !e->all))
		return E_NOT_FOUND;
	if (!own && (e->event.kind == EVENT_EDITED ||
		     (e->event.kind == EVENT_DELETED && !e->all)))
		return E_DENIED;
	*out = m;
	return 0;
}

/* What the store would answer. */
static void answer_of_ring(struct room_chat *c, const struct chat_entry *e,
			   struct store_answer *a)
{
	struct room_ring_entry *m = NULL;

	*a = (struct store_answer){ .n = c->n + 1,
				    .time = e->event.time,
				    .epoch = c->epoch };
	if (e->event.kind == EVENT_CHAT) {
		m = e->more.key.n > 0 ? room_ring_key(&c->ring, e->more.key) : NULL;
		a->known = m != NULL;
		a->n = m ? m->n : a->n;
		a->time = m ? m->time : a->time;
		return;
	}
	a->err = find_own(c, e, &m);
	if (a->err < 0)
		return;
	a->from = m->from;
	a->to = m->to;
	/* Tried on a copy; show() does it. */
	struct room_ring_entry trial = { .n = m->n, .from = m->from, .to = m->to };
	buf_init(&trial.event, m->event.max);
	buf_put(&trial.event, buf_slice(&m->event));
	a->err = room_ring_change(&trial, &e->event);
	buf_fini(&trial.event);
	if (a->err == E_ALREADY) {
		a->err = 0;
		a->known = true;
		a->n = m->n;
	}
}

static void enter_memory(struct room_chat *c, const struct chat_entry *e)
{
	struct buf more = BUF_INIT(ENTRY_MAX);
	struct chat_entry entry = *e;
	struct store_answer a;
	struct record r = { .chat = c, .home = e->home, .request = e->request };

	entry.more.epoch = c->epoch;
	bus_chat_encode(&more, &entry.more);
	entry.event.more = buf_slice(&more);
	answer_of_ring(c, &entry, &a);
	if (a.err == 0 && !a.known) {
		stamp(c, &entry.event);
		c->told = entry.event.n;
		show(c, &entry, &a);
	}
	answer(&r, &a);
	buf_fini(&more);
}

/* --- waking up --- */

static void fill_ring(struct room_chat *c, struct slice body)
{
	struct cur in = cur_of_slice(body);
	struct event e;

	while (cur_left(&in) > 0 && bus_event_decode(&e, &in) == 0) {
		room_ring_add(&c->ring, c->registry->settings->chat_replay, &e);
		c->last_time = e.time;
	}
}

/* Whoever is there has joined before the messages were known, and has been told none. */
static void tell_replay(struct room_chat *c, struct slice body)
{
	struct cur in = cur_of_slice(body);
	struct buf more = BUF_INIT(ENTRY_MAX * 8);
	struct chat_more m;
	struct event e;

	while (c->room && cur_left(&in) > 0 && bus_event_decode(&e, &in) == 0 &&
	       bus_chat_decode(&m, e.more) == 0) {
		m.replay = true;
		buf_clear(&more);
		bus_chat_encode(&more, &m);
		e.more = buf_slice(&more);
		room_tell_all(c->room, &e, NULL);
	}
	buf_fini(&more);
}

static void refuse_held(struct room_chat *c)
{
	c->held_count = 0;
	while (!list_empty(&c->held)) {
		struct record *r = list_entry(c->held.next, struct record, link);

		refuse(r, E_UNAVAILABLE);
		record_free(r);
	}
}

static void on_woken(struct store_ticket *t, const struct store_answer *a)
{
	struct room_chat *c = container_of(t, struct room_chat, wake);

	c->pending--;
	if (c->registry->closing) {
		room_chat_settle(c);
		return;
	}
	if (a->err < 0) {
		c->state = CHAT_ASLEEP;
		refuse_held(c);
	} else {
		c->state = CHAT_AWAKE;
		c->n = c->told = a->n;
		if (a->epoch)
			c->epoch = a->epoch;
		fill_ring(c, a->body);
		tell_replay(c, a->body);
		submit_held(c);
	}
	if (c->room)
		room_replay_all(c->room);
	room_chat_settle(c);
}

static void on_wake_overdue(struct store_ticket *t)
{
	refuse_held(container_of(t, struct room_chat, wake));
}

static void wake(struct room_chat *c)
{
	const struct store_query q = {
		.op = STORE_WAKE,
		.room = chat_name(c),
		.limit = c->registry->settings->chat_replay,
	};

	c->wake.done = on_woken;
	c->wake.overdue = on_wake_overdue;
	if (store_ask(c->registry->store, &q, &c->wake) < 0)
		return;
	c->state = CHAT_WAKING;
	c->pending++;
}

/* --- life --- */

static struct room_chat *chat_make(struct room_registry *g, struct slice name, ms_t wall)
{
	struct room_chat *c = xzalloc(sizeof(*c) + name.n + 1);

	c->registry = g;
	c->name_len = (uint16_t)name.n;
	memcpy(c->name, name.p, name.n);
	list_init(&c->held);
	c->epoch = (uint64_t)wall;
	c->state = g->store ? CHAT_ASLEEP : CHAT_AWAKE;
	return c;
}

struct room_chat *room_chat_open(struct room *r)
{
	struct slice name = room_name(r);
	struct room_chat *c = r->registry->left_over.count > 0
				      ? map_del(&r->registry->left_over, name)
				      : NULL;

	if (!c)
		c = chat_make(r->registry, name, r->made_at);
	c->room = r;
	if (c->state == CHAT_ASLEEP)
		wake(c);
	return c;
}

void room_chat_close(struct room_chat *c)
{
	c->room = NULL;
	if (c->pending > 0)
		map_put(&c->registry->left_over, chat_name(c), c);
	room_chat_settle(c);
}

void room_chat_settle(struct room_chat *c)
{
	if (c->room || c->pending > 0)
		return;
	if (c->registry->left_over.count > 0 &&
	    map_find(&c->registry->left_over, chat_name(c)) == c)
		map_del(&c->registry->left_over, chat_name(c));
	while (!list_empty(&c->held))
		record_free(list_entry(c->held.next, struct record, link));
	room_ring_fini(&c->ring);
	free(c);
}

void room_chat_enter(struct room_chat *c, const struct chat_entry *e)
{
	struct chat_entry entry = *e;

	if (!c->registry->store) {
		enter_memory(c, e);
		return;
	}
	if (c->state == CHAT_ASLEEP)
		wake(c);
	struct record *r = record_make(c, e);
	if (c->state == CHAT_AWAKE) {
		submit(r, &entry);
	} else if (c->state == CHAT_WAKING && c->held_count < CHAT_HELD_MAX) {
		encode_entry(r, e);
		list_append(&c->held, &r->link);
		c->held_count++;
	} else {
		refuse(r, E_UNAVAILABLE);
		record_free(r);
	}
}

void room_chat_enter_empty(struct room_registry *g, struct slice name,
			   const struct chat_entry *e, ms_t wall)
{
	struct room_chat *c =
		g->left_over.count > 0 ? map_find(&g->left_over, name) : NULL;
	bool found = c != NULL;

	if (!c)
		c = chat_make(g, name, wall);
	room_chat_enter(c, e);
	if (!found && c->pending > 0)
		map_put(&g->left_over, chat_name(c), c);
	room_chat_settle(c);
}
