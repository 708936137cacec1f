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

/* --- an endpoint that notes what it gets, and a client at the end of a socket pair --- */

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

static int64_t counted(const struct fixture *f, enum metric m)
{
	return metric_total(m) - f->before[m];
}

static void on_message(void *arg, struct ws *w, enum ws_op op, uint8_t *p, size_t n)
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

static void on_closed(void *arg, struct ws *w, uint16_t code)
{
	struct fixture *f = arg;

	assert_int_equal(f->closed, -1);
	f->closed = code;
	f->timed_out = ws_timed_out(w);
	f->ws = NULL;
}

static const struct ws_ops ops = { on_message, on_closed };

static void on_connect(struct http_exchange *x, void *arg)
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

static int set_up_with(void **state, ms_t linger)
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

static int set_up(void **state)
{
	return set_up_with(state, 10000);
}

static int set_up_brief(void **state)
{
	return set_up_with(state, 20);
}

static int tear_down(void **state)
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
static void say(struct fixture *f, struct slice s)
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

static void receive(struct fixture *f)
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

static bool head_came(struct fixture *f)
{
	receive(f);
	return f->got.n >= 4 && memmem(f->got.p, f->got.n, "\r\n\r\n", 4);
}

/* Says an upgrade request; the head of the answer. */
static char *ask(struct fixture *f, const char *request)
{
	say(f, slice_str(request));
	loop_until(f->loop, head_came(f));
	const uint8_t *end = memmem(f->got.p, f->got.n, "\r\n\r\n", 4);
	size_t n = (size_t)(end - f->got.p) + 4;
	char *head = slice_dup(slice_of(f->got.p, n));
	buf_drop(&f->got, n);
	return head;
}

static void connect_with(struct fixture *f, const char *request)
{
	char *head = ask(f, request);

	assert_true(strstr(head, "HTTP/1.1 101 ") == head);
	free(head);
	assert_int_equal(f->accept_err, 0);
	assert_non_null(f->ws);
}

static void connect_ws(struct fixture *f)
{
	connect_with(f, UPGRADE "\r\n");
}

/* A client's frame: `first` is the whole first byte. */
static void put_frame(struct buf *b, unsigned first, struct slice payload)
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

static void say_frame(struct fixture *f, unsigned first, const char *payload)
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

static bool take_frame(struct fixture *f, struct frame *out, size_t *size)
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

static struct frame next_frame(struct fixture *f)
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

static void assert_frame(struct fixture *f, unsigned first, const char *payload)
{
	struct frame frame = next_frame(f);

	assert_int_equal(frame.first, first);
	assert_true(slice_is(frame.payload, payload));
}

/* A close frame with that code comes and then the end. */
static void assert_closes(struct fixture *f, unsigned code)
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

static void assert_noted(struct fixture *f, const char *text)
{
	loop_until(f->loop, f->noted.n >= strlen(text));
	assert_true(slice_is(buf_slice(&f->noted), text));
}

/* --- the upgrade --- */

