/* coworking_login: who somebody is, by the token; and tokens, where anybody may be anybody. */
#include <stdlib.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "dialect/admit.h"
#include "dialect/coworking_call.h"

/* --- who asks --- */

static void set_text(char to[MAX_NAME + 1], struct slice text)
{
	size_t n = text.n < MAX_NAME ? text.n : MAX_NAME;

	while (n > 0 && n < text.n && (text.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(to, text.p, n);
	to[n] = 0;
}

/* In open mode anybody may be anybody: the claims are believed without a signature. */
static void believe_claims(struct call *c, struct slice token)
{
	static const char *const ids[] = { "sub", "user_id", "id" };
	static const char *const names[] = { "name", "username", "email" };
	struct buf claims = BUF_INIT(16384), text = BUF_INIT(1024);
	struct json_token tokens[MAX_TOKENS];
	struct slice part = SLICE_NONE, rest = token;
	struct json j;

	if (slice_split(&rest, '.', &part) && slice_split(&rest, '.', &part) &&
	    base64_url_decode(&claims, part) == 0 &&
	    json_parse(&j, buf_slice(&claims), tokens, MAX_TOKENS) == 0) {
		for (size_t i = 0; i < ARRAY_LEN(ids) && c->id[0] == 0; i++) {
			uint32_t t = json_member(&j, 0, slice_str(ids[i]));

			buf_clear(&text);
			if (t && json_kind_of(&j, t) == JSON_NUMBER)
				set_text(c->id, json_raw(&j, t));
			else if (t && json_string(&j, t, 1000, &text) == 0)
				set_text(c->id, buf_slice(&text));
		}
		for (size_t i = 0; i < ARRAY_LEN(names) && c->name[0] == 0; i++) {
			uint32_t t = json_member(&j, 0, slice_str(names[i]));

			buf_clear(&text);
			if (t && json_string(&j, t, 1000, &text) == 0)
				set_text(c->name, buf_slice(&text));
		}
		uint32_t email = json_member(&j, 0, SLICE("email"));

		buf_clear(&text);
		if (email && json_string(&j, email, 1000, &text) == 0)
			set_text(c->email, buf_slice(&text));
	}
	buf_fini(&claims);
	buf_fini(&text);
}

/* A token that is no JWT still tells one from another. */
static void invent_identity(struct call *c, struct slice token)
{
	struct buf id = BUF_INIT(64);

	if (c->id[0] == 0) {
		buf_printf(&id, "u_%016llx", (unsigned long long)hash_stable(token));
		set_text(c->id, buf_slice(&id));
	}
	if (c->name[0] == 0)
		set_text(c->name, slice_str("Guest"));
	buf_fini(&id);
}

int coworking_identify(struct call *c)
{
	struct auth_gate *gate = dialect_gate(c->c->dialect);
	struct slice token = http_bearer(c->x);
	struct auth_pass p;
	const char *why;

	if (token.n == 0)
		return E_UNAUTHORIZED;
	if (auth_gate_open(gate)) {
		believe_claims(c, token);
		invent_identity(c, token);
		return 0;
	}
	int err = auth_gate_check(gate, token, c->now, &p, &why);
	if (err < 0)
		return err;
	/* As a join by the socket would be asked. */
	struct slice room = http_param(c->x, "room");
	if (!(p.allow & AUTH_JOIN) ||
	    (room.n > 0 && p.room.n > 0 && !slice_eq(room, p.room)))
		return E_DENIED;
	set_text(c->id, p.user);
	set_text(c->name, p.name.n > 0 ? p.name : p.user);
	invent_identity(c, token);
	return 0;
}

/* --- tokens --- */

static void put_part(struct buf *token, struct buf *json)
{
	base64_url_encode(token, buf_slice(json));
	buf_u8(token, '.');
	buf_clear(json);
}

/* A JWT without a signature, as this server believes it. */
static void put_token(struct buf *token, const char *id, const char *name,
		      const char *email)
{
	struct buf json = BUF_INIT(8192);
	struct jsonw w;

	buf_str(&json, "{\"alg\":\"none\",\"typ\":\"JWT\"}");
	put_part(token, &json);
	json_begin(&w, &json);
	json_object(&w);
	json_field_string(&w, "sub", slice_str(id));
	json_field_string(&w, "name", slice_str(name));
	json_field_string(&w, "email", slice_str(email));
	json_object_end(&w);
	put_part(token, &json);
	buf_fini(&json);
}

static void reply_token(struct call *c, const char *email, const char *name)
{
	struct buf b = BUF_INIT(32768), token = BUF_INIT(16384), id = BUF_INIT(64);
	struct jsonw w;

	buf_printf(&id, "u_%016llx", (unsigned long long)hash_stable(slice_str(email)));
	buf_u8(&id, 0);
	put_token(&token, (const char *)id.p, name, email);
	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "access_token", buf_slice(&token));
	json_field_string(&w, "token_type", SLICE("bearer"));
	json_object_end(&w);
	buf_fini(&token);
	buf_fini(&id);
	coworking_reply(c, 200, &b);
}

/* There are no passwords here. In open mode anybody is who he says; else tokens come from the application. */
void coworking_on_login(struct call *c)
{
	char *email = coworking_text(c, "email", MAX_NAME, "");
	char *name = coworking_text(c, "name", MAX_NAME, "");
	char *user = coworking_text(c, "username", MAX_NAME, "");
	const char *who = email && *email ? email : user;
	struct slice local = slice_str(who ? who : "");

	local.n = slice_find(local, '@');
	char *called = name && *name ? xstrdup(name) : slice_dup(local);
	if (!auth_gate_open(dialect_gate(c->c->dialect)))
		coworking_fail(c, 403, "Tokens come from the application");
	else if (!email || !name || !user || !*who)
		coworking_fail(c, 422, "email is missing or too long");
	else
		reply_token(c, who, called);
	free(called);
	free(email);
	free(name);
	free(user);
}

void coworking_on_user(struct call *c)
{
	struct buf b = BUF_INIT(16384);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "id", slice_str(c->id));
	json_field_string(&w, "name", slice_str(c->name));
	json_field_string(&w, "email", slice_str(c->email));
	json_field_raw(&w, "phone_number", SLICE("null"));
	json_field_raw(&w, "avatar_url", SLICE("null"));
	coworking_put_time(&w, "created_at", 0);
	json_field_bool(&w, "is_verified", !auth_gate_open(dialect_gate(c->c->dialect)));
	json_field_bool(&w, "is_active", true);
	json_field_bool(&w, "otp_verified", true);
	json_field_bool(&w, "onboarding_completed", true);
	json_object_end(&w);
	coworking_reply(c, 200, &b);
}
