/* url: what a --store.url means. Pure: nothing is opened.
 *
 * What is wrong is said without the text itself, for a password may be in it.
 */
#pragma once
#include "base/buf.h"

#define STORE_POSTGRES_PORT 5432

enum store_url_kind { STORE_URL_NONE, STORE_URL_SQLITE, STORE_URL_POSTGRES };

/* An enum store_url_kind, or E_MALFORMED and a line for people in `why`. */
int store_url_kind(const char *url, struct buf *why) NODISCARD;

/* One of the machines that a PostgreSQL URL names, to be reached by TCP. */
struct store_host {
	struct slice name; /* without brackets; in the URL */
	uint16_t port;
};
/* Walks over them, from *at = 0; none where the database is behind a socket of this machine. The URL is one that
 * store_url_kind() has found to be right. */
bool store_url_next_host(const char *url, unsigned *at, struct store_host *out);
