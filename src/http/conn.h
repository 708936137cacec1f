/* conn: a connection of the server, and the one exchange that it may carry. Private to http/.
 *
 * Owner: the server's loop. A connection is freed when its stream closed; one whose handler
 *        still owes an answer then waits for it. At an upgrade it is freed, so that a
 *        WebSocket costs nothing here.
 */
#pragma once
#include "base/list.h"
#include "base/log.h"
#include "http/head.h"
#include "http/http.h"
#include "http/origin.h"
#include "http/route.h"

#define HTTP_CONN_STATES(X)                                                              \
	X(IDLE, "between requests; http.idle-timeout: closed")                           \
	X(HEAD, "a head is coming; late: 408")                                           \
	X(BODY, "a body is coming; late: 408")                                           \
	X(BUSY, "the handler has it; nothing is read")                                   \
	X(SENDING, "the answer is longer than the queue; no progress: cut off")          \
	X(CLOSING, "the last answer is out; the stream closes")                          \
	X(TAKEN, "the stream belongs to another protocol; to be freed")                  \
	X(MOVING, "under way to the server of another loop")

#define X(name, text) HTTP_CONN_##name,
enum http_conn_state { HTTP_CONN_STATES(X) };
#undef X

/* Decoded texts of an exchange. */
struct http_block {
	struct http_block *next;
	struct buf text;
};

struct http_exchange {
	struct http_head *head; /* from its first byte until it is answered */
	unsigned method;
	struct route_match match;
	struct slice param[ROUTE_MAX_PARAMS]; /* decoded */
	struct http_block *blocks;
	struct buf extra; /* fields for the answer */
	enum origin_verdict origin;
	http_gone_fn *gone; /* while the handler has it; NULL: nobody asks */
	void *gone_arg;
	bool keep_alive;
	bool cache_said; /* extra has a Cache-Control */
};

/* What of an answer the stream's queue had no room for. */
struct http_rest {
	struct buf owned;
	size_t at;
	struct slice fixed; /* comes after it; lives as long as the program */
};

struct http_conn {
	struct list link;           /* server->conns */
	struct http_server *server; /* NULL when destroyed */
	struct stream *stream;      /* NULL when closed */
	struct addr peer;
	struct loop_timer timer;
	struct loop_task more; /* in LOOP_FLUSH, after the stream's: room for the rest? */
	enum http_conn_state state;
	enum http_conn_state timed; /* the state that the timer runs for */
	bool in_data;
	bool tls;
	bool begun; /* it is HTTP, and no neighbour's */
	struct http_rest rest;
	struct http_exchange x;
};

struct http_server {
	struct loop *loop;
	const struct http_settings *settings;
	struct tls_context *tls;
	struct route_table routes;
	struct http_neighbour neighbour; /* wants NULL: none */
	struct list conns;
	size_t max_body; /* of any route */
	bool draining;
	ms_t date_second;
	char date[32]; /* RFC 9110, 5.6.7 */
	struct log_limit refused;
	struct log_limit denied;
	struct log_limit limited;
	http_limit_fn *limit; /* NULL: nobody asks */
	void *limit_arg;
};

static inline struct http_conn *http_conn_of(const struct http_exchange *x)
{
	return container_of(x, struct http_conn, x);
}

/* exchange.c */
/* Decodes the parameters of the path. E_MALFORMED. */
int http_exchange_decode(struct http_exchange *x) NODISCARD;
void http_exchange_fini(struct http_exchange *x);

/* server.c: the answer is handed to the stream as a whole. */
void http_conn_answered(struct http_conn *c);
void http_conn_set_state(struct http_conn *c, enum http_conn_state to);

/* reply.c */
/* As http_reply(); the body's memory lives as long as the program: it is never copied. */
void http_reply_fixed(struct http_exchange *x, int status, const char *type,
		      struct slice body);
/* Hands on the rest of an answer as far as there is room. */
void http_reply_continue(struct http_conn *c);
