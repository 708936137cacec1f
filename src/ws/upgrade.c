/* The upgrade (RFC 6455, section 4.2): checks the request, answers it, makes the connection. */
#include <assert.h>

#include "base/err.h"
#include "ws/conn.h"
#include "ws/handshake.h"

static int refuse(struct http_exchange *x, int status, const char *why)
{
	if (status == 426) {
		http_add_header(x, "Upgrade", SLICE("websocket"));
		http_add_header(x, "Sec-WebSocket-Version", SLICE("13"));
	}
	http_reply_status(x, status, why);
	return E_MALFORMED;
}

static unsigned count(const struct http_exchange *x, const char *name)
{
	struct slice value;
	unsigned n = 0;

	for (size_t at = 0; http_header_next(x, name, &at, &value);)
		n++;
	return n;
}

static int check_upgrade(struct http_exchange *x)
{
	if (!http_header_has(x, "Upgrade", "websocket") ||
	    !http_header_has(x, "Connection", "Upgrade"))
		return refuse(x, 426, "this is a WebSocket");
	if (!slice_is(http_header(x, "Sec-WebSocket-Version"), "13"))
		return refuse(x, 426, "only version 13 of WebSocket is spoken here");
	if (http_method(x) != HTTP_GET || http_is_1_0(x) || http_body(x).n > 0)
		return refuse(x, 400, "an upgrade is a GET of HTTP/1.1 without a body");
	if (!http_origin_ok(x))
		return refuse(x, 403, "not allowed from that origin");
	if (count(x, "Sec-WebSocket-Key") != 1 ||
	    !ws_key_ok(http_header(x, "Sec-WebSocket-Key")))
		return refuse(x, 400, "bad Sec-WebSocket-Key");
	return 0;
}

static bool offers(const struct http_exchange *x, const char *protocol)
{
	struct slice field;

	for (size_t at = 0; http_header_next(x, "Sec-WebSocket-Protocol", &at, &field);)
		if (ws_protocol_offered(field, slice_str(protocol)))
			return true;
	return false;
}

/* 1 and the answer when compression is agreed, 0, or E_MALFORMED. */
static int agree(const struct http_exchange *x, struct slice *answer)
{
	struct slice field;

	for (size_t at = 0;
	     http_header_next(x, "Sec-WebSocket-Extensions", &at, &field);) {
		int found = ws_deflate_offered(field, answer);
		if (found != 0)
			return found;
	}
	return 0;
}

static void put_answer(struct buf *b, const struct http_exchange *x, const char *protocol,
		       struct slice extension)
{
	buf_str(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		   "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	ws_accept_key(b, http_header(x, "Sec-WebSocket-Key"));
	if (protocol) {
		buf_str(b, "\r\nSec-WebSocket-Protocol: ");
		buf_str(b, protocol);
	}
	if (extension.n) {
		buf_str(b, "\r\nSec-WebSocket-Extensions: ");
		buf_put(b, extension);
	}
	buf_str(b, "\r\n\r\n");
	assert(!b->bad);
}

int ws_accept(struct http_exchange *x, const struct ws_settings *s, const char *protocol,
	      const struct ws_ops *ops, void *arg, struct ws **out)
{
	struct slice extension = SLICE_NONE;
	struct buf answer = BUF_INIT(1024);
	int err = check_upgrade(x);

	if (err < 0)
		return err;
	if (protocol && !offers(x, protocol))
		return refuse(x, 400, "the subprotocol is missing");
	int deflate = s->deflate ? agree(x, &extension) : 0;
	if (deflate < 0)
		return refuse(x, 400, "bad Sec-WebSocket-Extensions");

	(void)buf_room(&answer, 256);
	put_answer(&answer, x, protocol, extension);
	struct stream *stream = http_take_stream(x);
	if (!stream) { /* the client is gone */
		buf_fini(&answer);
		return E_MALFORMED;
	}
	if (s->queue)
		stream_set_queue(stream, s->queue);
	*out = ws_create(stream, s, ops, arg);
	(*out)->deflate = deflate;
	int slow = stream_write(stream, buf_slice(&answer));
	buf_fini(&answer);
	if (slow < 0) /* pipelined behind answers that it does not read */
		stream_abort(stream, slow);
	return 0;
}
