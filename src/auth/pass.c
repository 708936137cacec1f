#include "auth/pass.h"

#include "base/err.h"

static const char *const role_names[AUTH_ROLES] = {
	[AUTH_NO_ROLE] = "",
	[AUTH_OWNER] = "owner",
	[AUTH_MODERATOR] = "moderator",
	[AUTH_SPEAKER] = "speaker",
	[AUTH_LISTENER] = "listener",
};

const char *auth_role_name(enum auth_role role)
{
	return role_names[role];
}

enum auth_role auth_role_named(struct slice name)
{
	for (unsigned i = AUTH_OWNER; i < AUTH_ROLES; i++)
		if (slice_is(name, role_names[i]))
			return (enum auth_role)i;
	return AUTH_ROLES;
}

#define AUTH_PUBLISH (AUTH_MIC | AUTH_CAMERA | AUTH_SCREEN)

/* Grants that are booleans. LiveKit: who may join may publish, subscribe and send data unless the token
 * says otherwise. */
static const struct {
	const char *claim;
	uint32_t allow;
	bool preset;
} grants[] = {
	{ "roomJoin", AUTH_JOIN, false },
	{ "roomCreate", AUTH_CREATE, false },
	{ "roomList", AUTH_LIST, false },
	{ "roomAdmin", AUTH_ADMIN, false },
	{ "canPublish", AUTH_PUBLISH, true },
	{ "canSubscribe", AUTH_SUBSCRIBE, true },
	{ "canPublishData", AUTH_DATA, true },
	{ "canUpdateOwnMetadata", AUTH_SELF, true },
	{ "hidden", AUTH_HIDDEN, false },
};

static int bad(const char **why, const char *claim)
{
	*why = claim;
	return E_BAD_FIELD;
}

static int read_grants(struct auth_pass *p, const struct json *j, uint32_t video,
		       const char **why)
{
	for (size_t i = 0; i < ARRAY_LEN(grants); i++) {
		uint32_t at = json_member(j, video, slice_str(grants[i].claim));
		bool on = grants[i].preset;

		if (at && json_kind_of(j, at) != JSON_NULL && json_bool(j, at, &on) < 0)
			return bad(why, grants[i].claim);
		if (on)
			p->allow |= grants[i].allow;
	}
	return 0;
}

/* canPublishSources: an array of names; when there are any, only those. */
static int read_sources(struct auth_pass *p, const struct json *j, uint32_t video,
			const char **why)
{
	static const struct {
		const char *name;
		uint32_t allow;
	} sources[] = {
		{ "microphone", AUTH_MIC },
		{ "camera", AUTH_CAMERA },
		{ "screen_share", AUTH_SCREEN },
	};
	uint32_t list = json_member(j, video, SLICE("canPublishSources"));
	uint32_t named = 0;

	if (!list || json_kind_of(j, list) == JSON_NULL)
		return 0;
	if (json_kind_of(j, list) != JSON_ARRAY)
		return bad(why, "canPublishSources");
	if (j->tok[list].count == 0)
		return 0;
	for (uint32_t t = list + 1; t < j->tok[list].next; t = j->tok[t].next)
		for (size_t i = 0; i < ARRAY_LEN(sources); i++)
			if (json_string_is(j, t, slice_str(sources[i].name)))
				named |= sources[i].allow;
	p->allow &= ~(uint32_t)AUTH_PUBLISH | named;
	return 0;
}

/* Our members have an object: LiveKit's metadata text when it is one, else under its name; its attributes
 * beside it. */
static int read_metadata(struct auth_pass *p, const struct auth_jwt *t,
			 struct auth_scratch *s, const char **why)
{
	struct json_token tokens[64];
	const struct json *j = &t->claims;
	uint32_t attributes = json_member(j, 0, SLICE("attributes"));
	struct slice text;
	struct json inner;

	if (auth_jwt_text(t, 0, "metadata", AUTH_MAX_METADATA, s, &text) < 0)
		return bad(why, "metadata");
	if (attributes && json_kind_of(j, attributes) != JSON_OBJECT)
		return bad(why, "attributes");
	if (attributes && j->tok[attributes].count == 0)
		attributes = 0;
	bool object = text.n > 0 &&
		      json_parse(&inner, text, tokens, ARRAY_LEN(tokens)) == 0 &&
		      json_kind_of(&inner, 0) == JSON_OBJECT;
	if (object && !attributes) {
		p->metadata = text;
		return 0;
	}
	if (text.n == 0 && !attributes)
		return 0;
	size_t from = s->text.n;
	struct jsonw w;
	json_begin(&w, &s->text);
	json_object(&w);
	if (object)
		json_field_raw(&w, "metadata", text);
	else if (text.n > 0)
		json_field_string(&w, "metadata", text);
	if (attributes)
		json_field_raw(&w, "attributes", json_raw(j, attributes));
	json_object_end(&w);
	p->metadata = slice_from(buf_slice(&s->text), from);
	if (s->text.bad || p->metadata.n > AUTH_MAX_METADATA)
		return bad(why, "metadata");
	return 0;
}

