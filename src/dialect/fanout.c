#include "dialect/fanout.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* What is gathered beyond this leaves before the turn ends. */
#define FANOUT_GATHER (1u << 20)
#define FANOUT_MAX (256u << 20)

static struct fanout_channel *channel_of(struct fanout *f, const struct seat *s)
{
	return ws_deflates(s->session->ws) ? &f->deflated : &f->plain;
}

static void seat_flush(struct fanout_channel *c, struct seat *s)
{
	struct slice frames = slice_from(buf_slice(&c->frames), s->told);
	uint32_t messages = c->messages - s->told_messages;

	if (messages > 0) {
		metric_add(METRIC_DELIVERIES, messages);
		ws_send_frames(s->session->ws, frames, messages);
	}
}

static void channel_clear(struct fanout_channel *c)
{
	/* A large turn's memory is not kept. */
	if (c->frames.cap > 16 * 1024)
		buf_fini(&c->frames);
	else
		buf_clear(&c->frames);
	c->messages = 0;
}

static void fanout_flush(struct fanout *f)
{
	for (uint32_t i = 0; i < f->count; i++) {
		struct seat *s = f->seats[i];

		seat_flush(channel_of(f, s), s);
		s->told = 0;
		s->told_messages = 0;
	}
	channel_clear(&f->plain);
	channel_clear(&f->deflated);
}

static void on_turn_end(struct loop_task *t)
{
	fanout_flush(container_of(t, struct fanout, task));
}

struct fanout *fanout_open(struct dialect *d, struct slice room)
{
	struct fanout *f = map_find(&d->fanouts, room);

	if (!f) {
		struct buf quoted = BUF_INIT(8 * ROOM_MAX_NAME);

		f = xzalloc(sizeof(*f));
		f->dialect = d;
		f->room = slice_of(xmemdup(room.p, room.n), room.n);
		json_quote(&quoted, room);
		f->quoted = slice_of(xmemdup(quoted.p, quoted.n), quoted.n);
		buf_fini(&quoted);
		buf_init(&f->plain.frames, FANOUT_MAX);
		buf_init(&f->deflated.frames, FANOUT_MAX);
		loop_task_init(&f->task, on_turn_end);
		map_put(&d->fanouts, f->room, f);
	}
	f->holders++;
	return f;
}

void fanout_close(struct fanout *f)
{
	assert(f->holders > 0);
	if (--f->holders > 0)
		return;
	struct room *r = room_find(f->dialect->rooms, f->room);

	if (r)
		room_set_user(r, NULL);
	assert(f->count == 0);
	loop_task_cancel(&f->task);
	map_del(&f->dialect->fanouts, f->room);
	buf_fini(&f->plain.frames);
	buf_fini(&f->deflated.frames);
	free((void *)f->room.p);
	free((void *)f->quoted.p);
	free(f->seats);
	free(f);
}

void fanout_add(struct fanout *f, struct seat *seat)
{
	struct fanout_channel *c = channel_of(f, seat);

	if (f->count == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 2;
		f->seats = xrealloc(f->seats, size_mul(f->cap, sizeof(*f->seats)));
	}
	seat->index = f->count;
	/* What was said before it came is not for it. */
	seat->told = (uint32_t)c->frames.n;
	seat->told_messages = c->messages;
	c->seats++;
	f->seats[f->count++] = seat;
}

void fanout_remove(struct fanout *f, struct seat *seat)
{
	fanout_catch_up(seat);
	channel_of(f, seat)->seats--;
	assert(f->seats[seat->index] == seat);
	f->seats[seat->index] = f->seats[--f->count];
	f->seats[seat->index]->index = seat->index;
}

void fanout_catch_up(struct seat *seat)
{
	struct fanout_channel *c = channel_of(seat->fanout, seat);

	if (seat->told == c->frames.n)
		return;
	seat_flush(c, seat);
	seat->told = (uint32_t)c->frames.n;
	seat->told_messages = c->messages;
}

void fanout_event(struct fanout *f, const struct event *e, struct seat *except)
{
	struct buf *out = &f->dialect->out;
	struct fanout_channel *c = except ? channel_of(f, except) : NULL;

	if (f->count == 0 || (except && f->count == 1))
		return;
	if (except)
		fanout_catch_up(except);
	buf_clear(out);
	native_encode(out, f->quoted, e);
	if (f->plain.seats > 0) {
		ws_frame_put(&f->plain.frames, WS_TEXT, buf_slice(out));
		f->plain.messages++;
	}
	if (f->deflated.seats > 0) {
		ws_frame_put_deflated(&f->deflated.frames, WS_TEXT, buf_slice(out));
		f->deflated.messages++;
	}
	if (except) {
		except->told = (uint32_t)c->frames.n;
		except->told_messages = c->messages;
	}
	if (f->plain.frames.n > FANOUT_GATHER || f->deflated.frames.n > FANOUT_GATHER)
		fanout_flush(f);
	else
		loop_task_post(f->dialect->loop, LOOP_FANOUT, &f->task);
}

struct seat *fanout_seat(const struct fanout *f, uint64_t member_id)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->seats[i]->member_id == member_id)
			return f->seats[i];
	return NULL;
}
