/* http: an HTTP/1.1 server (RFC 9110, 9112) on streams: routes, limits, keep-alive, upgrades.
 *
 * Owner:  one http_server per loop; exchanges and their slices live until they are answered.
 * Order:  one exchange at a time per connection; pipelined requests wait unread.
 * Limits: struct http_settings; each has its answer: 414 (line), 431 (headers), 413 (body), 408 (time), 503 (connections).
 */
#pragma once
#include "net/stream.h"

struct http_server;
struct http_exchange; /* one request and its answer */

struct http_settings {
	size_t max_line;    /* request line, bytes */
	size_t max_headers; /* all header fields, bytes */
	unsigned max_header_count;
	size_t max_body;
	ms_t head_timeout; /* from the first byte of a request to the end of its head */
	ms_t body_timeout;
	ms_t idle_timeout;       /* keep-alive without a request */
	int64_t max_connections; /* per process; over it a connection is closed at once */
	bool redirect;      /* pages asked for in plain by other machines go to https */
	bool authenticated; /* open mode off: loopback origins are not allowed by themselves */
	const char *const *allowed_origins; /* exact ("https://app.example.org") or "*" */
	size_t allowed_origin_count;
	const struct http_proxy *proxies; /* whose X-Forwarded-For counts */
	size_t proxy_count;
	struct stream_limits stream;
};

/* Settings and the lists in them must outlive the server. tls may be NULL. */
struct http_server *http_server_create(struct loop *l, const struct http_settings *s,
				       struct tls_context *tls);
void http_server_destroy(struct http_server *s);
/* For listen_open(): takes the descriptor. */
void http_server_accept(void *server, int fd, const struct addr *peer);
/* Another protocol on the same port: asked with a connection's first bytes, once or until it knows. 1: take() gets the
 * stream with all its bytes unread, 0: it is HTTP, -EAGAIN: too few bytes to tell. */
struct http_neighbour {
	int (*wants)(const uint8_t *p, size_t n);
	void (*take)(void *arg, struct stream *s);
	void *arg;
};
void http_server_set_neighbour(struct http_server *s, const struct http_neighbour *n);
/* No keep-alive from now on; idle connections are closed at once: browsers keep theirs and look at them only when
 * they want them. */
void http_server_drain(struct http_server *s);
struct loop *http_server_loop(const struct http_server *s);

/* Asked before each request (`upgrade`: one of a socket) whether it may be carried out: 0, or in how many seconds it may come
 * again: 429 with Retry-After. `client`: see http_client(). */
typedef unsigned http_limit_fn(void *arg, const struct addr *client, bool upgrade);
void http_server_limit(struct http_server *s, http_limit_fn *fn, void *arg);

/* --- routes: the longest literal prefix wins, segment by segment ("/ws" < "/ws/{id}" < "/ws/room/{id}") --- */
enum http_method {
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PUT = 8,
	HTTP_DELETE = 16,
	HTTP_PATCH = 32,
	HTTP_OPTIONS = 64
};
enum http_route_flags {
	HTTP_PAGE = 1, /* a page for people: may be redirected to https */
	HTTP_UPGRADE =
		2, /* a WebSocket endpoint: a foreign origin is refused for GET too; without Upgrade 426 */
	HTTP_PIECES =
		4, /* the handler runs when the head is there; see http_take_body() */
};
typedef void http_handler_fn(struct http_exchange *x, void *arg);
/* Answers people who ask for a page that there is not, in place of an error in JSON. */
void http_server_set_no_page(struct http_server *s, http_handler_fn *fn, void *arg);
/* `methods`: bits of http_method; GET implies HEAD. Others are answered 405 with Allow, OPTIONS as a CORS preflight. A pattern is literal segments and
 * {name}; a final {name*} takes the rest with its slashes. Patterns must outlive the server. */
void http_route(struct http_server *s, unsigned methods, const char *pattern,
		unsigned flags, http_handler_fn *fn, void *arg);
/* The same with a limit of its own for bodies. */
void http_route_sized(struct http_server *s, unsigned methods, const char *pattern,
		      unsigned flags, size_t max_body, http_handler_fn *fn, void *arg);

/* --- the request --- */
enum http_method http_method(const struct http_exchange *x);
struct slice http_path(
	const struct http_exchange *x); /* raw, as it came, without query */
