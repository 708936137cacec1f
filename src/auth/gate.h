/* gate: looks at the tokens of those who want in: signature, times, revocation.
 *
 * Owner:   a loop; one gate per worker over the keys that all share. Revocations are told to each gate.
 * Open:    without any key there is nothing to check: development only.
 * Limits:  AUTH_MAX_REVOKED revocations; each ends when the tokens that it concerns have.
 */
#pragma once
#include "auth/keys.h"
#include "auth/pass.h"

#define AUTH_MAX_REVOKED 10000

struct auth_gate;

/* `keys` must outlive it. */
struct auth_gate *auth_gate_create(const struct auth_keys *keys);
void auth_gate_destroy(struct auth_gate *g);
bool auth_gate_open(const struct auth_gate *g);

/* E_UNAUTHORIZED, E_UNAVAILABLE (its key may be known soon) with the reason in *why: static text for the client. `p` and its slices are valid until
 * the next check. `wall`: milliseconds since 1970. */
int auth_gate_check(struct auth_gate *g, struct slice token, ms_t wall,
		    struct auth_pass *p, const char **why) NODISCARD;

/* What is revoked: one token by its `jti`, or all of an identity that were issued up to now. */
enum auth_revoked { AUTH_REVOKED_TOKEN, AUTH_REVOKED_USER, AUTH_REVOKED_KINDS };
/* Kept until `until`; later it may be forgotten. E_LIMIT when there are too many. */
int auth_gate_revoke(struct auth_gate *g, enum auth_revoked what, struct slice name,
		     ms_t wall, ms_t until) NODISCARD;
/* Whether a pass that was given before is good no more. */
bool auth_gate_has_revoked(const struct auth_gate *g, const struct auth_pass *p);
/* Who lets people in by these passes is told after each revocation, before auth_gate_revoke() returns. */
typedef void auth_revoked_fn(void *arg);
void auth_gate_on_revoke(struct auth_gate *g, auth_revoked_fn *fn, void *arg);
