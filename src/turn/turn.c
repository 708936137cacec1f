#include "turn/internal.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

#define OUT_MAX 2048

struct turn *turn_create(const struct turn_settings *s, unsigned worker,
			 const struct turn_ops *ops, void *arg)
{
	struct turn *t = xzalloc(sizeof(*t));

	t->settings = s;
	t->worker = worker;
	t->ops = ops;
	t->arg = arg;
	t->hmac = stun_hmac_create();
	t->buckets = xzalloc(size_mul(TURN_BUCKETS, sizeof(*t->buckets)));
	map_init(&t->allocs);
	map_init(&t->relays[0]);
	map_init(&t->relays[1]);
	map_init(&t->sessions);
	map_init(&t->tcps);
	map_init(&t->movable);
	map_init(&t->coming);
	for (unsigned i = 0; i < TURN_WHEEL; i++)
		list_init(&t->wheel[i]);
	buf_init(&t->out, OUT_MAX);
	return t;
}

void turn_destroy(struct turn *t)
{
	struct turn_alloc *a;
	size_t at = 0;

	if (!t)
		return;
	while ((a = map_next(&t->allocs, &at))) {
		turn_alloc_end(a, "shutdown");
		at = 0;
	}
	map_fini(&t->allocs);
	map_fini(&t->relays[0]);
	map_fini(&t->relays[1]);
	map_fini(&t->sessions);
	map_fini(&t->tcps);
	map_fini(&t->movable);
	map_fini(&t->coming);
	stun_hmac_destroy(t->hmac);
	buf_fini(&t->out);
	free(t->buckets);
	free(t);
}

size_t turn_count(const struct turn *t)
{
	return t->allocs.count;
}

void turn_drain(struct turn *t)
{
	t->draining = true;
}

/* --- messages --- */

static void on_binding(struct turn_request *r)
{
	if (!turn_may_answer(r->turn, r->path, r->now))
		return;
	metric_add(METRIC_STUN_BINDINGS, 1);
	for (unsigned i = 0; i < r->m->count; i++)
		if (!stun_is_known(r->m->attr[i].type)) {
			turn_reply_unknown(r);
			return;
		}
	turn_reply_begin(r, STUN_SUCCESS);
	stun_put_xor_addr(&r->turn->out, STUN_XOR_MAPPED_ADDRESS, &r->path->remote);
	turn_reply_end(r);
}

static bool has_unknown(const struct stun_msg *m)
{
	for (unsigned i = 0; i < m->count; i++)
		if (!stun_is_known(m->attr[i].type))
			return true;
	return false;
}

/* Of a client that has proven itself. */
static void on_proven(struct turn_request *r)
{
	struct turn_alloc *a = r->alloc;

	if (has_unknown(r->m)) {
		turn_reply_unknown(r);
	} else if (r->m->method == STUN_ALLOCATE) {
		turn_on_allocate(r);
	} else if (r->m->method == STUN_CONNECTION_BIND) {
		turn_on_connection_bind(r);
	} else if (r->ticket_code > 0) {
		turn_reply_error(r, r->ticket_code);
	} else if (!a) {
		turn_reply_error(r, 437);
	} else if (!slice_eq(a->user, r->user_name)) {
		turn_reply_error(r, 441);
	} else if (r->m->method == STUN_REFRESH) {
		turn_on_refresh(r);
	} else if (r->m->method == STUN_CONNECT) {
		turn_on_connect(r);
	} else if (r->m->method == STUN_CREATE_PERMISSION) {
		turn_on_create_permission(r);
	} else if (r->m->method == STUN_CHANNEL_BIND) {
		turn_on_channel_bind(r);
	}
}

static bool is_ours(unsigned method)
{
	return method == STUN_ALLOCATE || method == STUN_REFRESH ||
	       method == STUN_CREATE_PERMISSION || method == STUN_CHANNEL_BIND ||
	       method == STUN_CONNECT || method == STUN_CONNECTION_BIND;
}

static void on_request(struct turn *t, const struct turn_path *from,
		       const struct stun_msg *m, struct turn_now now)
{
	struct turn_request r = { .turn = t, .path = from, .m = m, .now = now };

	if (m->method == STUN_BINDING) {
		on_binding(&r);
	} else if (!is_ours(m->method)) {
		if (turn_may_answer(t, from, now))
			turn_reply_error(&r, 400);
	} else {
		r.alloc = turn_alloc_find(t, from);
		if (turn_authenticate(&r))
			on_proven(&r);
	}
}

static void on_message(struct turn *t, const struct turn_path *from, struct slice bytes,
		       struct turn_now now)
{
	struct stun_msg m;

	if (stun_decode(&m, bytes.p, bytes.n) < 0) {
		metric_add(METRIC_STUN_BAD, 1);
		return; /* RFC 8489, 6.3: silently */
	}
	if (m.class == STUN_REQUEST)
		on_request(t, from, &m, now);
	else if (m.class == STUN_INDICATION && m.method == STUN_SEND && !has_unknown(&m))
		turn_on_send(t, from, &m, now);
}

void turn_input(struct turn *t, const struct turn_path *from, struct slice bytes,
		struct turn_now now)
{
	if (bytes.n > 0 && bytes.p[0] >> 6 == 1)
		turn_on_channel_data(t, from, bytes, now);
	else
		on_message(t, from, bytes, now);
}

/* --- ends --- */

void turn_path_closed(struct turn *t, const struct turn_path *path, struct turn_now now)
{
	struct turn_alloc *a = turn_alloc_find(t, path);

	if (a && !turn_move_closed(a, path, now.mono))
		turn_alloc_end(a, "closed");
}

void turn_end_session(struct turn *t, uint64_t session, struct turn_now now)
{
	struct turn_alloc *a;

	(void)now;
	while ((a = map_find_u64(&t->sessions, session)))
		turn_alloc_end(a, "session");
}

ms_t turn_next_timeout(const struct turn *t)
{
	return t->allocs.count > 0 ? (t->second + 1) * 1000 : -1;
}

static void end_due(struct list *slot, struct turn_now now)
{
	list_each_safe (n, slot) {
		struct turn_alloc *a = list_entry(n, struct turn_alloc, wheel);
		if (turn_alloc_due(a) <= now.mono)
			turn_alloc_tick(a, now.mono);
	}
}

void turn_tick(struct turn *t, struct turn_now now)
{
	ms_t second = now.mono / 1000;

	if (second - t->second > TURN_WHEEL)
		t->second = second - TURN_WHEEL;
	while (t->second < second)
		end_due(&t->wheel[++t->second % TURN_WHEEL], now);
}
