#include "dialect/fanout.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "loop/volley.h"

/* What is gathered beyond this leaves before the turn ends. */
#define FANOUT_GATHER (1u << 20)
#define FANOUT_MAX (256u << 20)

static uint32_t channel_bytes(const struct fanout_channel *c)
{
	return c->frames ? (uint32_t)c->frames->n : 0;
}

/* together: with others', as stream_write_volley(). */
static void seat_flush(struct seat *s, bool together)
{
	const struct fanout_channel *c = s->channel;
	uint32_t messages = c->messages - s->told_messages;

	if (messages == 0)
		return;
	metric_add(METRIC_DELIVERIES, messages);
	struct slice frames = slice_from(buf_slice(c->frames), s->told);
	if (s->ws && together)
		ws_send_volley(s->ws, frames, messages);
	else if (s->ws)
		ws_send_frames(s->ws, frames, messages);
	else
		socketio_deliver(s->session, frames);
}

static void prefetch_ws(const struct seat *s)
{
	if (s->ws)
		ws_prefetch(s->ws);
}

void fanout_free_buffer(struct buf *b)
{
	buf_fini(b);
	free(b);
}

static void buffer_give(struct dialect *d, struct buf *b)
{
	if (b->cap > DIALECT_SPARE_SIZE || d->spare_count == DIALECT_SPARE) {
		fanout_free_buffer(b);
		return;
	}
	buf_clear(b);
	d->spare[d->spare_count++] = b;
}

static void buffers_take_back(struct dialect *d)
{
	while (d->lent_count > 0)
		buffer_give(d, d->lent[--d->lent_count]);
}

/* The volley still reads from it. */
static void buffer_lend(struct dialect *d, struct buf *b)
{
	if (d->lent_count < DIALECT_LENT && b->cap <= DIALECT_SPARE_SIZE) {
		d->lent[d->lent_count++] = b;
		return;
	}
	loop_volley_fire(d->loop);
	buffers_take_back(d);
	buffer_give(d, b);
}

/* A few buffers serve all rooms in turn: no idle room holds one, and rooms that are flushed
 * one after another use the same memory. */
static void channel_open(struct fanout_channel *c)
{
	struct dialect *d = c->fanout->dialect;

	if (c->frames)
		return;
	if (d->lent_count > 0 && !loop_volley_waits(d->loop))
		buffers_take_back(d);
	if (d->spare_count > 0) {
		c->frames = d->spare[--d->spare_count];
		return;
	}
	c->frames = xmalloc(sizeof(*c->frames));
	buf_init(c->frames, FANOUT_MAX);
}

static void channel_clear(struct fanout_channel *c)
{
	struct dialect *d = c->fanout->dialect;
	struct buf *b = c->frames;

	c->messages = 0;
	c->frames = NULL;
	if (b && loop_volley_waits(d->loop))
		buffer_lend(d, b);
	else if (b)
		buffer_give(d, b);
}

/* The session's channel; made if need be. */
static struct fanout_channel *channel_join(struct fanout *f, const struct session *s)
{
	const struct vocabulary *v = s->vocabulary;
	uint8_t variant = v->variant ? v->variant(s) : 0;
	struct fanout_channel *c;

	for (c = &f->channel; c; c = c->next)
		if (c->seats > 0 && c->vocabulary == v && c->variant == variant)
			break;
	if (!c && f->channel.seats == 0) {
		c = &f->channel;
	} else if (!c) {
		c = xzalloc(sizeof(*c));
		c->fanout = f;
		c->next = f->channel.next;
		f->channel.next = c;
	}
	c->vocabulary = v;
	c->variant = variant;
	c->seats++;
	return c;
}

static void channel_leave(struct fanout_channel *c)
{
	struct fanout_channel **at = &c->fanout->channel.next;

	if (--c->seats > 0)
		return;
	channel_clear(c);
	free(c->heard);
	c->heard = NULL;
	if (c == &c->fanout->channel)
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
}

/* The event is worded for each of its receivers. */
static bool channel_tells(const struct fanout_channel *c, const struct event *e)
{
	return (c->variant & VARIANT_APART) || e->binary.n > 0 ||
	       (c->vocabulary->personal & BIT(e->kind));
}

