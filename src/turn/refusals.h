/* refusals: why credentials were refused lately, for who asks with such a credential's name: browsers do not tell
 * their pages what the answer said (Chromium has a phrase of its own for each code).
 *
 * Owner:  all workers; made before the first, destroyed after the last.
 * Locks:  one mutex, taken for each refusal and each question, and never while another lock is held.
 * Limits: the last TURN_REFUSALS; who floods us with bad credentials takes the place of the others. Names are kept as hashes.
 */
#pragma once
#include "base/clock.h"
#include "base/slice.h"

#define TURN_REFUSALS 256

/* clang-format off */
/* Why: in the log, and as the phrase of the answer. */
#define TURN_REFUSAL_LIST(X)                                                             \
	X(NONE,       401, "Unauthenticated")                                            \
	X(INCOMPLETE, 400, "Credential Incomplete")                                      \
	X(ALGORITHM,  400, "Wrong Password Algorithm")                                   \
	X(STALE,      438, "Stale Nonce")                                                \
	X(NAME,       438, "Stale Nonce") /* without anonymity: an expiring name has to be told */ \
	X(REALM,      401, "Wrong Realm")                                                \
	X(USER,       401, "Wrong User or Password")                                     \
	X(PASSWORD,   401, "Wrong User or Password")                                     \
	X(EXPIRED,    401, "Credential Expired")                                         \
	X(SESSION,    401, "Session Ended")
/* clang-format on */

#define X(id, code, phrase) TURN_REFUSAL_##id,
enum turn_refusal { TURN_REFUSAL_LIST(X) };
#undef X

const char *turn_refusal_name(enum turn_refusal why);   /* "EXPIRED" */
const char *turn_refusal_phrase(enum turn_refusal why); /* "Credential Expired" */
unsigned turn_refusal_code(enum turn_refusal why);      /* 401 */

struct turn_refusals;
struct turn_refusals *turn_refusals_create(void);
void turn_refusals_destroy(struct turn_refusals *l);

struct turn_refused {
	ms_t at;      /* wall clock */
	ms_t expired; /* how long before; 0: it was not about that */
	enum turn_refusal why;
};
void turn_refusals_note(struct turn_refusals *l, struct slice user,
			const struct turn_refused *r);
/* Those of that name, the newest first; how many. */
size_t turn_refusals_of(struct turn_refusals *l, struct slice user,
			struct turn_refused *out, size_t max);
