/* base64: RFC 4648, section 4 (with padding), section 5 without padding (for URLs), and hex. */
#pragma once
#include "base/buf.h"

void base64_encode(struct buf *b, struct slice s);
/* Exactly the canonical form; E_MALFORMED otherwise. Appends to b. */
int base64_decode(struct buf *b, struct slice s) NODISCARD;
/* "-" and "_" for "+" and "/", no padding, as JSON Web Tokens have it (RFC 7515, 2). */
void base64_url_encode(struct buf *b, struct slice s);
int base64_url_decode(struct buf *b, struct slice s) NODISCARD;
void hex_encode(struct buf *b, struct slice s);
