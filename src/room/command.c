/* command: what members ask of their room: who may, and what follows. */
#include "base/err.h"
#include "room/ban.h"

#define RIGHTS_LISTENER (RIGHT_PRESENCE | RIGHT_SELF | RIGHT_CHAT | RIGHT_SIGNAL_ONE)
#define RIGHTS_SPEAKER (RIGHTS_LISTENER | RIGHT_MEDIA | RIGHT_SIGNAL_ALL)

static const unsigned role_rights[ROLES] = {
	[ROLE_OWNER] = RIGHTS_SPEAKER | RIGHT_ADMIN,
	[ROLE_MODERATOR] = RIGHTS_SPEAKER | RIGHT_ADMIN,
	[ROLE_SPEAKER] = RIGHTS_SPEAKER,
	[ROLE_LISTENER] = RIGHTS_LISTENER,
};

bool room_may(const struct member *m, unsigned right)
{
	return !m || (role_rights[m->role] & ~(unsigned)m->denied & right) != 0;
}

static int room_check_update(const struct member *m, const struct command *c)
{
	uint8_t on = (uint8_t)(c->changed & c->state);

	if (!room_may(m, RIGHT_PRESENCE))
		return E_DENIED;
	if ((on & PRESENCE_MEDIA) && !room_may(m, RIGHT_MEDIA))
		return E_DENIED;
	if ((on & m->barred) || (m->muted && (on & PRESENCE_MIC)) ||
	    ((c->changed & (CHANGED_NAME | CHANGED_METADATA)) &&
	     !room_may(m, RIGHT_SELF)))
		return E_DENIED;
	if (c->name.n > ROOM_MAX_NAME || c->metadata.n > ROOM_MAX_METADATA)
		return E_BAD_FIELD;
	return 0;
}

static bool room_change_text(char **text, uint32_t *len, struct slice to)
{
	if (slice_eq(slice_of(*text, *len), to))
		return false;
	room_set_text(text, len, to);
	return true;
}

/* `by`: who says it and is not told. */
static int room_on_update(struct member *m, const struct command *c, struct member *by)
{
	int err = room_check_update(m, c);
	if (err < 0)
		return err;
	uint8_t mask = (uint8_t)(c->changed & PRESENCE_ALL);
	struct event e = { .kind = EVENT_UPDATED, .member = m->id };

	/* Only what really changes is told. */
	e.changed = (uint16_t)((m->state ^ c->state) & mask);
	m->state = (uint8_t)((m->state & ~mask) | (c->state & mask));
	if ((c->changed & CHANGED_NAME) &&
	    room_change_text(&m->name, &m->name_len, c->name))
		e.changed |= CHANGED_NAME;
	if ((c->changed & CHANGED_METADATA) &&
	    room_change_text(&m->metadata, &m->metadata_len, c->metadata))
		e.changed |= CHANGED_METADATA;
	if (e.changed & (CHANGED_NAME | CHANGED_METADATA))
		room_note_visit(m);
	if (e.changed && !m->hidden) {
		room_member_info(m, &e.subject);
		room_tell_all(m->room, &e, by);
	}
	return 0;
}

/* To the others it leaves and comes; the seat is free meanwhile. */
static void room_on_ghost(struct member *m, bool away, enum leave_reason reason)
{
	struct room *r = m->room;
	struct event e = { .kind = away ? EVENT_LEFT : EVENT_JOINED,
			   .member = m->id,
			   .reason = reason };

	if (m->ghost == away || (m->hidden && !m->ghost))
		return;
	m->ghost = m->hidden = away;
	metric_add(METRIC_MEMBERS, away ? -1 : 1);
	r->hidden += away ? 1 : -1u;
	m->away = away ? r->seq + 1 : 0;
	room_member_info(m, &e.subject);
	room_tell_all(r, &e, m);
	if (m->role == ROLE_OWNER && away && !r->registry->settings->tokens)
		m->role = ROLE_SPEAKER;
	room_succeed(r);
}

static void room_on_away(struct member *m, bool away)
{
	struct event e = { .kind = EVENT_UPDATED,
			   .member = m->id,
			   .changed = CHANGED_AWAY };

	if ((m->away != 0) == away)
		return;
	m->away = away ? m->room->seq + 1 : 0;
	if (m->hidden)
		return;
	room_member_info(m, &e.subject);
	room_tell_all(m->room, &e, m);
}

