#include "main/token.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/jwks_source.h"
#include "auth/pass.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"

#define ID_LETTERS 16

/* "NAME:SECRET" to "NAME": the keys have their own copies, which are wiped when they are taken away. */
static void forget_secrets(const struct option_list *keys)
{
	for (size_t i = 0; i < keys->count; i++) {
		struct slice key = slice_str(keys->item[i]);
		size_t name = slice_find(key, ':');

		explicit_bzero(keys->item[i] + name, key.n - name);
	}
}

int token_open_keys(const struct config *c, struct auth_keys **out, struct buf *why)
{
	struct buf jwks = BUF_INIT(AUTH_MAX_JWKS);
	bool url = jwks_source_is_url(c->auth_jwks);
	struct auth_settings s = {
		.keys = (const char *const *)c->auth_keys.item,
		.key_count = c->auth_keys.count,
		.issuer = c->auth_issuer,
		.audience = c->auth_audience,
		.skew = c->auth_skew,
		.expects_set = url,
	};
	int err = 0;

	if (c->auth_jwks[0] && !url)
		err = file_read(c->auth_jwks, AUTH_MAX_JWKS, &jwks);
	s.jwks = buf_slice(&jwks);
	if (err < 0)
		buf_printf(why, "auth.jwks: cannot read %s: %s", c->auth_jwks,
			   err_text(err));
	else
		err = auth_keys_create(out, &s, why);
	if (err == 0)
		forget_secrets(&c->auth_keys);
	buf_fini(&jwks);
	return err;
}

/* --- at SIGHUP --- */

static bool has_name(const struct option_list *keys, const char *name)
{
	for (size_t i = 0; i < keys->count; i++) {
		struct slice key = slice_str(keys->item[i]);

		if (slice_is(slice_of(key.p, slice_find(key, ':')), name))
			return true;
	}
	return false;
}

static int change_keys(const struct config *c, const struct option_list *now,
		       struct auth_keys *keys, struct buf *why)
{
	if (auth_keys_none(keys)) {
		buf_str(why, "it was started without any: start it anew");
		return E_STATE;
	}
	if (c->webhook_urls.count > 0 && c->webhook_key[0] &&
	    !has_name(now, c->webhook_key)) {
		buf_printf(why, "webhook.key: there is no auth.key %s", c->webhook_key);
		return E_MALFORMED;
	}
	return auth_keys_change(keys, (const char *const *)now->item, now->count, why);
}

void token_reload_keys(const struct config *c, struct auth_keys *keys)
{
	struct buf why = BUF_INIT(4096);
	struct option_set *set = NULL;
	struct config now;
	int n = config_load(&now, &set, c->argc, c->argv, &why);

	/* None, as before: there is a set, or everybody may come in. */
	if (n == 0 && (c->auth_keys.count > 0 || now.auth_keys.count > 0))
		n = change_keys(c, &now.auth_keys, keys, &why);
	if (n < 0)
		log_error("auth", "keys-kept", "why=%s",
			  log_value(&(struct log_text){ 0 }, buf_slice(&why)));
	else if (n > 0)
		log_info("auth", "keys", "keys=%d", n);
	if (set)
		option_destroy(set);
	buf_fini(&why);
}

/* --- the command's own options --- */

struct request {
	char *room, *identity, *name, *metadata, *key;
	int role;
	ms_t ttl;
	bool admin, create, list, hidden, publish, data;
};

#define AT(field) offsetof(struct request, field)
#define DAY INT64_C(86400000)

/* clang-format off */
static const struct option table[] = {
	{ .name = "room", .kind = OPTION_TEXT, .offset = AT(room), .preset = "",
	  .help = "The only room that it is good for; empty: any." },
	{ .name = "identity", .kind = OPTION_TEXT, .offset = AT(identity), .preset = "",
	  .help = "Who it is for; empty: for the server API only." },
	{ .name = "name", .kind = OPTION_TEXT, .offset = AT(name), .preset = "",
	  .help = "The name that the others see." },
	{ .name = "role", .kind = OPTION_ENUM, .offset = AT(role), .preset = "none",
	  .words = "none owner moderator speaker listener", .help = "The role in the room." },
	{ .name = "metadata", .kind = OPTION_TEXT, .offset = AT(metadata), .preset = "",
	  .help = "What the others get with the member: a JSON object." },
	{ .name = "ttl", .kind = OPTION_TIME, .offset = AT(ttl), .preset = "6h",
	  .min = 1000, .max = 3660 * DAY, .help = "How long it is good for." },
	{ .name = "key", .kind = OPTION_TEXT, .offset = AT(key), .preset = "",
	  .help = "The name of the API key that signs it; empty: the first." },
	{ .name = "admin", .kind = OPTION_BOOL, .offset = AT(admin), .preset = "false",
	  .help = "May moderate the room, and use the server API for it." },
	{ .name = "create", .kind = OPTION_BOOL, .offset = AT(create), .preset = "false",
	  .help = "May close rooms by the server API." },
	{ .name = "list", .kind = OPTION_BOOL, .offset = AT(list), .preset = "false",
	  .help = "May list rooms by the server API." },
	{ .name = "hidden", .kind = OPTION_BOOL, .offset = AT(hidden), .preset = "false",
	  .help = "The others do not see the member." },
	{ .name = "publish", .kind = OPTION_BOOL, .offset = AT(publish), .preset = "true",
	  .help = "May use microphone, camera and screen." },
	{ .name = "data", .kind = OPTION_BOOL, .offset = AT(data), .preset = "true",
	  .help = "May chat and signal to all." },
};
/* clang-format on */

