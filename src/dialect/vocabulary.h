/* vocabulary: what the dialects do differently: how clients are heard, and how events are
 * worded for them. Everything else (rate, seats, order, coming and going) is session.c.
 */
#pragma once
#include "base/slice.h"
#include "bus/event.h"

struct fanout_channel;
struct seat;
struct session;

/* Receivers of one vocabulary and one variant share the frames of a turn: they are a channel
 * (fanout.h). A variant is a small number of the vocabulary's own, or'ed with these. */
enum {
	VARIANT_DEFLATED = BIT(6), /* the frames are compressed */
	VARIANT_APART = BIT(7),    /* no WebSocket: each is told every event by tell() */
};

/* What stands around each message that many share. */
struct wrapping {
	void (*begin)(struct buf *b, const struct fanout_channel *c);
	/* The message begins at `from`. */
	void (*end)(struct buf *b, struct fanout_channel *c, size_t from,
		    const struct event *e, uint64_t except);
};

struct vocabulary {
	const char *name;
	const struct wrapping *wrap; /* NULL: nothing */
	bool resumes; /* who is lost may come back to its seats: what is said is kept */
	/* NULL: there is one, 0. The same as long as the session sits in a fanout. */
	uint8_t (*variant)(const struct session *s);
	unsigned personal; /* BIT(EVENT_x): worded for each receiver alone */
	/* One text of the client. The session is there afterwards. */
	void (*message)(struct session *s, struct slice text);
	/* One binary message; NULL: such are not taken. */
	void (*binary)(struct session *s, struct slice bytes);
	/* The connection has come to its room's worker, with a message to begin with or none. */
	void (*arrive)(struct session *s, struct slice message);
	/* How many messages an event told to many alike is; NULL: one. */
	unsigned (*parts)(const struct fanout_channel *c, const struct event *e);
	/* Appends the message (number e->part of them); nothing: they are not told. */
	void (*encode)(struct buf *b, const struct fanout_channel *c,
		       const struct event *e);
	/* Sends what an event means to this one. */
	void (*tell)(struct seat *to, const struct event *e);
	/* Sends the answer to a command; `text`: the message that was over the rate, or none. */
	void (*reply)(struct session *s, uint64_t request, int err, const char *detail);
	/* The same for what was kept in the chat (or failed): its number and time. NULL: as reply(). */
	void (*kept)(struct session *s, const struct event *e);
	void (*over_rate)(struct session *s, struct slice text);
	/* The session ends: its `own` is freed. */
	void (*end)(struct session *s);
};
