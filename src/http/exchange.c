/* The handler's view of a request. */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/conn.h"
#include "http/forwarded.h"
#include "http/uri.h"

#define EXTRA_MAX 8192

enum http_method http_method(const struct http_exchange *x)
{
	return (enum http_method)x->method;
}

struct slice http_path(const struct http_exchange *x)
{
	return http_head_path(x->head);
}

struct slice http_query(const struct http_exchange *x)
{
	return http_head_query(x->head);
}

struct slice http_header(const struct http_exchange *x, const char *name)
{
	return http_head_field(x->head, name);
}

bool http_header_next(const struct http_exchange *x, const char *name, size_t *at,
		      struct slice *value)
{
	return http_head_next(x->head, name, at, value);
}

bool http_header_has(const struct http_exchange *x, const char *name, const char *token)
{
	return http_head_has(x->head, name, token);
}

bool http_origin_ok(const struct http_exchange *x)
{
	return x->origin != ORIGIN_FOREIGN;
}

bool http_is_1_0(const struct http_exchange *x)
{
	return http_head_is_1_0(x->head);
}

struct slice http_body(const struct http_exchange *x)
{
	return http_head_body(x->head);
}

const struct addr *http_peer(const struct http_exchange *x)
{
	return &http_conn_of(x)->peer;
}

struct addr http_client(const struct http_exchange *x)
{
	const struct http_conn *c = http_conn_of(x);
	const struct http_settings *s = c->server->settings;

	if (s->proxy_count == 0)
		return c->peer;
	return http_forwarded(s->proxies, s->proxy_count, &c->peer,
			      http_header(x, "X-Forwarded-For"));
}

bool http_is_tls(const struct http_exchange *x)
{
	return http_conn_of(x)->tls;
}

struct http_server *http_server_of(const struct http_exchange *x)
{
	return http_conn_of(x)->server;
}

/* A decoded copy that lives as long as the exchange; what is not coded needs none: its characters
 * have been checked with the request's target. */
static int decoded(struct http_exchange *x, struct slice raw, bool plus,
		   struct slice *out)
{
	if (!http_uri_is_coded(raw, plus)) {
		*out = raw;
		return 0;
	}
	struct http_block *b = xzalloc(sizeof(*b));

	buf_init(&b->text, raw.n);
	int err = http_uri_decode(raw, plus, &b->text);
	if (err < 0) {
		buf_fini(&b->text);
		free(b);
		return err;
	}
	b->next = x->blocks;
	x->blocks = b;
	*out = buf_slice(&b->text);
	return 0;
}

int http_exchange_decode(struct http_exchange *x)
{
	const struct route_match *m = &x->match;

	for (unsigned i = 0; i < m->param_count; i++) {
		int err = decoded(x, m->param[i].raw, false, &x->param[i]);
		if (err < 0)
			return err;
	}
	return 0;
}

void http_exchange_fini(struct http_exchange *x)
{
	while (x->blocks) {
		struct http_block *b = x->blocks;
		x->blocks = b->next;
		buf_fini(&b->text);
		free(b);
	}
	buf_fini(&x->extra);
	http_pieces_free(x);
	http_head_destroy(x->head);
	*x = (struct http_exchange){ .extra = BUF_INIT(EXTRA_MAX) };
}

struct slice http_param(const struct http_exchange *x, const char *name)
{
	struct slice wanted = slice_str(name);

	for (unsigned i = 0; i < x->match.param_count; i++)
		if (slice_eq(x->match.param[i].name, wanted))
			return x->param[i];
	return SLICE_NONE;
}

bool http_query_param(struct http_exchange *x, const char *name, struct slice *out)
{
	struct slice raw;

	if (!http_uri_query_find(http_query(x), slice_str(name), &raw))
		return false;
	return decoded(x, raw, true, out) == 0;
}

struct slice http_bearer(const struct http_exchange *x)
{
	struct slice field = http_header(x, "Authorization");

	if (field.n <= 7 || !slice_ieq(slice_of(field.p, 7), SLICE("Bearer ")))
		return SLICE_NONE;
	return slice_trim(slice_from(field, 7));
}

struct slice http_token(struct http_exchange *x)
{
	struct slice token = http_bearer(x);

	if (token.n > 0)
		return token;
	if (!http_query_param(x, "access_token", &token))
		(void)http_query_param(x, "token", &token);
	return token;
}

void http_add_header(struct http_exchange *x, const char *name, struct slice value)
{
	buf_str(&x->extra, name);
	buf_str(&x->extra, ": ");
	buf_put(&x->extra, value);
	buf_str(&x->extra, "\r\n");
	if (slice_ieq(slice_str(name), SLICE("Cache-Control")))
		x->cache_said = true;
}

void http_add_content_range(struct http_exchange *x, uint64_t at, uint64_t n,
			    uint64_t length)
{
	struct buf b = BUF_INIT(100);

	buf_str(&b, "bytes ");
	if (n > 0) {
		buf_dec(&b, at);
		buf_str(&b, "-");
		buf_dec(&b, at + n - 1);
	} else {
		buf_str(&b, "*");
	}
	buf_str(&b, "/");
	buf_dec(&b, length);
	http_add_header(x, "Content-Range", buf_slice(&b));
	buf_fini(&b);
}

void http_on_gone(struct http_exchange *x, http_gone_fn *fn, void *arg)
{
	x->gone = fn;
	x->gone_arg = arg;
}
