/* voice: the binary messages of parley.v1 that carry a voice through the server (docs/protocol.md,
 * "Voice through the server"). No I/O, no state.
 *
 *   | 0x11 | n | room, n bytes | m | m members of 5 bytes | codec | sequence | timestamp | payload
 *      1    1                   1                            1        2           4       1 to max
 *
 * 0x11: version 1, kind 1. From a client the members are those whom it is for; from the server there
 * is one, who speaks. What comes after them, the sound, is passed on as it came.
 */
#pragma once
#include "base/buf.h"
#include "base/cur.h"

struct voice_limits {
	uint32_t listeners; /* members of one piece */
	uint32_t size;      /* bytes of its payload */
};

struct voice_settings {
	struct voice_limits limits;
	uint32_t frames; /* pieces per second and session; 0: voice is not passed on */
	uint32_t queue;  /* bytes; a listener who is further behind misses pieces */
};

struct voice {
	struct slice room;    /* empty: the only one */
	struct slice members; /* BUS_MEMBER_BYTES each, at least one */
	struct slice sound;   /* codec, sequence, timestamp, payload */
};

/* E_TRUNCATED, E_MALFORMED, E_LIMIT. Slices point into `bytes`; `detail` (static text) names what is
 * wrong. */
int voice_decode(struct voice *v, struct slice bytes, const struct voice_limits *limits,
		 const char **detail) NODISCARD;
/* What the server says: a piece of that member's voice. */
void voice_encode(struct buf *b, struct slice room, uint64_t member, struct slice sound);
