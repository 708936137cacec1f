/* Bodies that nobody holds as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/assets.h"
#include "http/testing.h"
#include "loop/loop_turns.h"

const struct http_asset http_assets[] = { { 0 } };
const size_t http_asset_count = 0;

#define HOST "Host: h.example\r\n"
#define BODY_MAX ((size_t)3 << 20)
#define SENT ((size_t)1 << 20)

struct fixture {
	struct loop *loop;
	struct http_settings settings;
	struct http_server *server;
	struct http_exchange *kept;
	bool late, refuse, hold; /* how the handler goes about it */
	size_t got;              /* of the body */
	unsigned ends;
	int err;
	size_t given, asked;
	int fd;
	uint8_t *answer;
	size_t n;
};

static void on_data(void *arg, struct slice bytes)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < bytes.n; i++)
		assert_int_equal(bytes.p[i], (uint8_t)((f->got + i) % 251));
	f->got += bytes.n;
	if (f->hold)
		http_hold_body(f->kept, true);
}

static void on_end(void *arg, int err)
{
	struct fixture *f = arg;

	f->ends++;
	f->err = err;
	if (err == 0)
		http_reply(f->kept, 201, "text/plain", SLICE("whole"));
}

static const struct http_body_ops taker = { on_data, on_end };

static void on_put(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	f->kept = x;
	if (f->refuse)
		http_reply(x, 403, "text/plain", SLICE("no"));
	else if (!f->late)
		http_take_body(x, &taker, f);
}

static void on_more(void *arg)
{
	struct fixture *f = arg;

	f->asked++;
}

static void on_ended(void *arg, int err)
{
	struct fixture *f = arg;

	f->ends++;
	f->err = err;
}

static const struct http_source_ops source = { on_more, on_ended };

static void on_get(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	f->kept = x;
	http_reply_pieces(x, 200, "text/plain", SENT, &source, f);
}

static void connect_client(struct fixture *f)
{
	f->fd = http_test_connect(f->server);
}

static int set_up(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	f->settings = (struct http_settings){
		.max_line = 1000,
		.max_headers = 2000,
		.max_header_count = 20,
		.max_body = 1000,
		.head_timeout = 10000,
		.body_timeout = 10000,
		.idle_timeout = 10000,
		.max_connections = 100,
		.stream = { .queue = 1024 * 1024, .linger = 1000, .handshake = 10000 },
	};
	f->answer = xzalloc(BODY_MAX);
	f->loop = loop_create(0);
	f->server = http_server_create(f->loop, &f->settings, NULL);
	http_route_sized(f->server, HTTP_PUT, "/put", HTTP_PIECES, BODY_MAX, on_put, f);
	http_route(f->server, HTTP_GET, "/get", 0, on_get, f);
	connect_client(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
	http_server_destroy(f->server);
	loop_destroy(f->loop);
	free(f->answer);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *s)
{
	assert_int_equal(send(f->fd, s, strlen(s), MSG_NOSIGNAL), strlen(s));
}

static void say_put(struct fixture *f, size_t n, const char *more)
{
	struct buf head = BUF_INIT(1000);

	buf_printf(&head, "PUT /put HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n",
		   more, n);
	buf_u8(&head, 0);
	say(f, (const char *)head.p);
	buf_fini(&head);
}

/* Bytes from..to of the body, as far as the socket takes them; how far it got. */
static size_t pour(struct fixture *f, size_t from, size_t to)
{
	uint8_t piece[16384];

	while (from < to) {
		size_t n = to - from < sizeof(piece) ? to - from : sizeof(piece);

		for (size_t i = 0; i < n; i++)
			piece[i] = (uint8_t)((from + i) % 251);
		ssize_t sent = send(f->fd, piece, n, MSG_NOSIGNAL);
		if (sent <= 0)
			break;
		from += (size_t)sent;
	}
	return from;
}

static void pour_all(struct fixture *f, size_t n)
{
	size_t at = 0;

	loop_until(f->loop, (at = pour(f, at, n)) == n);
}

static bool takes_answer(struct fixture *f)
{
	ssize_t n = recv(f->fd, f->answer + f->n, BODY_MAX - 1 - f->n, MSG_DONTWAIT);

	if (n > 0)
		f->n += (size_t)n;
	f->answer[f->n] = 0;
	return strstr((char *)f->answer, "\r\n\r\n") != NULL;
}

static unsigned next_status(struct fixture *f)
{
	uint32_t status = 0;

	loop_until(f->loop, takes_answer(f));
	assert_int_equal(slice_to_u32(slice_of(f->answer + 9, 3), &status), 0);
	f->n = 0;
	return status;
}

static void http_body_is_taken_in_pieces(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 1; i <= 2; i++) {
		f->got = 0;
		say_put(f, SENT, "");
		pour_all(f, SENT);
		assert_int_equal(next_status(f), 201);
		assert_int_equal(f->got, SENT);
		assert_int_equal(f->ends, i); /* on one connection */
	}
}

