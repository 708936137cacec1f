/* route: carries commands from sessions to rooms and events back, by call when both live on
 * this worker, by mail otherwise. Neither rooms nor sessions know which.
 */
#include <assert.h>

#include "base/err.h"
#include "base/log.h"
#include "bus/mail.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"
#include "loop/mail.h"

/* --- commands --- */

static void reply(struct session *s, struct slice room, uint64_t request, int err)
{
	struct event e = { .kind = EVENT_REPLY, .request = request, .err = err };

	session_event(s, room, &e);
}

static struct bus_home home_of(const struct session *s)
{
	return (struct bus_home){ s->dialect->self, s->number };
}

static void command_here(struct session *s, struct slice room, struct member *m,
			 uint64_t request, const struct command *c)
{
	struct dialect *d = s->dialect;
	int err;

	if (c->kind == COMMAND_JOIN) {
		err = room_join(d->rooms, room, c, home_of(s), request,
				loop_wall(d->loop));
		if (err < 0)
			reply(s, room, request, err);
		return;
	}
	if (c->kind == COMMAND_SYNC) {
		room_sync(m, request);
		return;
	}
	if (!m) {
		struct room *r = room_find(d->rooms, room);

		if (r && c->kind == COMMAND_LEAVE)
			room_forget(r, home_of(s), c->reason);
		return;
	}
	err = room_command(m, request, c, loop_wall(d->loop));
	/* Most signals are not answered: nothing is built then. */
	if (err < 0 || (request && err != ROOM_LATER))
		reply(s, room, request, err);
}

static void command_there(unsigned worker, struct session *s, struct slice room,
			  uint64_t member_id, uint64_t request, const struct command *c)
{
	struct bus_command letter = {
		.from = home_of(s),
		.room = room,
		.member = member_id,
		.request = request,
		.command = *c,
	};

	bus_send_command(worker, &letter);
}

void route_command(struct seat *seat, uint64_t request, const struct command *c)
{
	struct session *s = seat->session;
	struct dialect *d = s->dialect;
	struct member *m = seat->member;
	uint64_t id = seat->member_id;
	/* Held: the seat may go in here, and with it the fanout and the room's name. */
	struct fanout *f = seat->fanout;
	unsigned worker = m ? d->self : bus_room_worker(f->room, d->workers);

	struct addr_text address;
	struct command join;

	fanout_hold(f);
	if (c->kind == COMMAND_JOIN) {
		join = *c;
		admit_join(s, &join, &address);
		c = &join;
		/* It was on its way between workers when it was revoked. */
		if (admit_is_revoked(s)) {
			reply(s, f->room, request, E_UNAUTHORIZED);
			fanout_close(f);
			return;
		}
	}
	/* Who leaves hears nothing more of the room, not of its own going either. */
	if (c->kind == COMMAND_LEAVE)
		session_drop_seat(seat);
	if (worker == d->self)
		command_here(s, f->room, m, request, c);
	else
		command_there(worker, s, f->room, id, request, c);
	fanout_close(f);
}

static void answer_letter(const struct bus_command *l, int err)
{
	struct bus_event back = {
		.session = l->from.session,
		.room = l->room,
		.event = { .kind = EVENT_REPLY, .request = l->request, .err = err },
	};

	/* Nobody has asked for those two. */
	if (l->command.kind == COMMAND_AWAY || l->command.kind == COMMAND_BACK)
		return;
	if (l->request || err < 0)
		bus_send_event(l->from.worker, &back);
}

static void tell_lost(const struct bus_command *l)
{
	const struct bus_event left = {
		.session = l->from.session,
		.room = l->room,
		.event = { .kind = EVENT_LEFT,
			   .member = l->member,
			   .reason = LEAVE_DISCONNECT },
	};

	bus_send_event(l->from.worker, &left);
}

/* A command for one of our rooms, from a session elsewhere. */
static void on_command_letter(void *arg, unsigned from, struct slice body)
{
	struct dialect *d = arg;
	struct bus_command l;

	if (bus_command_letter_decode(&l, body) < 0) {
		log_error("dialect", "bad-letter", "kind=command from=%u", from);
		return;
	}
	if (l.command.kind == COMMAND_JOIN) {
		int err = room_join(d->rooms, l.room, &l.command, l.from, l.request,
				    loop_wall(d->loop));
		if (err < 0)
			answer_letter(&l, err);
		return;
	}
	struct room *r = room_find(d->rooms, l.room);
	struct member *m = r ? room_member(r, l.member) : NULL;

	/* Said before its welcome came back. */
	if (r && l.member == 0)
		m = room_member_at(r, l.from);

	if (m && l.command.kind == COMMAND_SYNC) {
		room_sync(m, l.request);
		return;
	}
	if (r && !l.member && l.command.kind == COMMAND_LEAVE) {
		room_forget(r, l.from, l.command.reason);
		return;
	}
	/* A room that has not taken it back after a restart. */
	if (!m && l.command.kind == COMMAND_BACK && l.command.on) {
		tell_lost(&l);
		return;
	}
	/* Gone in the meantime: kicked, or the letters crossed. */
	int err = m ? room_command(m, l.request, &l.command, loop_wall(d->loop))
		    : E_NOT_JOINED;
	if (err != ROOM_LATER)
		answer_letter(&l, err);
}

/* --- events --- */