struct slice http_query(const struct http_exchange *x); /* raw, without '?' */
/* The value of a {name} of the pattern, percent-decoded (UTF-8 and control characters checked: 400 before the handler runs). Empty when there is none. */
struct slice http_param(const struct http_exchange *x, const char *name);
/* A parameter of the query, percent-decoded, '+' is a space. False when absent or badly coded. */
bool http_query_param(struct http_exchange *x, const char *name, struct slice *out);
/* First field of that name, trimmed; empty when absent. */
struct slice http_header(const struct http_exchange *x, const char *name);
/* All fields of that name: start with *at = 0. */
bool http_header_next(const struct http_exchange *x, const char *name, size_t *at,
		      struct slice *value);
/* Is `token` a member of that list field (Connection, Upgrade)? Any case. */
bool http_header_has(const struct http_exchange *x, const char *name, const char *token);
/* False when the request comes from a page of a foreign origin. */
bool http_origin_ok(const struct http_exchange *x);
bool http_is_1_0(const struct http_exchange *x);
/* The credentials of Authorization: Bearer; empty: none. */
struct slice http_bearer(const struct http_exchange *x);
/* The token of a request: Authorization: Bearer, else `access_token` or `token` of the query; empty: none. */
struct slice http_token(struct http_exchange *x);
struct slice http_body(const struct http_exchange *x);
const struct addr *http_peer(const struct http_exchange *x);
/* Whose request it is: the peer's, or whom trusted proxies name. */
struct addr http_client(const struct http_exchange *x);
bool http_is_tls(const struct http_exchange *x);
struct http_server *http_server_of(const struct http_exchange *x);

/* --- the answer: exactly one of these per exchange, now or in a later turn --- */
/* Of an answer in part (206): bytes at..at + n of `length`; n = 0: none of them, 416. */
void http_add_content_range(struct http_exchange *x, uint64_t at, uint64_t n,
			    uint64_t length);
/* Extra fields come first: "Cache-Control: no-store\r\n" (ours, already valid). */
void http_add_header(struct http_exchange *x, const char *name, struct slice value);
void http_reply(struct http_exchange *x, int status, const char *type, struct slice body);
/* {"error":{"code","message","detail"?}} with err's status. detail may be NULL. */
void http_reply_error(struct http_exchange *x, int err, const char *detail);
/* The same for a status that no err stands for. */
void http_reply_status(struct http_exchange *x, int status, const char *message);
/* For an answer that may take long: fn is called when the client goes away meanwhile. The exchange is
 * to be answered all the same; the answer goes nowhere. */
typedef void http_gone_fn(void *arg, struct http_exchange *x);
void http_on_gone(struct http_exchange *x, http_gone_fn *fn, void *arg);
/* --- bodies in pieces (pieces.c) --- */
/* For routes with HTTP_PIECES. The handler answers at once, with the body unread, and the connection ends; or takes
 * the body, in a later turn if need be. From then on until end() the exchange may be answered, but need not be
 * looked after: end(0): the body is whole, the exchange is to be answered; end(error): it has been, or the client
 * has gone: nothing is left of it. After an answer before the end there is none. What has come already is
 * handed on within http_take_body(), end() included. */
struct http_body_ops {
	void (*data)(void *arg, struct slice bytes);
	void (*end)(void *arg, int err);
};
void http_take_body(struct http_exchange *x, const struct http_body_ops *ops, void *arg);
/* As announced; 0: none; -1: unknown (chunked). The route's max_body holds in any case. */
int64_t http_body_length(const struct http_exchange *x);
/* No more of the body than the present read has brought: back-pressure. */
void http_hold_body(struct http_exchange *x, bool held);
/* An answer whose body is fetched: after each more() one http_give() is due, now or later, until `length` bytes are
 * given. ended(), once: 0: all is on its way, else the client has gone; the exchange is no more. A HEAD has
 * no body. */
struct http_source_ops {
	void (*more)(void *arg);
	void (*ended)(void *arg, int err);
};
void http_reply_pieces(struct http_exchange *x, int status, const char *type,
		       uint64_t length, const struct http_source_ops *ops, void *arg);
/* Copied. */
void http_give(struct http_exchange *x, struct slice piece);
/* The rest cannot be had: the connection is cut off, ended() follows. */
void http_break_off(struct http_exchange *x);

/* Hand-over of the connection with its request to the server of another loop, instead of an answer; within the
 * handler only. It is carried in mail as a pointer and attached there: the handler of that server's route of
 * the same pattern sees it anew. */
struct http_moved;
struct http_moved *http_detach(struct http_exchange *x);
void http_attach(struct http_server *s, struct http_moved *moved);
/* The connection becomes something else: the stream with its unread bytes; the exchange is gone. The caller must set
 * an owner at once and write the 101 itself. NULL when the client went away while the handler had it. */
struct stream *http_take_stream(struct http_exchange *x);
