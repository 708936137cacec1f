/* command: what members ask of their room: who may, and what follows. */
#include "base/err.h"
#include "room/internal.h"

enum right {
	RIGHT_PRESENCE = BIT(0), /* hand, speaking, name, metadata */
	RIGHT_MEDIA = BIT(1),    /* mic, camera, screen */
	RIGHT_CHAT = BIT(2),
	RIGHT_SIGNAL_ONE = BIT(3), /* answering an offer needs it: everybody has it */
	RIGHT_SIGNAL_ALL = BIT(4),
	RIGHT_ADMIN = BIT(5),
};

#define RIGHTS_LISTENER (RIGHT_PRESENCE | RIGHT_CHAT | RIGHT_SIGNAL_ONE)
#define RIGHTS_SPEAKER (RIGHTS_LISTENER | RIGHT_MEDIA | RIGHT_SIGNAL_ALL)

static const unsigned role_rights[ROLES] = {
	[ROLE_OWNER] = RIGHTS_SPEAKER | RIGHT_ADMIN,
	[ROLE_MODERATOR] = RIGHTS_SPEAKER | RIGHT_ADMIN,
	[ROLE_SPEAKER] = RIGHTS_SPEAKER,
	[ROLE_LISTENER] = RIGHTS_LISTENER,
};

#define PRESENCE_MEDIA (PRESENCE_MIC | PRESENCE_CAMERA | PRESENCE_SCREEN)

static bool member_may(const struct member *m, unsigned right)
{
	return (role_rights[m->role] & right) != 0;
}

static int room_check_update(const struct member *m, const struct command *c)
{
	uint8_t on = (uint8_t)(c->changed & c->state);

	if (!member_may(m, RIGHT_PRESENCE))
		return E_DENIED;
	if ((on & PRESENCE_MEDIA) && !member_may(m, RIGHT_MEDIA))
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

static int room_on_update(struct member *m, const struct command *c)
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
	if (e.changed) {
		room_member_info(m, &e.subject);
		room_tell_all(m->room, &e, m);
	}
	return 0;
}

static void room_on_away(struct member *m, bool away)
{
	struct event e = { .kind = EVENT_UPDATED,
			   .member = m->id,
			   .changed = CHANGED_AWAY };

	if ((m->away != 0) == away)
		return;
	m->away = away ? m->room->seq + 1 : 0;
	room_member_info(m, &e.subject);
	room_tell_all(m->room, &e, m);
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
		.untouched = c->untouched,
		.text = c->text,
		.raw = c->raw,
	};
	struct member *to;
	int err = room_target(m->room, c, &to);

	if (!member_may(m, to ? RIGHT_SIGNAL_ONE : RIGHT_SIGNAL_ALL))
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
		room_tell_all(m->room, &e, m);
	}
	return 0;
}

/* ACCEPT and REJECT: a call is answered to one member. */
static int room_on_answer(struct member *m, const struct command *c, enum event_kind kind)
{
	struct event e = { .kind = kind, .member = m->id, .to = c->to, .text = c->text };
	struct member *to = room_member(m->room, c->to);

	if (!member_may(m, RIGHT_SIGNAL_ONE))
		return E_DENIED;
	if (c->text.n > ROOM_MAX_REASON)
		return E_BAD_FIELD;
	if (!to || to == m)
		return E_NO_MEMBER;
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

static int room_on_chat(struct member *m, const struct command *c, ms_t wall)
{
	struct room *r = m->room;
	struct event e = {
		.kind = EVENT_CHAT, .member = m->id, .text = c->text, .time = wall
	};

	if (!member_may(m, RIGHT_CHAT))
		return E_DENIED;
	if (c->text.n == 0 || c->text.n > ROOM_MAX_TEXT)
		return E_BAD_FIELD;
	e.subject.name = slice_of(m->name, m->name_len);
	e.n = ++r->chat.n;
	room_tell_all(r, &e, NULL);
	room_chat_add(&r->chat, r->registry->settings->chat_backlog, &e);
	return 0;
}

static unsigned room_owners(const struct room *r)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < r->count; i++)
		n += r->members[i]->role == ROLE_OWNER;
	return n;
}

static int room_on_role(struct member *m, const struct command *c)
{
	struct room *r = m->room;
	struct member *to = room_member(r, c->to);

	if (!member_may(m, RIGHT_ADMIN))
		return E_DENIED;
	if (!to)
		return E_NO_MEMBER;
	/* Only an owner makes owners or unmakes them. */
	if ((c->role == ROLE_OWNER || to->role == ROLE_OWNER) && m->role != ROLE_OWNER)
		return E_DENIED;
	/* A room is never without an owner. */
	if (c->role != ROLE_OWNER && to->role == ROLE_OWNER && room_owners(r) == 1)
		return E_DENIED;
	struct event e = { .kind = EVENT_UPDATED,
			   .member = to->id,
			   .changed = CHANGED_ROLE };

	to->role = (uint8_t)c->role;
	if (!member_may(to, RIGHT_MEDIA)) {
		e.changed |= to->state & PRESENCE_MEDIA;
		to->state &= (uint8_t)~PRESENCE_MEDIA;
	}
	room_member_info(to, &e.subject);
	room_tell_all(r, &e, NULL);
	return 0;
}

static int room_on_kick(struct member *m, const struct command *c)
{
	struct member *to = room_member(m->room, c->to);

	if (!member_may(m, RIGHT_ADMIN))
		return E_DENIED;
	if (c->text.n > ROOM_MAX_REASON)
		return E_BAD_FIELD;
	if (!to)
		return E_NO_MEMBER;
	if (to->role == ROLE_OWNER && m->role != ROLE_OWNER)
		return E_DENIED;
	room_leave(to, LEAVE_KICK, c->text);
	return 0;
}

int room_command(struct member *m, const struct command *c, ms_t wall)
{
	switch (c->kind) {
	case COMMAND_JOIN:
		return E_ALREADY;
	case COMMAND_LEAVE:
		room_leave(m, c->reason, SLICE_NONE);
		return 0;
	case COMMAND_UPDATE:
		return room_on_update(m, c);
	case COMMAND_SIGNAL:
		return room_on_signal(m, c);
	case COMMAND_CHAT:
		return room_on_chat(m, c, wall);
	case COMMAND_ACCEPT:
		return room_on_answer(m, c, EVENT_ACCEPT);
	case COMMAND_REJECT:
		return room_on_answer(m, c, EVENT_REJECT);
	case COMMAND_ROLE:
		return room_on_role(m, c);
	case COMMAND_KICK:
		return room_on_kick(m, c);
	case COMMAND_ALIAS:
		return room_on_alias(m, c);
	case COMMAND_AWAY:
	case COMMAND_BACK:
		room_on_away(m, c->kind == COMMAND_AWAY);
		return 0;
	case COMMAND_SYNC:
	case COMMAND_KINDS:
		break;
	}
	return E_UNKNOWN_TYPE;
}