/* AWAY and BACK. */
static int room_on_line(struct member *m, uint64_t request, const struct command *c)
{
	bool away = c->kind == COMMAND_AWAY;

	if (!away && m->ghost && m->room->count - m->room->hidden >= m->room->capacity) {
		room_leave(m, LEAVE_TIMEOUT, SLICE_NONE);
		return 0;
	}
	if (m->ghost || c->hidden)
		room_on_ghost(m, away, c->reason);
	else
		room_on_away(m, away);
	if (c->on)
		room_replay(m, request, c->n, c->after);
	return 0;
}

/* Whom a command is for; NULL and no error: nobody in particular. */
static int room_target(const struct room *r, const struct command *c, struct member **out)
{
	*out = NULL;
	if (!c->to && c->to_name.n == 0)
		return 0;
	*out = c->to ? room_member(r, c->to) : room_addressed(r, c->to_name);
	return *out || c->or_all ? 0 : E_NO_MEMBER;
}

static int room_on_signal(struct member *m, const struct command *c)
{
	struct event e = {
		.kind = EVENT_SIGNAL,
		.member = m->id,
		.flavor = c->flavor,
		.media = c->media,
		.text = c->text,
		.raw = c->raw,
		.binary = c->binary,
	};
	struct member *to;
	int err = room_target(m->room, c, &to);

	if (!room_may(m, to ? RIGHT_SIGNAL_ONE : RIGHT_SIGNAL_ALL) || room_is_below(m, c))
		return E_DENIED;
	if (err < 0)
		return err;
	/* Native members know each other by number alone. */
	if (m->room->named > 0)
		room_member_info(m, &e.subject);
	if (to) {
		e.to = to->id;
		room_tell_one(m->room, &e, to);
	} else {
		room_tell_all(m->room, &e, c->echo ? NULL : m);
	}
	return 0;
}

/* ACCEPT and REJECT: a call is answered to one member. */
static int room_on_answer(struct member *m, const struct command *c, enum event_kind kind)
{
	struct event e = { .kind = kind, .member = m->id, .to = c->to, .text = c->text };
	struct member *to = room_member(m->room, c->to);

	if (!room_may(m, RIGHT_SIGNAL_ONE))
		return E_DENIED;
	if (c->text.n > ROOM_MAX_REASON)
		return E_BAD_FIELD;
	if (!to || to == m)
		return E_NO_MEMBER;
	if (m->room->named > 0)
		room_member_info(m, &e.subject);
	room_tell_one(m->room, &e, to);
	return 0;
}

static int room_on_alias(struct member *m, const struct command *c)
{
	if (c->text.n == 0 || c->text.n > ROOM_MAX_NAME)
		return E_BAD_FIELD;
	struct member *other = room_addressed(m->room, c->text);

	if (other && other != m)
		return E_DENIED; /* that name is taken */
	room_set_text(&m->alias, &m->alias_len, c->text);
	return 0;
}

/* What all hear costs as much as there are members. Calls of two are not slowed by it. */
static bool is_for_all(const struct command *c)
{
	static const bool said[COMMAND_KINDS] = {
		[COMMAND_SIGNAL] = true, [COMMAND_CHAT] = true,  [COMMAND_EDIT] = true,
		[COMMAND_DELETE] = true, [COMMAND_REACT] = true,
	};

	return !c->to && c->to_name.n == 0 && said[c->kind];
}

/* At once four times as many as in a second. */
static bool room_within_rate(struct room *r, ms_t wall)
{
	uint64_t rate = r->registry->settings->rate, most = rate * 4000;

	if (rate == 0)
		return true;
	if (wall > r->rate_at)
		r->rate_left += (uint64_t)(wall - r->rate_at) * rate;
	r->rate_at = wall;
	if (r->rate_left > most)
		r->rate_left = most;
	if (r->rate_left < 1000) {
		metric_add(METRIC_ROOM_LIMITED, 1);
		return false;
	}
	r->rate_left -= 1000;
	return true;
}

