/* Frames in, messages up (RFC 6455, sections 5.2 to 5.6).
 *
 * The common case takes no memory: a message that stands in the read buffer as one whole
 * frame is unmasked, checked and handed up where it is. All others are put together in
 * a ws_input, which grows with what has come and not with what was announced.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "ws/conn.h"
#include "ws/deflate.h"
#include "ws/thread.h"

void ws_input_free(struct ws *w)
{
	if (!w->in)
		return;
	buf_fini(&w->in->data);
	free(w->in);
	w->in = NULL;
}

static void deliver(struct ws *w, uint8_t op, uint8_t *p, size_t n)
{
	metric_add(METRIC_WS_MESSAGES_IN, 1);
	w->ops->message(w->arg, w, (enum ws_op)op, p, n);
}

/* --- messages in pieces --- */

static void inflate_and_deliver(struct ws *w, uint8_t op, struct slice payload)
{
	struct buf b = BUF_INIT(w->settings->max_message);
	int err = ws_inflate_message(ws_deflate_here(), payload, b.max, &b);

	if (err == 0 && op == WS_TEXT && !utf8_valid(buf_slice(&b)))
		ws_fail(w, 1007, "text is not UTF-8");
	else if (err == 0)
		deliver(w, op, b.p, b.n);
	else
		ws_fail(w, err == E_MALFORMED ? 1007 : (uint16_t)err_ws_code(err),
			err_text(err));
	buf_fini(&b);
}

static void finish_message(struct ws *w)
{
	struct ws_input *in = w->in;

	w->in = NULL; /* first: the callback may do anything */
	if (in->compressed)
		inflate_and_deliver(w, in->op, buf_slice(&in->data));
	else if (in->op == WS_TEXT && !utf8_complete(in->utf8))
		ws_fail(w, 1007, "text ends inside a character");
	else
		deliver(w, in->op, in->data.p, in->data.n);
	buf_fini(&in->data);
	free(in);
}

/* Takes what is there of the present frame's payload. */
static size_t take_payload(struct ws *w, uint8_t *p, size_t n)
{
	struct ws_input *in = w->in;

	if (n > w->left)
		n = (size_t)w->left;
	w->left -= n;
	if (w->state != WS_OPEN) /* after our close nobody reads it */
		return n;
	ws_unmask(p, n, in->mask, in->offset);
	in->offset += n;
	if (in->op == WS_TEXT && !in->compressed) {
		in->utf8 = utf8_feed(in->utf8, slice_of(p, n));
		if (in->utf8 == UTF8_BAD) {
			ws_fail(w, 1007, "text is not UTF-8");
			return n;
		}
	}
	buf_add(&in->data, p, n);
	if (w->left == 0 && in->fin)
		finish_message(w);
	return n;
}

static void begin_message(struct ws *w, const struct ws_head *h)
{
	struct ws_input *in = xzalloc(sizeof(*in));

	buf_init(&in->data, w->settings->max_message);
	in->utf8 = UTF8_START;
	in->op = h->op;
	in->compressed = h->rsv1;
	w->in = in;
}

static size_t take_frame(struct ws *w, const struct ws_head *h, uint8_t *p, size_t n)
{
	w->left = h->len;
	if (w->state == WS_OPEN) {
		if (!w->in)
			begin_message(w, h);
		w->in->mask = h->mask;
		w->in->offset = 0;
		w->in->fin = h->fin;
	}
	return take_payload(w, p, n);
}

/* --- control frames --- */

static void take_close(struct ws *w, struct slice payload)
{
	struct cur c = cur_of_slice(payload);
	uint16_t code = cur_be16(&c);

	if (payload.n == 0)
		ws_peer_closed(w, WS_NO_CODE);
	else if (c.bad || !ws_close_code_ok(code))
		ws_fail(w, 1002, "bad close code");
	else if (!utf8_valid(slice_from(payload, 2)))
		ws_fail(w, 1007, "close reason is not UTF-8");
	else
		ws_peer_closed(w, code);
}

