/* session: one native client: its seats, what it is told, how it comes and goes. */
#include "dialect/internal.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "bus/mail.h"
#include "dialect/fanout.h"

struct session *session_find(const struct dialect *d, uint64_t number)
{
	return map_find_u64(&d->sessions, number);
}

struct seat *session_seat(const struct session *s, struct slice room)
{
	for (struct seat *seat = s->seats; seat; seat = seat->next)
		if (slice_eq(seat->fanout->room, room))
			return seat;
	return NULL;
}

/* What rooms have said before in this turn comes first. */
void session_send(struct session *s, struct slice message)
{
	for (struct seat *seat = s->seats; seat; seat = seat->next)
		if (seat->member_id)
			fanout_catch_up(seat);
	ws_send(s->ws, WS_TEXT, message);
}

static void session_send_out(struct session *s)
{
	struct buf *out = &s->dialect->out;

	if (out->n > 0)
		session_send(s, buf_slice(out));
	/* The memory of a large roster is not kept. */
	if (out->cap > 64 * 1024)
		buf_fini(out);
}

void session_reply(struct session *s, uint64_t request, int err, const char *detail)
{
	buf_clear(&s->dialect->out);
	native_encode_reply(&s->dialect->out, request, err, detail);
	if (err < 0)
		metric_add(METRIC_COMMANDS_REFUSED, 1);
	session_send_out(s);
}

/* --- seats --- */

struct seat *session_add_seat(struct session *s, struct slice room, uint64_t request)
{
	struct seat *seat = s->first.fanout ? xzalloc(sizeof(*seat)) : &s->first;

	seat->session = s;
	seat->ws = s->ws;
	seat->join_request = request;
	seat->fanout = fanout_open(s->dialect, room);
	seat->next = s->seats;
	s->seats = seat;
	s->seat_count++;
	return seat;
}

void session_drop_seat(struct seat *seat)
{
	struct session *s = seat->session;
	struct seat **at = &s->seats;

	if (seat->member)
		member_set_user(seat->member, NULL);
	if (seat->member_id)
		fanout_remove(seat->fanout, seat);
	fanout_close(seat->fanout);
	while (*at != seat)
		at = &(*at)->next;
	*at = seat->next;
	s->seat_count--;
	if (seat == &s->first)
		s->first = (struct seat){ 0 };
	else
		free(seat);
}

static void seat_take(struct seat *seat, const struct event *welcome)
{
	struct dialect *d = seat->session->dialect;
	struct room *r = room_find(d->rooms, seat->fanout->room);

	seat->member_id = welcome->member;
	if (r && bus_room_worker(seat->fanout->room, d->workers) == d->self) {
		seat->member = room_member(r, welcome->member);
		member_set_user(seat->member, seat);
		room_set_user(r, seat->fanout);
	}
	fanout_add(seat->fanout, seat);
}

void session_event(struct session *s, struct slice room, const struct event *e)
{
	struct seat *seat = session_seat(s, room);
	bool gone = false;

	if (e->kind == EVENT_WELCOME && seat)
		seat_take(seat, e);
	else if (seat && !seat->member_id && e->kind == EVENT_REPLY && e->err < 0)
		gone = e->request == seat->join_request;
	else if (seat && e->kind == EVENT_LEFT)
		gone = e->member == seat->member_id;
	if (e->kind == EVENT_REPLY) {
		session_reply(s, e->request, e->err, NULL);
	} else if (seat) {
		buf_clear(&s->dialect->out);
		native_encode(&s->dialect->out, seat->fanout->quoted, e);
		metric_add(METRIC_DELIVERIES, 1);
		session_send_out(s);
	}
	if (gone)
		session_drop_seat(seat);
}

/* --- coming and going --- */

void session_enter(struct dialect *d, struct session *s)
{
	s->dialect = d;
	s->number = ++d->last_session;
	map_put_u64(&d->sessions, s->number, s);
	metric_add(METRIC_SESSIONS, 1);
}

void session_exit(struct session *s)
{
	map_del_u64(&s->dialect->sessions, s->number);
	metric_add(METRIC_SESSIONS, -1);
}

void session_leave_rooms(struct session *s, enum leave_reason reason)
{
	while (s->seats) {
		struct seat *seat = s->seats;
		struct command leave = { .kind = COMMAND_LEAVE, .reason = reason };

		/* An unseated one gives its seat back when it is welcomed. */
		if (seat->member_id)
			route_command(seat, 0, &leave);
		else
			session_drop_seat(seat);
	}
}
