/* TCP allocations (RFC 6062): the sockets. A listening socket at the relay address, connections from and to it, and
 * the joining of a peer's connection with a client's: bytes go through, each side waits for the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/listen.h"
#include "turn/server_private.h"

#define PATIENCE 30000 /* RFC 6062, 5.2 and 5.4: for the peer, and for the client */
#define QUEUE ((size_t)1 << 20) /* what a read can bring at once, several times */
#define PAUSE_AT ((size_t)256 * 1024)

/* The wiring of a struct turn_tcp. */
struct wire {
	struct turn_server *server;
	struct turn_tcp *tcp; /* NULL: ended; the streams finish by themselves */
	struct loop_io connecting;
	bool is_connecting;
	struct loop_timer timer;
	struct loop_task more;  /* in LOOP_FLUSH, after the streams' */
	struct stream *side[2]; /* the peer's and the client's; NULL: none, or closed */
};

static const struct stream_limits limits = { QUEUE, 5000, 0 };

static void wire_free_when_done(struct wire *w)
{
	if (w->tcp || w->side[0] || w->side[1])
		return;
	loop_task_cancel(&w->more);
	free(w);
}

/* --- joined: what comes in on one side goes out on the other --- */

static struct stream *other(const struct wire *w, const struct stream *s)
{
	return s == w->side[0] ? w->side[1] : w->side[0];
}

static ssize_t on_data(void *arg, struct stream *s, uint8_t *p, size_t n)
{
	struct stream *to = other(arg, s);

	if (!to)
		return (ssize_t)n; /* it hung up: nobody will read this */
	int err = stream_write_shared(to, slice_of(p, n));
	if (err < 0)
		return err;
	if (stream_queued(to) > PAUSE_AT) {
		struct wire *w = arg;
		stream_pause(s, true);
		loop_task_post(w->server->loop, LOOP_FLUSH, &w->more);
	}
	return (ssize_t)n;
}

static void on_drained(void *arg, struct stream *s)
{
	struct stream *from = other(arg, s);

	if (from)
		stream_pause(from, false);
}

/* The sockets may have taken everything: then there is no drained(). */
static void on_more(struct loop_task *t)
{
	const struct wire *w = container_of(t, struct wire, more);

	for (unsigned i = 0; i < 2; i++)
		if (w->side[i] && w->side[1 - i] && stream_queued(w->side[i]) == 0)
			stream_pause(w->side[1 - i], false);
}

static void on_closed(void *arg, struct stream *s, int err)
{
	struct wire *w = arg;
	struct stream *left = other(w, s);
	struct turn_tcp *c = w->tcp;

	(void)err;
	w->side[s == w->side[0] ? 0 : 1] = NULL;
	if (left) {
		stream_pause(left, false);
		stream_finish(left);
	}
	if (c)
		turn_tcp_end(c);
	else
		wire_free_when_done(w);
}

static const struct stream_ops ops = { .data = on_data,
				       .closed = on_closed,
				       .drained = on_drained };

void turn_wire_join(struct turn_tcp *c, struct stream *client)
{
	struct wire *w = c->wire;

	loop_timer_stop(w->server->loop, &w->timer);
	w->side[1] = client;
	stream_set_queue(client, QUEUE);
	stream_set_owner(client, &ops, w);
	if (w->side[0])
		stream_pause(w->side[0], false);
}

/* --- life --- */

static void on_patience(struct loop_timer *t)
{
	struct wire *w = container_of(t, struct wire, timer);

	if (w->is_connecting)
		turn_tcp_connected(w->tcp, E_TIMEOUT);
	else
		turn_tcp_end(w->tcp);
}

static struct wire *wire_create(struct turn_server *s, struct turn_tcp *c)
{
	struct wire *w = xzalloc(sizeof(*w));

	w->server = s;
	w->tcp = c;
	c->wire = w;
	loop_timer_init(&w->timer, on_patience);
	loop_task_init(&w->more, on_more);
	loop_timer_start(s->loop, &w->timer, PATIENCE);
	return w;
}

/* The peer's bytes wait in the kernel until somebody wants them. */
static void wire_take_peer(struct wire *w, int fd)
{
	w->side[0] =
		stream_create(w->server->loop, fd, &w->tcp->peer, &limits, NULL, &ops, w);
	stream_pause(w->side[0], true);
}

void turn_wire_close(void *arg, struct turn_tcp *c)
{
	struct turn_server *s = arg;
	struct wire *w = c->wire;

	loop_timer_stop(s->loop, &w->timer);
	if (w->is_connecting) {
		loop_io_del(s->loop, &w->connecting);
		close(w->connecting.fd);
	}
	w->tcp = NULL;
	for (unsigned i = 0; i < 2; i++)
		if (w->side[i])
			stream_finish(w->side[i]);
	wire_free_when_done(w);
}

/* --- out: Connect --- */

static void on_connected(struct loop_io *io, uint32_t events)
{
	struct wire *w = container_of(io, struct wire, connecting);
	int fd = io->fd;
	int err = listen_connect_result(fd);

	(void)events;
	loop_io_del(w->server->loop, io);
	w->is_connecting = false;
	if (err < 0) {
		close(fd);
	} else {
		wire_take_peer(w, fd);
		loop_timer_start(w->server->loop, &w->timer, PATIENCE);
	}
	turn_tcp_connected(w->tcp, err);
}

int turn_wire_connect(void *arg, struct turn_tcp *c, const struct turn_relay *from)
{
	struct turn_server *s = arg;
	struct addr at = s->settings->bound[turn_row(from->told.family)];

	at.port = from->told.port;
	int fd = listen_connect(&at, &c->peer);
	if (fd < 0)
		return fd;
	struct wire *w = wire_create(s, c);
	w->is_connecting = true;
	int err = loop_io_add(s->loop, &w->connecting, fd, EPOLLOUT, on_connected);
	if (err < 0) {
		w->is_connecting = false;
		close(fd);
	}
	return err; /* the caller ends c, and with it the wire */
}

/* --- in: a peer at the relay address --- */

static void on_accept(void *arg, int fd, const struct addr *peer)
{
	struct turn_relay *r = arg;
	struct turn_server *s = r->alloc->turn->arg;
	struct turn_tcp *c = turn_tcp_accepted(r, peer, turn_server_now(s));

	if (!c) {
		close(fd);
		return;
	}
	wire_take_peer(wire_create(s, c), fd);
}

int turn_wire_listen(void *arg, struct turn_relay *r, const struct addr *at)
{
	struct turn_server *s = arg;
	struct listener *ln;
	int err = listen_open(&ln, s->loop, at, on_accept, r);

	if (err == 0)
		r->socket = ln;
	return err;
}

void turn_wire_unlisten(struct turn_relay *r)
{
	listen_close(r->socket);
}