static void take_control(struct ws *w, const struct ws_head *h, uint8_t *p)
{
	struct slice payload = slice_of(p, (size_t)h->len);

	ws_unmask(p, payload.n, h->mask, 0);
	if (h->op == WS_CLOSE)
		take_close(w, payload);
	else if (h->op == WS_PING)
		ws_pong(w, payload);
	/* A pong, asked for or not, says only that the peer lives; ws_input() noted that. */
}

/* --- frames --- */

/* Section 5.4: what may follow what. */
static const char *frame_wrong(const struct ws *w, const struct ws_head *h)
{
	if (h->rsv1 && !w->deflate)
		return "RSV1 without an extension";
	if (w->state != WS_OPEN)
		return NULL; /* we keep no account of messages any more */
	if (h->op == WS_CONT && !w->in)
		return "nothing to continue";
	if (h->op != WS_CONT && w->in)
		return "a message within a message";
	return NULL;
}

static bool too_large(const struct ws *w, const struct ws_head *h)
{
	size_t have = w->in ? w->in->data.n : 0;

	return w->state == WS_OPEN && h->len > w->settings->max_message - have;
}

static size_t take_data(struct ws *w, const struct ws_head *h, uint8_t *p, size_t n)
{
	const char *wrong = frame_wrong(w, h);

	if (wrong) {
		ws_fail(w, 1002, wrong);
		return 0;
	}
	if (too_large(w, h)) {
		ws_fail(w, 1009, "message is too large");
		return 0;
	}
	if (!h->fin || h->len > n || w->in || h->rsv1 || w->state != WS_OPEN)
		return take_frame(w, h, p, n);

	n = (size_t)h->len;
	ws_unmask(p, n, h->mask, 0);
	if (h->op == WS_TEXT && !utf8_valid(slice_of(p, n)))
		ws_fail(w, 1007, "text is not UTF-8");
	else
		deliver(w, h->op, p, n);
	return n;
}

/* The head of almost every frame that comes: a whole message below 64 KiB. Read by hand, in
 * place of a cursor: it is much of what a small message costs here. False: ask
 * ws_head_decode(), which also knows what is wrong. */
static inline bool quick_head(struct ws_head *h, const uint8_t *p, size_t n)
{
	if (n < 6 || (p[0] != (0x80 | WS_TEXT) && p[0] != (0x80 | WS_BINARY)))
		return false;
	size_t len = p[1] ^ 0x80u; /* 128 and more when it is not masked */
	uint8_t size = len < 126 ? 6 : 8;
	if (n < size)
		return false;
	if (len == 126)
		len = (size_t)p[2] << 8 | p[3];
	if (len < 126 ? size == 8 : size == 6 || p[1] != (0x80 | 126))
		return false;
	*h = (struct ws_head){ .len = len, .op = p[0] & 0x0f, .size = size, .fin = true };
	memcpy(&h->mask, p + size - 4, sizeof(h->mask));
	return true;
}

/* One step: the head of a frame and what is there of it, or more of a payload. Returns the
 * bytes used; 0: nothing can be done before more come (or it is over). */
static size_t step(struct ws *w, uint8_t *p, size_t n)
{
	struct ws_head h;

	if (w->left > 0)
		return take_payload(w, p, n);
	int err = quick_head(&h, p, n) ? 0 : ws_head_decode(&h, p, n);
	if (UNLIKELY(err < 0)) {
		if (err != -EAGAIN)
			ws_fail(w, 1002,
				err == E_DENIED ? "frame is not masked"
						: "bad frame head");
		return 0;
	}
	if (!ws_op_is_control(h.op))
		return h.size + take_data(w, &h, p + h.size, n - h.size);
	if (h.len > n - h.size)
		return 0;
	take_control(w, &h, p + h.size);
	return h.size + (size_t)h.len;
}

ssize_t ws_input(struct ws *w, uint8_t *p, size_t n)
{
	size_t used = 0;

	w->heard = loop_now(stream_loop(w->stream));
	while (used < n && w->state != WS_CLOSED && !w->detached) {
		size_t k = step(w, p + used, n - used);
		if (k == 0)
			break;
		used += k;
	}
	return (ssize_t)(w->state == WS_CLOSED ? n : used);
}
