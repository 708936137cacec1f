/* assets: the web app's files in the binary, pre-compressed (the table is made at build time). */
#pragma once
#include "base/slice.h"
#include "http/http.h"

struct http_asset {
	const char *path; /* "/assets/index-4f2a.js" */
	const char *type; /* Content-Type */
	const char *etag; /* of the plain form, quoted; others get a suffix */
	struct slice plain;
	struct slice gzip; /* empty when not smaller */
	struct slice brotli;
	bool immutable; /* the name holds a hash: cacheable for ever */
};
extern const struct http_asset http_assets[];
extern const size_t http_asset_count;

/* NULL when there is none of that path. */
const struct http_asset *http_asset_find(struct slice path);
/* ETag/304, one byte range, the best encoding (gzip, br), HEAD. */
void http_reply_asset(struct http_exchange *x, const struct http_asset *a);
/* 404, with a page for people to read. */
void http_reply_no_page(struct http_exchange *x, const struct http_asset *page);
