#include "dialect/dialect.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"

struct dialect *dialect_create(struct loop *l, unsigned workers,
			       const struct dialect_settings *s, struct turn_server *turn)
{
	struct dialect *d = xzalloc(sizeof(*d));

	d->loop = l;
	d->settings = s;
	d->turn = turn;
	d->self = loop_id(l);
	d->workers = workers;
	list_init(&d->echoes);
	list_init(&d->away);
	fanout_log_init(d);
	map_init(&d->fanouts);
	map_init(&d->sessions);
	buf_init(&d->out, DIALECT_MAX_OUT);
	buf_init(&d->worded, DIALECT_MAX_OUT);
	buf_init(&d->scratch.text, s->ws.max_message);
	d->gate = auth_gate_create(s->keys);
	auth_gate_on_revoke(d->gate, admit_eject_revoked, d);
	route_register(d);
	return d;
}

uint64_t dialect_session_of(struct slice id)
{
	return session_number(id);
}

void dialect_destroy(struct dialect *d)
{
	if (!d)
		return;
	socketio_free(d);
	echo_free(d);
	room_registry_destroy(d->rooms);
	auth_gate_destroy(d->gate);
	map_fini(&d->fanouts);
	map_fini(&d->sessions);
	fanout_log_fini(d);
	while (d->lent_count > 0)
		fanout_free_buffer(d->lent[--d->lent_count]);
	while (d->spare_count > 0)
		fanout_free_buffer(d->spare[--d->spare_count]);
	buf_fini(&d->out);
	buf_fini(&d->worded);
	buf_fini(&d->scratch.text);
	free(d->doors);
	free(d);
}

struct auth_gate *dialect_gate(const struct dialect *d)
{
	return d->gate;
}

struct room_registry *dialect_rooms(const struct dialect *d)
{
	return d->rooms;
}

void dialect_drain(struct dialect *d)
{
	struct buf b = BUF_INIT(128);
	struct session *s;
	size_t at = 0;

	d->draining = true;
	resume_drain(d);
	buf_printf(&b, "{\"type\":\"drain\",\"retryAfter\":%lld}",
		   (long long)d->settings->retry_after);
	while ((s = map_next(&d->sessions, &at))) {
		if (s->vocabulary->resumes)
			session_send(s, buf_slice(&b));
		session_close(s, 1001, "the server stops");
	}
	buf_fini(&b);
	echo_drain(d);
	socketio_drain(d);
	log_info("dialect", "drain", "sessions=%zu", d->sessions.count);
}
