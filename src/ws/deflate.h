/* deflate: permessage-deflate (RFC 7692) without context takeover, both ways.
 *
 * Owner:  one ws_deflate per loop thread, never per connection: the compressor alone
 * takes 261 KiB. No message depends on another, so all connections share it. Limits: the
 * inflated size.
 */
#pragma once
#include "base/buf.h"

struct ws_deflate;

struct ws_deflate *ws_deflate_create(void);
void ws_deflate_destroy(struct ws_deflate *d);
/* Appends the payload of a compressed message (rsv1) to b. E_LIMIT when b is full; then b
 * is as before. */
int ws_deflate_message(struct ws_deflate *d, struct slice message, struct buf *b)
	NODISCARD;
/* Appends the message in a compressed payload (its fragments put together) to b.
 * E_TOO_LARGE when it is over `max` bytes or more than b holds, E_MALFORMED; b is then as
 * before. */
int ws_inflate_message(struct ws_deflate *d, struct slice payload, size_t max,
		       struct buf *b) NODISCARD;
