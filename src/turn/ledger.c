#include "turn/ledger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"

#define PORTS 65536
#define RESERVATIONS 256
#define RESERVED_FOR 30000

struct owner {
	uint64_t workers;
	bool barred;
};

/* Of all sessions that have had no relay so far and may have one: most never ask. */
static struct owner newcomer;

/* A port kept for later; until 0: none. */
struct reservation {
	uint8_t token[TURN_TOKEN];
	ms_t until;
	uint16_t port;
	int family;
};

struct turn_ledger {
	struct turn_quotas quotas;
	uint32_t low, count;            /* of the range */
	_Atomic uint8_t port[2][PORTS]; /* worker + 1; 0: free */
	pthread_mutex_t lock;           /* of all that follows */
	uint32_t total;
	struct map users;     /* by name: the count as a pointer */
	struct map addresses; /* by the IP's bytes: the same */
	struct map sessions;  /* struct owner by number */
	struct reservation kept[RESERVATIONS];
	unsigned kept_at; /* the oldest */
};

static unsigned row(int family)
{
	return family == AF_INET6;
}

static void owner_free(struct owner *o)
{
	if (o != &newcomer)
		free(o);
}

/* To be changed; NULL: no such session. */
static struct owner *owner_of(struct turn_ledger *l, uint64_t session)
{
	struct owner *o = map_find_u64(&l->sessions, session);

	if (o != &newcomer)
		return o;
	o = xzalloc(sizeof(*o));
	map_put_u64(&l->sessions, session, o);
	return o;
}

struct turn_ledger *turn_ledger_create(const struct turn_quotas *q, uint16_t low,
				       uint16_t high)
{
	struct turn_ledger *l = xzalloc(sizeof(*l));

	l->quotas = *q;
	l->low = low;
	l->count = (uint32_t)high - low + 1;
	pthread_mutex_init(&l->lock, NULL);
	map_init(&l->users);
	map_init(&l->addresses);
	map_init(&l->sessions);
	return l;
}

