#include "turn/server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "loop/mail.h"
#include "turn/server_private.h"

/* --- time --- */

struct turn_now turn_server_now(const struct turn_server *s)
{
	return (struct turn_now){ loop_now(s->loop), loop_wall(s->loop) };
}

static void set_timer(struct turn_server *s)
{
	ms_t at = turn_next_timeout(s->turn);

	if (at < 0 || s->timer.due != 0)
		return;
	ms_t after = at - loop_now(s->loop);
	loop_timer_start(s->loop, &s->timer, after > 0 ? after : 1);
}

static void on_timer(struct loop_timer *timer)
{
	struct turn_server *s = container_of(timer, struct turn_server, timer);

	turn_tick(s->turn, turn_server_now(s));
	set_timer(s);
}

/* --- mail between the workers' servers --- */

/* Bytes lie behind it. */
struct letter {
	enum turn_letter kind;
	union { /* by its kind */
		struct {
			struct addr to, from;
		};
		uint64_t session;
		struct stream *stream;
		struct turn_path path;
	};
};

static void post_letter(const struct turn_server *s, unsigned worker,
			const struct letter *l, struct slice body)
{
	uint8_t text[sizeof(*l) + UDP_MAX];

	if (body.n > UDP_MAX || loop_current() != s->loop)
		return; /* at the end of the process nobody reads it */
	memcpy(text, l, sizeof(*l));
	if (body.n > 0)
		memcpy(text + sizeof(*l), body.p, body.n);
	loop_mail_send(worker, s->mail, slice_of(text, sizeof(*l) + body.n));
}

static void on_letter(void *arg, unsigned from, struct slice body)
{
	struct turn_server *s = arg;
	struct letter l;

	memcpy(&l, body.p, sizeof(l));
	struct slice bytes = slice_from(body, sizeof(l));
	switch (l.kind) {
	case TURN_LETTER_PACKET:
		turn_from_relay(s->turn, &l.to, &l.from, bytes, turn_server_now(s));
		break;
	case TURN_LETTER_SESSION:
		turn_end_session(s->turn, l.session, turn_server_now(s));
		break;
	case TURN_LETTER_STREAM:
		turn_conn_attach(s, l.stream);
		break;
	case TURN_LETTER_SAID:
		l.path.via = from + 1;
		turn_input(s->turn, &l.path, bytes, turn_server_now(s));
		set_timer(s);
		break;
	case TURN_LETTER_CLOSED:
		l.path.via = from + 1;
		turn_path_closed(s->turn, &l.path, turn_server_now(s));
		break;
	case TURN_LETTER_HEARS:
		turn_guest_hears(s, &l.path, bytes);
		break;
	case TURN_LETTER_STAYS:
	case TURN_LETTER_GOES:
		turn_guest_stays(s, &l.path, from, l.kind == TURN_LETTER_STAYS);
		break;
	}
}

void turn_server_post(const struct turn_server *s, unsigned worker, enum turn_letter kind,
		      const struct turn_path *path, struct slice body)
{
	struct letter l = { .kind = kind, .path = *path };

	l.path.via = 0; /* as its own worker knows it */
	post_letter(s, worker, &l, body);
}

void turn_server_hand_over(const struct turn_server *s, unsigned worker,
			   struct stream *stream)
{
	const struct letter l = { .kind = TURN_LETTER_STREAM, .stream = stream };

	post_letter(s, worker, &l, SLICE_NONE);
}

/* --- what the protocol wants done --- */

void turn_server_send(const struct turn_path *to, const struct turn_parts *parts)
{
	if (to->transport == TURN_UDP) {
		const struct udp_parts out = { parts->head, parts->body, parts->pad,
					       false };
		udp_send(to->link, &to->remote, &to->local, &out);
	} else if (to->transport == TURN_DTLS) {
		turn_dtls_send(to->link, parts);
	} else if (to->transport == TURN_NOWHERE) {
		metric_add(METRIC_TURN_DROPPED, 1);
	} else {
		turn_conn_send(to->link, parts);
	}
}

