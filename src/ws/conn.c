#include "ws/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "ws/deflate.h"
#include "ws/thread.h"

static_assert(sizeof(struct ws) <= 128, "an idle connection shall cost little");

#define REASON_MAX (WS_CONTROL_MAX - 2)

static const unsigned ws_next[] = {
	[WS_OPEN] = BIT(WS_CLOSING) | BIT(WS_CLOSED),
	[WS_CLOSING] = BIT(WS_CLOSED),
	[WS_CLOSED] = 0,
};

static void set_state(struct ws *w, enum ws_state to)
{
	assert(ws_next[w->state] & BIT(to));
	w->state = (uint8_t)to;
}

/* --- closing --- */

/* Past the queue's limit: it is the last that the peer hears of us. */
static void put_close(struct ws *w, uint16_t code, struct slice reason)
{
	uint8_t frame[WS_HEAD_MAX + WS_CONTROL_MAX];
	size_t n = code == WS_NO_CODE ? 0 : 2 + reason.n;
	uint8_t *p = frame + ws_head_encode(frame, WS_CLOSE, false, n);

	if (n > 0) {
		p[0] = (uint8_t)(code >> 8);
		p[1] = (uint8_t)code;
		if (reason.n)
			memcpy(p + 2, reason.p, reason.n);
	}
	stream_write_last(w->stream, slice_of(frame, (size_t)(p - frame) + n));
}

static void leave(struct ws *w)
{
	set_state(w, WS_CLOSED);
	ws_input_free(w);
	loop_timer_stop(stream_loop(w->stream), &w->timer);
}

/* The stream sends what is queued and ends, within its limits.linger. */
static void finish(struct ws *w)
{
	leave(w);
	stream_finish(w->stream);
}

static void close_at_once(struct ws *w, uint16_t code, const char *reason)
{
	if (w->state == WS_CLOSED)
		return;
	if (w->state == WS_OPEN) {
		put_close(w, code, slice_str(reason));
		w->code = code;
	}
	finish(w);
}

void ws_fail(struct ws *w, uint16_t code, const char *why)
{
	struct addr_text peer;

	metric_add(METRIC_WS_BAD, 1);
	log_debug("ws", "violation", "peer=%s code=%u why=\"%s\"",
		  addr_text(stream_peer(w->stream), &peer), code, why);
	close_at_once(w, code, why);
}

void ws_peer_closed(struct ws *w, uint16_t code)
{
	if (w->state == WS_OPEN) {
		put_close(w, code, SLICE_NONE);
		w->code = code;
	}
	leave(w);
	stream_finish_now(w->stream);
}

void ws_close(struct ws *w, uint16_t code, const char *reason)
{
	struct slice text = slice_str(reason ? reason : "");

	assert(text.n <= REASON_MAX);
	if (w->state != WS_OPEN)
		return;
	put_close(w, code, text);
	w->code = code;
	set_state(w, WS_CLOSING);
	ws_input_free(w);
	loop_timer_start(stream_loop(w->stream), &w->timer, w->settings->close_timeout);
}

static void too_slow(struct ws *w)
{
	struct addr_text peer;

	metric_add(METRIC_QUEUE_DROPS, 1);
	log_info("ws", "too-slow", "peer=%s queued=%zu",
		 addr_text(stream_peer(w->stream), &peer), stream_queued(w->stream));
	close_at_once(w, (uint16_t)err_ws_code(E_SLOW), err_text(E_SLOW));
}

/* --- sending --- */

/* stream_reserve() gave nothing: no room, or the stream ended? The same count of bytes, put
 * to stream_write(), tells; none of them is taken in either case. */
static bool has_no_room(struct ws *w, size_t n)
{
	uint8_t *nothing = xzalloc(n);
	int err = stream_write(w->stream, slice_of(nothing, n));

	free(nothing);
	return err == E_SLOW;
}

static uint8_t *reserve_frame(struct ws *w, enum ws_op op, size_t n)
{
	size_t size = ws_head_size(n);

	if (w->state != WS_OPEN)
		return NULL;
	uint8_t *p = stream_reserve(w->stream, size + n);
	if (UNLIKELY(!p)) {
		if (has_no_room(w, size + n))
			too_slow(w);
		return NULL;
	}
	return p + ws_head_encode(p, op, false, n);
}

