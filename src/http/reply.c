/* Answers: their heads, and how they get into the stream. */
#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/err.h"
#include "base/json.h"
#include "http/conn.h"

#define HEAD_MAX 16384
#define SMALL (64 * 1024)

/* Pages bring everything along; the room's sockets and the camera's pictures (blob:) are the
 * exceptions. */
#define PAGE_HEADERS                                                                     \
	"Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "     \
	"img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; "         \
	"frame-ancestors 'self'; base-uri 'none'; form-action 'self'\r\n"                \
	"Permissions-Policy: camera=(self), microphone=(self), "                         \
	"display-capture=(self)\r\n"
/* No Strict-Transport-Security: with a self-signed certificate it would lock people out. */
#define SECURITY_HEADERS                                                                 \
	"X-Content-Type-Options: nosniff\r\n"                                            \
	"Referrer-Policy: no-referrer\r\n"

static const struct {
	int status;
	const char *phrase;
	const char *code; /* error.code, as far as base/err.h has none */
} statuses[] = {
	{ 200, "OK", "" },
	{ 201, "Created", "" },
	{ 202, "Accepted", "" },
	{ 204, "No Content", "" },
	{ 206, "Partial Content", "" },
	{ 301, "Moved Permanently", "" },
	{ 302, "Found", "" },
	{ 303, "See Other", "" },
	{ 304, "Not Modified", "" },
	{ 307, "Temporary Redirect", "" },
	{ 307, "Temporary Redirect", "moved" },
	{ 400, "Bad Request", "malformed" },
	{ 401, "Unauthorized", "unauthorized" },
	{ 403, "Forbidden", "denied" },
	{ 404, "Not Found", "not_found" },
	{ 405, "Method Not Allowed", "method_not_allowed" },
	{ 408, "Request Timeout", "timeout" },
	{ 409, "Conflict", "conflict" },
	{ 410, "Gone", "gone" },
	{ 413, "Content Too Large", "too_large" },
	{ 414, "URI Too Long", "too_large" },
	{ 412, "Precondition Failed", "precondition" },
	{ 415, "Unsupported Media Type", "unsupported" },
	{ 416, "Range Not Satisfiable", "range" },
	{ 417, "Expectation Failed", "expectation" },
	{ 422, "Unprocessable Content", "malformed" },
	{ 426, "Upgrade Required", "upgrade_required" },
	{ 429, "Too Many Requests", "rate_limited" },
	{ 431, "Request Header Fields Too Large", "too_large" },
	{ 500, "Internal Server Error", "internal" },
	{ 501, "Not Implemented", "not_implemented" },
	{ 502, "Bad Gateway", "unavailable" },
	{ 503, "Service Unavailable", "unavailable" },
	{ 505, "HTTP Version Not Supported", "version" },
	{ 0, "Unknown", "internal" }, /* any other */
};

static size_t status_index(int status)
{
	size_t i = 0;

	while (statuses[i].status != 0 && statuses[i].status != status)
		i++;
	return i;
}

/* --- the head --- */

static struct slice date_now(struct http_server *s)
{
	ms_t second = clock_wall() / 1000;

	if (second != s->date_second) {
		time_t t = (time_t)second;
		struct tm tm;
		gmtime_r(&t, &tm);
		strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_second = second;
	}
	return slice_str(s->date);
}

static void put_field(struct buf *b, const char *name, struct slice value)
{
	buf_str(b, name);
	buf_str(b, ": ");
	buf_put(b, value);
	buf_str(b, "\r\n");
}

static void put_cors(struct buf *b, const struct http_exchange *x)
{
	if (x->origin == ORIGIN_NONE)
		return;
	buf_str(b, "Vary: Origin\r\n");
	if (x->origin == ORIGIN_FOREIGN)
		return;
	put_field(b, "Access-Control-Allow-Origin", http_header(x, "Origin"));
	buf_str(b, "Access-Control-Allow-Credentials: true\r\n");
}

