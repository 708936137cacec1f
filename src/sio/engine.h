/* engine: one Engine.IO session's state: which transport carries its packets, and when it was last heard. No I/O, no
 * clock: packets and the time go in, what is to be done comes out.
 *
 * Version 4: the server pings ping_interval after the last pong, and gives up ping_timeout later.
 * Version 3: the client pings; the server gives up ping_interval + ping_timeout after the last one.
 * An upgrade goes: a WebSocket with the session's id says 2probe and is answered 3probe; from then on no poll is
 * kept waiting, so that the client's comes back; then the WebSocket says 5 and is the transport.
 */
#pragma once
#include "base/clock.h"
#include "sio/eio_packet.h"

#define EIO_STATES(X)                                                                    \
	X(POLLING, "requests carry the packets")                                         \
	X(PROBING, "the same, and a WebSocket has been tried")                           \
	X(WEBSOCKET, "a WebSocket carries them")                                         \
	X(CLOSING, "a close packet waits for the next poll")                             \
	X(CLOSED, "final")

#define X(name, prose) EIO_##name,
enum eio_state { EIO_STATES(X) };
#undef X

struct eio_times {
	ms_t ping_interval, ping_timeout;
};

struct eio_engine {
	uint8_t version; /* 3 or 4 */
	uint8_t state;   /* enum eio_state */
	bool waits;      /* for a sign of life, else to ask for one */
	bool patient; /* something else came meanwhile: it has had its time anew, once */
	ms_t at;      /* until then */
};

/* Where a packet came from. */
enum eio_source { EIO_BY_REQUEST, EIO_BY_WEBSOCKET, EIO_BY_CANDIDATE };

enum eio_step {
	EIO_NOTHING,
	EIO_DELIVER,  /* a message for the application */
	EIO_ANSWER,   /* say `pong` to the client, with the ping's data */
	EIO_PROBED,   /* the same to the candidate, and release a waiting poll */
	EIO_UPGRADED, /* the candidate is the transport now */
	EIO_ENDED,    /* the client closes */
};

/* The times are the same in all calls. */
void eio_engine_init(struct eio_engine *e, const struct eio_times *times,
		     unsigned version, bool websocket, ms_t now);
/* What to do for a packet, a value of enum eio_step. E_MALFORMED: the session is to be closed (a candidate: it alone). */
int eio_engine_packet(struct eio_engine *e, const struct eio_times *times,
		      enum eio_source from, const struct eio_packet *p, ms_t now)
	NODISCARD;
/* The candidate is gone before it became the transport. */
void eio_engine_no_candidate(struct eio_engine *e);
/* May polls (and posts) come now? */
bool eio_engine_polls(const struct eio_engine *e);
void eio_engine_set_state(struct eio_engine *e, enum eio_state to);

enum eio_alarm { EIO_QUIET, EIO_PING_DUE, EIO_DEAD };
/* PING_DUE comes once for each ping. */
enum eio_alarm eio_engine_alarm(struct eio_engine *e, const struct eio_times *times,
				ms_t now);
/* When to ask for the alarm again. */
ms_t eio_engine_next(const struct eio_engine *e);