uint8_t *ws_send_begin(struct ws *w, enum ws_op op, size_t n)
{
	uint8_t *p = reserve_frame(w, op, n);

	if (p)
		metric_add(METRIC_WS_MESSAGES_OUT, 1);
	return p;
}

static void send_control(struct ws *w, enum ws_op op, struct slice payload)
{
	uint8_t *p = reserve_frame(w, op, payload.n);

	if (p && payload.n)
		memcpy(p, payload.p, payload.n);
}

void ws_pong(struct ws *w, struct slice payload)
{
	send_control(w, WS_PONG, payload);
}

static void sent(struct ws *w, int err, unsigned messages)
{
	if (UNLIKELY(err == E_SLOW))
		too_slow(w);
	else
		metric_add(METRIC_WS_MESSAGES_OUT, messages);
}

static void send_deflated(struct ws *w, enum ws_op op, struct slice payload)
{
	struct buf b = BUF_INIT(payload.n + WS_HEAD_MAX);

	ws_frame_put_deflated(&b, op, payload);
	sent(w, stream_write(w->stream, buf_slice(&b)), 1);
	buf_fini(&b);
}

void ws_send(struct ws *w, enum ws_op op, struct slice payload)
{
	if (w->state != WS_OPEN)
		return;
	if (w->deflate && payload.n >= w->settings->deflate_min) {
		send_deflated(w, op, payload);
		return;
	}
	uint8_t *p = ws_send_begin(w, op, payload.n);
	if (p && payload.n)
		memcpy(p, payload.p, payload.n);
}

size_t ws_behind(const struct ws *w)
{
	return stream_behind(w->stream);
}

void ws_send_frames(struct ws *w, struct slice frames, unsigned messages)
{
	if (w->state == WS_OPEN)
		sent(w, stream_write_shared(w->stream, frames), messages);
}

void ws_send_volley(struct ws *w, struct slice frames, unsigned messages)
{
	if (w->state == WS_OPEN)
		sent(w, stream_write_volley(w->stream, frames), messages);
}

void ws_prefetch(const struct ws *w)
{
	stream_prefetch(w->stream);
}

static void put_frame(struct buf *b, enum ws_op op, bool rsv1, struct slice payload)
{
	uint8_t *p = buf_take(b, ws_head_size(payload.n) + payload.n);

	if (!p)
		return;
	p += ws_head_encode(p, op, rsv1, payload.n);
	if (payload.n)
		memcpy(p, payload.p, payload.n);
}

void ws_frame_put(struct buf *b, enum ws_op op, struct slice payload)
{
	put_frame(b, op, false, payload);
}

/* The usual head: FIN, opcode, 126 and two bytes of length (RFC 6455, 5.2). */
#define USUAL_HEAD 4

size_t ws_frame_begin(struct buf *b)
{
	size_t at = buf_at(b);

	(void)buf_take(b, USUAL_HEAD);
	return at;
}

void ws_frame_end(struct buf *b, size_t at, enum ws_op op)
{
	if (b->bad)
		return;
	size_t n = b->n - at - USUAL_HEAD;
	size_t size = ws_head_size(n);
	if (size > USUAL_HEAD && !buf_take(b, size - USUAL_HEAD))
		return;
	if (size != USUAL_HEAD)
		memmove(b->p + at + size, b->p + at + USUAL_HEAD, n);
	ws_head_encode(b->p + at, op, false, n);
	b->n = at + size + n;
}

bool ws_frame_next(struct slice *frames, struct slice *payload)
{
	struct cur in = cur_of_slice(*frames);

	cur_skip(&in, 1);
	uint64_t n = cur_u8(&in);
	if (n == 126)
		n = cur_be16(&in);
	else if (n == 127)
		n = cur_be64(&in);
	if (in.bad)
		return false;
	*payload = cur_slice(&in, (size_t)n);
	*frames = cur_slice(&in, cur_left(&in));
	return true;
}

void ws_frame_put_deflated(struct buf *b, enum ws_op op, struct slice payload)
{
	struct buf packed = BUF_INIT(payload.n);

	/* Packed it must be smaller than the limit, which is its plain size. */
	bool pays = ws_deflate_message(ws_deflate_here(), payload, &packed) == 0;
	put_frame(b, op, pays, pays ? buf_slice(&packed) : payload);
	buf_fini(&packed);
}

