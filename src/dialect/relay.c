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

struct slice relay_raw(const struct relay *r, const char *name)
{
	uint32_t t = json_member(&r->j, 0, slice_str(name));

	return t ? json_raw(&r->j, t) : SLICE_NONE;
}

struct slice relay_text(struct relay *r, const char *name, size_t max)
{
	uint32_t t = json_member(&r->j, 0, slice_str(name));
	size_t at = r->texts->n;

	if (t == 0 || json_string(&r->j, t, max, r->texts) < 0)
		return SLICE_NONE;
	return slice_of(r->texts->p + at, r->texts->n - at);
}

static bool is_dropped(const struct json *j, uint32_t name, const char *const *drop)
{
	for (; *drop; drop++)
		if (json_string_is(j, name, slice_str(*drop)))
			return true;
	return false;
}

void relay_reopen(struct buf *b, struct jsonw *w, struct slice text,
		  const char *const *drop)
{
	static _Thread_local struct json_token tokens[NATIVE_MAX_TOKENS];
	struct json j;

	json_begin(w, b);
	json_object(w);
	/* It was read before; what its reader took is taken here as well. */
	if (json_parse(&j, text, tokens, NATIVE_MAX_TOKENS) < 0)
		return;
	for (uint32_t t = 1; t < tokens[0].next; t = tokens[t + 1].next) {
		if (is_dropped(&j, t, drop))
			continue;
		json_key(w, json_string_raw(&j, t));
		json_put_raw(w, json_raw(&j, t + 1));
	}
}

enum signal_kind relay_signal_kind(struct slice neutral, struct slice *payload)
{
	static _Thread_local struct json_token tokens[NATIVE_MAX_TOKENS];
	enum signal_kind kind = SIGNAL_OTHER;
	struct json j;

	if (json_parse(&j, neutral, tokens, NATIVE_MAX_TOKENS) < 0)
		return kind;
	uint32_t description = json_member(&j, 0, SLICE("description"));
	uint32_t candidate = json_member(&j, 0, SLICE("candidate"));
	uint32_t type = description ? json_member(&j, description, SLICE("type")) : 0;
	if (type && json_string_is(&j, type, SLICE("offer")))
		kind = SIGNAL_OFFER;
	else if (type && json_string_is(&j, type, SLICE("answer")))
		kind = SIGNAL_ANSWER;
	else if (candidate && json_kind_of(&j, candidate) == JSON_OBJECT)
		kind = SIGNAL_CANDIDATE;
	if (kind != SIGNAL_OTHER)
		*payload =
			json_raw(&j, kind == SIGNAL_CANDIDATE ? candidate : description);
	return kind;
}

void relay_neutral(struct buf *b, enum signal_kind kind, struct slice payload)
{
	struct jsonw w;

	json_begin(&w, b);
	json_object(&w);
	json_field_raw(&w, kind == SIGNAL_CANDIDATE ? "candidate" : "description",
		       payload);
	json_object_end(&w);
}

struct slice relay_shown_id(const struct member_info *m, char room[BUS_MEMBER_TEXT])
{
	if (m->named && m->user.n > 0)
		return m->user;
	bus_member_text(room, m->id);
	return slice_of(room, BUS_MEMBER_TEXT);
}