/* The guest of another worker hears it from there. */
static void send_far(const struct turn_server *s, const struct turn_path *to,
		     const struct turn_parts *parts)
{
	uint8_t memory[UDP_MAX];
	struct buf b = { .p = memory, .cap = sizeof(memory), .max = sizeof(memory) };

	turn_parts_put(&b, parts);
	if (b.bad)
		metric_add(METRIC_TURN_DROPPED, 1);
	else
		turn_server_post(s, to->via - 1, TURN_LETTER_HEARS, to, buf_slice(&b));
}

static void op_send(void *arg, const struct turn_path *to, const struct turn_parts *parts)
{
	if (to->via > 0)
		send_far(arg, to, parts);
	else
		turn_server_send(to, parts);
}

static void on_peer_packet(void *arg, struct udp *u, const struct udp_packet *p)
{
	struct turn_relay *r = arg;
	struct turn *t = r->alloc->turn;

	(void)u;
	turn_relay_input(t, r, &p->from, p->bytes, turn_server_now(t->arg));
}

static void on_peer_error(void *arg, struct udp *u, const struct udp_error *e)
{
	struct turn_relay *r = arg;
	struct turn *t = r->alloc->turn;

	(void)u;
	turn_relay_error(t, r, &e->to, e->type, e->code, e->info,
			 turn_server_now(t->arg));
}

static int op_relay_open(void *arg, struct turn_relay *r, const struct addr *at)
{
	struct turn_server *s = arg;
	struct udp *u;
	int err = udp_open(&u, s->pool, at, UDP_RELAY, on_peer_packet, r);

	if (err < 0)
		return err;
	err = udp_hear_errors(u, on_peer_error);
	if (err < 0)
		udp_close(u);
	else
		r->socket = u;
	return err;
}

static void op_relay_close(void *arg, struct turn_relay *r)
{
	(void)arg;
	if (r->alloc->protocol == TURN_PROTOCOL_TCP)
		turn_wire_unlisten(r);
	else
		udp_close(r->socket);
}

static void op_relay_send(void *arg, struct turn_relay *r, const struct addr *to,
			  struct slice body, bool whole)
{
	const struct udp_parts out = { .body = body, .whole = whole };

	(void)arg;
	udp_send(r->socket, to, NULL, &out);
}

static void op_tcp_join(void *arg, struct turn_tcp *c, const struct turn_path *path)
{
	(void)arg;
	turn_wire_join(c, turn_conn_take(path->link));
}

static void op_forward(void *arg, unsigned worker, const struct addr *to,
		       const struct addr *from, struct slice body)
{
	const struct letter l = { .kind = TURN_LETTER_PACKET, .to = *to, .from = *from };

	post_letter(arg, worker, &l, body);
}

static void op_guest(void *arg, const struct turn_path *path, bool stays)
{
	turn_server_post(arg, path->via - 1, stays ? TURN_LETTER_STAYS : TURN_LETTER_GOES,
			 path, SLICE_NONE);
}

static const struct turn_ops ops = {
	.send = op_send,
	.relay_open = op_relay_open,
	.relay_close = op_relay_close,
	.relay_send = op_relay_send,
	.relay_listen = turn_wire_listen,
	.tcp_connect = turn_wire_connect,
	.tcp_close = turn_wire_close,
	.tcp_join = op_tcp_join,
	.forward = op_forward,
	.pass_on = turn_guest_pass_on,
	.guest = op_guest,
};

/* --- life --- */

#define DRAIN_LOOK                                                                       \
	20 /* ms; sessions end their relays in this time, and with them leave the connections */

static void on_drain(struct loop_timer *timer)
{
	struct turn_server *s = container_of(timer, struct turn_server, drain);

	if (turn_conn_finish_idle(s))
		loop_timer_start(s->loop, timer, DRAIN_LOOK);
}

