#include "dialect/relay.h"

#include "base/err.h"

int relay_read(struct relay *r, struct slice text, struct native_scratch *s)
{
	int err = json_parse(&r->j, text, s->tokens, NATIVE_MAX_TOKENS);

	if (err < 0)
		return err;
	if (json_kind_of(&r->j, 0) != JSON_OBJECT)
		return E_MALFORMED;
	r->texts = &s->text;
	buf_clear(r->texts);
	/* No string grows by being unescaped: slices of it stay where they are. */
	r->texts->max = text.n > r->texts->max ? text.n : r->texts->max;
	(void)buf_room(r->texts, text.n);
	return 0;
}

/* {"description":{type,sdp}} or {"candidate":...}, as native clients say it. */
static enum media native_media(struct slice data, struct slice *payload)
{
	static _Thread_local struct json_token tokens[NATIVE_MAX_TOKENS];
	enum media kind = MEDIA_NONE;
	struct json j;

	if (json_parse(&j, data, tokens, NATIVE_MAX_TOKENS) < 0)
		return kind;
	uint32_t description = json_member(&j, 0, SLICE("description"));
	uint32_t candidate = json_member(&j, 0, SLICE("candidate"));
	uint32_t type = description ? json_member(&j, description, SLICE("type")) : 0;
	if (type && json_string_is(&j, type, SLICE("offer")))
		kind = MEDIA_OFFER;
	else if (type && json_string_is(&j, type, SLICE("answer")))
		kind = MEDIA_ANSWER;
	else if (candidate && json_kind_of(&j, candidate) == JSON_OBJECT)
		kind = MEDIA_CANDIDATE;
	if (kind != MEDIA_NONE)
		*payload =
			json_raw(&j, kind == MEDIA_CANDIDATE ? candidate : description);
	return kind;
}

enum media relay_media(const struct event *e, struct slice *payload)
{
	if (e->media == MEDIA_NONE)
		return native_media(e->text, payload);
	*payload = e->text;
	return e->media;
}

struct slice relay_shown_id(const struct member_info *m, char room[BUS_MEMBER_TEXT])
{
	if (m->named && m->user.n > 0)
		return m->user;
	bus_member_text(room, m->id);
	return slice_of(room, BUS_MEMBER_TEXT);
}
