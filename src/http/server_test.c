#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/assets.h"
#include "http/http.h"
#include "http/testing.h"
#include "loop/loop_turns.h"

/* --- a server, and a client at the other end of a socket pair --- */

struct fixture {
	struct loop *loop;
	struct http_settings settings;
	struct http_server *server;
	struct http_exchange *kept; /* by the handler of /later */
	int fd;
	bool ended;
	struct buf got;
	int64_t before[METRIC_COUNT]; /* counters live as long as the process */
};

static const struct http_settings usual = {
	.max_line = 1000,
	.max_headers = 2000,
	.max_header_count = 20,
	.max_body = 1000,
	.head_timeout = 10000,
	.body_timeout = 10000,
	.idle_timeout = 10000,
	.max_connections = 100,
	.stream = { .queue = 64 * 1024, .linger = 1000, .handshake = 10000 },
};

/* A file larger than the write queue and the sockets' buffers. */
#define BIG (3 * 1024 * 1024 + 7)
static uint8_t big[BIG];

const struct http_asset http_assets[] = {
	{ "/index.html", "text/html; charset=utf-8", "\"i1\"",
	  SLICE_LIT("<!doctype html>0123456789"), SLICE_LIT("gzip-bytes"),
	  SLICE_LIT("br-bytes"), false },
	{ "/a.js", "text/javascript", "\"a1\"", SLICE_LIT("let a"), { 0 }, { 0 }, true },
	{ "/big",
	  "application/octet-stream",
	  "\"b1\"",
	  { big, BIG },
	  { 0 },
	  { 0 },
	  true },
};
const size_t http_asset_count = 3;

static void on_hello(struct http_exchange *x, void *arg)
{
	(void)arg;
	http_reply(x, 200, "text/plain", SLICE("hello"));
}

static void on_echo(struct http_exchange *x, void *arg)
{
	(void)arg;
	http_reply(x, 200, "text/plain", http_body(x));
}

static void on_later(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	f->kept = x;
}

static void on_file(struct http_exchange *x, void *arg)
{
	const struct http_asset *a = http_asset_find(http_path(x));

	(void)arg;
	if (a)
		http_reply_asset(x, a);
	else
		http_reply_error(x, E_NOT_FOUND, "no such file");
}

static void on_param(struct http_exchange *x, void *arg)
{
	struct slice q = SLICE_NONE;
	struct buf b = BUF_INIT(1000);

	(void)arg;
	bool has = http_query_param(x, "q", &q);
	buf_put(&b, http_param(x, "name"));
	buf_str(&b, has ? " q=" : " no q");
	buf_put(&b, q);
	http_reply(x, 200, "text/plain", buf_slice(&b));
	buf_fini(&b);
}

static int64_t counted(const struct fixture *f, enum metric m)
{
	return metric_total(m) - f->before[m];
}

static void start(struct fixture *f)
{
	f->ended = false;
	buf_clear(&f->got);
	f->fd = http_test_connect(f->server);
}

static int set_up(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	f->settings = usual;
	f->loop = loop_create(0);
	f->server = http_server_create(f->loop, &f->settings, NULL);
	buf_init(&f->got, SIZE_MAX);
	http_route(f->server, HTTP_GET, "/hello", 0, on_hello, NULL);
	http_route(f->server, HTTP_POST | HTTP_GET, "/echo", 0, on_echo, NULL);
	http_route(f->server, HTTP_GET, "/later", 0, on_later, f);
	http_route(f->server, HTTP_GET, "/ws", HTTP_UPGRADE, on_hello, NULL);
	http_route(f->server, HTTP_GET, "/p/{name}", 0, on_param, NULL);
	http_route(f->server, HTTP_GET, "/{file*}", HTTP_PAGE, on_file, NULL);
	start(f);
	for (unsigned m = 0; m < METRIC_COUNT; m++)
		f->before[m] = metric_total((enum metric)m);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	http_server_destroy(f->server);
	loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
	loop_destroy(f->loop);
	buf_fini(&f->got);
	free(f);
	return 0;
}

