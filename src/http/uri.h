/* uri: the parts of a request target (RFC 3986): characters, percent-coding, queries. */
#pragma once
#include "base/buf.h"

/* Only characters that a path and a query may hold, and complete %XX. */
bool http_uri_chars_ok(struct slice s);
/* An authority without user: "host", "host:port", "[v6]:port". For the Host field. */
bool http_uri_host_ok(struct slice s);
/* "HTTP://host/rest": splits off scheme and host. False when it is not absolute http(s). */
bool http_uri_absolute(struct slice s, struct slice *host, struct slice *rest);
/* Percent-decodes; `plus`: '+' is a space. The result must be UTF-8 without control
 * characters: else E_MALFORMED, and b is as before. */
int http_uri_decode(struct slice s, bool plus, struct buf *b) NODISCARD;
/* Does decoding change anything? */
bool http_uri_is_coded(struct slice s, bool plus);
/* The raw value of a query's parameter. False when absent. */
bool http_uri_query_find(struct slice query, struct slice name, struct slice *value);
