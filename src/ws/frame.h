/* frame: the heads of RFC 6455 frames (section 5.2), masking and close codes. No I/O, no
 * memory, no state: who may send what when is the connection's to know.
 *
 *      0               1               2               3
 *     |F|R|R|R| opcode|M| length (7)  | length, 16 or 64 bits, if 126 or 127
 *     |I|1|2|3|  (4)  | |             | then, if M, the four bytes of the mask
 */
#pragma once
#include "base/slice.h"

enum ws_op {
	WS_CONT = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

struct ws_head {
	uint64_t len;
	uint32_t mask; /* its four bytes as they came, for ws_unmask() */
	uint8_t op;
	uint8_t size; /* bytes of the head itself */
	bool fin;
	bool rsv1; /* only on WS_TEXT and WS_BINARY; an error unless deflate was agreed */
	bool masked;
};

#define WS_CLIENT_HEAD_MAX 14
#define WS_HEAD_MAX 10
#define WS_CONTROL_MAX 125

static inline bool ws_op_is_control(uint8_t op)
{
	return (op & 8) != 0;
}

/* Decodes a client's frame head. -EAGAIN when more bytes are needed; E_MALFORMED for rsv2
 * and rsv3, rsv1 on other than the first frame of a message, an unknown opcode, a
 * fragmented or over-long control frame, a length not in its shortest form or with the
 * top bit set; E_DENIED when it is not masked. What is wrong is told as soon as two bytes
 * are there, if they show it. */
int ws_head_decode(struct ws_head *h, const uint8_t *p, size_t n) NODISCARD;
/* A server's head: unmasked, FIN. Writes and returns ws_head_size(len) bytes. */
size_t ws_head_encode(uint8_t *out, enum ws_op op, bool rsv1, uint64_t len);
static inline size_t ws_head_size(uint64_t len)
{
	return len < 126 ? 2 : len <= UINT16_MAX ? 4 : WS_HEAD_MAX;
}
/* In place; a payload may come in parts: `offset` is the position of p within it. */
void ws_unmask(uint8_t *p, size_t n, uint32_t mask, size_t offset);
/* May a peer put this into a close frame (section 7.4, IANA's registry to 1014)? */
bool ws_close_code_ok(uint16_t code);
