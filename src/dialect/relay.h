/* relay: what the dialects with relayed messages have in common: reading the fields of a JSON
 * message, passing a message on with a few fields replaced, and media signals between
 * wordings.
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
/* The raw value of a member; empty when absent. */
struct slice relay_raw(const struct relay *r, const char *name);
/* A string member, unescaped; empty when absent, no string, or longer than max. */
struct slice relay_text(struct relay *r, const char *name, size_t max);

/* Appends the object `text` without the members named in `drop` (a NULL-terminated list) and without its closing
 * brace, for more members to follow through `w`. */
void relay_reopen(struct buf *b, struct jsonw *w, struct slice text,
		  const char *const *drop);

/* The same for a text that names none of them: it is copied as it is. */
void relay_extend(struct buf *b, struct jsonw *w, struct slice text);

/* What a signal is, and its payload: the description or the candidate. MEDIA_NONE: nothing that
 * other wordings know. */
enum media relay_media(const struct event *e, struct slice *payload);
/* Whether the message names its sender by one of these fields. */
bool relay_has(const struct relay *r, const char *const *names);

/* How members of other dialects know a member: its user, or its number as text, written to `room`. */
struct slice relay_shown_id(const struct member_info *m, char room[BUS_MEMBER_TEXT]);