/* Receivers are spread over memory: they are fetched while the message is put together
 * and while the kernel sends to others. */
static void fanout_prefetch(const struct fanout *f, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		__builtin_prefetch(f->seats[i]);
}

static void fanout_flush(struct fanout *f)
{
	if (f->count > 0)
		__builtin_prefetch(f->seats[0]->ws);
	for (uint32_t i = 0; i < f->count; i++) {
		struct seat *s = f->seats[i];

		if (i + 3 < f->count)
			__builtin_prefetch(f->seats[i + 3]);
		if (i + 2 < f->count)
			__builtin_prefetch(f->seats[i + 2]->ws);
		if (i + 1 < f->count && f->seats[i + 1]->ws)
			prefetch_ws(f->seats[i + 1]);
		seat_flush(s, true);
		s->told = 0;
		s->told_messages = 0;
	}
	for (struct fanout_channel *c = &f->channel; c; c = c->next)
		channel_clear(c);
}

static void on_turn_end(struct loop_task *t)
{
	fanout_flush(container_of(t, struct fanout, task));
}

static struct fanout *fanout_make(struct dialect *d, struct slice room)
{
	struct buf quoted = BUF_INIT(8 * ROOM_MAX_NAME);

	json_quote(&quoted, room);
	struct fanout *f = xzalloc_line(sizeof(*f) + room.n + quoted.n);
	f->dialect = d;
	f->channel.fanout = f;
	f->seats = f->pair;
	f->cap = ARRAY_LEN(f->pair);
	memcpy(f->text, quoted.p, quoted.n);
	memcpy(f->text + quoted.n, room.p, room.n);
	f->quoted = slice_of(f->text, quoted.n);
	f->room = slice_of(f->text + quoted.n, room.n);
	loop_task_init(&f->task, on_turn_end);
	map_put(&d->fanouts, f->room, f);
	buf_fini(&quoted);
	return f;
}

struct fanout *fanout_open(struct dialect *d, struct slice room)
{
	struct fanout *f = map_find(&d->fanouts, room);

	if (!f)
		f = fanout_make(d, room);
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
	assert(f->count == 0 && !f->channel.next && !f->channel.frames);
	loop_task_cancel(&f->task);
	map_del(&f->dialect->fanouts, f->room);
	if (f->seats != f->pair)
		free(f->seats);
	free(f);
}

static void seats_grow(struct fanout *f)
{
	struct seat **own = f->seats == f->pair ? NULL : f->seats;

	f->cap *= 2;
	f->seats = xrealloc(own, size_mul(f->cap, sizeof(*f->seats)));
	if (!own)
		memcpy(f->seats, f->pair, sizeof(f->pair));
}

void fanout_add(struct fanout *f, struct seat *seat)
{
	struct fanout_channel *c = channel_join(f, seat->session);

	if (f->count == f->cap)
		seats_grow(f);
	seat->channel = c;
	seat->heard = f->dialect->heard;
	seat->index = f->count;
	/* What was said before it came is not for it. */
	seat->told = channel_bytes(c);
	seat->told_messages = c->messages;
	f->seats[f->count++] = seat;
}

void fanout_remove(struct fanout *f, struct seat *seat)
{
	if (!seat->channel) {
		f->away--;
		return;
	}
	fanout_catch_up(seat);
	channel_leave(seat->channel);
	seat->channel = NULL;
	assert(f->seats[seat->index] == seat);
	f->seats[seat->index] = f->seats[--f->count];
	f->seats[seat->index]->index = seat->index;
}

void fanout_catch_up(struct seat *seat)
{
	const struct fanout_channel *c = seat->channel;

	if (seat->told_messages == c->messages)
		return;
	seat_flush(seat, false);
	seat->told = channel_bytes(c);
	seat->told_messages = c->messages;
}

/* The event as it is worded, for those who come back. */
static void channel_log(struct fanout_channel *c, const struct event *e, uint64_t except,
			struct slice message)
{
	if (c->vocabulary->resumes)
		fanout_log(c->fanout, e->seq, 0, except, message);
}

