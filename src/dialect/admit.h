/* admit: who may come in, looked at when a client connects; what it showed goes with each of its
 * joins, and the room decides by it.
 */
#pragma once
#include "auth/gate.h"
#include "dialect/internal.h"

/* What a client showed at the door; owned by its session. */
struct admission {
	uint8_t address_len;
	uint32_t pass_len; /* 0: nobody asked for one (open mode) */
	uint8_t bytes[];   /* the address as text, the pass encoded */
};

/* By the token of a request, in its header or query. NULL in *out: open mode, and the peer's address says all. E_UNAUTHORIZED with
 * the reason in *why: static text for the client. */
int admit_exchange(struct dialect *d, struct http_exchange *x, struct admission **out,
		   const char **why) NODISCARD;
/* By a token that came in another way (a payload). `path`: that of the request, which may be open to all. */
int admit_token(struct dialect *d, struct slice path, struct slice token,
		const struct addr *peer, struct admission **out, const char **why)
	NODISCARD;
/* Into some room; everybody may in open mode (NULL). */
bool admit_may_join(const struct admission *a);
/* The bytes of what was shown, to be kept; empty in open mode. */
struct slice admit_bytes(const struct session *s);
/* The inverse, for the session that has them, and for the JOIN of one restored. Empty or unfit: nothing. */
struct admission *admit_again(struct slice bytes);
void admit_restored(struct slice bytes, struct command *join);
/* Puts what the session showed into its JOIN. `address` is scratch that lives as long as the command. */
void admit_join(const struct session *s, struct command *join, struct addr_text *address);
/* --- admit_revoke.c --- */
/* What it showed is good no more. */
bool admit_is_revoked(const struct session *s);
/* Closes the sessions of which that is so; `dialect` is the worker's. */
void admit_eject_revoked(void *dialect);

/* Whose token it is; empty: nobody's. */
struct slice admit_user(const struct session *s);
/* False: it showed none. */
bool admit_pass(const struct session *s, struct auth_pass *p);
