/* conn: the state of a WebSocket. Private to ws/: upgrade.c (the beginning), conn.c
 * (life, output), input.c (frames in).
 *
 * Nothing here grows with what is idle: a message that has not come as a whole has a
 * ws_input, and only while it is coming.
 */
#pragma once
#include "ws/ws.h"

#define WS_STATES(X)                                                                     \
	X(OPEN, "messages both ways")                                                    \
	X(CLOSING, "our close frame is out; the peer's within close_timeout")            \
	X(CLOSED, "nothing more is read or said; the stream ends, then `closed`")

#define X(name, prose) WS_##name,
enum ws_state { WS_STATES(X) };
#undef X

/* A message that comes in pieces. */
struct ws_input {
	struct buf data;
	size_t offset; /* within the payload of the present frame */
	uint32_t mask;
	uint32_t utf8;
	uint8_t op; /* WS_TEXT, WS_BINARY */
	bool compressed;
	bool fin; /* the present frame is the last */
};

/* What every message touches comes first, in one cache line. */
struct ws {
	struct stream *stream;
	const struct ws_ops *ops;
	void *arg;
	struct ws_input *in;
	uint64_t left; /* of the present frame's payload, to come */
	ms_t heard;    /* when the peer last sent anything */
	uint16_t code; /* for `closed`; 0: none known */
	uint8_t state;
	bool deflate;
	bool detached;
	bool timed_out;
	const struct ws_settings *settings;
	struct loop_timer timer; /* pings, then close_timeout */
	ms_t pinged;             /* when we last asked; 0: not since it was heard */
};

/* input.c */
/* For stream_ops.data. */
ssize_t ws_input(struct ws *w, uint8_t *p, size_t n);
void ws_input_free(struct ws *w);

/* conn.c */
/* Becomes the owner of the stream. */
struct ws *ws_create(struct stream *stream, const struct ws_settings *s,
		     const struct ws_ops *ops, void *arg);
/* The peer broke the rules: tells it why and ends. */
void ws_fail(struct ws *w, uint16_t code, const char *why);
/* The peer's close frame; its code, WS_NO_CODE when it had none. */
void ws_peer_closed(struct ws *w, uint16_t code);
void ws_pong(struct ws *w, struct slice payload);

#define WS_NO_CODE 1005
#define WS_BROKEN 1006