static void ws_accept_answers_the_key(void **state)
{
	struct fixture *f = *state;
	char *head = ask(f, UPGRADE "\r\n");

	/* RFC 6455, section 1.3 */
	assert_string_equal(head,
			    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			    "Connection: Upgrade\r\n"
			    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
	free(head);
	assert_non_null(f->ws);
	assert_int_equal(ws_peer(f->ws)->port, 1234);
	assert_ptr_equal(ws_loop(f->ws), f->loop);
	assert_false(ws_deflates(f->ws));
	assert_int_equal(counted(f, METRIC_WEBSOCKETS), 1);
}

static void ws_accept_demands_the_subprotocol(void **state)
{
	struct fixture *f = *state;

	f->protocol = "parley.v1";
	char *head = ask(f, UPGRADE "Sec-WebSocket-Protocol: other\r\n\r\n");
	assert_true(strstr(head, "HTTP/1.1 400 ") == head);
	free(head);
	assert_int_equal(f->accept_err, E_MALFORMED);
	buf_clear(&f->got);
	head = ask(f, UPGRADE "Sec-WebSocket-Protocol: other\r\n"
			      "Sec-WebSocket-Protocol: x, parley.v1\r\n\r\n");
	assert_non_null(strstr(head, "\r\nSec-WebSocket-Protocol: parley.v1\r\n"));
	free(head);
}

static void ws_accept_refuses_what_is_no_upgrade(void **state)
{
	static const struct {
		const char *request, *status;
	} v[] = {
		{ "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n", "426" },
		{ "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: "
		  "Upgrade\r\n\r\n",
		  "426" },
		{ "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", "426" },
		{ "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: "
		  "Upgrade\r\n"
		  "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: "
		  "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		  "426" },
		{ "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: "
		  "Upgrade\r\n"
		  "Sec-WebSocket-Version: 13\r\n\r\n",
		  "400" },
		{ "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: "
		  "Upgrade\r\n"
		  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short==\r\n\r\n",
		  "400" },
		{ UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", "400" },
		{ UPGRADE "Sec-WebSocket-Extensions: ;;\r\n\r\n", "400" },
		{ UPGRADE "Origin: https://evil.example\r\n\r\n", "403" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		f->accept_err = E_MALFORMED;
		char *head = ask(f, v[i].request);
		assert_memory_equal(head + 9, v[i].status, 3);
		if (strcmp(v[i].status, "426") == 0) {
			assert_non_null(strstr(head, "\r\nUpgrade: websocket\r\n"));
			assert_non_null(
				strstr(head, "\r\nSec-WebSocket-Version: 13\r\n"));
		}
		free(head);
		assert_int_equal(f->accept_err, E_MALFORMED);
		assert_null(f->ws);
		/* The connection is good for another try; the body is all that is left. */
		loop_one_turn(f->loop);
		receive(f);
		assert_false(f->ended);
		buf_clear(&f->got);
	}
	connect_ws(f);
}

static void ws_accept_passes_on_frames_behind_the_request(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1000);

	f->reaction = ECHO;
	buf_str(&b, UPGRADE "\r\n");
	put_frame(&b, 0x81, SLICE("eager"));
	put_frame(&b, 0x82, SLICE("too"));
	say(f, slice_of(b.p, b.n - 1));
	loop_until(f->loop, head_came(f));
	say(f, slice_of(b.p + b.n - 1, 1));
	assert_noted(f, "T:eager;B:too;");
	buf_fini(&b);
}

/* --- messages --- */

static void ws_echoes_every_length(void **state)
{
	static const size_t lengths[] = { 0,   1,     125,   126,    127,
					  128, 65535, 65536, 300000, 1 << 20 };
	struct fixture *f = *state;
	struct buf b = BUF_INIT(SIZE_MAX);

	connect_ws(f);
	f->reaction = ECHO;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		uint8_t *bytes = xmalloc(lengths[i] + 1);
		rand_bytes(bytes, lengths[i]);
		buf_clear(&b);
		put_frame(&b, 0x82, slice_of(bytes, lengths[i]));
		say(f, buf_slice(&b));
		struct frame frame = next_frame(f);
		assert_int_equal(frame.first, 0x82);
		assert_true(slice_eq(frame.payload, slice_of(bytes, lengths[i])));
		free(bytes);
	}
	buf_fini(&b);
	assert_int_equal(counted(f, METRIC_WS_MESSAGES_IN), ARRAY_LEN(lengths));
	assert_int_equal(counted(f, METRIC_WS_MESSAGES_OUT), ARRAY_LEN(lengths));
}

/* Fragments with control frames between, an empty one, whole frames and close: cut anywhere. */
static void ws_outcome_does_not_depend_on_portions(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(10000);

	connect_ws(f);
	put_frame(&b, 0x81, SLICE("whole"));
	put_frame(&b, 0x01, SLICE("gr\xc3"));
	put_frame(&b, 0x89, SLICE("ping"));
	put_frame(&b, 0x00, SLICE_NONE);
	put_frame(&b, 0x8a, SLICE("pong"));
	put_frame(&b, 0x80,
		  SLICE("\xbc"
			"n"));
	put_frame(&b, 0x02, SLICE_NONE);
	put_frame(&b, 0x80, SLICE_NONE);
	for (size_t cut = 0; cut <= b.n; cut++) {
		buf_clear(&f->noted);
		say(f, slice_of(b.p, cut));
		loop_one_turn(f->loop);
		say(f, slice_from(buf_slice(&b), cut));
		assert_noted(f, "T:whole;T:gr\xc3\xbcn;B:;");
		assert_frame(f, 0x8a, "ping");
	}
	buf_fini(&b);
}

static void ws_takes_messages_byte_by_byte(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(10000);

	connect_ws(f);
	put_frame(&b, 0x01, SLICE("one \xe2\x82"));
	put_frame(&b, 0x80, SLICE("\xac"));
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(f->messages, 0);
		say(f, slice_of(b.p + i, 1));
		loop_one_turn(f->loop);
	}
	assert_noted(f, "T:one \xe2\x82\xac;");
	buf_fini(&b);
}

static void ws_send_begin_is_filled_in_place(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	uint8_t *p = ws_send_begin(f->ws, WS_TEXT, 5);
	memcpy(p, "hello", 5);
	ws_send(f->ws, WS_BINARY, SLICE("x"));
	assert_frame(f, 0x81, "hello");
	assert_frame(f, 0x82, "x");
}

static void ws_send_frames_sends_shared_bytes(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1000);

	connect_ws(f);
	ws_frame_put(&b, WS_TEXT, SLICE("one"));
	ws_frame_put(&b, WS_BINARY, SLICE("two"));
	ws_send_frames(f->ws, buf_slice(&b), 2);
	buf_fini(&b);
	assert_frame(f, 0x81, "one");
	assert_frame(f, 0x82, "two");
	assert_int_equal(counted(f, METRIC_WS_MESSAGES_OUT), 2);
}

