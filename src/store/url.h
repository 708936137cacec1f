/* url: what a --store.url means. Pure: nothing is opened.
 *
 * What is wrong is said without the text itself, for a password may be in it.
 */
#pragma once
#include "base/buf.h"

enum store_url_kind { STORE_URL_NONE, STORE_URL_SQLITE, STORE_URL_POSTGRES };

/* An enum store_url_kind, or E_MALFORMED and a line for people in `why`. */
int store_url_kind(const char *url, struct buf *why) NODISCARD;
