/* moderate: what owners, moderators and the server do to others. */
#include "base/err.h"
#include "room/guard.h"
#include "room/keep.h"

/* Only an owner (or the server) makes owners or unmakes them. */
static bool may_touch_owners(const struct member *m)
{
	return !m || m->role == ROLE_OWNER;
}

static unsigned room_owners(const struct room *r)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->count; i++)
		n += r->members[i]->role == ROLE_OWNER;
	return n;
}

static int room_on_role(struct room *r, const struct member *m, const struct command *c)
{
	struct member *to = room_member(r, c->to);

	if (!to)
		return E_NO_MEMBER;
	if ((c->role == ROLE_OWNER || to->role == ROLE_OWNER) && !may_touch_owners(m))
		return E_DENIED;
	/* A room is never without an owner. */
	if (c->role != ROLE_OWNER && to->role == ROLE_OWNER && room_owners(r) == 1)
		return E_DENIED;
	struct event e = { .kind = EVENT_UPDATED,
			   .member = to->id,
			   .changed = CHANGED_ROLE };

	to->role = (uint8_t)c->role;
	if (!room_may(to, RIGHT_MEDIA)) {
		e.changed |= to->state & PRESENCE_MEDIA;
		to->state &= (uint8_t)~PRESENCE_MEDIA;
	}
	room_note_visit(to);
	room_member_info(to, &e.subject);
	room_tell_all(r, &e, NULL);
	room_guard_brief(r, to);
	return 0;
}

/* Whether it was not so before. */
static bool room_mute(struct room *r, struct member *to, bool on)
{
	struct event e = { .kind = EVENT_UPDATED, .member = to->id };
	bool changed = to->muted != on;

	if (changed)
		e.changed = CHANGED_MUTED;
	to->muted = on;
	if (on) {
		e.changed |= to->state & PRESENCE_MIC;
		to->state &= (uint8_t)~PRESENCE_MIC;
	}
	if (e.changed && !to->hidden) {
		room_member_info(to, &e.subject);
		room_tell_all(r, &e, NULL);
	}
	return changed;
}

static int room_on_mute(struct room *r, const struct member *m, struct bus_home home,
			uint64_t request, const struct command *c)
{
	struct member *to = c->to ? room_member(r, c->to) : NULL;

	if (c->to && !to)
		return E_NO_MEMBER;
	if (to && to->role == ROLE_OWNER && !may_touch_owners(m))
		return E_DENIED;
	bool changed = to && room_mute(r, to, c->on);

	for (uint32_t i = 0; !to && i < r->count; i++)
		if (!room_may(r->members[i], RIGHT_ADMIN))
			changed |= room_mute(r, r->members[i], c->on);
	return changed ? room_keep_door(r, home, request) : 0;
}

static int room_on_kick(struct room *r, const struct member *m, const struct command *c)
{
	struct member *to = room_member(r, c->to);

	if (c->text.n > ROOM_MAX_REASON)
		return E_BAD_FIELD;
	if (!to)
		return E_NO_MEMBER;
	if (to->role == ROLE_OWNER && !may_touch_owners(m))
		return E_DENIED;
	room_leave(to, LEAVE_KICK, c->text);
	return 0;
}

static int room_on_close(struct room *r, const struct member *m, const struct command *c)
{
	if (c->text.n > ROOM_MAX_REASON)
		return E_BAD_FIELD;
	if (!may_touch_owners(m))
		return E_DENIED;
	room_close(r, LEAVE_CLOSED, c->text);
	return 0;
}

int room_moderate(struct room *r, const struct member *m, struct bus_home home,
		  uint64_t request, const struct command *c, ms_t wall)
{
	if (!room_may(m, RIGHT_ADMIN))
		return E_DENIED;
	switch (c->kind) {
	case COMMAND_ROLE:
		return room_on_role(r, m, c);
	case COMMAND_KICK:
		return room_on_kick(r, m, c);
	case COMMAND_CLOSE:
		return room_on_close(r, m, c);
	case COMMAND_MUTE:
		return room_on_mute(r, m, home, request, c);
	default:
		return room_guard_command(r, m, home, request, c, wall);
	}
}
