/* eio_packet: Engine.IO packets and payloads, versions 4 and 3 of the protocol. No I/O, no state.
 *
 * A packet is a digit and its data, "4hello"; over a WebSocket it is one message. What one polling request or
 * answer carries is a payload:
 *
 *   version 4         4hello\x1e2\x1ebAQID        0x1E between packets; b: a binary message in base64
 *   version 3, text   6:4hello1:26:b4AQID         length in UTF-16 units; b4: the same with the type's digit
 *   version 3, bytes  0 6 FF 4hello 1 4 FF 04 010203   text or binary, digits of the length as bytes, FF, packet
 *
 * Sources: the Engine.IO protocol (github.com/socketio/engine.io-protocol), its branch v3 for version 3.
 * Limits: those of the message or request; nothing is copied but what base64 stands for.
 */
#pragma once
#include "base/buf.h"
#include "base/cur.h"

enum eio_type {
	EIO_OPEN,
	EIO_CLOSE,
	EIO_PING,
	EIO_PONG,
	EIO_MESSAGE,
	EIO_UPGRADE,
	EIO_NOOP,
	EIO_TYPES
};

struct eio_packet {
	enum eio_type type;
	bool binary; /* MESSAGE only */
	struct slice data;
};

/* How a session's bytes look. */
struct eio_form {
	uint8_t version; /* 3 or 4 */
	bool base64;     /* version 3: the client cannot take bytes */
};

/* One WebSocket message. Text must be UTF-8. `text`: where base64 is decoded to; emptied. E_MALFORMED. */
int eio_packet_decode(struct eio_packet *p, unsigned version, bool binary,
		      struct slice in, struct buf *text) NODISCARD;
/* The head of a binary WebSocket message: nothing in version 4, the type in version 3. */
size_t eio_binary_head(unsigned version, uint8_t head[1]);

struct eio_payload {
	struct slice rest;
	uint8_t version;
	bool bytes;
	bool ended;
};

/* bytes: version 3 with Content-Type application/octet-stream. */
void eio_payload_open(struct eio_payload *r, unsigned version, bool bytes,
		      struct slice body);
/* 1: a packet, 0: the end. E_MALFORMED, E_UTF8; then no more is to be read. */
int eio_payload_next(struct eio_payload *r, struct eio_packet *p, struct buf *text)
	NODISCARD;

/* Appends a packet to a payload. bytes: the form of version 3 that is needed when any packet of it is binary and
 * the client takes bytes: see eio_payload_bytes(). */
void eio_payload_put(struct buf *b, struct eio_form form, bool bytes,
		     const struct eio_packet *p);
/* Whether a payload with (or without) binary packets is sent as bytes. */
static inline bool eio_payload_bytes(struct eio_form form, bool any_binary)
{
	return form.version == 3 && !form.base64 && any_binary;
}
