/* admit_revoke: who came in by a token that is good no more goes. */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "dialect/admit.h"

#define WHY "revoked"

bool admit_is_revoked(const struct session *s)
{
	struct auth_pass p;

	return s->admission && admit_pass(s, &p) &&
	       auth_gate_has_revoked(s->dialect->gate, &p);
}

/* Its seats first, so that it has nothing to come back to; it is told as at the door. */
static void eject(struct session *s)
{
	metric_add(METRIC_SESSIONS_REVOKED, 1);
	log_info(s->vocabulary->name, WHY, "session=%.*s", SESSION_ID, s->id);
	session_leave_rooms(s, LEAVE_KICK, SLICE(WHY));
	if (s->away || recovery_is_lost(s)) {
		session_end(s, LEAVE_KICK);
		return;
	}
	session_reply(s, 0, E_UNAUTHORIZED, WHY);
	session_close(s, (uint16_t)err_ws_code(E_UNAUTHORIZED), WHY);
}

/* A session that goes may take others along, and changes the map: they are found first, then looked up one by one. */
void admit_eject_revoked(void *dialect)
{
	struct dialect *d = dialect;
	uint64_t *numbers = xmalloc(size_mul(d->sessions.count + 1, sizeof(*numbers)));
	struct session *s;
	size_t at = 0, n = 0;

	while ((s = map_next(&d->sessions, &at)))
		if (admit_is_revoked(s))
			numbers[n++] = s->number;
	while (n > 0) {
		s = session_find(d, numbers[--n]);
		if (s)
			eject(s);
	}
	free(numbers);
}