/* --- violations --- */

static void ws_violations_have_their_codes(void **state)
{
	static const struct {
		const char *frames;
		size_t n;
		unsigned code;
	} v[] = {
#define V(bytes, code) { bytes, sizeof(bytes) - 1, code }
		V("\x81\x03"
		  "abc",
		  1002), /* not masked */
		V("\xc1\x80"
		  "mask",
		  1002), /* rsv1 without deflate */
		V("\xa1\x80"
		  "mask",
		  1002), /* rsv2 */
		V("\x83\x80"
		  "mask",
		  1002), /* unknown opcode */
		V("\x8b\x80"
		  "mask",
		  1002), /* unknown control frame */
		V("\x80\x80"
		  "mask",
		  1002), /* nothing to continue */
		V("\x01\x80"
		  "mask"
		  "\x81\x80"
		  "mask",
		  1002), /* a message within a message */
		V("\x09\x80"
		  "mask",
		  1002), /* a fragmented ping */
		V("\x89\xfe\x00\x7e"
		  "mask",
		  1002), /* a ping of 126 bytes */
		V("\x82\xfe\x00\x05"
		  "mask",
		  1002), /* not the shortest length */
		V("\x82\xff\x80\0\0\0\0\0\0\0"
		  "mask",
		  1002), /* the top bit */
		V("\x82\xff\0\0\0\0\0\x10\0\x01"
		  "mask",
		  1009), /* over max_message */
		V("\x02\xff\0\0\0\0\0\x0f\xff\xff"
		  "mask",
		  0),                            /* just below: waits */
		V("\x81\x81\0\0\0\0\xff", 1007), /* no UTF-8 */
		V("\x81\x82\0\0\0\0\xc3(", 1007),
		V("\x81\x81\0\0\0\0\xc3", 1007),     /* ends inside a character */
		V("\x01\x81\0\0\0\0\xff", 1007),     /* in a fragment: at once */
		V("\x81\x84\0\0\0\0\xf4\x90", 1007), /* in a part of a frame: at once */
		V("\x01\x81\0\0\0\0\xc3"
		  "\x80\x80\0\0\0\0",
		  1007),
		V("\x88\x81\0\0\0\0\x03", 1002),         /* half a close code */
		V("\x88\x82\0\0\0\0\x03\xec", 1002),     /* 1004 */
		V("\x88\x82\0\0\0\0\x03\xed", 1002),     /* 1005 */
		V("\x88\x82\0\0\0\0\x13\x88", 1002),     /* 5000 */
		V("\x88\x83\0\0\0\0\x03\xe8\xff", 1007), /* the reason is no UTF-8 */
#undef V
	};
	int64_t bad = 0;

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		struct fixture *f = *state;
		connect_ws(f);
		say(f, slice_of(v[i].frames, v[i].n));
		if (v[i].code) {
			assert_closes(f, v[i].code);
			bad++;
		} else {
			loop_one_turn(f->loop);
			assert_int_equal(f->closed, -1);
			close(f->fd);
			loop_until(f->loop, f->closed == 1006);
		}
		assert_int_equal(counted(f, METRIC_WS_BAD), v[i].code ? 1 : 0);
		assert_int_equal(f->messages, 0);
		f->fd = -1;
		tear_down(state);
		set_up(state);
	}
	assert_true(bad > 20);
}

