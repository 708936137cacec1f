/* table_session: clients that speak by a table: how they come and go, and how what is said reaches
 * them.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/fanout.h"
#include "dialect/table_run.h"

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

/* --- life --- */

static void on_keepalive(struct loop_timer *timer)
{
	struct session *s = container_of(timer, struct table_keepalive, timer)->session;
	const struct table_session *own = s->own;
	const struct table_scope sc = { .table = own->table,
					.self = own,
					.wall = loop_wall(s->dialect->loop) };

	loop_timer_start(s->dialect->loop, timer, own->table->every);
	table_say(s, &sc, &own->table->keepalive, SLICE_NONE);
}

void table_keepalive_start(struct session *s)
{
	struct table_session *own = s->own;

	if (own->table->every == 0)
		return;
	if (!own->keepalive) {
		own->keepalive = xzalloc(sizeof(*own->keepalive));
		own->keepalive->session = s;
		loop_timer_init(&own->keepalive->timer, on_keepalive);
	}
	loop_timer_start(s->dialect->loop, &own->keepalive->timer, own->table->every);
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

	own->table = t;
	own->variant = 1;
	own->fixed = id;
	if (room.n > 0) {
		struct buf quoted = BUF_INIT(16 * ROOM_MAX_NAME);

		json_quote(&quoted, room);
		own->path_room = slice_dup(room);
		own->path_json = slice_dup(buf_slice(&quoted));
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

static void table_end(struct session *s)
{
	struct table_session *own = s->own;

	table_depart(s);
	free(own->keepalive);
	free(own->path_room);
	free(own->path_json);
	free(own->id);
	free(own->name);
	free(own->alias);
	free(own->joining);
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

	if (own->table->speaks == SPEAKS_SOCKETIO)
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
	struct table_session *own =
		table_session(door->table, SLICE_NONE, http_param(x, "room"));
	struct session *s = session_open(door->dialect, x, &door->table->vocabulary, own,
					 NULL, table_path(own->path_room));

	if (!s)
		return;
	session_go(s, table_path(own->path_room));
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