static void say_bytes(struct fixture *f, struct slice s)
{
	assert_int_equal(send(f->fd, s.p, s.n, MSG_NOSIGNAL), s.n);
}

static void say(struct fixture *f, const char *s)
{
	say_bytes(f, slice_str(s));
}

static void receive(struct fixture *f)
{
	uint8_t part[65536];
	ssize_t n;

	while ((n = recv(f->fd, part, sizeof(part), MSG_DONTWAIT)) > 0)
		buf_add(&f->got, part, (size_t)n);
	if (n == 0 || errno != EAGAIN)
		f->ended = true;
}

/* The whole of the first answer in f->got: false when it is not there yet. */
static bool first_answer(const struct fixture *f, struct slice *head, struct slice *body)
{
	const uint8_t *end = f->got.n ? memmem(f->got.p, f->got.n, "\r\n\r\n", 4) : NULL;
	uint64_t length = 0;

	if (!end)
		return false;
	*head = slice_of(f->got.p, (size_t)(end - f->got.p) + 4);
	const uint8_t *field = memmem(head->p, head->n, "Content-Length: ", 16);
	if (field) {
		struct slice value = slice_of(field + 16, (size_t)(end - field - 16));
		value.n = slice_find(value, '\r');
		assert_int_equal(slice_to_u64(value, &length), 0);
	}
	struct slice rest = slice_from(buf_slice(&f->got), head->n);
	*body = slice_of(rest.p, length);
	return rest.n >= length;
}

static bool has_answer(struct fixture *f)
{
	struct slice head, body;

	receive(f);
	return first_answer(f, &head, &body);
}

struct answer {
	unsigned status;
	char head[2000];
	char body[2000];
};

static struct answer next_answer(struct fixture *f, bool of_head)
{
	struct answer a = { 0 };
	struct slice head, body;

	if (of_head)
		loop_until(f->loop,
			   (receive(f),
			    f->got.n > 4 && memmem(f->got.p, f->got.n, "\r\n\r\n", 4)));
	else
		loop_until(f->loop, has_answer(f));
	(void)first_answer(f, &head, &body);
	if (of_head)
		body.n = 0;
	assert_true(head.n < sizeof(a.head) && body.n < sizeof(a.body));
	memcpy(a.head, head.p, head.n);
	if (body.n)
		memcpy(a.body, body.p, body.n);
	assert_true(slice_starts(head, SLICE("HTTP/1.1 ")));
	assert_int_equal(slice_to_u32(slice_of(head.p + 9, 3), &a.status), 0);
	buf_drop(&f->got, head.n + body.n);
	return a;
}

static struct answer ask(struct fixture *f, const char *request)
{
	say(f, request);
	return next_answer(f, strncmp(request, "HEAD", 4) == 0);
}

static bool at_end(struct fixture *f)
{
	receive(f);
	return f->ended;
}

static void assert_ends(struct fixture *f)
{
	loop_until(f->loop, at_end(f));
	assert_int_equal(f->got.n, 0);
}

static bool has(const struct answer *a, const char *line)
{
	return strstr(a->head, line) != NULL;
}

#define HOST "Host: h.example\r\n"

/* --- requests and answers --- */

static void http_server_answers_and_keeps_the_connection(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 3; i++) {
		struct answer a = ask(f, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body, "hello");
		assert_true(has(&a, "\r\nDate: "));
		assert_true(has(&a, "\r\nX-Content-Type-Options: nosniff\r\n"));
		assert_true(has(&a, "\r\nReferrer-Policy: no-referrer\r\n"));
		assert_true(has(&a, "\r\nCache-Control: no-store\r\n"));
		assert_false(has(&a, "Connection:"));
		assert_false(has(&a, "Server:"));
		assert_false(has(&a, "Strict-Transport-Security"));
	}
	assert_int_equal(counted(f, METRIC_HTTP_REQUESTS), 3);
}

