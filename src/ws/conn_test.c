#include "ws/testing.h"

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

static void ws_frame_next_takes_apart_what_was_put(void **state)
{
	static const size_t sizes[] = { 0, 1, 125, 126, 65535, 65536 };
	static uint8_t bytes[65536];
	struct buf b = BUF_INIT(1 << 20);
	struct slice frames, payload;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		ws_frame_put(&b, WS_TEXT, slice_of(bytes, sizes[i]));
	frames = buf_slice(&b);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_true(ws_frame_next(&frames, &payload));
		assert_int_equal(payload.n, sizes[i]);
	}
	assert_false(ws_frame_next(&frames, &payload));
	buf_fini(&b);
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

	f->settings.ping_interval = 300;
	connect_ws(f);
	while (clock_mono() - start < 700) {
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

/* More than a stream may usually leave unused, in one read. */
static void ws_detached_keeps_a_flood(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(1 << 20);

	connect_ws(f);
	f->reaction = DETACH;
	put_frame(&b, 0x81, SLICE("join"));
	for (unsigned i = 0; i < 15000; i++)
		put_frame(&b, 0x82, SLICE("12345678"));
	assert_true(b.n > STREAM_CARRY_MAX && b.n < LOOP_SCRATCH);
	say(f, buf_slice(&b));
	buf_fini(&b);
	assert_noted(f, "T:join;");
	f->reaction = NOTE;
	ws_attach(f->loop, f->ws, f);
	loop_until(f->loop, f->messages == 15001);
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
		TEST(ws_frame_next_takes_apart_what_was_put),
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
		TEST(ws_detached_keeps_a_flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