struct mailing {
	const struct event *event;
	const struct room *room;
	uint64_t except;
};

static void mail_event(void *arg, unsigned worker)
{
	const struct mailing *g = arg;
	struct bus_event l = { .except = g->except,
			       .room = room_name(g->room),
			       .event = *g->event };

	bus_send_event(worker, &l);
}

static void event_to_one(struct dialect *d, struct slice room, const struct event *e,
			 const struct member *to)
{
	struct bus_home home = member_home(to);
	struct seat *seat = member_user(to);
	struct bus_event l = { .session = home.session, .room = room, .event = *e };

	if (home.worker != d->self) {
		bus_send_event(home.worker, &l);
		return;
	}
	struct session *s = seat ? seat->session : session_find(d, home.session);

	assert(s); /* a local session tells its rooms before it goes */
	session_event(s, room, e);
}

/* A room of ours speaks. */
static void on_room_event(void *arg, struct room *r, const struct event *e,
			  struct member *to, struct member *except)
{
	struct dialect *d = arg;
	struct fanout *f = room_user(r);

	if (to) {
		event_to_one(d, room_name(r), e, to);
		return;
	}
	struct mailing g = { e, r, except ? member_id(except) : 0 };

	if (f)
		fanout_event(f, e, except ? member_user(except) : NULL, g.except);
	room_each_remote(r, d->self, mail_event, &g);
}

/* The answer to a command that took its time; the session may have left the room since. */
static void on_room_answer(void *arg, struct bus_home home, struct slice room,
			   const struct event *e)
{
	struct dialect *d = arg;
	struct bus_event l = { .session = home.session, .room = room, .event = *e };

	if (home.worker != d->self) {
		bus_send_event(home.worker, &l);
		return;
	}
	struct session *s = session_find(d, home.session);
	if (s)
		session_event(s, room, e);
}

/* A session welcomed into a room that it no longer wants (it closed or has come back while the letters were
 * under way) gives the seat back. */
static void refuse_welcome(struct dialect *d, const struct bus_event *l)
{
	struct bus_command leave = {
		.from = { d->self, l->session },
		.room = l->room,
		.member = l->event.member,
		.command = { .kind = COMMAND_LEAVE, .reason = LEAVE_DISCONNECT },
	};

	bus_send_command(bus_room_worker(l->room, d->workers), &leave);
}

/* A room elsewhere speaks. */
static void on_event_letter(void *arg, unsigned from, struct slice body)
{
	struct dialect *d = arg;
	struct bus_event l;

	if (bus_event_letter_decode(&l, body) < 0) {
		log_error("dialect", "bad-letter", "kind=event from=%u", from);
		return;
	}
	if (!l.session) {
		struct fanout *f = map_find(&d->fanouts, l.room);

		if (f)
			fanout_event(f, &l.event,
				     l.except ? fanout_seat(f, l.except) : NULL,
				     l.except);
		return;
	}
	struct session *s = session_find(d, l.session);

	struct seat *seat = s ? session_seat(s, l.room) : NULL;

	if (s && (l.event.kind != EVENT_WELCOME || (seat && !seat->member_id)))
		session_event(s, l.room, &l.event);
	else if (l.event.kind == EVENT_WELCOME)
		refuse_welcome(d, &l);
}

/* --- connections --- */

/* The letter is a pointer and the message: within the process only. */
void route_handover(struct session *s, unsigned worker, struct slice message)
{
	struct buf b = BUF_INIT(sizeof(s) + message.n);

	ws_detach(s->ws);
	buf_add(&b, &s, sizeof(s));
	buf_put(&b, message);
	loop_mail_send(worker, BUS_HANDOVER, buf_slice(&b));
	buf_fini(&b);
	metric_add(METRIC_HANDOVERS, 1);
}

static void on_handover_letter(void *arg, unsigned from, struct slice body)
{
	struct session *s;

	(void)from;
	assert(body.n >= sizeof(s));
	memcpy(&s, body.p, sizeof(s));
	session_arrive(arg, s, slice_from(body, sizeof(s)));
}

void route_request(struct http_exchange *x, unsigned worker)
{
	struct http_moved *moved = http_detach(x);

	loop_mail_send(worker, BUS_REQUEST, slice_of(&moved, sizeof(moved)));
	metric_add(METRIC_HANDOVERS, 1);
}

static void on_request_letter(void *arg, unsigned from, struct slice body)
{
	struct dialect *d = arg;
	struct http_moved *moved;

	(void)from;
	assert(body.n == sizeof(moved));
	memcpy(&moved, body.p, sizeof(moved));
	http_attach(d->http, moved);
}

void route_register(struct dialect *d)
{
	d->rooms = room_registry_create(&d->settings->room, on_room_event, on_room_answer,
					d);
	room_registry_watch(d->rooms, d->settings->watch, d->settings->watch_arg);
	if (d->settings->store)
		room_registry_use(d->rooms,
				  store_desk_create(d->settings->store, d->loop),
				  store_boot(d->settings->store));
	loop_mail_handler(d->loop, BUS_HANDOVER, on_handover_letter, d);
	loop_mail_handler(d->loop, BUS_REQUEST, on_request_letter, d);
	loop_mail_handler(d->loop, BUS_COMMAND, on_command_letter, d);
	loop_mail_handler(d->loop, BUS_EVENT, on_event_letter, d);
}