static void http_server_takes_requests_byte_by_byte(void **state)
{
	static const char request[] =
		"POST /echo HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		assert_int_equal(f->got.n, 0);
		say_bytes(f, slice_of(request + i, 1));
		loop_one_turn(f->loop);
		receive(f);
	}
	struct answer a = next_answer(f, false);
	assert_string_equal(a.body, "abc");
}

static void http_server_answers_pipelined_requests_in_order(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /hello HTTP/1.1\r\n" HOST "\r\n"
	       "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"
	       "GET /later HTTP/1.1\r\n" HOST "\r\n"
	       "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\ntwo");
	assert_string_equal(next_answer(f, false).body, "hello");
	assert_string_equal(next_answer(f, false).body, "one");
	loop_until(f->loop, f->kept);
	loop_one_turn(f->loop);
	receive(f);
	assert_int_equal(f->got.n, 0);
	http_reply(f->kept, 200, "text/plain", SLICE("late"));
	assert_string_equal(next_answer(f, false).body, "late");
	assert_string_equal(next_answer(f, false).body, "two");
}

static void http_server_head_is_get_without_body(void **state)
{
	struct fixture *f = *state;
	struct answer a = ask(f, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n");

	assert_int_equal(a.status, 200);
	assert_true(has(&a, "Content-Length: 5\r\n"));
	a = ask(f, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	assert_string_equal(a.body, "hello");
}

static void http_server_closes_when_asked(void **state)
{
	struct fixture *f = *state;
	struct answer a =
		ask(f, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");

	assert_true(has(&a, "\r\nConnection: close\r\n"));
	assert_ends(f);
}

static void http_server_speaks_http_1_0(void **state)
{
	struct fixture *f = *state;
	struct answer a = ask(f, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

	assert_true(has(&a, "\r\nConnection: keep-alive\r\n"));
	a = ask(f, "GET /hello HTTP/1.0\r\n\r\n");
	assert_true(has(&a, "\r\nConnection: close\r\n"));
	assert_ends(f);
}

static void http_server_answers_a_client_that_ended_its_side(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
	shutdown(f->fd, SHUT_WR);
	assert_string_equal(next_answer(f, false).body, "hello");
	assert_ends(f);
}

static void http_server_continues_an_expected_body(void **state)
{
	struct fixture *f = *state;

	say(f, "POST /echo HTTP/1.1\r\n" HOST
	       "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_int_equal(next_answer(f, false).status, 100);
	struct answer a = ask(f, "ok");
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "ok");
}

static void http_server_refuses_an_expected_body_unread(void **state)
{
	struct fixture *f = *state;
	struct answer a = ask(f, "POST /none HTTP/1.1\r\n" HOST
				 "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");

	assert_int_equal(a.status, 405);
	assert_true(has(&a, "Connection: close\r\n"));
	assert_ends(f);
}

static void http_server_gives_decoded_parameters(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(
		ask(f, "GET /p/a%2Fb?x=1&q=c+%C3%A4 HTTP/1.1\r\n" HOST "\r\n").body,
		"a/b q=c \xc3\xa4");
	assert_string_equal(ask(f, "GET /p/x?q=%ff HTTP/1.1\r\n" HOST "\r\n").body,
			    "x no q");
	assert_int_equal(ask(f, "GET /p/%00 HTTP/1.1\r\n" HOST "\r\n").status, 400);
}

static void http_server_tells_404_from_405(void **state)
{
	struct fixture *f = *state;
	struct answer a = ask(f, "GET /none HTTP/1.1\r\n" HOST "\r\n");

	assert_int_equal(a.status, 404);
	assert_string_equal(
		a.body, "{\"error\":{\"code\":\"not_found\",\"message\":\"not found\","
			"\"detail\":\"no such file\"}}");
	a = ask(f, "DELETE /hello HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(a.status, 405);
	assert_true(has(&a, "\r\nAllow: GET, HEAD, OPTIONS\r\n"));
}

/* --- refusals --- */

static void http_server_answers_malformed_requests(void **state)
{
	static const struct {
		const char *request;
		unsigned status;
	} v[] = {
		{ "GET / HTTP/1.1\nHost: h\n\n", 400 },
		{ "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "POST /echo HTTP/1.1\r\n" HOST
		  "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		  400 },
		{ "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n", 413 },
		{ "BREW / HTTP/1.1\r\n" HOST "\r\n", 501 },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct answer a = ask(f, v[i].request);
		assert_int_equal(a.status, v[i].status);
		assert_true(has(&a, "\r\nConnection: close\r\n"));
		assert_true(strstr(a.body, "{\"error\":{\"code\":\"") == a.body);
		assert_ends(f);
		assert_int_equal(counted(f, METRIC_HTTP_BAD), i + 1);
		close(f->fd);
		start(f);
	}
}

static void http_server_limits_line_headers_and_count(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(10000);

	buf_str(&b, "GET /");
	memset(buf_take(&b, 3000), 'a', 3000);
	say_bytes(f, buf_slice(&b));
	assert_int_equal(next_answer(f, false).status, 414);
	assert_ends(f);

	close(f->fd);
	start(f);
	buf_clear(&b);
	buf_str(&b, "GET / HTTP/1.1\r\n" HOST "A: ");
	memset(buf_take(&b, 3000), 'a', 3000);
	say_bytes(f, buf_slice(&b));
	assert_int_equal(next_answer(f, false).status, 431);

	close(f->fd);
	start(f);
	buf_clear(&b);
	buf_str(&b, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < 21; i++)
		buf_str(&b, "A: b\r\n");
	say_bytes(f, buf_slice(&b));
	assert_int_equal(next_answer(f, false).status, 431);
	buf_fini(&b);
}

static void http_server_cuts_off_a_slow_head(void **state)
{
	static const char request[] = "GET /hello HTTP/1.1\r\nHost: h\r\nA: ";
	struct fixture *f = *state;
	size_t said = 0;

	f->settings.head_timeout = 60;
	/* A byte with each turn: what comes does not win more time. */
	for (ms_t last = clock_mono(); !has_answer(f); loop_one_turn(f->loop)) {
		if (clock_mono() == last)
			continue;
		last = clock_mono();
		say_bytes(f, said < sizeof(request) - 1 ? slice_of(request + said, 1)
							: SLICE("a"));
		said++;
		assert_true(said < 2000);
	}
	assert_int_equal(next_answer(f, false).status, 408);
	assert_int_equal(counted(f, METRIC_HTTP_TIMEOUTS), 1);
	assert_ends(f);
}

static void http_server_cuts_off_a_slow_body(void **state)
{
	struct fixture *f = *state;

	f->settings.body_timeout = 20;
	say(f, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nab");
	assert_int_equal(next_answer(f, false).status, 408);
	assert_ends(f);
}

static void http_server_ends_idle_connections_silently(void **state)
{
	struct fixture *f = *state;

	f->settings.idle_timeout = 20;
	assert_int_equal(ask(f, "GET /hello HTTP/1.1\r\n" HOST "\r\n").status, 200);
	assert_ends(f);
	assert_int_equal(counted(f, METRIC_HTTP_TIMEOUTS), 0);
}

static void http_server_refuses_connections_over_the_limit(void **state)
{
	struct fixture *f = *state;
	int first = f->fd;

	f->settings.max_connections = 1;
	start(f);
	assert_ends(f);
	assert_int_equal(counted(f, METRIC_CONNECTIONS_REFUSED), 1);
	close(f->fd);
	f->fd = first;
	f->ended = false;
	assert_int_equal(ask(f, "GET /hello HTTP/1.1\r\n" HOST "\r\n").status, 200);
}

static void http_server_drain_ends_what_is_idle_and_then_the_rest(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	loop_until(f->loop, f->kept);
	http_server_drain(f->server);
	http_reply(f->kept, 200, "text/plain", SLICE("late"));
	struct answer a = next_answer(f, false);
	assert_true(has(&a, "\r\nConnection: close\r\n"));
	assert_ends(f);
}

static void http_server_drain_ends_an_idle_connection(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "GET /hello HTTP/1.1\r\n" HOST "\r\n").status, 200);
	http_server_drain(f->server);
	assert_ends(f);
}

static void http_exchange_outlives_its_client(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /later?x=y HTTP/1.1\r\n" HOST "\r\n");
	loop_until(f->loop, f->kept);
	close(f->fd);
	loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
	assert_true(slice_is(http_query(f->kept), "x=y"));
	assert_int_equal(http_peer(f->kept)->port, 1234);
	http_reply(f->kept, 200, "text/plain", SLICE("late"));
	start(f);
}

static void http_exchange_outlives_its_server(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	loop_until(f->loop, f->kept);
	http_server_destroy(f->server);
	f->server = NULL;
	http_reply(f->kept, 200, "text/plain", SLICE("late"));
	assert_ends(f);
}

/* --- origins --- */

static void http_server_refuses_foreign_origins_where_it_matters(void **state)
{
	static const struct {
		const char *request;
		unsigned status;
	} v[] = {
		{ "GET /hello HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n\r\n",
		  200 },
		{ "POST /echo HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n\r\n",
		  403 },
		{ "GET /ws HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n\r\n",
		  403 },
		{ "GET /ws HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n", 403 },
		{ "GET /ws HTTP/1.1\r\n" HOST "Origin: http://h.example\r\n\r\n", 200 },
		{ "GET /ws HTTP/1.1\r\n" HOST "\r\n", 200 },
		{ "OPTIONS /echo HTTP/1.1\r\n" HOST
		  "Origin: https://evil.example\r\nAccess-Control-Request-Method: "
		  "POST\r\n\r\n",
		  403 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct answer a = ask(f, v[i].request);
		assert_int_equal(a.status, v[i].status);
		assert_int_equal(has(&a, "Access-Control-Allow-Origin"),
				 strstr(v[i].request, "http://h.example") != NULL);
	}
	assert_int_equal(counted(f, METRIC_HTTP_ORIGIN_DENIED), 4);
}

static void http_server_answers_preflights(void **state)
{
	struct fixture *f = *state;
	struct answer a = ask(f, "OPTIONS /echo HTTP/1.1\r\n" HOST
				 "Origin: http://localhost:5173\r\n"
				 "Access-Control-Request-Method: POST\r\n"
				 "Access-Control-Request-Headers: content-type\r\n\r\n");

	assert_int_equal(a.status, 204);
	assert_true(
		has(&a, "\r\nAccess-Control-Allow-Origin: http://localhost:5173\r\n"));
	assert_true(has(&a, "\r\nAccess-Control-Allow-Credentials: true\r\n"));
	assert_true(has(
		&a, "\r\nAccess-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"));
	assert_true(has(&a, "\r\nAccess-Control-Allow-Headers: content-type\r\n"));
	assert_true(has(&a, "\r\nVary: Origin\r\n"));
	assert_false(has(&a, "Content-Length"));
	assert_int_equal(ask(f, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n").status, 204);
}

/* --- files --- */

static void http_asset_is_sent_in_the_best_form(void **state)
{
	static const struct {
		const char *accept, *body, *line;
	} v[] = {
		{ "gzip, deflate, br", "br-bytes", "\r\nContent-Encoding: br\r\n" },
		{ "gzip", "gzip-bytes", "\r\nETag: \"i1-gz\"\r\n" },
		{ "br;q=0.5, gzip", "gzip-bytes", "\r\nContent-Encoding: gzip\r\n" },
		{ "identity", "<!doctype html>0123456789", "\r\nETag: \"i1\"\r\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		char request[300];
		snprintf(request, sizeof(request),
			 "GET /index.html HTTP/1.1\r\n" HOST
			 "Accept-Encoding: %s\r\n\r\n",
			 v[i].accept);
		struct answer a = ask(f, request);
		assert_string_equal(a.body, v[i].body);
		assert_true(has(&a, v[i].line));
		assert_true(has(&a, "\r\nVary: Accept-Encoding\r\n"));
		assert_true(has(&a, "\r\nCache-Control: no-cache\r\n"));
		assert_true(has(&a, "\r\nContent-Security-Policy: default-src 'self';"));
		assert_true(has(&a, "\r\nPermissions-Policy: camera=(self)"));
	}
}

static void http_asset_unchanged_is_304(void **state)
{
	struct fixture *f = *state;
	struct answer a =
		ask(f, "GET /a.js HTTP/1.1\r\n" HOST "If-None-Match: \"a1\"\r\n\r\n");

	assert_int_equal(a.status, 304);
	assert_true(has(&a, "\r\nETag: \"a1\"\r\n"));
	assert_true(has(&a, "immutable\r\n"));
	assert_false(has(&a, "Content-Length"));
	a = ask(f, "GET /a.js HTTP/1.1\r\n" HOST "If-None-Match: \"a0\"\r\n\r\n");
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "let a");
}

static void http_asset_is_sent_in_part(void **state)
{
	struct fixture *f = *state;
	struct answer a = ask(f, "GET /index.html HTTP/1.1\r\n" HOST
				 "Range: bytes=15-17\r\nAccept-Encoding: br\r\n\r\n");

	assert_int_equal(a.status, 206);
	assert_string_equal(a.body, "012");
	assert_true(has(&a, "\r\nContent-Range: bytes 15-17/25\r\n"));
	assert_false(has(&a, "Content-Encoding"));
	a = ask(f, "GET /index.html HTTP/1.1\r\n" HOST "Range: bytes=25-\r\n\r\n");
	assert_int_equal(a.status, 416);
	assert_true(has(&a, "\r\nContent-Range: bytes */25\r\n"));
	a = ask(f, "GET /index.html HTTP/1.1\r\n" HOST
		   "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n\r\n");
	assert_int_equal(a.status, 200);
}

static void http_answer_longer_than_the_queue_arrives_whole(void **state)
{
	struct fixture *f = *state;
	struct slice head, body;

	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	say(f, "GET /big HTTP/1.1\r\n" HOST "\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n");
	loop_until(f->loop, has_answer(f));
	assert_true(first_answer(f, &head, &body));
	assert_int_equal(body.n, BIG);
	assert_memory_equal(body.p, big, BIG);
	buf_drop(&f->got, head.n + body.n);
	assert_string_equal(next_answer(f, false).body, "hello");
}

static void http_answer_that_nobody_takes_is_given_up(void **state)
{
	struct fixture *f = *state;

	f->settings.body_timeout = 20;
	say(f, "GET /big HTTP/1.1\r\n" HOST "\r\n");
	loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
	assert_int_equal(f->got.n, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(http_server_answers_and_keeps_the_connection),
		TEST(http_server_takes_requests_byte_by_byte),
		TEST(http_server_answers_pipelined_requests_in_order),
		TEST(http_server_head_is_get_without_body),
		TEST(http_server_closes_when_asked),
		TEST(http_server_speaks_http_1_0),
		TEST(http_server_answers_a_client_that_ended_its_side),
		TEST(http_server_continues_an_expected_body),
		TEST(http_server_refuses_an_expected_body_unread),
		TEST(http_server_gives_decoded_parameters),
		TEST(http_server_tells_404_from_405),
		TEST(http_server_answers_malformed_requests),
		TEST(http_server_limits_line_headers_and_count),
		TEST(http_server_cuts_off_a_slow_head),
		TEST(http_server_cuts_off_a_slow_body),
		TEST(http_server_ends_idle_connections_silently),
		TEST(http_server_refuses_connections_over_the_limit),
		TEST(http_server_drain_ends_what_is_idle_and_then_the_rest),
		TEST(http_server_drain_ends_an_idle_connection),
		TEST(http_exchange_outlives_its_client),
		TEST(http_exchange_outlives_its_server),
		TEST(http_server_refuses_foreign_origins_where_it_matters),
		TEST(http_server_answers_preflights),
		TEST(http_asset_is_sent_in_the_best_form),
		TEST(http_asset_unchanged_is_304),
		TEST(http_asset_is_sent_in_part),
		TEST(http_answer_longer_than_the_queue_arrives_whole),
		TEST(http_answer_that_nobody_takes_is_given_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
