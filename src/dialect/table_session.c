/* table_session: clients that speak by a table: how they come and go, and how what is said reaches
 * them.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/fanout.h"
#include "dialect/relay.h"
#include "dialect/table_run.h"

static_assert(sizeof(struct table_session) <= 56, "an idle client shall cost little");

/* --- saying --- */

void table_say(struct session *s, const struct table_scope *sc,
	       const struct table_saying *say, struct slice binary)
{
	const struct table *t = sc->table;
	struct buf *out = &s->dialect->out;
	struct table_scope named = *sc;
	unsigned count = say->names.count ? say->names.count : 1;

	named.keep_name = false;
	for (unsigned i = 0; i < count; i++) {
		named.name =
			say->names.count ? t->names[say->names.first + i] : SLICE_NONE;
		buf_clear(out);
		table_write_message(out, &named, &say->args);
		if (!out->bad)
			session_send_with(s, buf_slice(out), binary);
	}
	/* The memory of a large roster is not kept. */
	if (out->cap > 64 * 1024)
		buf_fini(out);
}

void table_ack(struct session *s, uint64_t ack, const struct table_scope *sc,
	       const struct table_template *args, struct slice binary)
{
	struct buf *out = &s->dialect->out;

	if (!s->transport->ack)
		return;
	buf_clear(out);
	table_write_args(out, sc, args);
	if (!out->bad)
		s->transport->ack(s, ack, buf_slice(out), binary);
}

/* --- who it is --- */

struct table_member *table_member(struct table_session *own)
{
	if (!own->member)
		own->member = xzalloc(sizeof(*own->member));
	return own->member;
}

const struct member_info *table_self(const struct table_session *own)
{
	static const struct member_info nobody = { .offers = OFFERS_TOLD,
						   .rank = RANK_NONE };

	return own->member ? &own->member->info : &nobody;
}

struct slice table_own_id(const struct table_session *own)
{
	return own->member && own->member->id ? slice_str(own->member->id) : own->fixed;
}

struct slice table_own_name(const struct table_session *own)
{
	return own->member ? table_text_or_none(own->member->name) : SLICE_NONE;
}

struct slice table_you(const struct table_session *own, char room[BUS_MEMBER_TEXT])
{
	if (own->member && own->member->alias)
		return slice_str(own->member->alias);
	return relay_shown_id(table_self(own), room);
}

/* --- life --- */

static void on_keepalive(struct loop_timer *timer)
{
	struct session *s = container_of(timer, struct table_keepalive, timer)->session;
	const struct table *t = table_of(s);
	const struct table_scope sc = { .table = t,
					.self = s->own,
					.wall = loop_wall(s->dialect->loop) };

	loop_timer_start(s->dialect->loop, timer, t->every);
	table_say(s, &sc, &t->keepalive, SLICE_NONE);
}

void table_keepalive_start(struct session *s)
{
	struct table_session *own = s->own;
	ms_t every = table_of(s)->every;

	if (every == 0)
		return;
	if (!own->keepalive) {
		own->keepalive = xzalloc(sizeof(*own->keepalive));
		own->keepalive->session = s;
		loop_timer_init(&own->keepalive->timer, on_keepalive);
	}
	loop_timer_start(s->dialect->loop, &own->keepalive->timer, every);
}

void table_depart(struct session *s)
{
	const struct table_session *own = s->own;

	if (own->keepalive)
		loop_timer_stop(s->dialect->loop, &own->keepalive->timer);
}

void *table_session(const struct table *t, struct slice id, struct slice room)
{
	struct table_session *own = xzalloc(sizeof(*own));

	own->variant = 1;
	own->fixed = id;
	if (room.n > 0) {
		struct buf quoted = BUF_INIT(16 * ROOM_MAX_NAME);

		json_quote(&quoted, room);
		own->path = slice_dup(buf_slice(&quoted));
		buf_fini(&quoted);
	}
	if (t->buckets > 0)
		own->buckets = xzalloc(size_mul(t->buckets, sizeof(*own->buckets)));
	return own;
}

void *table_session_again(const struct table *t, struct slice id, uint8_t variant)
{
	struct table_session *own = table_session(t, id, SLICE_NONE);

	own->variant = variant;
	own->connected = true;
	return own;
}

static void member_free(struct table_member *m)
{
	if (!m)
		return;
	free(m->id);
	free(m->name);
	free(m->alias);
	free(m->joining);
	free(m);
}

static void table_end(struct session *s)
{
	struct table_session *own = s->own;

	table_depart(s);
	member_free(own->member);
	free(own->path);
	free(own->keepalive);
	free(own->buckets);
	free(own);
}

static void table_arrive(struct session *s, struct slice message)
{
	struct table_session *own = s->own;

	if (!own->connected)
		table_connected(s, SLICE_NONE);
	else
		table_keepalive_start(s);
	if (message.n > 0)
		table_on_text(s, message);
}

static uint8_t table_variant(const struct session *s)
{
	const struct table_session *own = s->own;

	if (table_of(s)->speaks == SPEAKS_SOCKETIO)
		return socketio_variant(s);
	return s->ws ? own->variant : VARIANT_APART | own->variant;
}

static void table_over_rate(struct session *s, struct slice text)
{
	(void)text;
	session_reply(s, 0, E_RATE, NULL);
}

const struct vocabulary *table_vocabulary(const struct table *t)
{
	return &t->vocabulary;
}

ms_t table_ping_timeout(const struct table *t)
{
	return t->ping_timeout;
}

void table_fill_vocabulary(struct table *t)
{
	t->vocabulary = (struct vocabulary){
		.name = t->vocabulary_name,
		.wrap = t->speaks == SPEAKS_SOCKETIO ? &socketio_wrapping : NULL,
		.variant = table_variant,
		.personal = t->vocabulary.personal,
		.message = table_on_text,
		.arrive = table_arrive,
		.parts = table_parts,
		.encode = table_encode,
		.tell = table_tell,
		.reply = table_on_reply,
		.over_rate = table_over_rate,
		.end = table_end,
	};
}

/* --- WebSockets --- */

static void on_connect(struct http_exchange *x, void *arg)
{
	const struct table_door *door = arg;
	char *room = slice_dup(http_param(x, "room")); /* it outlives the request */
	void *own = table_session(door->table, SLICE_NONE, slice_str(room));
	struct session *s = session_open(door->dialect, x, &door->table->vocabulary, own,
					 NULL, slice_str(room));

	if (s)
		session_go(s, slice_str(room));
	free(room);
}

void table_add_routes(struct dialect *d, struct http_server *h)
{
	const struct table_set *set = d->settings->tables;
	unsigned count = 0;
	struct table_way way;
	size_t at = 0;

	while (set && table_next_way(set, &at, &way))
		count++;
	d->doors = xzalloc(size_mul(count + 1, sizeof(*d->doors)));
	at = 0;
	for (unsigned i = 0; i < count && table_next_way(set, &at, &way); i++) {
		d->doors[i] = (struct table_door){ d, way.table };
		if (way.table->speaks != SPEAKS_SOCKETIO)
			http_route(h, HTTP_GET, way.path, HTTP_UPGRADE, on_connect,
				   &d->doors[i]);
	}
}
