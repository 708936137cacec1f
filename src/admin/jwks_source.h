/* jwks_source: keeps the JSON Web Key Set of auth.jwks up to date: fetched from a URL, or read from a file that
 * changes. The last good set stays until there is another one.
 *
 * Owner:   the process; a thread of its own, which waits in libcurl, so that no loop does. A worker only asks it to look.
 * When:    at the start; after `interval`, or sooner when Cache-Control says so (a file: when it has changed); and when
 *          a token names a key that is not there. After a failure again, after twice as long each time.
 * Limits:  AUTH_MAX_JWKS bytes, `timeout`; never twice within `gap`, unless the operator asks for it.
 * Locks:   one, held for a few assignments; nothing is locked inside it.
 */
#pragma once
#include "auth/keys.h"

struct jwks_settings {
	const char *place; /* a URL, or a file's path */
	const char *version;
	ms_t interval, gap, timeout;
};

struct jwks_source;

/* Starts the thread. `keys` must outlive it. E_MALFORMED, E_UNAVAILABLE (no libcurl), -errno, with a line in `why`. */
int jwks_source_create(struct jwks_source **out, const struct jwks_settings *s,
		       struct auth_keys *keys, struct buf *why) NODISCARD;
/* The workers do not run any more. */
void jwks_source_destroy(struct jwks_source *j);
/* From any thread: fetches or reads it now, also when it looks unchanged. NULL: nothing. */
void jwks_source_reload(struct jwks_source *j);
/* Is it a URL? Else it is a file. */
bool jwks_source_is_url(const char *place);
/* When to look again, in ms, after an answer with this Cache-Control (empty: none): not before `gap`, nor later than
 * `interval`. */
ms_t jwks_source_next(struct slice cache_control, ms_t gap, ms_t interval);
