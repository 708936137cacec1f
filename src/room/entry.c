/* entry: who comes in as what: from what the client says and what its token allows. */
#include "auth/pass.h"
#include "base/err.h"
#include "base/log.h"
#include "room/internal.h"

static const enum role role_of[AUTH_ROLES] = {
	[AUTH_NO_ROLE] = ROLES,
	[AUTH_OWNER] = ROLE_OWNER,
	[AUTH_MODERATOR] = ROLE_MODERATOR,
	[AUTH_SPEAKER] = ROLE_SPEAKER,
	[AUTH_LISTENER] = ROLE_LISTENER,
};

static uint8_t barred_by(uint32_t allow)
{
	return (uint8_t)((allow & AUTH_MIC ? 0 : PRESENCE_MIC) |
			 (allow & AUTH_CAMERA ? 0 : PRESENCE_CAMERA) |
			 (allow & AUTH_SCREEN ? 0 : PRESENCE_SCREEN));
}

static uint8_t denied_by(uint32_t allow)
{
	unsigned denied = 0;

	if (!(allow & AUTH_DATA))
		denied |= RIGHT_CHAT | RIGHT_SIGNAL_ALL;
	if (!(allow & AUTH_SELF))
		denied |= RIGHT_SELF;
	/* Nobody knows of it, so it has nobody to talk to. */
	if (allow & AUTH_HIDDEN)
		denied |= RIGHT_CHAT | RIGHT_SIGNAL_ALL | RIGHT_SIGNAL_ONE;
	return (uint8_t)denied;
}

static enum role granted_role(const struct auth_pass *p)
{
	if (p->role != AUTH_NO_ROLE)
		return role_of[p->role];
	if (p->allow & AUTH_ADMIN)
		return ROLE_MODERATOR;
	return p->allow & (AUTH_MIC | AUTH_CAMERA | AUTH_SCREEN) ? ROLE_SPEAKER
								 : ROLE_LISTENER;
}

/* What the token says counts more than what the client says; who it is must agree. */
static int entry_by_pass(struct room_entry *e, const struct auth_pass *p,
			 struct slice room)
{
	if (!(p->allow & AUTH_JOIN) || (p->room.n > 0 && !slice_eq(p->room, room)))
		return E_DENIED;
	if (!e->fixed && p->user.n > 0 && e->user.n > 0 && !slice_eq(p->user, e->user))
		return E_DENIED;
	if (!e->fixed && p->user.n > 0) {
		e->user = p->user;
		e->verified = true;
	}
	if (p->name.n > 0)
		e->name = p->name;
	if (p->metadata.n > 0)
		e->metadata = p->metadata;
	e->role = (uint8_t)granted_role(p);
	e->barred = barred_by(p->allow);
	e->denied = denied_by(p->allow);
	e->hidden |= (p->allow & AUTH_HIDDEN) != 0;
	return 0;
}

int room_entry_of(struct room_entry *e, const struct room_registry *g, struct slice room,
		  const struct command *c)
{
	struct auth_pass p;

	*e = (struct room_entry){
		.user = c->user,
		.name = c->name,
		.metadata = c->metadata,
		.address = c->address,
		.role = ROLES,
		.hidden = c->hidden,
		.fixed = c->fixed,
	};
	if (room.n == 0 || room.n > ROOM_MAX_NAME)
		return E_BAD_FIELD;
	if (c->name.n > ROOM_MAX_NAME || c->user.n > ROOM_MAX_NAME ||
	    c->metadata.n > ROOM_MAX_METADATA)
		return E_BAD_FIELD;
	if (c->pass.n == 0)
		return g->settings->tokens ? E_UNAUTHORIZED : 0;
	if (auth_pass_decode(&p, c->pass) < 0)
		return E_UNAUTHORIZED;
	return entry_by_pass(e, &p, room);
}

/* A user whose token proved who he is gives way to nobody whose has not. In open mode everybody is whom he says he is. */
bool room_may_replace(const struct room_entry *e, const struct member *before)
{
	if (before->verified && !e->verified)
		return false;
	log_info("room", "replaced", "room=%s user=%s verified=%d",
		 log_value(&(struct log_text){ 0 }, room_name(before->room)),
		 log_value(&(struct log_text){ 0 }, e->user), e->verified);
	return true;
}

/* In open mode that is allowed: a second tab, or somebody else. */
static void note_claim(const struct room *r, const struct room_entry *e)
{
	static _Thread_local struct log_limit limit;

	metric_add(METRIC_USER_CLAIMS, 1);
	log_limited(&limit, "room", "same-user", "room=%s user=%s",
		    log_value(&(struct log_text){ 0 }, room_name(r)),
		    log_value(&(struct log_text){ 0 }, e->user));
}

bool room_may_be(const struct room *r, const struct room_entry *e)
{
	if (e->verified || e->user.n == 0)
		return true;
	bool there = false;

	for (uint32_t i = 0; i < r->count; i++) {
		const struct member *m = r->members[i];

		if (!slice_eq(slice_of(m->user, m->user_len), e->user))
			continue;
		if (m->verified)
			return false;
		there |= m->away == 0;
	}
	if (there)
		note_claim(r, e);
	return true;
}
