/* webhook: tells the application's backend what happens in rooms, by POST (docs/api.md).
 *
 * Owner:   the process; each URL has a queue and a thread, which waits in libcurl, so that no loop does.
 *          webhook_tell() may be called on any worker.
 * Order:   of one URL: that of the telling on one worker. An event that fails is tried again before the next is sent.
 * Limits:  WEBHOOK_MAX_URLS; `queue` events wait per URL, more are dropped and counted; WEBHOOK_TRIES.
 * Locks:   one per queue, held for a push or a pop alone; nothing is locked inside it.
 */
#pragma once
#include "auth/keys.h"
#include "bus/member_info.h"
#include "room/room.h"

#define WEBHOOK_MAX_URLS 8
#define WEBHOOK_TRIES 6 /* after 1, 2, 4, 8 and 16 times `retry` */

struct webhook_settings {
	const char *const *urls;
	size_t url_count;
	const struct auth_keys *keys;
	struct slice key; /* the name of the API key that signs; empty: the first */
	const char *version;
	size_t queue;
	ms_t timeout; /* of one attempt */
	ms_t retry;
};

struct webhook;

/* E_MALFORMED, E_UNAVAILABLE (no libcurl), -errno, with a line in `why`. NULL in *out: there are no URLs. */
int webhook_create(struct webhook **out, const struct webhook_settings *s,
		   struct buf *why) NODISCARD;
/* Sends what waits, for `patience` at most. */
void webhook_destroy(struct webhook *w, ms_t patience);

/* For room_registry_watch(): `arg` is the webhook. */
void webhook_tell(void *arg, const struct room_change *c);
