/* Clients over TCP and TLS: messages and ChannelData one after the other (RFC 8656, 12.6 and RFC 8489, 6.2.2). */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "turn/server_private.h"

struct turn_conn {
	struct list link; /* server->conns */
	struct turn_server *server;
	struct stream *stream; /* NULL: given away */
	struct turn_path path;
	struct loop_timer idle;
	bool opened; /* a message came: nothing else begins a connection */
};

static void conn_free(struct turn_conn *c)
{
	turn_server_path_closed(c->server, &c->path);
	loop_timer_stop(c->server->loop, &c->idle);
	list_unlink(&c->link);
	free(c);
}

/* Bytes of the frame that begins at p: -EAGAIN: not to be told yet, E_MALFORMED: none begins so. */
static ssize_t frame_size(const struct turn_conn *t, const uint8_t *p, size_t n)
{
	if (n < 4)
		return -EAGAIN;
	if (p[0] >> 6 == 1 && t->opened) {
		struct cur c = cur_of(p + 2, 2);
		return 4 + ((cur_be16(&c) + 3) & ~3);
	}
	int size = stun_size(p, n);
	return size == 0 ? E_MALFORMED : size;
}

/* The worker that a ConnectionBind request is for (RFC 6062); -1: it is none, or for us. */
static int other_worker(const struct turn_server *s, struct slice frame)
{
	struct stun_msg m;
	uint32_t id;

	if (frame.p[0] != 0 || frame.p[1] != STUN_CONNECTION_BIND ||
	    stun_decode(&m, frame.p, frame.n) < 0 ||
	    stun_get_u32(&m, STUN_CONNECTION_ID, &id) < 0)
		return -1;
	unsigned worker = turn_tcp_worker(id);
	return worker != loop_id(s->loop) && worker < s->workers ? (int)worker : -1;
}

static ssize_t on_data(void *arg, struct stream *s, uint8_t *p, size_t n)
{
	struct turn_conn *c = arg;
	size_t used = 0;

	c->path.transport = stream_is_tls(s) ? TURN_TLS : TURN_TCP;
	while (used < n) {
		ssize_t size = frame_size(c, p + used, n - used);
		if (size == -EAGAIN || (size > 0 && (size_t)size > n - used)) {
			if (size <= (ssize_t)STREAM_CARRY_MAX)
				break;
			size = E_LIMIT;
		}
		if (size < 0) {
			metric_add(METRIC_STUN_BAD, 1);
			return size;
		}
		struct slice frame = slice_of(p + used, (size_t)size);
		int worker = other_worker(c->server, frame);
		if (worker >= 0) { /* with this message still unread */
			stream_detach(s);
			turn_server_hand_over(c->server, (unsigned)worker, s);
			conn_free(c);
			return (ssize_t)used;
		}
		used += (size_t)size;
		c->opened = true;
		turn_server_input(c->server, &c->path, frame);
		if (!c->stream) {
			conn_free(c);
			break;
		}
	}
	return (ssize_t)used;
}

static void on_closed(void *arg, struct stream *s, int err)
{
	(void)s;
	(void)err;
	conn_free(arg);
}

static const struct stream_ops ops = { .data = on_data, .closed = on_closed };

/* Who reads too slowly loses packets, as over UDP. */
void turn_conn_send(struct turn_conn *c, const struct turn_parts *parts)
{
	size_t n = parts->head.n + parts->body.n + parts->pad;
	uint8_t *to = stream_reserve(c->stream, n);

	if (!to) {
		metric_add(METRIC_TURN_DROPPED, 1);
		return;
	}
	if (parts->head.n > 0)
		memcpy(to, parts->head.p, parts->head.n);
	if (parts->body.n > 0)
		memcpy(to + parts->head.n, parts->body.p, parts->body.n);
	memset(to + n - parts->pad, 0, parts->pad);
}

static void on_idle(struct loop_timer *t)
{
	struct turn_conn *c = container_of(t, struct turn_conn, idle);

	if (turn_server_knows(c->server, &c->path))
		loop_timer_start(c->server->loop, &c->idle, TURN_IDLE);
	else
		stream_finish(c->stream);
}

int turn_server_wants(const uint8_t *p, size_t n)
{
	/* The other protocols' first bytes are all above those of our methods. */
	if (n > 0 && p[0] > 1)
		return 0;
	int size = stun_size(p, n);
	return size > 0 ? 1 : size;
}

static struct turn_conn *conn_create(struct turn_server *s, const struct addr *peer)
{
	struct turn_conn *c = xzalloc(sizeof(*c));

	c->server = s;
	c->path = (struct turn_path){ .remote = *peer, .link = c, .transport = TURN_TCP };
	list_append(&s->conns, &c->link);
	loop_timer_init(&c->idle, on_idle);
	loop_timer_start(s->loop, &c->idle, TURN_IDLE);
	return c;
}

struct stream *turn_conn_take(struct turn_conn *c)
{
	struct stream *stream = c->stream;

	c->stream = NULL;
	return stream;
}

void turn_conn_attach(struct turn_server *s, struct stream *stream)
{
	struct turn_conn *c = conn_create(s, stream_peer(stream));

	c->stream = stream;
	stream_attach(s->loop, stream, &ops, c);
}

void turn_server_take(struct turn_server *s, struct stream *stream)
{
	struct turn_conn *c = conn_create(s, stream_peer(stream));

	c->stream = stream;
	stream_set_owner(stream, &ops, c);
}

void turn_server_accept(struct turn_server *s, int fd, const struct addr *peer,
			const struct stream_limits *limits, struct tls_context *tls)
{
	struct turn_conn *c = conn_create(s, peer);

	c->stream = stream_create(s->loop, fd, peer, limits, tls, &ops, c);
}

bool turn_conn_finish_idle(struct turn_server *s)
{
	list_each_safe (n, &s->conns) {
		struct turn_conn *c = list_entry(n, struct turn_conn, link);
		if (!turn_server_knows(s, &c->path))
			stream_finish(c->stream);
	}
	return !list_empty(&s->conns);
}

/* The server is gone: whoever is connected is hung up on. */
static void on_closed_late(void *arg, struct stream *s, int err)
{
	(void)arg;
	(void)s;
	(void)err;
}

static ssize_t on_data_late(void *arg, struct stream *s, uint8_t *p, size_t n)
{
	(void)arg;
	(void)s;
	(void)p;
	return (ssize_t)n;
}

void turn_conn_close_all(struct turn_server *s)
{
	static const struct stream_ops gone = { .data = on_data_late,
						.closed = on_closed_late };

	list_each_safe (n, &s->conns) {
		struct turn_conn *c = list_entry(n, struct turn_conn, link);
		struct stream *stream = c->stream;
		conn_free(c);
		stream_set_owner(stream, &gone, NULL);
		stream_abort(stream, 0);
	}
}
