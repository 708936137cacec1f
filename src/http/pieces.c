/* pieces: bodies that nobody holds as a whole: requests that are taken as they come, answers that are
 * fetched as they go.
 *
 * A request's handler runs when its head is there. What the same read has brought of the body
 * waits in the head, at most LOOP_SCRATCH; the rest stays with the kernel until http_take_body().
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/conn.h"

/* A body must go on by so much within http.body-timeout. */
#define PROGRESS ((size_t)64 * 1024)
/* The next piece of an answer is fetched when less than this waits to be sent. */
#define AHEAD ((size_t)64 * 1024)

struct http_pieces {
	/* a request's */
	const struct http_body_ops *body;
	bool held;
	size_t since; /* bytes since the time was last wound up */
	/* an answer's */
	const struct http_source_ops *source;
	uint64_t left;
	bool asked;
	void *arg;
};

void http_pieces_free(struct http_exchange *x)
{
	free(x->pieces);
	x->pieces = NULL;
}

/* --- requests --- */

int64_t http_body_length(const struct http_exchange *x)
{
	return http_head_body_length(x->head);
}

bool http_pieces_wanted(const struct http_conn *c)
{
	const struct route *r = c->x.match.route;

	return r && (r->flags & HTTP_PIECES) &&
	       http_head_state(c->x.head) == HTTP_HEAD_BODY;
}

bool http_pieces_taken(const struct http_conn *c)
{
	return c->x.pieces && c->x.pieces->body;
}

bool http_pieces_held(const struct http_conn *c)
{
	return c->x.pieces && c->x.pieces->held;
}

/* The last that the taker hears. */
static void end_body(struct http_conn *c, int err)
{
	struct http_pieces *p = c->x.pieces;
	const struct http_body_ops *ops = p->body;
	void *arg = p->arg;

	http_pieces_free(&c->x);
	ops->end(arg, err);
}

void http_pieces_break(struct http_conn *c, int err)
{
	if (http_pieces_taken(c))
		end_body(c, err);
}

static void hand_on(struct http_conn *c)
{
	struct http_pieces *p = c->x.pieces;
	struct slice came = http_head_body(c->x.head);

	p->since += came.n;
	if (p->since >= PROGRESS) {
		p->since = 0;
		c->timed = HTTP_CONN_TAKEN;
	}
	if (came.n > 0)
		p->body->data(p->arg, came);
}

/* The taker may have answered meanwhile, and all be gone. */
static bool is_over(const struct http_conn *c, const struct http_head *h)
{
	return c->x.head != h || !http_pieces_taken(c);
}

void http_pieces_came(struct http_conn *c)
{
	const struct http_head *h = c->x.head;

	hand_on(c);
	if (is_over(c, h) || http_head_state(h) != HTTP_HEAD_WHOLE)
		return;
	c->x.keep_alive = http_head_keep_alive(h) && c->server && !c->server->draining;
	http_conn_set_state(c, HTTP_CONN_BUSY);
	end_body(c, 0);
}

void http_take_body(struct http_exchange *x, const struct http_body_ops *ops, void *arg)
{
	struct http_conn *c = http_conn_of(x);
	bool waits = http_header(x, "Expect").n > 0 && !http_head_is_1_0(x->head);

	assert(c->state == HTTP_CONN_BUSY && !x->pieces);
	x->pieces = xzalloc(sizeof(*x->pieces));
	x->pieces->body = ops;
	x->pieces->arg = arg;
	if (!c->stream || !c->server) {
		end_body(c, -ECONNRESET);
		http_conn_answered(c);
		return;
	}
	http_conn_set_state(c, HTTP_CONN_BODY);
	if (http_head_state(x->head) == HTTP_HEAD_BAD) {
		http_conn_refuse_body(c);
		return;
	}
	if (waits && http_head_state(x->head) == HTTP_HEAD_BODY)
		stream_write_last(c->stream, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	const struct http_head *h = x->head;
	http_pieces_came(c);
	if (is_over(c, h))
		return;
	http_head_stream(x->head);
	http_conn_go_on(c);
}

void http_hold_body(struct http_exchange *x, bool held)
{
	struct http_conn *c = http_conn_of(x);

	assert(http_pieces_taken(c));
	if (x->pieces->held == held)
		return;
	x->pieces->held = held;
	if (!c->stream || !c->server)
		return;
	if (held)
		stream_pause(c->stream, true);
	else
		http_conn_go_on(c);
}

/* --- answers --- */

bool http_pieces_left(const struct http_conn *c)
{
	return c->x.pieces && c->x.pieces->source && c->x.pieces->left > 0;
}

void http_pieces_fetch(struct http_conn *c)
{
	struct http_pieces *p = c->x.pieces;

	if (p->asked)
		return;
	if (stream_queued(c->stream) >= AHEAD) {
		loop_task_post(c->server->loop, LOOP_FLUSH, &c->more);
		return;
	}
	p->asked = true;
	p->source->more(p->arg);
}

void http_pieces_ended(struct http_exchange *x, int err)
{
	struct http_pieces *p = x->pieces;

	if (!p || !p->source)
		return;
	const struct http_source_ops *ops = p->source;
	void *arg = p->arg;

	http_pieces_free(x);
	ops->ended(arg, err);
}

void http_reply_pieces(struct http_exchange *x, int status, const char *type,
		       uint64_t length, const struct http_source_ops *ops, void *arg)
{
	assert(!x->pieces);
	x->pieces = xzalloc(sizeof(*x->pieces));
	x->pieces->source = ops;
	x->pieces->arg = arg;
	x->pieces->left = x->method == HTTP_HEAD ? 0 : length;
	http_reply_announced(x, status, type, length);
}

void http_give(struct http_exchange *x, struct slice piece)
{
	struct http_conn *c = http_conn_of(x);
	struct http_pieces *p = x->pieces;

	assert(p && p->asked && piece.n > 0 && piece.n <= p->left);
	p->asked = false;
	p->left -= piece.n;
	buf_clear(&c->rest.owned);
	c->rest.at = 0;
	buf_put(&c->rest.owned, piece);
	if (c->stream && c->server)
		http_reply_continue(c);
}

void http_break_off(struct http_exchange *x)
{
	struct http_conn *c = http_conn_of(x);

	if (c->stream)
		stream_abort(c->stream, E_UNAVAILABLE);
}