static void ws_fragments_are_limited_in_sum(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	f->settings.max_message = 10;
	say_frame(f, 0x01, "12345");
	say_frame(f, 0x00, "12345");
	loop_one_turn(f->loop);
	assert_int_equal(f->closed, -1);
	say_frame(f, 0x80, "6");
	assert_closes(f, 1009);
}

static void ws_memory_follows_what_came_not_what_was_announced(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	f->settings.max_message = (size_t)1 << 40;
	/* A terabyte announced: with that allocated xmalloc() would end us. */
	say(f, slice_of("\x82\xff\0\0\0\xff\xff\xff\xff\xff"
			"mask"
			"some",
			18));
	loop_one_turn(f->loop);
	assert_int_equal(f->closed, -1);
}

/* --- closing --- */

static void ws_peer_close_is_echoed(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	say_frame(f, 0x88,
		  "\x0f\xa1"
		  "bye");
	assert_closes(f, 4001);
	assert_int_equal(counted(f, METRIC_WS_BAD), 0);
}

static void ws_peer_close_without_code_is_1005(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	say_frame(f, 0x88, "");
	assert_closes(f, 1005);
}

static void ws_broken_connection_is_1006(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	close(f->fd);
	f->fd = -1;
	loop_until(f->loop, f->closed == 1006);
}

static void ws_close_ends_messages_and_waits_for_the_answer(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	f->reaction = CLOSE;
	say_frame(f, 0x81, "one");
	say_frame(f, 0x81, "two");
	say_frame(f, 0x01, "three");
	assert_frame(f, 0x88,
		     "\x0f\xa0"
		     "enough");
	assert_true(ws_is_closing(f->ws));
	ws_send(f->ws, WS_TEXT, SLICE("dropped"));
	assert_null(ws_send_begin(f->ws, WS_TEXT, 1));
	say_frame(f, 0x82, "four");
	loop_one_turn(f->loop);
	assert_int_equal(f->closed, -1);
	say_frame(f, 0x88, "\x03\xe8");
	loop_until(f->loop, (receive(f), f->ended));
	close(f->fd);
	f->fd = -1;
	loop_until(f->loop, f->closed != -1);
	assert_int_equal(f->closed, 4000);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->got.n, 0);
}

static void ws_close_without_an_answer_ends_in_time(void **state)
{
	struct fixture *f = *state;

	f->settings.close_timeout = 20;
	connect_ws(f);
	ws_close(f->ws, 1000, NULL);
	assert_frame(f, 0x88, "\x03\xe8");
	loop_until(f->loop, f->closed == 1000);
}

/* --- signs of life --- */

static void ws_quiet_peer_is_pinged_and_lives_by_its_pong(void **state)
{
	struct fixture *f = *state;

	f->settings.ping_interval = 20;
	f->settings.ping_timeout = 5000;
	connect_ws(f);
	for (unsigned i = 0; i < 2; i++) {
		assert_frame(f, 0x89, "");
		say_frame(f, 0x8a, "");
	}
	f->settings.ping_timeout = 20;
	assert_frame(f, 0x89, "");
	assert_int_equal(f->closed, -1);
}

static void ws_silent_peer_is_closed_with_1001(void **state)
{
	struct fixture *f = *state;

	f->settings.ping_interval = 10;
	f->settings.ping_timeout = 20;
	connect_ws(f);
	assert_frame(f, 0x89, "");
	assert_closes(f, 1001);
	assert_true(f->timed_out);
	assert_int_equal(counted(f, METRIC_WS_PING_TIMEOUTS), 1);
}

