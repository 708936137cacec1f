/* ws: WebSocket connections (RFC 6455, RFC 7692) on streams, server side.
 *
 * Owner:  a loop. A ws frees itself after `closed`.
 * Input:  fragments are put together up to max_message; text is checked as it comes (UTF-8, fail fast). An idle connection holds no buffer.
 * Output: gathered by the stream; a reader that falls behind net.write-queue is told 1013 and closed.
 * Life:   a ping when nothing came for ping_interval; no sign of life for ping_timeout more: closed, 1001.
 */
#pragma once
#include "http/http.h"
#include "ws/frame.h"

struct ws;

struct ws_settings {
	size_t max_message; /* bytes after inflating; more: 1009 */
	ms_t ping_interval; /* 0: no pings */
	ms_t ping_timeout;
	ms_t close_timeout; /* for the peer's close frame after ours */
	size_t queue;       /* bound of the write queue; 0: the stream's own */
	bool deflate;       /* offer of RFC 7692 accepted, without context takeover */
	size_t deflate_min; /* smaller messages go uncompressed */
};

struct ws_ops {
	/* A whole message; the bytes are valid (and may be changed) during the call. Text is valid UTF-8. */
	void (*message)(void *arg, struct ws *w, enum ws_op op, uint8_t *p, size_t n);
	/* Once, at the turn's end; the ws is gone after it. code: the peer's (1005: none given), ours if we closed
	 * first, 1006 when the connection broke. */
	void (*closed)(void *arg, struct ws *w, uint16_t code);
};

/* Answers the upgrade of `x` (400, 426 or 403 when it is not a proper one: then E_MALFORMED and *out is untouched).
 * `protocol`: the subprotocol to demand, or NULL: none is chosen. Settings must outlive the ws. */
int ws_accept(struct http_exchange *x, const struct ws_settings *s, const char *protocol,
	      const struct ws_ops *ops, void *arg, struct ws **out) NODISCARD;

/* One message. After a close began: dropped. */
void ws_send(struct ws *w, enum ws_op op, struct slice payload);
/* The same in two steps without a copy: n bytes of payload to fill at once; NULL when closing or too slow. */
uint8_t *ws_send_begin(struct ws *w, enum ws_op op, size_t n);
/* Bytes that the peer has not taken yet, those in the kernel included. */
size_t ws_behind(const struct ws *w);
/* Frames already encoded with ws_frame_put(), shared by many receivers; `messages` of them. For LOOP_FANOUT. */
void ws_send_frames(struct ws *w, struct slice frames, unsigned messages);
/* The same for many receivers in a row, as stream_write_volley(). */
void ws_send_volley(struct ws *w, struct slice frames, unsigned messages);
/* Fetches into the cache what ws_send_frames() will touch; the ws itself should be there. */
void ws_prefetch(const struct ws *w);
/* Appends one frame to b. deflate: compressed if that pays (only for ws_deflates() receivers). */
void ws_frame_put(struct buf *b, enum ws_op op, struct slice payload);
/* The same for a payload that is written in place between the two; `at` is what begin returned. */
size_t ws_frame_begin(struct buf *b);
void ws_frame_end(struct buf *b, size_t at, enum ws_op op);
/* Takes apart what these have written: the next frame's payload; false at the end. */
bool ws_frame_next(struct slice *frames, struct slice *payload);
void ws_frame_put_deflated(struct buf *b, enum ws_op op, struct slice payload);
bool ws_deflates(const struct ws *w);
/* Begins the closing handshake; `closed` follows. reason up to 123 bytes. */
void ws_close(struct ws *w, uint16_t code, const char *reason);
bool ws_is_closing(const struct ws *w);
/* It was closed because no sign of life came; for `closed`. */
bool ws_timed_out(const struct ws *w);
struct loop *ws_loop(const struct ws *w);
const struct addr *ws_peer(const struct ws *w);
void *ws_arg(const struct ws *w);
/* Another owner for what comes from now on; also within `message`. */
void ws_set_arg(struct ws *w, void *arg);

/* Hand-over to another loop (see stream_detach); allowed within `message`. */
void ws_detach(struct ws *w);
void ws_attach(struct loop *l, struct ws *w, void *arg);
