/* packet: Socket.IO packets as text (protocol 5, and 4 of older clients, which frames alike). No I/O, no state.
 *
 *   2                    event            0/custom,{"token":"1"}   connect to a namespace
 *   2/custom,12["a",1]   with an ack id   51-["a",{"_placeholder":true,"num":0}]   one binary attachment follows
 *
 * Source: the Socket.IO protocol (github.com/socketio/socket.io-protocol).
 * Limits: SIO_MAX_*; the JSON's those of json.h and of the tokens that the caller has.
 */
#pragma once
#include "base/json.h"

#define SIO_MAX_NAMESPACE 128
#define SIO_MAX_ATTACHMENTS 16

enum sio_type {
	SIO_CONNECT,
	SIO_DISCONNECT,
	SIO_EVENT,
	SIO_ACK,
	SIO_CONNECT_ERROR,
	SIO_BINARY_EVENT,
	SIO_BINARY_ACK,
	SIO_TYPES
};

struct sio_packet {
	enum sio_type type;
	uint32_t attachments; /* that follow as binary messages */
	bool has_id;
	uint64_t id;
	struct slice ns;   /* "/" when there is none; older clients append "?query" */
	struct slice data; /* JSON, or empty */
	struct json json;  /* its tokens, when there are data */
};

/* E_MALFORMED, E_TRUNCATED, E_UTF8, E_LIMIT. Data have the form of their type: an event is an array that begins with a name
 * which is not reserved, an ack an array, and each placeholder names an attachment. Slices point into text. */
int sio_packet_decode(struct sio_packet *p, struct slice text, struct json_token *tok,
		      uint32_t max) NODISCARD;
/* All in front of the data. */
void sio_packet_put_head(struct buf *b, const struct sio_packet *p);
