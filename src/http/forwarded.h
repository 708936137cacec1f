/* forwarded: whose request it is when proxies that we trust have passed it on (X-Forwarded-For). */
#pragma once
#include "net/addr.h"

/* An address, or a network of them. */
struct http_proxy {
	struct addr net;
	uint8_t bits;
};

/* "10.0.0.0/8", "::1". E_MALFORMED. */
int http_proxy_parse(struct http_proxy *p, struct slice text) NODISCARD;
bool http_proxy_has(const struct http_proxy *list, size_t count, const struct addr *a);
/* From the right, the first address that is none of ours; the last word when all are. A list that cannot be read
 * counts up to there. */
struct addr http_forwarded(const struct http_proxy *list, size_t count,
			   const struct addr *peer, struct slice field);
