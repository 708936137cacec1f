/* Connections: who may say what when, and how long it may take. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/conn.h"

static const unsigned conn_next[] = {
	[HTTP_CONN_IDLE] = BIT(HTTP_CONN_HEAD) | BIT(HTTP_CONN_CLOSING),
	[HTTP_CONN_HEAD] = BIT(HTTP_CONN_IDLE) | BIT(HTTP_CONN_BODY) |
			   BIT(HTTP_CONN_BUSY) | BIT(HTTP_CONN_SENDING) |
			   BIT(HTTP_CONN_CLOSING),
	[HTTP_CONN_BODY] =
		BIT(HTTP_CONN_BUSY) | BIT(HTTP_CONN_SENDING) | BIT(HTTP_CONN_CLOSING),
	[HTTP_CONN_BUSY] = BIT(HTTP_CONN_IDLE) | BIT(HTTP_CONN_BODY) |
			   BIT(HTTP_CONN_SENDING) | BIT(HTTP_CONN_CLOSING) |
			   BIT(HTTP_CONN_TAKEN) | BIT(HTTP_CONN_MOVING),
	[HTTP_CONN_SENDING] =
		BIT(HTTP_CONN_SENDING) | BIT(HTTP_CONN_IDLE) | BIT(HTTP_CONN_CLOSING),
	[HTTP_CONN_CLOSING] = 0,
	[HTTP_CONN_TAKEN] = 0,
	[HTTP_CONN_MOVING] = BIT(HTTP_CONN_BUSY),
};

void http_conn_set_state(struct http_conn *c, enum http_conn_state to)
{
	assert(conn_next[c->state] & BIT(to));
	c->state = to;
}

static void conn_free(struct http_conn *c)
{
	if (c->server)
		loop_timer_stop(c->server->loop, &c->timer);
	list_unlink(&c->link);
	loop_task_cancel(&c->more);
	http_exchange_fini(&c->x);
	buf_fini(&c->rest.owned);
	free(c);
}

/* Timers are set where a turn of the connection ends, so that a request which comes and is
 * answered within one sets none. */
static void arm(struct http_conn *c)
{
	const struct http_settings *s = c->server->settings;
	const ms_t after[] = {
		[HTTP_CONN_IDLE] = s->idle_timeout,
		[HTTP_CONN_HEAD] = s->head_timeout,
		[HTTP_CONN_BODY] = http_pieces_held(c) ? 0 : s->body_timeout,
		[HTTP_CONN_BUSY] = 0,
		[HTTP_CONN_SENDING] = s->body_timeout,
		[HTTP_CONN_CLOSING] = 0,
		[HTTP_CONN_TAKEN] = 0,
		[HTTP_CONN_MOVING] = 0,
	};

	if (c->timed == c->state)
		return;
	c->timed = c->state;
	if (after[c->state] > 0)
		loop_timer_start(c->server->loop, &c->timer, after[c->state]);
	else
		loop_timer_stop(c->server->loop, &c->timer);
}

static void arm_anew(struct http_conn *c)
{
	c->timed = HTTP_CONN_TAKEN;
	arm(c);
}

void http_conn_go_on(struct http_conn *c)
{
	if (c->in_data)
		return;
	arm_anew(c);
	stream_pause(c->stream, false);
}

static void conn_close(struct http_conn *c)
{
	http_conn_set_state(c, HTTP_CONN_CLOSING);
	arm(c);
	stream_finish(c->stream);
}

void http_conn_answered(struct http_conn *c)
{
	bool keep = c->x.keep_alive && c->server && !c->server->draining;

	http_exchange_fini(&c->x);
	if (!c->stream) {
		conn_free(c);
	} else if (!c->server) {
		http_conn_set_state(c,
				    HTTP_CONN_CLOSING); /* aborted when the server went */
	} else if (!keep) {
		conn_close(c);
	} else {
		http_conn_set_state(c, HTTP_CONN_IDLE);
		c->timed = HTTP_CONN_TAKEN;
		if (c->in_data)
			return;
		arm(c);
		stream_pause(c->stream, false);
	}
}

/* --- what never reaches a handler --- */

static void refuse(struct http_conn *c, int status, const char *why)
{
	struct addr_text peer;

	metric_add(status == 408 ? METRIC_HTTP_TIMEOUTS : METRIC_HTTP_BAD, 1);
	log_limited(&c->server->refused, "http", "refused",
		    "peer=%s status=%d why=\"%s\"", addr_text(&c->peer, &peer), status,
		    why);
	c->x.keep_alive = false;
	http_reply_status(&c->x, status, why);
}

