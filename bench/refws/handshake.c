/* The server's side of RFC 6455, 4.2.2. */
#include <stdio.h>
#include <string.h>

#include "refws.h"

#define MAX_KEY 64

static void base64_of_digest(const unsigned char d[21], char out[29])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (unsigned i = 0; i < 7; i++) {
		const unsigned char *p = d + (size_t)3 * i;
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

		for (unsigned j = 0; j < 4; j++)
			out[4 * i + j] = digits[v >> (18 - 6 * j) & 63];
	}
	out[27] = '=';
	out[28] = '\0';
}

ssize_t handshake(int fd, char *p, size_t n)
{
	static const char name[] = "\r\nSec-WebSocket-Key:";
	unsigned char digest[21] = { 0 };
	char text[MAX_KEY + 40], accept[29], answer[256];

	char *end = memmem(p, n, "\r\n\r\n", 4);
	if (!end)
		return 0;
	*end = '\0';
	char *key = strcasestr(p, name);
	if (!key)
		return -1;
	key += strlen(name);
	key += strspn(key, " ");
	int len = snprintf(text, sizeof(text), "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
			   (int)strcspn(key, "\r"), key);
	if (len < 0 || (size_t)len >= sizeof(text))
		return -1;
	sha1(text, (size_t)len, digest);
	base64_of_digest(digest, accept);
	len = snprintf(answer, sizeof(answer),
		       "HTTP/1.1 101 Switching Protocols\r\n"
		       "Upgrade: websocket\r\n"
		       "Connection: Upgrade\r\n"
		       "Sec-WebSocket-Accept: %s\r\n\r\n",
		       accept);
	conn_put(fd, answer, (size_t)len);
	return end + 4 - p;
}
