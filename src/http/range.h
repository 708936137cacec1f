/* range: one byte range of a known length (RFC 9110, 14), and what Accept-Encoding wants. */
#pragma once
#include "base/slice.h"

struct range {
	size_t at;
	size_t n;
};

enum range_verdict {
	RANGE_WHOLE, /* none asked for, several, or not understood: send all */
	RANGE_PART,
	RANGE_OUTSIDE, /* 416 */
};

/* field: the Range field's value. *out is set for RANGE_PART. */
enum range_verdict http_range_parse(struct slice field, size_t length, struct range *out);

/* RFC 9110, 12.5.3: the weight of `coding` in thousandths; 0: not wanted. */
unsigned http_encoding_weight(struct slice accept_encoding, const char *coding);
/* RFC 9110, 13.1.2: is `etag` (with its quotes) in an If-None-Match list? Compared weakly. */
bool http_etag_listed(struct slice list, struct slice etag);