void http_conn_refuse_body(struct http_conn *c)
{
	struct http_head *h = c->x.head;
	int status = http_head_status(h);

	http_pieces_break(c, status == 413 ? E_TOO_LARGE : E_MALFORMED);
	refuse(c, status, http_head_why(h));
}

static void deny_origin(struct http_conn *c)
{
	struct addr_text peer;
	struct log_text origin;

	metric_add(METRIC_HTTP_ORIGIN_DENIED, 1);
	log_limited(&c->server->denied, "http", "origin-denied", "peer=%s origin=%s",
		    addr_text(&c->peer, &peer),
		    log_value(&origin, http_header(&c->x, "Origin")));
	http_reply_status(&c->x, 403, "not allowed from that origin");
}

/* OPTIONS, with Origin: a CORS preflight (Fetch standard, 4.8). */
static void reply_options(struct http_exchange *x)
{
	unsigned methods = x->match.path ? x->match.allowed : HTTP_GET | HTTP_HEAD;
	struct slice headers = http_header(x, "Access-Control-Request-Headers");
	struct buf list = BUF_INIT(100);

	http_method_list(methods | HTTP_OPTIONS, &list);
	http_add_header(x, "Allow", buf_slice(&list));
	if (http_header(x, "Access-Control-Request-Method").n > 0) {
		http_add_header(x, "Access-Control-Allow-Methods", buf_slice(&list));
		if (headers.n > 0 && headers.n < 1024)
			http_add_header(x, "Access-Control-Allow-Headers", headers);
		http_add_header(x, "Access-Control-Max-Age", SLICE("600"));
	}
	buf_fini(&list);
	http_reply(x, 204, NULL, SLICE_NONE);
}

static bool wants_page(const struct http_exchange *x)
{
	struct slice rest = http_header(x, "Accept"), part;

	while (slice_split(&rest, ',', &part))
		if (slice_starts(slice_trim(part), SLICE("text/html")))
			return (x->method & (HTTP_GET | HTTP_HEAD)) != 0;
	return false;
}

static void reply_missing(struct http_exchange *x)
{
	const struct http_server *s = http_conn_of(x)->server;

	if (s->no_page && wants_page(x))
		s->no_page(x, s->no_page_arg);
	else
		http_reply_status(x, 404, "there is nothing of that name");
}

static void reply_method(struct http_exchange *x)
{
	struct buf list = BUF_INIT(100);

	http_method_list(x->match.allowed | HTTP_OPTIONS, &list);
	http_add_header(x, "Allow", buf_slice(&list));
	buf_fini(&list);
	http_reply_status(x, 405, "that method is not for this path");
}

static void reply_redirect(struct http_exchange *x)
{
	struct slice query = http_query(x);
	struct buf to = BUF_INIT(8192);

	buf_str(&to, "https://");
	buf_put(&to, http_head_host(x->head));
	buf_put(&to, http_path(x));
	if (query.n > 0)
		buf_str(&to, "?");
	buf_put(&to, query);
	if (to.bad) {
		http_reply_status(x, 414, "too long to be redirected");
	} else {
		http_add_header(x, "Location", buf_slice(&to));
		http_reply(x, 307, "text/plain; charset=utf-8",
			   SLICE("this page is at https\n"));
	}
	buf_fini(&to);
}

static bool must_redirect(const struct http_conn *c)
{
	const struct http_server *s = c->server;

	return (c->x.match.route->flags & HTTP_PAGE) && s->settings->redirect && s->tls &&
	       !c->tls && !addr_is_loopback(&c->peer) && http_head_host(c->x.head).n > 0;
}

static bool may_not_cross(const struct http_exchange *x)
{
	bool safe = x->method & (HTTP_GET | HTTP_HEAD);
	bool upgrade = x->match.path && (x->match.path->flags & HTTP_UPGRADE);

	return x->origin == ORIGIN_FOREIGN && (!safe || upgrade);
}

/* RFC 6585, 4. */
static bool is_over_limit(struct http_conn *c)
{
	const struct http_server *s = c->server;
	const struct route *r = c->x.match.path;
	struct buf after = BUF_INIT(16);
	struct addr_text text;

	if (!s->limit)
		return false;
	struct addr client = http_client(&c->x);
	unsigned seconds =
		s->limit(s->limit_arg, &client, r && (r->flags & HTTP_UPGRADE) != 0);
	if (seconds == 0)
		return false;
	metric_add(METRIC_HTTP_LIMITED, 1);
	log_limited(&c->server->limited, "http", "limited", "client=%s retry=%u",
		    addr_text(&client, &text), seconds);
	buf_dec(&after, seconds);
	http_add_header(&c->x, "Retry-After", buf_slice(&after));
	buf_fini(&after);
	http_reply_status(&c->x, 429, "too many requests from your address");
	return true;
}

