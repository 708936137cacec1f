#include "auth/gate.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"

struct revocation {
	ms_t at, until;
	size_t name_len;
	char name[];
};

struct auth_gate {
	const struct auth_keys *keys;
	struct auth_scratch scratch;
	struct map revoked[AUTH_REVOKED_KINDS];
	auth_revoked_fn *on_revoke; /* NULL: nobody */
	void *on_revoke_arg;
};

struct auth_gate *auth_gate_create(const struct auth_keys *keys)
{
	struct auth_gate *g = xzalloc(sizeof(*g));

	g->keys = keys;
	auth_scratch_init(&g->scratch);
	for (unsigned i = 0; i < AUTH_REVOKED_KINDS; i++)
		map_init(&g->revoked[i]);
	return g;
}

void auth_gate_destroy(struct auth_gate *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < AUTH_REVOKED_KINDS; i++) {
		struct revocation *r;
		size_t at = 0;

		while ((r = map_next(&g->revoked[i], &at)))
			free(r);
		map_fini(&g->revoked[i]);
	}
	auth_scratch_fini(&g->scratch);
	free(g);
}

bool auth_gate_open(const struct auth_gate *g)
{
	return auth_keys_none(g->keys);
}

/* --- revocation --- */

/* Makes room: those whose time is over. The map must not change while it is walked. */
static void forget_old(struct map *m, ms_t wall)
{
	struct revocation **old = xmalloc(size_mul(m->count + 1, sizeof(*old))), *r;
	size_t at = 0, n = 0;

	while ((r = map_next(m, &at)))
		if (r->until <= wall)
			old[n++] = r;
	while (n > 0) {
		r = old[--n];
		map_del(m, slice_of(r->name, r->name_len));
		free(r);
	}
	free(old);
}

int auth_gate_revoke(struct auth_gate *g, enum auth_revoked what, struct slice name,
		     ms_t wall, ms_t until)
{
	struct map *m = &g->revoked[what];

	if (name.n == 0 || name.n > AUTH_MAX_TEXT)
		return E_BAD_FIELD;
	if (m->count >= AUTH_MAX_REVOKED)
		forget_old(m, wall);
	if (m->count >= AUTH_MAX_REVOKED)
		return E_LIMIT;
	struct revocation *r = xzalloc(sizeof(*r) + name.n);
	r->at = wall;
	r->until = until;
	r->name_len = name.n;
	memcpy(r->name, name.p, name.n);
	free(map_put(m, name, r));
	if (g->on_revoke)
		g->on_revoke(g->on_revoke_arg);
	return 0;
}

void auth_gate_on_revoke(struct auth_gate *g, auth_revoked_fn *fn, void *arg)
{
	g->on_revoke = fn;
	g->on_revoke_arg = arg;
}

/* A token that does not say when it was issued is as old as can be. */
bool auth_gate_has_revoked(const struct auth_gate *g, const struct auth_pass *p)
{
	const struct revocation *token = map_find(&g->revoked[AUTH_REVOKED_TOKEN], p->id);
	const struct revocation *user = map_find(&g->revoked[AUTH_REVOKED_USER], p->user);

	return token || (user && (ms_t)(p->issued * 1000) <= user->at);
}

/* --- checking --- */

static int refuse(const char **why, const char *reason)
{
	*why = reason;
	return E_UNAUTHORIZED;
}

static int check_times(const struct auth_gate *g, const struct auth_jwt *t,
		       const struct auth_pass *p, ms_t wall, const char **why)
{
	ms_t skew = auth_keys_skew(g->keys);
	uint64_t not_before = 0;
	bool there;

	if (auth_jwt_time(t, "nbf", &there, &not_before) < 0)
		return refuse(why, "bad claims");
	if (wall >= (ms_t)(p->expires * 1000) + skew)
		return refuse(why, "expired");
	if (wall + skew < (ms_t)(not_before * 1000))
		return refuse(why, "not valid yet");
	return 0;
}

int auth_gate_check(struct auth_gate *g, struct slice token, ms_t wall,
		    struct auth_pass *p, const char **why)
{
	struct auth_scratch *s = &g->scratch;
	struct slice key;
	const char *claim;
	struct auth_jwt t;

	if (token.n == 0)
		return refuse(why, "no token");
	if (auth_jwt_open(&t, token, s) < 0)
		return refuse(why, "no valid token");
	int err = auth_keys_verify(g->keys, &t, s, &key, why);
	if (err < 0)
		return err;
	if (auth_pass_read(p, &t, s, &claim) < 0)
		return refuse(why, "bad claims");
	p->key = key;
	err = check_times(g, &t, p, wall, why);
	if (err == 0 && auth_gate_has_revoked(g, p))
		err = refuse(why, "revoked");
	return err;
}
