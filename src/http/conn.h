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
	struct buf extra;           /* fields for the answer */
	struct http_pieces *pieces; /* NULL: its bodies are held as a whole */
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
	http_handler_fn *no_page; /* NULL: programs and people are told alike */
	void *no_page_arg;
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
/* Reads on, and winds up the time for it. */
void http_conn_go_on(struct http_conn *c);
/* Answers a body that is none, and tells who takes it. */
void http_conn_refuse_body(struct http_conn *c);

/* pieces.c */
/* The route takes bodies in pieces, and one is to come. */
bool http_pieces_wanted(const struct http_conn *c);
/* The handler has begun to take it; and wants a pause. */
bool http_pieces_taken(const struct http_conn *c);
bool http_pieces_held(const struct http_conn *c);
/* The head was fed. */
void http_pieces_came(struct http_conn *c);
/* Nothing more comes: who takes the body, if anybody does, is told. */
void http_pieces_break(struct http_conn *c, int err);
/* There is more of the answer than was given; it is asked for when it is needed. */
bool http_pieces_left(const struct http_conn *c);
void http_pieces_fetch(struct http_conn *c);
void http_pieces_ended(struct http_exchange *x, int err);
void http_pieces_free(struct http_exchange *x);

/* reply.c */
/* As http_reply(); the body's memory lives as long as the program: it is never copied. */
void http_reply_fixed(struct http_exchange *x, int status, const char *type,
		      struct slice body);
/* The head of an answer whose body of so many bytes follows in pieces. */
void http_reply_announced(struct http_exchange *x, int status, const char *type,
			  uint64_t length);
/* Hands on the rest of an answer as far as there is room. */
void http_reply_continue(struct http_conn *c);
