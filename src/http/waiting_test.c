/* Requests that are answered late, or on another loop's server; and bodies larger than usual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/assets.h"
#include "http/testing.h"
#include "loop/loop_turns.h"

/* The program's are made when it is built. */
const struct http_asset http_assets[] = { { 0 } };
const size_t http_asset_count = 0;

#define HOST "Host: h.example\r\n"
#define MOVE_MAX 5000
#define USUAL_MAX 1000

struct fixture {
	struct loop *loop;
	struct http_settings settings;
	struct http_server *server, *other;
	struct http_exchange *kept;
	unsigned gone, moved;
	size_t body; /* bytes of the last one */
	int fd;
	char got[4096];
	size_t n;
};

static void on_gone(void *arg, struct http_exchange *x)
{
	struct fixture *f = arg;

	f->gone++;
	http_reply(x, 200, "text/plain", SLICE("nobody is there"));
}

static void on_wait(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	f->kept = x;
	http_on_gone(x, on_gone, f);
}

static void on_body(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	f->body = http_body(x).n;
	http_reply(x, 200, "text/plain", SLICE("ok"));
}

/* To the other server, and answered there. */
static void on_move(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	if (http_server_of(x) == f->other) {
		on_body(x, arg);
		return;
	}
	f->moved++;
	http_attach(f->other, http_detach(x));
}

static void connect_client(struct fixture *f)
{
	f->fd = http_test_connect(f->server);
	f->n = 0;
}

static int set_up(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	f->settings = (struct http_settings){
		.max_line = 1000,
		.max_headers = 2000,
		.max_header_count = 20,
		.max_body = USUAL_MAX,
		.head_timeout = 10000,
		.body_timeout = 10000,
		.idle_timeout = 10000,
		.max_connections = 100,
		.stream = { .queue = 64 * 1024, .linger = 1000, .handshake = 10000 },
	};
	f->loop = loop_create(0);
	f->server = http_server_create(f->loop, &f->settings, NULL);
	f->other = http_server_create(f->loop, &f->settings, NULL);
	http_route(f->server, HTTP_GET, "/wait", 0, on_wait, f);
	http_route(f->server, HTTP_POST, "/usual", 0, on_body, f);
	http_route_sized(f->server, HTTP_POST, "/move", 0, MOVE_MAX, on_move, f);
	http_route_sized(f->other, HTTP_POST, "/move", 0, MOVE_MAX, on_move, f);
	connect_client(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	http_server_destroy(f->server);
	http_server_destroy(f->other);
	loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
	loop_destroy(f->loop);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *s)
{
	assert_int_equal(send(f->fd, s, strlen(s), MSG_NOSIGNAL), strlen(s));
}

static bool has_answer(struct fixture *f)
{
	ssize_t n = recv(f->fd, f->got + f->n, sizeof(f->got) - 1 - f->n, MSG_DONTWAIT);

	if (n > 0)
		f->n += (size_t)n;
	f->got[f->n] = '\0';
	return strstr(f->got, "\r\n\r\n") != NULL;
}

static unsigned next_status(struct fixture *f)
{
	loop_until(f->loop, has_answer(f));
	uint32_t status = 0;
	assert_int_equal(slice_to_u32(slice_of(f->got + strlen("HTTP/1.1 "), 3), &status),
			 0);
	f->n = 0;
	return status;
}

static void post(struct fixture *f, const char *path, size_t n)
{
	static char body[MOVE_MAX + 1];
	struct buf head = BUF_INIT(1000);

	memset(body, 'x', sizeof(body));
	buf_printf(&head, "POST %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", path,
		   n);
	buf_add(&head, "", 1);
	say(f, (const char *)head.p);
	buf_fini(&head);
	assert_int_equal(send(f->fd, body, n, MSG_NOSIGNAL), n);
}

static void http_handler_is_told_of_a_client_that_goes(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 1; i <= 2; i++) {
		f->kept = NULL;
		say(f, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
		loop_until(f->loop, f->kept);
		/* The end of its side is enough: it waits no more. */
		shutdown(f->fd, i == 1 ? SHUT_WR : SHUT_RDWR);
		loop_until(f->loop, f->gone == i);
		loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
		close(f->fd);
		connect_client(f);
	}
}

static void http_handler_that_answered_is_not_told(void **state)
{
	struct fixture *f = *state;

	say(f, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
	loop_until(f->loop, f->kept);
	http_on_gone(f->kept, NULL, NULL);
	http_reply(f->kept, 200, "text/plain", SLICE("late"));
	assert_int_equal(next_status(f), 200);
	shutdown(f->fd, SHUT_RDWR);
	loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
	assert_int_equal(f->gone, 0);
}

static void http_request_moves_with_its_connection(void **state)
{
	struct fixture *f = *state;

	for (size_t n = 1; n <= 3; n++) {
		post(f, "/move", n);
		assert_int_equal(next_status(f), 200);
		assert_int_equal(f->body, n);
	}
	/* The later ones were read where the first went. */
	assert_int_equal(f->moved, 1);
}

static void http_route_has_its_own_limit_of_bodies(void **state)
{
	static const struct {
		const char *path;
		size_t n;
		unsigned status;
	} v[] = {
		{ "/move", MOVE_MAX, 200 },
		{ "/move", MOVE_MAX + 1, 413 },
		{ "/usual", USUAL_MAX, 200 },
		{ "/usual", USUAL_MAX + 1, 413 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		post(f, v[i].path, v[i].n);
		assert_int_equal(next_status(f), v[i].status);
		close(f->fd);
		connect_client(f);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(http_handler_is_told_of_a_client_that_goes),
		TEST(http_handler_that_answered_is_not_told),
		TEST(http_request_moves_with_its_connection),
		TEST(http_route_has_its_own_limit_of_bodies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
