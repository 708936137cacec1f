/* handshake: the WebSocket parts of an upgrade (RFC 6455, section 4; RFC 7692,
 * section 7.1). Text in, text out; no I/O.
 */
#pragma once
#include "base/buf.h"

/* Is this the base64 of 16 bytes, as Sec-WebSocket-Key must be? */
bool ws_key_ok(struct slice key);
/* Appends the value of Sec-WebSocket-Accept. */
void ws_accept_key(struct buf *b, struct slice key);
/* Is `name` in a Sec-WebSocket-Protocol field? Names count to the letter. */
bool ws_protocol_offered(struct slice field, struct slice name);
/* Takes the first offer of permessage-deflate that we can meet out of a
 * Sec-WebSocket-Extensions field: 1 and the answer to send, a constant. 0: none.
 * E_MALFORMED: the field breaks the grammar. */
int ws_deflate_offered(struct slice field, struct slice *answer) NODISCARD;
