/* relay: what messages that are passed on have in common: reading them, media signals between
 * wordings, and what members are called.
 *
 * The neutral form of a media signal is the native one (docs/protocol.md, "Media"):
 * {"description":{type,sdp}} or {"candidate":...}.
 */
#pragma once
#include "dialect/internal.h"

/* A message of a client, sliced; tokens and texts are in the dialect's scratch. */
struct relay {
	struct json j;
	struct buf *texts;
};

/* E_MALFORMED when it is no JSON object. */
int relay_read(struct relay *r, struct slice text, struct native_scratch *s) NODISCARD;
/* What a signal is, and its payload: the description or the candidate. MEDIA_NONE: nothing that
 * other wordings know. */
enum media relay_media(const struct event *e, struct slice *payload);

/* How members of other dialects know a member: its user, or its number as text, written to `room`. */
struct slice relay_shown_id(const struct member_info *m, char room[BUS_MEMBER_TEXT]);
