/* base64: RFC 4648, section 4 (with padding), and hex. */
#pragma once
#include "base/buf.h"

void base64_encode(struct buf *b, struct slice s);
/* Exactly the canonical form; E_MALFORMED otherwise. Appends to b. */
int base64_decode(struct buf *b, struct slice s) NODISCARD;
void hex_encode(struct buf *b, struct slice s);
