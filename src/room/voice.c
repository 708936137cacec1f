/* voice: voices that go through the server, for pairs of members that cannot reach each other.
 *
 * The listener asks for a voice (RELAY); the speaker is told so and then sends pieces of it
 * (VOICE), of which the room lets through what was asked for. Pieces are not numbered, not kept and not answered: what
 * may not pass is dropped and counted.
 */
#include <stdlib.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/mem.h"
#include "room/internal.h"

/* Where in m->hears; hears_count: it does not. */
static uint32_t hears_at(const struct member *m, uint64_t id)
{
	uint32_t i = 0;

	while (i < m->hears_count && m->hears[i] != id)
		i++;
	return i;
}

static int hear(struct member *m, uint64_t id)
{
	uint32_t most = m->room->registry->settings->voices;

	if (hears_at(m, id) < m->hears_count)
		return 0;
	if (m->hears_count >= most)
		return E_LIMIT;
	m->hears = xrealloc(m->hears, size_mul(m->hears_count + 1, sizeof(*m->hears)));
	m->hears[m->hears_count++] = id;
	m->room->hearing++;
	return 0;
}

static void hear_no_more(struct member *m, uint64_t id)
{
	uint32_t at = hears_at(m, id);

	if (at == m->hears_count)
		return;
	m->hears[at] = m->hears[--m->hears_count];
	m->room->hearing--;
}

int room_on_relay(struct member *m, const struct command *c)
{
	struct event e = { .kind = EVENT_RELAY, .member = m->id, .codec = c->codec };
	struct member *to = room_member(m->room, c->to);
	int err = 0;

	if (!room_may(m, RIGHT_SIGNAL_ONE) || m->room->registry->settings->voices == 0)
		return E_DENIED;
	if (!to || to == m)
		return E_NO_MEMBER;
	if (c->codec == VOICE_NONE)
		hear_no_more(m, to->id);
	else
		err = hear(m, to->id);
	if (err < 0)
		return err;
	e.to = to->id;
	room_tell_one(m->room, &e, to);
	return 0;
}

static void pass_on(struct member *m, uint64_t id, struct slice sound)
{
	struct event e = {
		.kind = EVENT_VOICE, .member = m->id, .to = id, .text = sound
	};
	struct member *to = room_member(m->room, id);

	if (to && hears_at(to, m->id) < to->hears_count)
		room_tell(m->room, &e, to, NULL);
	else
		metric_add(METRIC_VOICE_REFUSED, 1);
}

void room_on_voice(struct member *m, const struct command *c)
{
	struct cur in = cur_of_slice(c->raw);

	if (!room_may(m, RIGHT_MEDIA) || !(m->state & PRESENCE_MIC)) {
		metric_add(METRIC_VOICE_REFUSED, 1);
		return;
	}
	while (cur_left(&in) > 0)
		pass_on(m, bus_member_read(&in), c->text);
}

void room_forget_voice(struct member *m)
{
	struct room *r = m->room;

	r->hearing -= m->hears_count;
	m->hears_count = 0;
	for (uint32_t i = 0; r->hearing > 0 && i < r->count; i++)
		hear_no_more(r->members[i], m->id);
}