struct turn_server *turn_server_create(const struct turn_wiring *w,
				       const struct turn_settings *settings)
{
	struct turn_server *s = xzalloc(sizeof(*s));

	s->loop = w->loop;
	s->pool = w->pool;
	s->settings = settings;
	s->mail = w->mail;
	s->max_dtls = w->max_dtls;
	s->workers = w->workers;
	s->door = w->tls ? dtls_door_create(w->tls) : NULL;
	map_init(&s->dtls);
	s->turn = turn_create(settings, loop_id(w->loop), &ops, s);
	s->hmac = stun_hmac_create();
	list_init(&s->conns);
	map_init(&s->guests);
	loop_timer_init(&s->timer, on_timer);
	loop_timer_init(&s->drain, on_drain);
	loop_mail_handler(w->loop, w->mail, on_letter, s);
	return s;
}

void turn_server_destroy(struct turn_server *s)
{
	if (!s)
		return;
	turn_conn_close_all(s);
	turn_dtls_close_all(s);
	turn_guest_leave_all(s);
	turn_destroy(s->turn);
	dtls_door_destroy(s->door);
	map_fini(&s->dtls);
	stun_hmac_destroy(s->hmac);
	loop_timer_stop(s->loop, &s->timer);
	loop_timer_stop(s->loop, &s->drain);
	free(s);
}

void turn_server_drain(struct turn_server *s)
{
	log_info("turn", "drain", "allocations=%zu", turn_count(s->turn));
	turn_drain(s->turn);
	on_drain(&s->drain);
}

/* --- in --- */

void turn_server_input(struct turn_server *s, const struct turn_path *from,
		       struct slice bytes)
{
	if (s->guests.count > 0 && turn_guest_says(s, from, bytes))
		return;
	turn_input(s->turn, from, bytes, turn_server_now(s));
	set_timer(s);
}

bool turn_server_knows(const struct turn_server *s, const struct turn_path *path)
{
	return turn_alloc_find(s->turn, path) || turn_guest_is(s, path);
}

void turn_server_path_closed(struct turn_server *s, const struct turn_path *path)
{
	if (s->guests.count > 0)
		turn_guest_closed(s, path);
	turn_path_closed(s->turn, path, turn_server_now(s));
}

void turn_server_datagram(struct turn_server *s, struct udp *u,
			  const struct udp_packet *p)
{
	const struct turn_path from = {
		.remote = p->from, .local = p->to, .link = u, .transport = TURN_UDP
	};

	/* RFC 7983: 20 to 63 are DTLS. */
	if (p->bytes.n > 0 && p->bytes.p[0] >= 20 && p->bytes.p[0] < 64)
		turn_dtls_datagram(s, u, p);
	else
		turn_server_input(s, &from, p->bytes);
}

/* --- credentials and sessions --- */

int turn_server_credential(struct turn_server *s, struct slice who, ms_t life,
			   struct turn_credential *out)
{
	return turn_credential_make(&s->settings->users, s->hmac, who,
				    loop_wall(s->loop) + life, out);
}

size_t turn_server_refusals(const struct turn_server *s, struct slice user,
			    struct turn_refused *out, size_t max)
{
	if (!turn_user_expires(user))
		return 0;
	return turn_refusals_of(s->settings->refusals, user, out, max);
}

static void end_relays(struct turn_server *s, uint64_t session, uint64_t workers)
{
	const struct letter l = { .kind = TURN_LETTER_SESSION, .session = session };

	for (unsigned i = 0; workers > 0; i++, workers >>= 1) {
		if (!(workers & 1))
			continue;
		if (i == loop_id(s->loop))
			turn_end_session(s->turn, session, turn_server_now(s));
		else
			post_letter(s, i, &l, SLICE_NONE);
	}
}

void turn_server_open_session(struct turn_server *s, uint64_t session)
{
	turn_ledger_open_session(s->settings->ledger, session);
}

void turn_server_bar_session(struct turn_server *s, uint64_t session, bool barred)
{
	uint64_t workers = turn_ledger_bar_session(s->settings->ledger, session, barred);

	if (barred)
		end_relays(s, session, workers);
}

void turn_server_close_session(struct turn_server *s, uint64_t session)
{
	end_relays(s, session, turn_ledger_close_session(s->settings->ledger, session));
}
