/* Clients over DTLS (RFC 7350): a record is a message or ChannelData. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "turn/server_private.h"

struct turn_dtls {
	struct turn_server *server;
	struct dtls *dtls;
	struct turn_path path;   /* as the protocol knows it */
	struct turn_path under;  /* where its datagrams come from */
	uint64_t key;            /* in server->dtls */
	struct loop_timer timer; /* a lost flight, the handshake's end, idleness */
	ms_t handshake_until;
};

static uint64_t key_of(const struct turn_server *s, const struct turn_path *p)
{
	struct turn_path text;

	memset(&text, 0, sizeof(text)); /* padding counts in the hash */
	memcpy(text.remote.ip, p->remote.ip, sizeof(text.remote.ip));
	memcpy(text.local.ip, p->local.ip, sizeof(text.local.ip));
	text.remote.port = p->remote.port;
	text.link = p->link;
	return hash_keyed(slice_of(&text, sizeof(text)), s->settings->nonce_key);
}

/* --- out --- */

static void send_datagram(const struct turn_path *to, struct slice datagram)
{
	const struct udp_parts out = { .body = datagram };

	udp_send(to->link, &to->remote, &to->local, &out);
}

static void on_output(void *arg, struct slice datagram)
{
	const struct turn_dtls *c = arg;

	send_datagram(&c->under, datagram);
}

/* The door speaks before there is a session. */
static void on_door_output(void *arg, struct slice datagram)
{
	send_datagram(arg, datagram);
}

void turn_dtls_send(struct turn_dtls *c, const struct turn_parts *parts)
{
	uint8_t memory[UDP_MAX + UDP_HEAD_MAX];
	struct buf b = { .p = memory, .cap = sizeof(memory), .max = sizeof(memory) };

	turn_parts_put(&b, parts);
	if (b.bad)
		metric_add(METRIC_TURN_DROPPED, 1);
	else
		dtls_write(c->dtls, buf_slice(&b));
}

/* --- life --- */

static void conn_free(struct turn_dtls *c)
{
	struct turn_server *s = c->server;

	turn_server_path_closed(s, &c->path);
	loop_timer_stop(s->loop, &c->timer);
	map_del_u64(&s->dtls, c->key);
	dtls_destroy(c->dtls);
	free(c);
	metric_add(METRIC_DTLS_SESSIONS, -1);
}

void turn_dtls_close_all(struct turn_server *s)
{
	struct turn_dtls *c;
	size_t at = 0;

	while ((c = map_next(&s->dtls, &at))) {
		conn_free(c);
		at = 0;
	}
}

static void arm(struct turn_dtls *c)
{
	struct turn_server *s = c->server;
	ms_t after = dtls_timeout(c->dtls), left = c->handshake_until - loop_now(s->loop);

	if (dtls_is_ready(c->dtls))
		left = TURN_IDLE;
	if (after < 0 || after > left)
		after = left > 0 ? left : 1;
	loop_timer_start(s->loop, &c->timer, after);
}

static void on_timer(struct loop_timer *t)
{
	struct turn_dtls *c = container_of(t, struct turn_dtls, timer);
	struct turn_server *s = c->server;
	bool ready = dtls_is_ready(c->dtls);

	if (ready ? !turn_server_knows(s, &c->path)
		  : loop_now(s->loop) >= c->handshake_until) {
		conn_free(c);
		return;
	}
	if (!ready)
		dtls_tick(c->dtls);
	arm(c);
}

static void conn_create(struct turn_server *s, struct dtls *dtls,
			const struct turn_path *under, uint64_t key)
{
	struct turn_dtls *c = xzalloc(sizeof(*c));

	c->server = s;
	c->dtls = dtls;
	c->under = *under;
	c->key = key;
	c->path = (struct turn_path){ .remote = under->remote,
				      .link = c,
				      .transport = TURN_DTLS };
	c->handshake_until = loop_now(s->loop) + DTLS_HANDSHAKE;
	dtls_set_output(dtls, on_output, c);
	map_put_u64(&s->dtls, key, c);
	loop_timer_init(&c->timer, on_timer);
	arm(c);
	metric_add(METRIC_DTLS_SESSIONS, 1);
}

/* --- in --- */

static void on_records(struct turn_dtls *c, struct slice datagram)
{
	struct turn_server *s = c->server;
	uint8_t *plain = loop_scratch(s->loop);
	bool was_ready = dtls_is_ready(c->dtls);
	int n;

	dtls_feed(c->dtls, datagram);
	while ((n = dtls_read(c->dtls, plain)) > 0)
		turn_server_input(s, &c->path, slice_of(plain, (size_t)n));
	if (n < 0)
		conn_free(c);
	else if (!was_ready)
		arm(c);
}

void turn_dtls_datagram(struct turn_server *s, struct udp *u, const struct udp_packet *p)
{
	struct turn_path under = {
		.remote = p->from, .local = p->to, .link = u, .transport = TURN_UDP
	};
	uint64_t key = key_of(s, &under);
	struct turn_dtls *c = map_find_u64(&s->dtls, key);

	if (c && !dtls_is_anew(c->dtls, p->bytes)) {
		on_records(c, p->bytes);
		return;
	}
	/* 22: a handshake record, which a newcomer begins with. */
	if (!s->door || p->bytes.p[0] != 22 ||
	    !turn_may_answer(s->turn, &under, turn_server_now(s)))
		return;
	if (metric_total(METRIC_DTLS_SESSIONS) >= s->max_dtls) {
		metric_add(METRIC_CONNECTIONS_REFUSED, 1);
		return;
	}
	struct dtls *dtls =
		dtls_door_knock(s->door, &p->from, p->bytes, on_door_output, &under);
	if (dtls && c)
		conn_free(c);
	if (dtls)
		conn_create(s, dtls, &under, key);
}
