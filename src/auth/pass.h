/* pass: what a verified token says: who somebody is and what he may. LiveKit's claims are taken as they
 * are (docs/access.md has the table). A copied value, which travels with JOIN commands.
 */
#pragma once
#include "auth/jwt.h"
#include "base/cur.h"

#define AUTH_MAX_TEXT 128      /* identity, name, room, key, jti: as room/room.h has it */
#define AUTH_MAX_METADATA 4096 /* and this */

enum auth_allow {
	AUTH_JOIN = BIT(0),
	AUTH_CREATE = BIT(1), /* server API: make and close rooms */
	AUTH_LIST = BIT(2),   /* server API: list rooms */
	AUTH_ADMIN = BIT(3),  /* moderate the room; server API: all of it there */
	AUTH_MIC = BIT(4),
	AUTH_CAMERA = BIT(5),
	AUTH_SCREEN = BIT(6),
	AUTH_SUBSCRIBE = BIT(7),
	AUTH_DATA = BIT(8), /* chat, and signals to all */
	AUTH_SELF = BIT(9), /* change the own name and metadata */
	AUTH_HIDDEN = BIT(10),
	AUTH_EVERYTHING = BIT(11) - 1 - AUTH_HIDDEN,
};

enum auth_role {
	AUTH_NO_ROLE, /* the token names none */
	AUTH_OWNER,
	AUTH_MODERATOR,
	AUTH_SPEAKER,
	AUTH_LISTENER,
	AUTH_ROLES
};

struct auth_pass {
	uint32_t allow;
	enum auth_role role;
	uint64_t issued, expires; /* seconds since 1970; issued 0: not said */
	struct slice user;        /* `sub` */
	struct slice name;        /* empty: not said */
	struct slice metadata;    /* a JSON object, or empty */
	struct slice room;        /* the only one; empty: any */
	struct slice key;         /* the API key that made it; empty: a key of the set */
	struct slice id;          /* `jti` */
};

/* Reads the claims; slices into the scratch. Times are not looked at here. E_BAD_FIELD with the claim's name in
 * *why. */
int auth_pass_read(struct auth_pass *p, const struct auth_jwt *t, struct auth_scratch *s,
		   const char **why) NODISCARD;

void auth_pass_encode(struct buf *b, const struct auth_pass *p);
/* E_TRUNCATED, E_MALFORMED. */
int auth_pass_decode(struct auth_pass *p, struct slice bytes) NODISCARD;

/* A token with these claims, for `parley token` and the server API; key names the secret. */
void auth_pass_sign(struct buf *b, const struct auth_pass *p, struct slice secret);
const char *auth_role_name(enum auth_role role);
/* AUTH_ROLES: there is none of that name. */
enum auth_role auth_role_named(struct slice name);