/* --- the stream and the clock --- */

static ssize_t on_data(void *arg, struct stream *s, uint8_t *p, size_t n)
{
	(void)s;
	return ws_input(arg, p, n);
}

static void on_closed(void *arg, struct stream *s, int err)
{
	struct ws *w = arg;

	(void)err;
	loop_timer_stop(stream_loop(s), &w->timer);
	ws_input_free(w);
	w->state = WS_CLOSED;
	metric_add(METRIC_WEBSOCKETS, -1);
	w->ops->closed(w->arg, w, w->code ? w->code : WS_BROKEN);
	free(w);
}

static void on_fetch(const void *arg)
{
	const struct ws *w = arg;
	const char *owner = w->arg;

	for (size_t line = 0; line < 3; line++)
		__builtin_prefetch(owner + line * MEM_LINE);
}

static const struct stream_ops stream_ops = { .data = on_data,
					      .closed = on_closed,
					      .fetch = on_fetch };

static void check_again(struct ws *w, ms_t after)
{
	loop_timer_start(stream_loop(w->stream), &w->timer, after);
}

/* The timer is not touched by messages: when it fires it looks how long it has been quiet. */
static void on_quiet(struct ws *w, ms_t now)
{
	const struct ws_settings *s = w->settings;
	ms_t quiet = now - w->heard;
	bool waits = w->pinged && w->heard < w->pinged;

	if (waits && now - w->pinged >= s->ping_timeout) {
		metric_add(METRIC_WS_PING_TIMEOUTS, 1);
		w->timed_out = true;
		close_at_once(w, 1001, "no sign of life");
	} else if (waits) {
		check_again(w, w->pinged + s->ping_timeout - now);
	} else if (quiet < s->ping_interval) {
		check_again(w, s->ping_interval - quiet);
	} else {
		w->pinged = now;
		check_again(w, s->ping_timeout < s->ping_interval ? s->ping_timeout
								  : s->ping_interval);
		send_control(w, WS_PING, SLICE_NONE);
	}
}

static void on_timer(struct loop_timer *t)
{
	struct ws *w = container_of(t, struct ws, timer);

	if (w->state == WS_OPEN)
		on_quiet(w, loop_now(stream_loop(w->stream)));
	else
		finish(w); /* the peer's close frame did not come */
}

static void start(struct ws *w)
{
	struct loop *l = stream_loop(w->stream);
	ms_t after = w->state == WS_OPEN ? w->settings->ping_interval
					 : w->settings->close_timeout;

	w->heard = loop_now(l);
	w->pinged = 0;
	metric_add(METRIC_WEBSOCKETS, 1);
	if (after > 0 && w->state != WS_CLOSED)
		loop_timer_start(l, &w->timer, after);
}

struct ws *ws_create(struct stream *stream, const struct ws_settings *s,
		     const struct ws_ops *ops, void *arg)
{
	struct ws *w = xzalloc(sizeof(*w));

	w->stream = stream;
	w->settings = s;
	w->ops = ops;
	w->arg = arg;
	loop_timer_init(&w->timer, on_timer);
	stream_set_owner(stream, &stream_ops, w);
	start(w);
	return w;
}

void ws_detach(struct ws *w)
{
	loop_timer_stop(stream_loop(w->stream), &w->timer);
	metric_add(METRIC_WEBSOCKETS, -1);
	w->detached = true;
	stream_detach(w->stream);
}

void ws_attach(struct loop *l, struct ws *w, void *arg)
{
	w->detached = false;
	w->arg = arg;
	stream_attach(l, w->stream, &stream_ops, w);
	start(w);
}

/* --- questions --- */

bool ws_deflates(const struct ws *w)
{
	return w->deflate;
}

bool ws_is_closing(const struct ws *w)
{
	return w->state != WS_OPEN;
}

bool ws_timed_out(const struct ws *w)
{
	return w->timed_out;
}

struct loop *ws_loop(const struct ws *w)
{
	return stream_loop(w->stream);
}

const struct addr *ws_peer(const struct ws *w)
{
	return stream_peer(w->stream);
}

void *ws_arg(const struct ws *w)
{
	return w->arg;
}

void ws_set_arg(struct ws *w, void *arg)
{
	w->arg = arg;
}
