/* ledger: what the workers of a server must agree on: which relay ports are lent out and by whom, how many
 * allocations each user and address has, and which sessions live.
 *
 * Owner:  all workers; made before the first, destroyed after the last.
 * Locks:  the ports are atomics. The rest is under one mutex, taken when an allocation is made or ends and when a
 *         session comes or goes, and never while another lock is held. Not mail: an Allocate is
 *         answered at once, and a credential must be worth nothing the moment its session is gone.
 * Limits: 65536 ports per family, 256 kept ones (the oldest goes); an entry per user, address and session that has
 *         something.
 */
#pragma once
#include "base/clock.h"
#include "net/addr.h"

struct turn_quotas {
	uint32_t total, per_user, per_address; /* 0: no limit */
};

struct turn_ledger;
struct turn_ledger *turn_ledger_create(const struct turn_quotas *q, uint16_t low,
				       uint16_t high);
void turn_ledger_destroy(struct turn_ledger *l);

/* --- ports --- */
/* Claims a free port for the worker, beginning at a random one; `even`: an even one; `pair`: the next one too. E_LIMIT:
 * none is left. */
int turn_ledger_claim(struct turn_ledger *l, int family, bool even, bool pair,
		      unsigned worker, uint16_t *port) NODISCARD;
void turn_ledger_release(struct turn_ledger *l, int family, uint16_t port);
/* The worker that lends the port out; -1: nobody. */
int turn_ledger_worker(const struct turn_ledger *l, int family, uint16_t port);

/* Keeps a claimed port for who shows the token (RFC 8656, 7.2: EVEN-PORT), for 30 s from `now`. */
#define TURN_TOKEN 8
void turn_ledger_reserve(struct turn_ledger *l, int family, uint16_t port, ms_t now,
			 uint8_t token[TURN_TOKEN]);
/* The port, now claimed for the worker. E_NOT_FOUND: unknown, used, or too late. */
int turn_ledger_redeem(struct turn_ledger *l, struct slice token, unsigned worker,
		       ms_t now, int *family, uint16_t *port) NODISCARD;

/* --- quotas --- */
/* One allocation more for the user, from that address, on that worker. E_LIMIT: a quota is met. E_STATE: the
 * session (unless 0) does not live, or is barred. */
int turn_ledger_admit(struct turn_ledger *l, struct slice user, const struct addr *from,
		      uint64_t session, unsigned worker) NODISCARD;
/* One is at another address now. E_LIMIT: there are enough. */
int turn_ledger_move(struct turn_ledger *l, const struct addr *from,
		     const struct addr *to) NODISCARD;
void turn_ledger_leave(struct turn_ledger *l, struct slice user, const struct addr *from);

/* --- sessions --- */
void turn_ledger_open_session(struct turn_ledger *l, uint64_t session);
/* It is no member of anything any more: no new allocations until it is again. Returns the workers that may have
 * allocations of it, a bit each. */
uint64_t turn_ledger_bar_session(struct turn_ledger *l, uint64_t session, bool barred);
/* It is gone for good; the workers as above. */
uint64_t turn_ledger_close_session(struct turn_ledger *l, uint64_t session);