static void ws_talking_peer_is_not_pinged(void **state)
{
	struct fixture *f = *state;
	ms_t start = clock_mono();

	f->settings.ping_interval = 30;
	connect_ws(f);
	while (clock_mono() - start < 100) {
		say_frame(f, 0x8a, "unsolicited");
		loop_one_turn(f->loop);
	}
	receive(f);
	assert_int_equal(f->got.n, 0);
	assert_int_equal(f->closed, -1);
}

/* --- slow readers --- */

static void fill(struct fixture *f)
{
	static uint8_t bytes[100000];

	for (unsigned i = 0; i < 1000 && !ws_is_closing(f->ws); i++) {
		ws_send(f->ws, WS_BINARY, slice_of(bytes, sizeof(bytes)));
		loop_one_turn(f->loop);
	}
}

static void ws_slow_reader_is_told_1013(void **state)
{
	struct fixture *f = *state;
	struct frame frame;

	connect_ws(f);
	fill(f);
	assert_true(ws_is_closing(f->ws));
	assert_int_equal(counted(f, METRIC_QUEUE_DROPS), 1);
	while ((frame = next_frame(f)).first == 0x82)
		assert_int_equal(frame.payload.n, 100000);
	assert_int_equal(frame.first, 0x88);
	assert_true(slice_is(frame.payload, "\x03\xf5"
					    "reads too slowly"));
	close(f->fd);
	f->fd = -1;
	loop_until(f->loop, f->closed == 1013);
}

static void ws_slow_reader_that_never_reads_is_let_go(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	fill(f);
	loop_until(f->loop, f->closed == 1013);
}

static void ws_send_after_the_peer_ended_is_no_slow_reader(void **state)
{
	struct fixture *f = *state;

	connect_ws(f);
	shutdown(f->fd, SHUT_WR);
	loop_one_turn(f->loop);
	if (f->ws)
		fill(f);
	loop_until(f->loop, f->closed == 1006);
	assert_int_equal(counted(f, METRIC_QUEUE_DROPS), 0);
}

/* --- compression --- */

#define OFFER                                                                            \
	"Sec-WebSocket-Extensions: x, permessage-deflate; client_max_window_bits\r\n"

static struct slice deflated(struct buf *b, struct slice s)
{
	struct ws_deflate *d = ws_deflate_create();

	buf_clear(b);
	assert_int_equal(ws_deflate_message(d, s, b), 0);
	ws_deflate_destroy(d);
	return buf_slice(b);
}

static void ws_deflate_goes_both_ways(void **state)
{
	struct fixture *f = *state;
	struct ws_deflate *d = ws_deflate_create();
	struct buf text = BUF_INIT(5000), b = BUF_INIT(10000), out = BUF_INIT(10000);

	char *head = ask(f, UPGRADE OFFER "\r\n");
	assert_non_null(strstr(
		head, "\r\nSec-WebSocket-Extensions: permessage-deflate; "
		      "server_no_context_takeover; client_no_context_takeover\r\n"));
	free(head);
	assert_true(ws_deflates(f->ws));
	f->reaction = ECHO;
	for (unsigned i = 0; i < 300; i++)
		buf_str(&text, "all alike ");
	for (unsigned i = 0; i < 2; i++) {
		buf_clear(&out);
		put_frame(&out, 0xc1, deflated(&b, buf_slice(&text)));
		say(f, buf_slice(&out));
		struct frame frame = next_frame(f);
		assert_int_equal(frame.first, 0xc1);
		assert_true(frame.payload.n < 200);
		buf_clear(&b);
		assert_int_equal(ws_inflate_message(d, frame.payload, 5000, &b), 0);
		assert_true(slice_eq(buf_slice(&b), buf_slice(&text)));
	}
	/* below deflate_min */
	say_frame(f, 0x81, "short");
	assert_frame(f, 0x81, "short");
	ws_deflate_destroy(d);
	buf_fini(&text);
	buf_fini(&b);
	buf_fini(&out);
}

static void ws_deflate_of_what_does_not_shrink_goes_plain(void **state)
{
	uint8_t bytes[500];
	struct buf b = BUF_INIT(1000);

	(void)state;
	rand_bytes(bytes, sizeof(bytes));
	ws_frame_put_deflated(&b, WS_BINARY, slice_of(bytes, sizeof(bytes)));
	assert_int_equal(b.p[0], 0x82);
	assert_int_equal(b.n, sizeof(bytes) + 4);
	buf_fini(&b);
}