static int read_role(struct auth_pass *p, const struct auth_jwt *t,
		     struct auth_scratch *s, const char **why)
{
	struct slice role;

	if (auth_jwt_text(t, 0, "role", AUTH_MAX_TEXT, s, &role) < 0)
		return bad(why, "role");
	if (role.n > 0)
		p->role = auth_role_named(role);
	return p->role == AUTH_ROLES ? bad(why, "role") : 0;
}

static int read_texts(struct auth_pass *p, const struct auth_jwt *t, uint32_t video,
		      struct auth_scratch *s, const char **why)
{
	if (auth_jwt_text(t, 0, "sub", AUTH_MAX_TEXT, s, &p->user) < 0)
		return bad(why, "sub");
	if (auth_jwt_text(t, 0, "name", AUTH_MAX_TEXT, s, &p->name) < 0)
		return bad(why, "name");
	if (auth_jwt_text(t, 0, "jti", AUTH_MAX_TEXT, s, &p->id) < 0)
		return bad(why, "jti");
	if (video && auth_jwt_text(t, video, "room", AUTH_MAX_TEXT, s, &p->room) < 0)
		return bad(why, "room");
	return 0;
}

int auth_pass_read(struct auth_pass *p, const struct auth_jwt *t, struct auth_scratch *s,
		   const char **why)
{
	uint32_t video = json_member(&t->claims, 0, SLICE("video"));
	bool there;

	*p = (struct auth_pass){ .role = AUTH_NO_ROLE };
	if (auth_jwt_time(t, "exp", &there, &p->expires) < 0 || !there)
		return bad(why, "exp");
	if (auth_jwt_time(t, "iat", &there, &p->issued) < 0)
		return bad(why, "iat");
	if (video && json_kind_of(&t->claims, video) != JSON_OBJECT)
		return bad(why, "video");
	int err = read_texts(p, t, video, s, why);
	if (err == 0 && video)
		err = read_grants(p, &t->claims, video, why);
	if (err == 0 && video)
		err = read_sources(p, &t->claims, video, why);
	if (err == 0)
		err = read_role(p, t, s, why);
	return err == 0 ? read_metadata(p, t, s, why) : err;
}

/* --- as bytes --- */

void auth_pass_encode(struct buf *b, const struct auth_pass *p)
{
	buf_be32(b, p->allow);
	buf_u8(b, (uint8_t)p->role);
	buf_be64(b, p->issued);
	buf_be64(b, p->expires);
	buf_prefixed(b, p->user);
	buf_prefixed(b, p->name);
	buf_prefixed(b, p->metadata);
	buf_prefixed(b, p->room);
	buf_prefixed(b, p->key);
	buf_prefixed(b, p->id);
}

int auth_pass_decode(struct auth_pass *p, struct slice bytes)
{
	struct cur in = cur_of_slice(bytes);

	*p = (struct auth_pass){ .allow = cur_be32(&in) };
	uint8_t role = cur_u8(&in);
	p->issued = cur_be64(&in);
	p->expires = cur_be64(&in);
	p->user = cur_prefixed(&in);
	p->name = cur_prefixed(&in);
	p->metadata = cur_prefixed(&in);
	p->room = cur_prefixed(&in);
	p->key = cur_prefixed(&in);
	p->id = cur_prefixed(&in);
	if (in.bad)
		return E_TRUNCATED;
	if (role >= AUTH_ROLES || cur_left(&in) > 0)
		return E_MALFORMED;
	p->role = role;
	return 0;
}

/* --- making --- */

static void put_grants(struct jsonw *w, const struct auth_pass *p)
{
	if (p->room.n > 0)
		json_field_string(w, "room", p->room);
	for (size_t i = 0; i < ARRAY_LEN(grants); i++) {
		bool on = (p->allow & grants[i].allow) == grants[i].allow;

		if (on != grants[i].preset)
			json_field_bool(w, grants[i].claim, on);
	}
}

void auth_pass_sign(struct buf *b, const struct auth_pass *p, struct slice secret)
{
	struct buf claims = BUF_INIT(AUTH_TOKEN_MAX);
	struct jsonw w;

	json_begin(&w, &claims);
	json_object(&w);
	json_field_string(&w, "iss", p->key);
	if (p->user.n > 0)
		json_field_string(&w, "sub", p->user);
	if (p->name.n > 0)
		json_field_string(&w, "name", p->name);
	if (p->metadata.n > 0)
		json_field_string(&w, "metadata", p->metadata);
	if (p->role != AUTH_NO_ROLE)
		json_field_string(&w, "role", slice_str(role_names[p->role]));
	if (p->id.n > 0)
		json_field_string(&w, "jti", p->id);
	if (p->issued > 0)
		json_field_u64(&w, "iat", p->issued);
	json_field_u64(&w, "exp", p->expires);
	json_key(&w, SLICE("video"));
	json_object(&w);
	put_grants(&w, p);
	json_object_end(&w);
	json_object_end(&w);
	if (claims.bad)
		b->bad = true;
	else
		auth_jwt_sign(b, buf_slice(&claims), secret);
	buf_fini(&claims);
}