int room_command(struct member *m, uint64_t request, const struct command *c, ms_t wall)
{
	if (is_for_all(c) && !room_within_rate(m->room, wall))
		return E_RATE;
	switch (c->kind) {
	case COMMAND_JOIN:
		return E_ALREADY;
	case COMMAND_LEAVE:
		room_leave(m, c->reason, c->text);
		return 0;
	case COMMAND_UPDATE:
		return room_on_update(m, c, m);
	case COMMAND_SIGNAL:
		return room_on_signal(m, c);
	case COMMAND_CHAT:
	case COMMAND_EDIT:
	case COMMAND_DELETE:
	case COMMAND_REACT:
		return room_say(m->room, m, m->home, request, c, wall);
	case COMMAND_TYPING:
		return room_on_typing(m, c);
	case COMMAND_READ:
		return room_on_read(m, c);
	case COMMAND_HISTORY:
	case COMMAND_SEARCH:
	case COMMAND_WHOWAS:
		return room_recall(m->room->registry, room_name(m->room), m, m->home,
				   request, c);
	case COMMAND_ACCEPT:
		return room_on_answer(m, c, EVENT_ACCEPT);
	case COMMAND_REJECT:
		return room_on_answer(m, c, EVENT_REJECT);
	case COMMAND_ROLE:
	case COMMAND_KICK:
	case COMMAND_CLOSE:
	case COMMAND_MUTE:
	case COMMAND_LOCK:
	case COMMAND_LOBBY:
	case COMMAND_ADMIT:
	case COMMAND_DENY:
	case COMMAND_BAN:
	case COMMAND_UNBAN:
		return room_moderate(m->room, m, m->home, request, c, wall);
	case COMMAND_BANS:
		if (!room_may(m, RIGHT_ADMIN))
			return E_DENIED;
		room_tell_bans(m, request, wall);
		return ROOM_LATER;
	case COMMAND_ALIAS:
		return room_on_alias(m, c);
	case COMMAND_AWAY:
	case COMMAND_BACK:
		return room_on_line(m, request, c);
	case COMMAND_RELAY:
		return room_on_relay(m, c);
	case COMMAND_VOICE:
		room_on_voice(m, c);
		return 0;
	case COMMAND_NOTICE:
	case COMMAND_SYNC:
	case COMMAND_KINDS:
		break;
	}
	return E_UNKNOWN_TYPE;
}

/* What the server has to tell: to one or to all. */
static int room_on_notice(struct room *r, const struct command *c)
{
	struct event e = { .kind = EVENT_NOTICE, .text = c->text };
	struct member *to;
	int err = room_target(r, c, &to);

	if (err < 0)
		return err;
	if (to) {
		e.to = to->id;
		room_tell_one(r, &e, to);
	} else {
		room_tell_all(r, &e, NULL);
	}
	return 0;
}

/* The server may name anybody by his user. */
static struct member *room_user_named(const struct room *r, struct slice user)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (slice_eq(slice_of(r->members[i]->user, r->members[i]->user_len),
			     user))
			return r->members[i];
	return room_addressed(r, user);
}

/* A member's own state, said in another way than by its session. */
static int room_on_update_for(struct room *r, const struct command *c)
{
	struct member *m = room_member(r, c->to);

	return m ? room_on_update(m, c, NULL) : E_NO_MEMBER;
}

int room_order(struct room *r, struct bus_home from, uint64_t request,
	       const struct command *c, ms_t wall)
{
	struct command known = *c;

	if (!c->to && c->to_name.n > 0) {
		const struct member *m = room_user_named(r, c->to_name);
		uint64_t id =
			bus_member_number(c->to_name); /* who waits is no member yet */

		if (!m && !id)
			return E_NO_MEMBER;
		known.to = m ? m->id : id;
	}
	switch (c->kind) {
	case COMMAND_UPDATE:
		return room_on_update_for(r, &known);
	case COMMAND_NOTICE:
		return room_on_notice(r, &known);
	case COMMAND_CHAT:
	case COMMAND_EDIT:
	case COMMAND_DELETE:
		return room_say(r, NULL, from, request, &known, wall);
	default:
		return room_moderate(r, NULL, from, request, &known, wall);
	}
}
