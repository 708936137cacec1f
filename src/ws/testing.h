/* testing: a WebSocket endpoint that notes what it gets, and a client at the other end of a
 * socket pair who says what it likes, byte by byte.
 */
#pragma once
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"
#include "loop/loop_turns.h"
#include "ws/deflate.h"
#include "ws/ws.h"

enum reaction { NOTE, ECHO, CLOSE, DETACH };

struct fixture {
	struct loop *loop;
	struct http_settings http;
	struct ws_settings settings;
	const char *protocol;
	struct http_server *server;
	struct ws *ws; /* NULL before and after its life */
	enum reaction reaction;
	int accept_err;
	unsigned messages;
	struct buf noted; /* "T:text;" "B:bytes;" */
	int closed;       /* the code; -1: not yet */
	bool timed_out;
	int fd;
	bool ended;
	struct buf got;
	struct buf payload;
	int64_t before[METRIC_COUNT];
};

static inline int64_t counted(const struct fixture *f, enum metric m)
{
	return metric_total(m) - f->before[m];
}

static inline void on_message(void *arg, struct ws *w, enum ws_op op, uint8_t *p,
			      size_t n)
{
	struct fixture *f = arg;

	assert_ptr_equal(ws_arg(w), f);
	f->messages++;
	buf_str(&f->noted, op == WS_TEXT ? "T:" : "B:");
	buf_add(&f->noted, p, n);
	buf_str(&f->noted, ";");
	if (f->reaction == ECHO)
		ws_send(w, op, slice_of(p, n));
	else if (f->reaction == CLOSE)
		ws_close(w, 4000, "enough");
	else if (f->reaction == DETACH)
		ws_detach(w);
}

static inline void on_closed(void *arg, struct ws *w, uint16_t code)
{
	struct fixture *f = arg;

	assert_int_equal(f->closed, -1);
	f->closed = code;
	f->timed_out = ws_timed_out(w);
	f->ws = NULL;
}

static const struct ws_ops ops = { on_message, on_closed };

static inline void on_connect(struct http_exchange *x, void *arg)
{
	struct fixture *f = arg;

	f->accept_err = ws_accept(x, &f->settings, f->protocol, &ops, f, &f->ws);
}

static const struct http_settings usual_http = {
	.max_line = 1000,
	.max_headers = 2000,
	.max_header_count = 30,
	.max_body = 1000,
	.head_timeout = 10000,
	.body_timeout = 10000,
	.idle_timeout = 10000,
	.max_connections = 100,
	.stream = { .queue = 4 << 20, .handshake = 10000 },
};

static const struct ws_settings usual = {
	.max_message = 1 << 20,
	.ping_interval = 10000,
	.ping_timeout = 10000,
	.close_timeout = 10000,
	.deflate = true,
	.deflate_min = 100,
};

static inline int set_up_with(void **state, ms_t linger)
{
	struct fixture *f = xzalloc(sizeof(*f));
	struct addr peer;
	int pair[2];

	f->http = usual_http;
	f->http.stream.linger = linger;
	f->settings = usual;
	f->closed = -1;
	f->loop = loop_create(0);
	f->server = http_server_create(f->loop, &f->http, NULL);
	buf_init(&f->got, SIZE_MAX);
	buf_init(&f->payload, SIZE_MAX);
	buf_init(&f->noted, SIZE_MAX);
	http_route(f->server, HTTP_GET | HTTP_POST, "/ws", HTTP_UPGRADE, on_connect, f);
	assert_int_equal(addr_parse(&peer, SLICE("192.0.2.1:1234")), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
		0);
	f->fd = pair[0];
	for (unsigned m = 0; m < METRIC_COUNT; m++)
		f->before[m] = metric_total((enum metric)m);
	http_server_accept(f->server, pair[1], &peer);
	*state = f;
	return 0;
}

static inline int set_up(void **state)
{
	return set_up_with(state, 10000);
}

static inline int set_up_brief(void **state)
{
	return set_up_with(state, 20);
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	http_server_destroy(f->server);
	loop_until(f->loop, metric_total(METRIC_CONNECTIONS) == 0);
	assert_null(f->ws);
	assert_int_equal(metric_total(METRIC_WEBSOCKETS), 0);
	loop_destroy(f->loop);
	buf_fini(&f->got);
	buf_fini(&f->payload);
	buf_fini(&f->noted);
	free(f);
	return 0;
}

/* All of it, however often the server must read in between. */
static inline void say(struct fixture *f, struct slice s)
{
	while (s.n > 0) {
		ssize_t n = send(f->fd, s.p, s.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			loop_one_turn(f->loop);
			continue;
		}
		assert_true(n > 0);
		s = slice_from(s, (size_t)n);
	}
}