static bool has_content(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

static void put_head(struct buf *b, const struct http_exchange *x, int status,
		     const char *type, size_t length)
{
	struct http_server *server = http_conn_of(x)->server;

	buf_str(b, "HTTP/1.1 ");
	buf_dec(b, (uint64_t)status);
	buf_str(b, " ");
	buf_str(b, statuses[status_index(status)].phrase);
	buf_str(b, "\r\n");
	put_field(b, "Date", date_now(server));
	if (type && has_content(status))
		put_field(b, "Content-Type", slice_str(type));
	if (has_content(status)) {
		buf_str(b, "Content-Length: ");
		buf_dec(b, length);
		buf_str(b, "\r\n");
	}
	buf_str(b, SECURITY_HEADERS);
	if (type && slice_starts(slice_str(type), SLICE("text/html")))
		buf_str(b, PAGE_HEADERS);
	if (!x->cache_said)
		buf_str(b, "Cache-Control: no-store\r\n");
	put_cors(b, x);
	buf_put(b, buf_slice(&x->extra));
	if (!x->keep_alive)
		buf_str(b, "Connection: close\r\n");
	else if (http_head_is_1_0(x->head))
		buf_str(b, "Connection: keep-alive\r\n");
	buf_str(b, "\r\n");
	assert(!b->bad && !x->extra.bad);
}

/* --- into the stream --- */

static struct slice next_piece(const struct http_rest *r, size_t room)
{
	struct slice piece = slice_from(buf_slice(&r->owned), r->at);

	if (piece.n == 0)
		piece = r->fixed;
	if (piece.n > room)
		piece.n = room;
	return piece;
}

static void advance(struct http_rest *r, size_t n)
{
	if (r->at < r->owned.n)
		r->at += n;
	else
		r->fixed = slice_from(r->fixed, n);
}

void http_reply_continue(struct http_conn *c)
{
	size_t limit = c->server->settings->stream.queue;

	while (c->rest.at < c->rest.owned.n || c->rest.fixed.n > 0) {
		size_t queued = stream_queued(c->stream);
		struct slice piece =
			next_piece(&c->rest, queued < limit ? limit - queued : 0);
		if (piece.n == 0 || stream_write(c->stream, piece) < 0) {
			http_conn_set_state(c, HTTP_CONN_SENDING);
			loop_task_post(c->server->loop, LOOP_FLUSH, &c->more);
			return;
		}
		advance(&c->rest, piece.n);
	}
	if (http_pieces_left(c)) {
		if (c->state != HTTP_CONN_SENDING)
			http_conn_set_state(c, HTTP_CONN_SENDING);
		http_pieces_fetch(c);
		return;
	}
	buf_fini(&c->rest.owned);
	c->rest = (struct http_rest){ .owned = BUF_INIT(SIZE_MAX) };
	http_pieces_ended(&c->x, 0);
	http_conn_answered(c);
}

/* Most answers go straight into the turn's output; one that finds no room there waits. */
static void send_answer(struct http_conn *c, struct buf *head, struct slice body,
			bool fixed)
{
	uint8_t *p = NULL;

	if (body.n <= SMALL)
		p = stream_reserve(c->stream, head->n + body.n);
	if (p) {
		memcpy(p, head->p, head->n);
		if (body.n)
			memcpy(p + head->n, body.p, body.n);
		buf_fini(head);
		http_conn_answered(c);
		return;
	}
	head->max = SIZE_MAX;
	if (!fixed)
		buf_put(head, body);
	c->rest =
		(struct http_rest){ .owned = *head, .fixed = fixed ? body : SLICE_NONE };
	http_reply_continue(c);
}

/* False when nobody is there to read it. */
static bool begin_answer(struct http_exchange *x, struct buf *head, int status,
			 const char *type, size_t length)
{
	struct http_conn *c = http_conn_of(x);

	metric_add(METRIC_HTTP_REQUESTS, 1);
	if (!c->stream || !c->server)
		return false;
	assert(c->state != HTTP_CONN_SENDING && c->state != HTTP_CONN_CLOSING);
	if (c->server->draining)
		x->keep_alive = false;
	(void)buf_room(head, 768);
	put_head(head, x, status, type, length);
	return true;
}

void http_reply_announced(struct http_exchange *x, int status, const char *type,
			  uint64_t length)
{
	struct http_conn *c = http_conn_of(x);
	struct buf head = BUF_INIT(HEAD_MAX);

	if (!begin_answer(x, &head, status, type, length)) {
		http_pieces_ended(x, -ECONNRESET);
		http_conn_answered(c);
		return;
	}
	head.max = SIZE_MAX;
	c->rest = (struct http_rest){ .owned = head };
	http_reply_continue(c);
}

static void answer(struct http_exchange *x, int status, const char *type,
		   struct slice body, bool fixed)
{
	struct http_conn *c = http_conn_of(x);
	struct buf head = BUF_INIT(HEAD_MAX);

	if (!begin_answer(x, &head, status, type, body.n)) {
		http_conn_answered(c);
		return;
	}
	if (x->method == HTTP_HEAD || !has_content(status))
		body = SLICE_NONE;
	send_answer(c, &head, body, fixed);
}

void http_reply(struct http_exchange *x, int status, const char *type, struct slice body)
{
	answer(x, status, type, body, false);
}

void http_reply_fixed(struct http_exchange *x, int status, const char *type,
		      struct slice body)
{
	answer(x, status, type, body, true);
}

/* --- errors --- */

static void reply_json_error(struct http_exchange *x, int status, const char *code,
			     const char *message, const char *detail)
{
	struct buf b = BUF_INIT(4096);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("error"));
	json_object(&w);
	json_field_string(&w, "code", slice_str(code));
	json_field_string(&w, "message", slice_str(message));
	if (detail)
		json_field_string(&w, "detail", slice_str(detail));
	json_object_end(&w);
	json_object_end(&w);
	http_reply(x, status, "application/json", buf_slice(&b));
	buf_fini(&b);
}

void http_reply_error(struct http_exchange *x, int err, const char *detail)
{
	reply_json_error(x, err_http_status(err), err_name(err), err_text(err), detail);
}

void http_reply_status(struct http_exchange *x, int status, const char *message)
{
	reply_json_error(x, status, statuses[status_index(status)].code, message, NULL);
}
