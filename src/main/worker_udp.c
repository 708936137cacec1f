#include "main/worker_udp.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "net/tls.h"

struct worker_udp {
	struct loop *loop;
	const struct worker_shared *shared;
	struct tls_context *tls;
	struct udp_pool *pool;
	struct turn_server *turn;
	struct udp **sockets;
	size_t socket_count;
	struct listener *listeners[RELAYS_MAX_LISTEN];
};

/* RFC 7983: 0..3 STUN, 20..63 DTLS, 64..79 a TURN channel (RFC 5766 had them up to 127). */
static void on_datagram(void *arg, struct udp *u, const struct udp_packet *p)
{
	struct worker_udp *w = arg;

	if (p->bytes.n == 0)
		return;
	uint8_t first = p->bytes.p[0];
	if (first < 4 || (first >= 20 && first < 128))
		turn_server_datagram(w->turn, u, p);
}

/* A connection to a port that is TURN's alone. */
static void on_accept(void *arg, int fd, const struct addr *peer)
{
	struct worker_udp *w = arg;
	const struct http_settings *s = &w->shared->http;

	if (metric_total(METRIC_CONNECTIONS) >= s->max_connections) {
		metric_add(METRIC_CONNECTIONS_REFUSED, 1);
		close(fd);
		return;
	}
	turn_server_accept(w->turn, fd, peer, &s->stream, w->tls);
}

static void on_neighbour(void *arg, struct stream *s)
{
	turn_server_take(arg, s);
}

static int open_socket(struct worker_udp *w, const struct addr *a, struct buf *why)
{
	struct addr_text t;
	int err = udp_open(&w->sockets[w->socket_count], w->pool, a, UDP_SHARED,
			   on_datagram, w);

	if (err < 0)
		buf_printf(why, "cannot take UDP at %s: %s", addr_text(a, &t),
			   err_text(err));
	else
		w->socket_count++;
	return err;
}

static int open_ports(struct worker_udp *w, struct buf *why)
{
	const struct worker_shared *s = w->shared;
	const struct relays *r = s->relays;
	struct addr_text t;
	int err = 0;

	w->sockets =
		xzalloc(size_mul(s->listen_count + r->listen_count, sizeof(*w->sockets)));
	for (size_t i = 0; err == 0 && i < s->listen_count; i++)
		err = open_socket(w, &s->listen[i], why);
	for (size_t i = 0; err == 0 && i < r->listen_count; i++) {
		err = open_socket(w, &r->listen[i], why);
		if (err < 0)
			break;
		err = listen_open(&w->listeners[i], w->loop, &r->listen[i], on_accept, w);
		if (err < 0)
			buf_printf(why, "cannot listen on %s: %s",
				   addr_text(&r->listen[i], &t), err_text(err));
	}
	return err;
}

int worker_udp_create(struct worker_udp **out, struct loop *l,
		      const struct worker_shared *shared, struct http_server *http,
		      struct tls_context *tls, struct buf *why)
{
	struct worker_udp *w = xzalloc(sizeof(*w));

	w->loop = l;
	w->shared = shared;
	w->tls = tls;
	w->pool = udp_pool_create(l);
	const struct turn_wiring wiring = {
		.loop = l,
		.pool = w->pool,
		.tls = tls,
		.max_dtls = shared->config->max_connections,
		.workers = shared->admin.workers,
		.mail = BUS_TURN,
	};
	w->turn = turn_server_create(&wiring, &shared->relays->turn);
	http_server_set_neighbour(
		http,
		&(struct http_neighbour){ turn_server_wants, on_neighbour, w->turn });
	int err = open_ports(w, why);
	if (err < 0) {
		worker_udp_destroy(w);
		return err;
	}
	*out = w;
	return 0;
}

static void close_listeners(struct worker_udp *w)
{
	for (size_t i = 0; i < RELAYS_MAX_LISTEN; i++) {
		listen_close(w->listeners[i]);
		w->listeners[i] = NULL;
	}
}

void worker_udp_drain(struct worker_udp *w)
{
	if (!w)
		return;
	close_listeners(w);
	turn_server_drain(w->turn);
}

void worker_udp_destroy(struct worker_udp *w)
{
	if (!w)
		return;
	close_listeners(w);
	turn_server_destroy(w->turn);
	for (size_t i = 0; i < w->socket_count; i++)
		udp_close(w->sockets[i]);
	free(w->sockets);
	udp_pool_destroy(w->pool);
	free(w);
}

struct turn_server *worker_udp_turn(const struct worker_udp *w)
{
	return w ? w->turn : NULL;
}
