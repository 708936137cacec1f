/* origin: may a page of that origin speak to us? (Fetch standard; the rules of docs/architecture.md.) */
#pragma once
#include "http/http.h"

enum origin_verdict {
	ORIGIN_NONE, /* no Origin: not a browser, or a plain navigation */
	ORIGIN_ALLOWED,
	ORIGIN_FOREIGN,
};

/* origin and host: the fields as they came; empty when absent. */
enum origin_verdict http_origin_judge(const struct http_settings *s, struct slice origin,
				      struct slice host, bool tls);