void http_server_limit(struct http_server *s, http_limit_fn *fn, void *arg)
{
	s->limit = fn;
	s->limit_arg = arg;
}

/* Answers what is not for a handler; true when one is to see it. */
static bool screen(struct http_conn *c)
{
	struct http_exchange *x = &c->x;

	if (is_over_limit(c))
		return false;
	if (may_not_cross(x))
		deny_origin(c);
	else if (!x->match.route && x->method == HTTP_OPTIONS &&
		 (x->match.path || slice_is(http_path(x), "*")))
		reply_options(x);
	else if (!x->match.path)
		reply_missing(x);
	else if (!x->match.route)
		reply_method(x);
	else if (must_redirect(c))
		reply_redirect(x);
	else if (http_exchange_decode(x) < 0)
		refuse(c, 400, "the path is badly coded");
	else
		return true;
	return false;
}

/* --- a request comes in --- */

/* Until the route was known, the head was read under the largest of their limits. */
static bool body_fits(const struct http_conn *c)
{
	const struct route *r = c->x.match.route;
	size_t own = r ? r->max_body : 0;

	http_head_limit_body(c->x.head, own ? own : c->server->settings->max_body);
	return http_head_state(c->x.head) != HTTP_HEAD_BAD;
}

static void on_head(struct http_conn *c)
{
	struct http_exchange *x = &c->x;
	bool body = http_head_state(x->head) == HTTP_HEAD_BODY;

	x->method = http_method_bit(http_head_method(x->head));
	c->tls = stream_is_tls(c->stream);
	x->origin = http_origin_judge(c->server->settings, http_header(x, "Origin"),
				      http_head_host(x->head), c->tls);
	http_route_find(&c->server->routes, http_path(x), x->method, &x->match);
	if (body && !body_fits(c)) {
		refuse(c, http_head_status(x->head), http_head_why(x->head));
		return;
	}
	/* An answer before the body came leaves the body unread. */
	x->keep_alive = !body && http_head_keep_alive(x->head) && !c->server->draining;
	if (!screen(c) || !body || http_pieces_wanted(c))
		return;
	x->keep_alive = http_head_keep_alive(x->head) && !c->server->draining;
	http_conn_set_state(c, HTTP_CONN_BODY);
	if (http_header(x, "Expect").n > 0 && !http_head_is_1_0(x->head))
		stream_write_last(c->stream, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

static bool is_reading(const struct http_conn *c)
{
	return c->state == HTTP_CONN_IDLE || c->state == HTTP_CONN_HEAD ||
	       c->state == HTTP_CONN_BODY;
}

/* The handler has the head, and a body is coming that it has not begun to take: what was read of it is kept. */
static bool is_ahead(const struct http_conn *c)
{
	return c->state == HTTP_CONN_BUSY && c->x.head && http_pieces_wanted(c);
}

static void begin(struct http_conn *c)
{
	const struct http_settings *s = c->server->settings;
	const struct http_head_limits limits = {
		.line = s->max_line,
		.headers = s->max_headers,
		.count = s->max_header_count,
		.body = c->server->max_body,
	};

	c->x.head = http_head_create(&limits);
	http_conn_set_state(c, HTTP_CONN_HEAD);
}

static size_t take(struct http_conn *c, struct slice in)
{
	if (c->state == HTTP_CONN_IDLE)
		begin(c);
	struct http_head *h = c->x.head;
	bool ahead = is_ahead(c);
	size_t used = http_head_feed(h, in);

	if (ahead) /* what it makes of it shows in http_take_body() */
		return used;
	if (http_head_state(h) == HTTP_HEAD_BAD) {
		http_conn_refuse_body(c);
		return used;
	}
	if (http_pieces_taken(c)) {
		http_pieces_came(c);
		return used;
	}
	if (http_head_state(h) != HTTP_HEAD_OPEN && c->state == HTTP_CONN_HEAD)
		on_head(c);
	/* Answered already, and the head gone, if it was not for a handler. */
	if (c->x.head != h || !is_reading(c) ||
	    (http_head_state(h) != HTTP_HEAD_WHOLE && !http_pieces_wanted(c)))
		return used;
	http_conn_set_state(c, HTTP_CONN_BUSY);
	c->x.match.route->fn(&c->x, c->x.match.route->arg);
	return used;
}

/* So little came that nobody can tell what it will be: that counts as a head that has begun. */
static void await_more(struct http_conn *c)
{
	if (c->timed == HTTP_CONN_HEAD)
		return;
	c->timed = HTTP_CONN_HEAD;
	loop_timer_start(c->server->loop, &c->timer, c->server->settings->head_timeout);
}

/* The connection's first bytes: 1: it was a neighbour's and is gone, 0: it is ours, -EAGAIN: more are needed. */
static int ask_neighbour(struct http_conn *c, const uint8_t *p, size_t n)
{
	const struct http_neighbour neighbour = c->server->neighbour;
	int wants = neighbour.wants ? neighbour.wants(p, n) : 0;

	c->begun = wants == 0;
	if (wants == -EAGAIN)
		await_more(c);
	if (wants != 1)
		return wants;
	struct stream *s = c->stream;
	conn_free(c);
	neighbour.take(neighbour.arg, s);
	return 1;
}

static ssize_t on_data(void *arg, struct stream *s, uint8_t *p, size_t n)
{
	struct http_conn *c = arg;
	size_t used = 0;

	if (UNLIKELY(!c->begun) && c->server && ask_neighbour(c, p, n) != 0)
		return 0;
	c->in_data = true;
	while (used < n && (is_reading(c) || is_ahead(c)))
		used += take(c, slice_of(p + used, n - used));
	c->in_data = false;
	if (c->state == HTTP_CONN_MOVING)
		return (ssize_t)used;
	if (c->state == HTTP_CONN_TAKEN) {
		conn_free(c);
		return (ssize_t)used;
	}
	if (!is_reading(c) && n - used > STREAM_CARRY_MAX) {
		/* More requests in advance than we keep: the client may ask again. */
		c->x.keep_alive = false;
		used = n;
	}
	if (!is_reading(c) || http_pieces_held(c))
		stream_pause(s, true);
	if (c->server)
		arm(c);
	return (ssize_t)used;
}

static void on_closed(void *arg, struct stream *s, int err)
{
	struct http_conn *c = arg;

	(void)s;
	(void)err;
	c->stream = NULL;
	http_pieces_break(c, -ECONNRESET);
	if (c->state == HTTP_CONN_SENDING)
		http_pieces_ended(&c->x, -ECONNRESET);
	if (c->state != HTTP_CONN_BUSY)
		conn_free(c);
	else if (c->x.gone) /* the handler still has the exchange; its answer frees it */
		c->x.gone(c->x.gone_arg, &c->x);
}

/* A client that has ended its side may still wait for the answer (RFC 9112, 9.6), but not
 * where the handler wants to know. */
static void on_hung_up(void *arg, struct stream *s)
{
	struct http_conn *c = arg;

	if (c->state == HTTP_CONN_BUSY && c->x.gone)
		stream_abort(s, 0);
}

static void on_drained(void *arg, struct stream *s)
{
	struct http_conn *c = arg;

	(void)s;
	if (c->state != HTTP_CONN_SENDING || !c->server)
		return;
	http_reply_continue(c);
	if (c->state == HTTP_CONN_SENDING)
		arm_anew(c);
}

static const struct stream_ops ops = { on_data, on_closed, on_drained, on_hung_up, NULL };

/* The turn's output has been written: if the socket took all of it there is no drained(). */
static void on_more(struct loop_task *t)
{
	struct http_conn *c = container_of(t, struct http_conn, more);

	if (!c->stream || c->state != HTTP_CONN_SENDING)
		return;
	if (stream_queued(c->stream) == 0)
		on_drained(c, c->stream);
	else if (c->server)
		arm(c);
}

static void on_late(struct http_conn *c)
{
	http_pieces_break(c, E_TIMEOUT);
	refuse(c, 408, "the request came too slowly");
}

static void on_timer(struct loop_timer *t)
{
	struct http_conn *c = container_of(t, struct http_conn, timer);

	c->timed = HTTP_CONN_TAKEN;
	if (c->state == HTTP_CONN_IDLE)
		conn_close(c);
	else if (c->state == HTTP_CONN_HEAD && !http_head_begun(c->x.head))
		conn_close(c);
	else if (c->state == HTTP_CONN_HEAD || c->state == HTTP_CONN_BODY)
		on_late(c);
	else if (c->state == HTTP_CONN_SENDING)
		stream_abort(c->stream, E_TIMEOUT);
}

struct stream *http_take_stream(struct http_exchange *x)
{
	struct http_conn *c = http_conn_of(x);
	struct stream *s = c->stream;

	metric_add(METRIC_HTTP_REQUESTS, 1);
	http_conn_set_state(c, HTTP_CONN_TAKEN);
	if (c->in_data) /* on_data() is to return first */
		return s;
	conn_free(c);
	if (s)
		stream_pause(s, false);
	return s;
}

/* --- from loop to loop --- */

struct http_moved *http_detach(struct http_exchange *x)
{
	struct http_conn *c = http_conn_of(x);

	assert(c->stream && c->state == HTTP_CONN_BUSY);
	http_conn_set_state(c, HTTP_CONN_MOVING);
	list_unlink(&c->link);
	loop_timer_stop(c->server->loop, &c->timer);
	c->timed = HTTP_CONN_TAKEN;
	stream_detach(c->stream);
	return (struct http_moved *)c;
}

void http_attach(struct http_server *s, struct http_moved *moved)
{
	struct http_conn *c = (struct http_conn *)moved;

	c->server = s;
	c->in_data = false;
	list_append(&s->conns, &c->link);
	http_conn_set_state(c, HTTP_CONN_BUSY);
	stream_attach(s->loop, c->stream, &ops, c);
	stream_pause(c->stream, true);
	http_route_find(&s->routes, http_path(&c->x), c->x.method, &c->x.match);
	c->x.match.route->fn(&c->x, c->x.match.route->arg);
}

/* --- the server --- */

struct http_server *http_server_create(struct loop *l, const struct http_settings *s,
				       struct tls_context *tls)
{
	struct http_server *server = xzalloc(sizeof(*server));

	server->loop = l;
	server->settings = s;
	server->tls = tls;
	server->max_body = s->max_body;
	list_init(&server->conns);
	return server;
}

void http_server_destroy(struct http_server *s)
{
	if (!s)
		return;
	list_each_safe (n, &s->conns) {
		struct http_conn *c = list_entry(n, struct http_conn, link);
		list_unlink(n);
		loop_timer_stop(s->loop, &c->timer);
		loop_task_cancel(&c->more);
		c->server = NULL;
		if (c->stream)
			stream_abort(c->stream, 0);
	}
	http_route_table_fini(&s->routes);
	free(s);
}

void http_server_set_neighbour(struct http_server *s, const struct http_neighbour *n)
{
	s->neighbour = *n;
}

void http_server_set_no_page(struct http_server *s, http_handler_fn *fn, void *arg)
{
	s->no_page = fn;
	s->no_page_arg = arg;
}

struct loop *http_server_loop(const struct http_server *s)
{
	return s->loop;
}

void http_route(struct http_server *s, unsigned methods, const char *pattern,
		unsigned flags, http_handler_fn *fn, void *arg)
{
	http_route_sized(s, methods, pattern, flags, 0, fn, arg);
}

void http_route_sized(struct http_server *s, unsigned methods, const char *pattern,
		      unsigned flags, size_t max_body, http_handler_fn *fn, void *arg)
{
	if (max_body > s->max_body)
		s->max_body = max_body;
	http_route_add(&s->routes, &(struct route){ .methods = methods,
						    .flags = flags,
						    .pattern = pattern,
						    .fn = fn,
						    .arg = arg,
						    .max_body = max_body });
}

void http_server_accept(void *server, int fd, const struct addr *peer)
{
	struct http_server *s = server;

	if (metric_total(METRIC_CONNECTIONS) >= s->settings->max_connections) {
		metric_add(METRIC_CONNECTIONS_REFUSED, 1);
		close(fd);
		return;
	}
	struct http_conn *c = xzalloc(sizeof(*c));
	c->server = s;
	c->peer = *peer;
	c->timed = HTTP_CONN_TAKEN;
	buf_init(&c->rest.owned, SIZE_MAX);
	loop_timer_init(&c->timer, on_timer);
	loop_task_init(&c->more, on_more);
	list_append(&s->conns, &c->link);
	http_exchange_fini(&c->x);
	c->stream =
		stream_create(s->loop, fd, peer, &s->settings->stream, s->tls, &ops, c);
	arm(c);
}

void http_server_drain(struct http_server *s)
{
	s->draining = true;
	list_each_safe (n, &s->conns) {
		struct http_conn *c = list_entry(n, struct http_conn, link);
		if (c->state != HTTP_CONN_IDLE)
			continue;
		http_conn_set_state(c, HTTP_CONN_CLOSING);
		arm(c);
		stream_finish_now(c->stream);
	}
}