static void http_body_may_be_taken_later(void **state)
{
	struct fixture *f = *state;

	f->late = true;
	say_put(f, SENT, "");
	size_t at = pour(f, 0, SENT);
	loop_until(f->loop, f->kept);
	assert_int_equal(f->got, 0);
	http_take_body(f->kept, &taker, f);
	loop_until(f->loop, (at = pour(f, at, SENT)) == SENT);
	assert_int_equal(next_status(f), 201);
	assert_int_equal(f->got, SENT);
}

static void http_small_body_is_there_when_it_is_taken(void **state)
{
	struct fixture *f = *state;

	f->late = true;
	for (size_t n = 0; n <= 3; n++) {
		f->kept = NULL;
		f->got = 0;
		say_put(f, n, "");
		pour_all(f, n);
		loop_until(f->loop, f->kept);
		http_take_body(f->kept, &taker, f);
		assert_int_equal(next_status(f), 201);
		assert_int_equal(f->got, n);
	}
}

static void http_continue_comes_when_the_body_is_wanted(void **state)
{
	struct fixture *f = *state;

	f->late = true;
	say_put(f, 3, "Expect: 100-continue\r\n");
	loop_until(f->loop, f->kept);
	assert_false(takes_answer(f));
	http_take_body(f->kept, &taker, f);
	assert_int_equal(next_status(f), 100);
	pour_all(f, 3);
	assert_int_equal(next_status(f), 201);
}

static void http_refused_body_is_not_read(void **state)
{
	struct fixture *f = *state;

	f->refuse = true;
	say_put(f, SENT, "Expect: 100-continue\r\n");
	assert_int_equal(next_status(f), 403);
	assert_int_equal(f->ends, 0);
	loop_until(f->loop, recv(f->fd, f->answer, 1, MSG_DONTWAIT) == 0);
}

static void http_held_body_waits_outside(void **state)
{
	struct fixture *f = *state;
	size_t at = 0, before = 0;

	f->hold = true;
	say_put(f, BODY_MAX, "");
	while (f->ends == 0) {
		loop_until(f->loop, (at = pour(f, at, BODY_MAX)) > 0 && f->got > before);
		assert_true(f->got - before <= LOOP_SCRATCH);
		before = f->got;
		if (f->ends == 0)
			http_hold_body(f->kept, false);
	}
	assert_int_equal(next_status(f), 201);
	assert_int_equal(f->got, BODY_MAX);
}

static void http_taker_is_told_of_a_client_that_goes(void **state)
{
	struct fixture *f = *state;

	say_put(f, SENT, "");
	pour(f, 0, 1000);
	loop_until(f->loop, f->got == 1000);
	close(f->fd);
	loop_until(f->loop, f->ends == 1);
	assert_true(f->err < 0);
	connect_client(f);
}

static void http_body_over_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;

	say_put(f, BODY_MAX + 1, "");
	assert_int_equal(next_status(f), 413);
	assert_null(f->kept);
	close(f->fd);
	connect_client(f);
	say(f,
	    "PUT /put HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n400001\r\n");
	size_t at = 0;
	loop_until(f->loop, ((at = pour(f, at, BODY_MAX + 1)) > 0) && f->ends == 1);
	assert_int_equal(f->err, E_TOO_LARGE);
	assert_int_equal(next_status(f), 413);
}

static void http_answer_is_fetched_as_it_goes(void **state)
{
	static uint8_t piece[10000];
	struct fixture *f = *state;
	size_t asked = 0;

	say(f, "GET /get HTTP/1.1\r\n" HOST "\r\n");
	while (f->given < SENT) {
		size_t n =
			SENT - f->given < sizeof(piece) ? SENT - f->given : sizeof(piece);

		loop_until(f->loop, takes_answer(f) && f->asked > asked);
		asked = f->asked;
		f->given += n;
		http_give(f->kept, slice_of(piece, n));
	}
	loop_until(f->loop, f->ends == 1);
	assert_int_equal(f->err, 0);
	loop_until(f->loop, takes_answer(f) && f->n > SENT);
	assert_true(f->n < SENT + 1000);
}

static void http_source_is_told_of_a_client_that_goes(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /get HTTP/1.1\r\n" HOST "\r\n");
	loop_until(f->loop, f->asked == 1);
	close(f->fd);
	loop_until(f->loop, f->ends == 1);
	assert_true(f->err < 0);
	connect_client(f);
	say(f, "HEAD /get HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(next_status(f), 200);
	assert_int_equal(f->ends, 2);
	assert_int_equal(f->asked, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(http_body_is_taken_in_pieces),
		TEST(http_body_may_be_taken_later),
		TEST(http_small_body_is_there_when_it_is_taken),
		TEST(http_continue_comes_when_the_body_is_wanted),
		TEST(http_refused_body_is_not_read),
		TEST(http_held_body_waits_outside),
		TEST(http_taker_is_told_of_a_client_that_goes),
		TEST(http_body_over_the_limit_is_refused),
		TEST(http_answer_is_fetched_as_it_goes),
		TEST(http_source_is_told_of_a_client_that_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