static inline void receive(struct fixture *f)
{
	uint8_t part[65536];
	ssize_t n;

	while ((n = recv(f->fd, part, sizeof(part), MSG_DONTWAIT)) > 0)
		buf_add(&f->got, part, (size_t)n);
	if (n == 0 || errno != EAGAIN)
		f->ended = true;
}

#define UPGRADE                                                                          \
	"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n"             \
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"                            \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static inline bool head_came(struct fixture *f)
{
	receive(f);
	return f->got.n >= 4 && memmem(f->got.p, f->got.n, "\r\n\r\n", 4);
}

/* Says an upgrade request; the head of the answer. */
static inline char *ask(struct fixture *f, const char *request)
{
	say(f, slice_str(request));
	loop_until(f->loop, head_came(f));
	const uint8_t *end = memmem(f->got.p, f->got.n, "\r\n\r\n", 4);
	size_t n = (size_t)(end - f->got.p) + 4;
	char *head = slice_dup(slice_of(f->got.p, n));
	buf_drop(&f->got, n);
	return head;
}

static inline void connect_with(struct fixture *f, const char *request)
{
	char *head = ask(f, request);

	assert_true(strstr(head, "HTTP/1.1 101 ") == head);
	free(head);
	assert_int_equal(f->accept_err, 0);
	assert_non_null(f->ws);
}

static inline void connect_ws(struct fixture *f)
{
	connect_with(f, UPGRADE "\r\n");
}

/* A client's frame: `first` is the whole first byte. */
static inline void put_frame(struct buf *b, unsigned first, struct slice payload)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t head[WS_HEAD_MAX];
	size_t n = ws_head_encode(head, WS_TEXT, false, payload.n);
	uint32_t key;

	head[0] = (uint8_t)first;
	head[1] |= 0x80;
	buf_add(b, head, n);
	buf_add(b, mask, sizeof(mask));
	memcpy(&key, mask, sizeof(key));
	size_t at = b->n;
	buf_put(b, payload);
	ws_unmask(b->p + at, payload.n, key, 0);
}

static inline void say_frame(struct fixture *f, unsigned first, const char *payload)
{
	struct buf b = BUF_INIT(1 << 20);

	put_frame(&b, first, slice_str(payload));
	say(f, buf_slice(&b));
	buf_fini(&b);
}

/* The next whole frame of the server; the payload stays in f->payload until the next call. */
struct frame {
	uint8_t first;
	struct slice payload;
};

static inline bool take_frame(struct fixture *f, struct frame *out, size_t *size)
{
	receive(f);
	if (f->got.n < 2)
		return false;
	const uint8_t *p = f->got.p;
	size_t n = p[1], at = 2;
	assert_int_equal(p[1] & 0x80, 0); /* a server does not mask */
	unsigned more = n == 126 ? 2 : n == 127 ? 8 : 0;
	if (f->got.n < at + more)
		return false;
	for (n = more ? 0 : n; at < 2 + more; at++)
		n = n << 8 | p[at];
	if (f->got.n - at < n)
		return false;
	*out = (struct frame){ p[0], slice_of(p + at, n) };
	*size = at + n;
	return true;
}

static inline struct frame next_frame(struct fixture *f)
{
	struct frame frame;
	size_t size;

	loop_until(f->loop, take_frame(f, &frame, &size));
	buf_clear(&f->payload);
	buf_put(&f->payload, frame.payload);
	buf_drop(&f->got, size);
	frame.payload = buf_slice(&f->payload);
	return frame;
}

static inline void assert_frame(struct fixture *f, unsigned first, const char *payload)
{
	struct frame frame = next_frame(f);

	assert_int_equal(frame.first, first);
	assert_true(slice_is(frame.payload, payload));
}

/* A close frame with that code comes and then the end. */
static inline void assert_closes(struct fixture *f, unsigned code)
{
	struct frame frame = next_frame(f);

	assert_int_equal(frame.first, 0x88);
	if (code == 1005) {
		assert_int_equal(frame.payload.n, 0);
	} else {
		assert_true(frame.payload.n >= 2);
		assert_int_equal(frame.payload.p[0] << 8 | frame.payload.p[1], code);
	}
	loop_until(f->loop, (receive(f), f->ended));
	assert_int_equal(f->got.n, 0);
	close(f->fd);
	f->fd = -1;
	loop_until(f->loop, f->closed != -1);
	assert_int_equal(f->closed, code);
}

static inline void assert_noted(struct fixture *f, const char *text)
{
	loop_until(f->loop, f->noted.n >= strlen(text));
	assert_true(slice_is(buf_slice(&f->noted), text));
}