void turn_ledger_destroy(struct turn_ledger *l)
{
	struct owner *o;
	size_t at = 0;

	if (!l)
		return;
	while ((o = map_next(&l->sessions, &at)))
		owner_free(o);
	map_fini(&l->users);
	map_fini(&l->addresses);
	map_fini(&l->sessions);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* --- ports --- */

static bool claim(struct turn_ledger *l, unsigned family, uint32_t port, unsigned worker)
{
	uint8_t none = 0;

	return atomic_compare_exchange_strong(&l->port[family][port], &none,
					      (uint8_t)(worker + 1));
}

int turn_ledger_claim(struct turn_ledger *l, int family, bool even, bool pair,
		      unsigned worker, uint16_t *port)
{
	uint32_t first = (uint32_t)(rand_u64() % l->count);

	for (uint32_t i = 0; i < l->count; i++) {
		uint32_t p = l->low + (first + i) % l->count;
		if (((even || pair) && (p & 1)) || (pair && p + 1 >= l->low + l->count))
			continue;
		if (!claim(l, row(family), p, worker))
			continue;
		if (pair && !claim(l, row(family), p + 1, worker)) {
			turn_ledger_release(l, family, (uint16_t)p);
			continue;
		}
		*port = (uint16_t)p;
		return 0;
	}
	return E_LIMIT;
}

void turn_ledger_release(struct turn_ledger *l, int family, uint16_t port)
{
	atomic_store(&l->port[row(family)][port], 0);
}

int turn_ledger_worker(const struct turn_ledger *l, int family, uint16_t port)
{
	return (int)atomic_load_explicit(&l->port[row(family)][port],
					 memory_order_relaxed) -
	       1;
}

/* --- reservations --- */

static void let_go(struct turn_ledger *l, struct reservation *r)
{
	if (r->until > 0)
		turn_ledger_release(l, r->family, r->port);
	r->until = 0;
}

static void sweep(struct turn_ledger *l, ms_t now)
{
	for (unsigned i = 0; i < RESERVATIONS; i++)
		if (l->kept[i].until <= now)
			let_go(l, &l->kept[i]);
}

void turn_ledger_reserve(struct turn_ledger *l, int family, uint16_t port, ms_t now,
			 uint8_t token[TURN_TOKEN])
{
	rand_bytes(token, TURN_TOKEN);
	pthread_mutex_lock(&l->lock);
	sweep(l, now);
	struct reservation *r = &l->kept[l->kept_at++ % RESERVATIONS];
	let_go(l, r);
	*r = (struct reservation){ .until = now + RESERVED_FOR,
				   .port = port,
				   .family = family };
	memcpy(r->token, token, TURN_TOKEN);
	pthread_mutex_unlock(&l->lock);
}

int turn_ledger_redeem(struct turn_ledger *l, struct slice token, unsigned worker,
		       ms_t now, int *family, uint16_t *port)
{
	int err = E_NOT_FOUND;

	pthread_mutex_lock(&l->lock);
	sweep(l, now);
	for (unsigned i = 0; err < 0 && i < RESERVATIONS; i++) {
		struct reservation *r = &l->kept[i];
		if (r->until == 0 || !slice_eq(token, slice_of(r->token, TURN_TOKEN)))
			continue;
		atomic_store(&l->port[row(r->family)][r->port], (uint8_t)(worker + 1));
		*family = r->family;
		*port = r->port;
		r->until = 0;
		err = 0;
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* --- quotas --- */

static uintptr_t count_of(const struct map *m, struct slice key)
{
	return (uintptr_t)map_find(m, key);
}

static void count_to(struct map *m, struct slice key, uintptr_t n)
{
	if (n > 0)
		map_put(m, key, (void *)n);
	else
		map_del(m, key);
}

static struct slice ip_of(const struct addr *a)
{
	return slice_of(a->ip, sizeof(a->ip));
}

static int admit_locked(struct turn_ledger *l, struct slice user, const struct addr *from,
			uint64_t session, unsigned worker)
{
	const struct turn_quotas *q = &l->quotas;
	struct owner *o = session ? owner_of(l, session) : NULL;
	uintptr_t by_user = count_of(&l->users, user);
	uintptr_t by_address = count_of(&l->addresses, ip_of(from));

	if (session && (!o || o->barred))
		return E_STATE;
	if ((q->total && l->total >= q->total) ||
	    (q->per_user && by_user >= q->per_user) ||
	    (q->per_address && by_address >= q->per_address))
		return E_LIMIT;
	l->total++;
	count_to(&l->users, user, by_user + 1);
	count_to(&l->addresses, ip_of(from), by_address + 1);
	if (o)
		o->workers |= (uint64_t)1 << worker;
	return 0;
}

int turn_ledger_admit(struct turn_ledger *l, struct slice user, const struct addr *from,
		      uint64_t session, unsigned worker)
{
	pthread_mutex_lock(&l->lock);
	int err = admit_locked(l, user, from, session, worker);
	pthread_mutex_unlock(&l->lock);
	return err;
}

static void leave_address(struct turn_ledger *l, const struct addr *from)
{
	count_to(&l->addresses, ip_of(from), count_of(&l->addresses, ip_of(from)) - 1);
}

void turn_ledger_leave(struct turn_ledger *l, struct slice user, const struct addr *from)
{
	pthread_mutex_lock(&l->lock);
	l->total--;
	count_to(&l->users, user, count_of(&l->users, user) - 1);
	leave_address(l, from);
	pthread_mutex_unlock(&l->lock);
}

int turn_ledger_move(struct turn_ledger *l, const struct addr *from,
		     const struct addr *to)
{
	int err = 0;

	if (addr_same_ip(from, to))
		return 0;
	pthread_mutex_lock(&l->lock);
	uintptr_t there = count_of(&l->addresses, ip_of(to));
	if (l->quotas.per_address && there >= l->quotas.per_address) {
		err = E_LIMIT;
	} else {
		count_to(&l->addresses, ip_of(to), there + 1);
		leave_address(l, from);
	}
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* --- sessions --- */

void turn_ledger_open_session(struct turn_ledger *l, uint64_t session)
{
	pthread_mutex_lock(&l->lock);
	struct owner *before = map_put_u64(&l->sessions, session, &newcomer);
	pthread_mutex_unlock(&l->lock);
	owner_free(before);
}

uint64_t turn_ledger_bar_session(struct turn_ledger *l, uint64_t session, bool barred)
{
	uint64_t workers = 0;

	pthread_mutex_lock(&l->lock);
	struct owner *o = owner_of(l, session);
	if (o) {
		o->barred = barred;
		workers = o->workers;
		if (barred)
			o->workers = 0;
	}
	pthread_mutex_unlock(&l->lock);
	return workers;
}

uint64_t turn_ledger_close_session(struct turn_ledger *l, uint64_t session)
{
	pthread_mutex_lock(&l->lock);
	struct owner *o = map_del_u64(&l->sessions, session);
	pthread_mutex_unlock(&l->lock);
	uint64_t workers = o ? o->workers : 0;
	owner_free(o);
	return workers;
}