void token_print_help(struct buf *out)
{
	option_print_help(table, ARRAY_LEN(table), out);
}

static bool is_own(const char *arg)
{
	struct slice name = slice_str(arg);

	if (!slice_starts(name, SLICE("--")))
		return false;
	name = slice_from(name, 2);
	name.n = slice_find(name, '=');
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (slice_is(name, table[i].name))
			return true;
	return false;
}

/* Takes our own flags out of argv; returns how many are left for the settings. */
static int read_own(struct option_set *set, int argc, char **argv, struct buf *why)
{
	int left = 0;

	for (int i = 0; i < argc;) {
		int used = is_own(argv[i])
				   ? option_read_flag(set, argc - i, argv + i, why)
				   : 0;

		if (used < 0)
			return used;
		if (used == 0)
			argv[left++] = argv[i++];
		i += used;
	}
	return left;
}

/* --- making one --- */

static uint32_t allowed(const struct request *r)
{
	uint32_t allow = AUTH_SUBSCRIBE | AUTH_SELF;

	allow |= r->identity[0] ? AUTH_JOIN : 0;
	allow |= r->admin ? AUTH_ADMIN : 0;
	allow |= r->create ? AUTH_CREATE : 0;
	allow |= r->list ? AUTH_LIST : 0;
	allow |= r->hidden ? AUTH_HIDDEN : 0;
	allow |= r->publish ? AUTH_MIC | AUTH_CAMERA | AUTH_SCREEN : 0;
	return allow | (r->data ? AUTH_DATA : 0);
}

static int check(const struct request *r, struct buf *why)
{
	struct json_token tokens[256];
	struct json j;

	if (strlen(r->room) > AUTH_MAX_TEXT || strlen(r->identity) > AUTH_MAX_TEXT ||
	    strlen(r->name) > AUTH_MAX_TEXT) {
		buf_printf(why, "room, identity and name have at most %d bytes",
			   AUTH_MAX_TEXT);
		return E_LIMIT;
	}
	if (r->metadata[0] &&
	    (strlen(r->metadata) > AUTH_MAX_METADATA ||
	     json_parse(&j, slice_str(r->metadata), tokens, ARRAY_LEN(tokens)) < 0 ||
	     json_kind_of(&j, 0) != JSON_OBJECT)) {
		buf_printf(why, "metadata: a JSON object of at most %d bytes",
			   AUTH_MAX_METADATA);
		return E_MALFORMED;
	}
	return 0;
}

static int make(const struct request *r, const struct auth_keys *keys, struct buf *out,
		struct buf *why)
{
	char id[ID_LETTERS];
	struct auth_pass p = {
		.allow = allowed(r),
		.role = (enum auth_role)r->role,
		.issued = (uint64_t)(clock_wall() / 1000),
		.expires = (uint64_t)((clock_wall() + r->ttl) / 1000),
		.user = slice_str(r->identity),
		.name = slice_str(r->name),
		.metadata = slice_str(r->metadata),
		.room = slice_str(r->room),
		.id = slice_of(id, sizeof(id)),
	};
	struct auth_held key;
	int err = check(r, why);

	if (err < 0)
		return err;
	if (!auth_keys_hold(keys, slice_str(r->key), &key)) {
		buf_str(why, r->key[0] ? "there is no auth.key of that name"
				       : "there is no auth.key to sign it with");
		return E_NOT_FOUND;
	}
	rand_text(id, sizeof(id));
	p.key = key.name;
	auth_pass_sign(out, &p, key.secret);
	auth_keys_release(keys, &key);
	return out->bad ? E_LIMIT : 0;
}

static int create(const struct request *r, int argc, char **argv, struct buf *out,
		  struct buf *why)
{
	struct auth_keys *keys = NULL;
	struct option_set *set;
	struct config c;
	int err = config_load(&c, &set, argc, argv, why);

	if (err < 0)
		return err;
	err = token_open_keys(&c, &keys, why);
	if (err == 0)
		err = make(r, keys, out, why);
	auth_keys_destroy(keys);
	option_destroy(set);
	return err;
}

int token_run(int argc, char **argv)
{
	struct buf out = BUF_INIT(AUTH_TOKEN_MAX), why = BUF_INIT(4096);
	struct request r;
	struct option_set *set = option_create(table, ARRAY_LEN(table), &r);
	int err = E_MALFORMED;

	if (argc < 1 || strcmp(argv[0], "create") != 0)
		buf_str(&why, "token create [options]; see parley token --help");
	else
		err = read_own(set, argc - 1, argv + 1, &why);
	if (err >= 0)
		err = create(&r, err, argv + 1, &out, &why);
	if (err < 0)
		fprintf(stderr, "parley: %.*s\n", SLICE_FMT(buf_slice(&why)));
	else
		printf("%.*s\n", SLICE_FMT(buf_slice(&out)));
	option_destroy(set);
	buf_fini(&out);
	buf_fini(&why);
	return err < 0 ? 2 : 0;
}
