/* head: one HTTP/1.1 request, read strictly (RFC 9112): its head, then its body. No I/O.
 *
 * llhttp takes the lines apart; what it lets through and a proxy might read otherwise
 * is refused here: space before a colon, folded lines, bare CR or LF, control bytes.
 * Bytes may come in any portions: the outcome does not depend on them.
 * Memory:  the head is copied into one buffer; all slices point there until destroyed.
 * Limits:  struct http_head_limits; each has its status.
 */
#pragma once
#include "base/buf.h"

struct http_head;

struct http_head_limits {
	size_t line;    /* 414 */
	size_t headers; /* 431 */
	unsigned count; /* 431 */
	size_t body;    /* 413 */
};

enum http_head_state {
	HTTP_HEAD_OPEN,  /* more of the head is to come */
	HTTP_HEAD_BODY,  /* the head is whole; the body is to come */
	HTTP_HEAD_WHOLE, /* the request is whole */
	HTTP_HEAD_BAD,   /* refused: see http_head_status() */
};

struct http_head *http_head_create(const struct http_head_limits *limits);
void http_head_destroy(struct http_head *h);
/* Takes bytes up to the end of the head, or of the body once in HTTP_HEAD_BODY, and returns
 * how many. Stops where the state changes. */
size_t http_head_feed(struct http_head *h, struct slice in);
/* A smaller limit of the body, once the head says what it is for; HTTP_HEAD_BAD (413) when more is announced. */
void http_head_limit_body(struct http_head *h, size_t max);
/* From now on the body is not gathered: http_head_body() has what the last feed brought of it. */
void http_head_stream(struct http_head *h);
enum http_head_state http_head_state(const struct http_head *h);
/* Has anything but empty lines come? */
bool http_head_begun(const struct http_head *h);

/* Of a refused request: the status to answer with, and why, for people. */
int http_head_status(const struct http_head *h);
const char *http_head_why(const struct http_head *h);

/* Valid once the head is whole; of a refused one as far as it came. */
struct slice http_head_method(const struct http_head *h);
struct slice http_head_path(const struct http_head *h);  /* "/..." or "*" */
struct slice http_head_query(const struct http_head *h); /* without '?' */
struct slice http_head_host(const struct http_head *h);  /* checked; empty in 1.0 */
struct slice http_head_body(const struct http_head *h);
/* As it is announced; -1: chunked. */
int64_t http_head_body_length(const struct http_head *h);
bool http_head_keep_alive(const struct http_head *h);
bool http_head_is_1_0(const struct http_head *h);
/* Fields of that name (any case), trimmed: start with *at = 0. */
bool http_head_next(const struct http_head *h, const char *name, size_t *at,
		    struct slice *value);
struct slice http_head_field(const struct http_head *h, const char *name);
/* Is `token` a member of that list field (Connection, Upgrade)? */
bool http_head_has(const struct http_head *h, const char *name, const char *token);