static void ws_inflated_text_is_checked(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1000), out = BUF_INIT(1000);

	connect_with(f, UPGRADE OFFER "\r\n");
	put_frame(&out, 0xc1, deflated(&b, SLICE("\xff\xff")));
	say(f, buf_slice(&out));
	assert_closes(f, 1007);
	buf_fini(&b);
	buf_fini(&out);
}

static void ws_inflated_size_is_limited(void **state)
{
	struct fixture *f = *state;
	uint8_t *zeroes = xzalloc(1 << 20);
	struct buf b = BUF_INIT(100000), out = BUF_INIT(100000);

	connect_with(f, UPGRADE OFFER "\r\n");
	f->settings.max_message = 100000;
	put_frame(&out, 0xc2, deflated(&b, slice_of(zeroes, 1 << 20)));
	say(f, buf_slice(&out));
	assert_closes(f, 1009);
	free(zeroes);
	buf_fini(&b);
	buf_fini(&out);
}

static void ws_deflate_is_not_agreed_unless_set(void **state)
{
	struct fixture *f = *state;

	f->settings.deflate = false;
	connect_with(f, UPGRADE OFFER "\r\n");
	assert_false(ws_deflates(f->ws));
	say(f, slice_of("\xc1\x80"
			"mask",
			6));
	assert_closes(f, 1002);
}

/* --- hand-over --- */

static void ws_detached_keeps_what_came_behind(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1000);

	connect_ws(f);
	f->reaction = DETACH;
	put_frame(&b, 0x81, SLICE("join"));
	put_frame(&b, 0x81, SLICE("and"));
	put_frame(&b, 0x81, SLICE("more"));
	say(f, buf_slice(&b));
	buf_fini(&b);
	assert_noted(f, "T:join;");
	assert_int_equal(counted(f, METRIC_WEBSOCKETS), 0);
	loop_one_turn(f->loop);
	assert_int_equal(f->messages, 1);
	f->reaction = ECHO;
	ws_attach(f->loop, f->ws, f);
	assert_noted(f, "T:join;T:and;T:more;");
	assert_frame(f, 0x81, "and");
	assert_frame(f, 0x81, "more");
	assert_int_equal(counted(f, METRIC_WEBSOCKETS), 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
/* For what ends only when the stream's linger is over. */
#define TEST_BRIEF(fn) cmocka_unit_test_setup_teardown(fn, set_up_brief, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ws_accept_answers_the_key),
		TEST(ws_accept_demands_the_subprotocol),
		TEST(ws_accept_refuses_what_is_no_upgrade),
		TEST(ws_accept_passes_on_frames_behind_the_request),
		TEST(ws_echoes_every_length),
		TEST(ws_outcome_does_not_depend_on_portions),
		TEST(ws_takes_messages_byte_by_byte),
		TEST(ws_send_begin_is_filled_in_place),
		TEST(ws_send_frames_sends_shared_bytes),
		TEST(ws_violations_have_their_codes),
		TEST(ws_fragments_are_limited_in_sum),
		TEST(ws_memory_follows_what_came_not_what_was_announced),
		TEST(ws_peer_close_is_echoed),
		TEST(ws_peer_close_without_code_is_1005),
		TEST(ws_broken_connection_is_1006),
		TEST(ws_close_ends_messages_and_waits_for_the_answer),
		TEST_BRIEF(ws_close_without_an_answer_ends_in_time),
		TEST(ws_quiet_peer_is_pinged_and_lives_by_its_pong),
		TEST(ws_silent_peer_is_closed_with_1001),
		TEST(ws_talking_peer_is_not_pinged),
		TEST(ws_slow_reader_is_told_1013),
		TEST_BRIEF(ws_slow_reader_that_never_reads_is_let_go),
		TEST(ws_send_after_the_peer_ended_is_no_slow_reader),
		TEST(ws_deflate_goes_both_ways),
		TEST(ws_deflate_of_what_does_not_shrink_goes_plain),
		TEST(ws_inflated_text_is_checked),
		TEST(ws_inflated_size_is_limited),
		TEST(ws_deflate_is_not_agreed_unless_set),
		TEST(ws_detached_keeps_what_came_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