/* Puts one message into the channel's frames. */
static void channel_add_part(struct fanout_channel *c, const struct event *e,
			     uint64_t except)
{
	const struct wrapping *wrap = c->vocabulary->wrap;

	channel_open(c);
	size_t at = ws_frame_begin(c->frames);
	if (wrap)
		wrap->begin(c->frames, c);
	size_t from = buf_at(c->frames);
	c->vocabulary->encode(c->frames, c, e);
	if (buf_at(c->frames) == from) {
		c->frames->n = at;
		return;
	}
	if (wrap)
		wrap->end(c->frames, c, from, e, except);
	channel_log(c, e, except, slice_from(buf_slice(c->frames), from));
	ws_frame_end(c->frames, at, WS_TEXT);
	c->messages++;
}

static void channel_add(struct fanout_channel *c, const struct event *e, uint64_t except)
{
	unsigned parts = c->vocabulary->parts ? c->vocabulary->parts(c, e) : 1;

	if (parts == 1) {
		channel_add_part(c, e, except);
		return;
	}
	struct event part = *e;
	for (unsigned i = 0; i < parts; i++) {
		part.part = (uint8_t)i;
		channel_add_part(c, &part, except);
	}
}

static void channel_add_deflated(struct fanout_channel *c, const struct event *e,
				 uint64_t except)
{
	struct buf *out = &c->fanout->dialect->out;

	channel_open(c);
	buf_clear(out);
	c->vocabulary->encode(out, c, e);
	if (out->n == 0)
		return;
	channel_log(c, e, except, buf_slice(out));
	ws_frame_put_deflated(c->frames, WS_TEXT, buf_slice(out));
	c->messages++;
}

/* Members for whom this event is worded one by one. */
static void tell_each(struct fanout *f, const struct event *e, const struct seat *except)
{
	for (uint32_t i = 0; i < f->count; i++) {
		struct seat *s = f->seats[i];

		if (s != except && channel_tells(s->channel, e))
			s->channel->vocabulary->tell(s, e);
	}
}

/* In a room of two, what one says is for the other alone: nothing more can be gathered than one
 * read of the speaker brought, so it leaves when that is through, while all is still in
 * the cache. */
static enum loop_phase fanout_phase(const struct fanout *f)
{
	return f->count <= 2 ? LOOP_SOON : LOOP_FANOUT;
}

/* None of those here is worded for as those who are away. */
static void log_for_away(struct fanout *f, const struct event *e, uint64_t except)
{
	struct buf *out = &f->dialect->out;

	buf_clear(out);
	if (f->away > 0)
		native_encode(out, f->quoted, e);
	if (out->n > 0)
		fanout_log(f, e->seq, 0, except, buf_slice(out));
	f->seq = e->seq;
}

void fanout_event(struct fanout *f, const struct event *e, struct seat *except,
		  uint64_t except_id)
{
	bool personal = false, large = false;

	if (except && !except->channel)
		except = NULL; /* away */
	if (f->count == 0 || (except && f->count == 1)) {
		log_for_away(f, e, except_id);
		return;
	}
	fanout_prefetch(f, 0, f->count < 4 ? f->count : 4);
	if (except)
		fanout_catch_up(except);
	for (struct fanout_channel *c = &f->channel; c; c = c->next) {
		if (c->seats == 0)
			continue;
		if (channel_tells(c, e))
			personal = true;
		else if (c->variant & VARIANT_DEFLATED)
			channel_add_deflated(c, e, except_id);
		else
			channel_add(c, e, except_id);
		large |= channel_bytes(c) > FANOUT_GATHER;
	}
	if (except) {
		except->told = channel_bytes(except->channel);
		except->told_messages = except->channel->messages;
	}
	if (f->seq < e->seq)
		log_for_away(f, e, except_id);
	if (personal)
		tell_each(f, e, except);
	if (large)
		fanout_flush(f);
	else
		loop_task_post(f->dialect->loop, fanout_phase(f), &f->task);
}

struct seat *fanout_seat(const struct fanout *f, uint64_t member_id)
{
	for (uint32_t i = 0; i < f->count; i++)
		if (f->seats[i]->member_id == member_id)
			return f->seats[i];
	return NULL;
}
