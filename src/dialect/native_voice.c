/* native_voice: pieces of voice between native connections and rooms.
 *
 * A voice that comes late is worth nothing. A listener whose connection has more than voice.queue bytes to
 * take does not get the piece; what waits for it does not grow by what nobody will play.
 */
#include "base/err.h"
#include "dialect/fanout.h"
#include "dialect/voice.h"

static bool within_voice_rate(struct session *s)
{
	const struct voice_settings *set = &s->dialect->settings->voice;
	ms_t now = loop_now(s->dialect->loop);

	return set->frames > 0 &&
	       session_allows(&native_own(s)->voice, set->frames, set->frames, now);
}

void native_on_voice(struct session *s, struct slice bytes)
{
	const char *detail = NULL;
	struct voice v;

	if (!within_voice_rate(s)) {
		session_over_rate(s, SLICE_NONE);
		return;
	}
	int err = voice_decode(&v, bytes, &s->dialect->settings->voice.limits, &detail);
	if (err < 0) {
		if (session_malformed(s, err, detail))
			session_reply(s, 0, err == E_LIMIT ? E_TOO_LARGE : err, detail);
		return;
	}
	struct seat *seat = native_seat_meant(s, v.room);
	struct command c = { .kind = COMMAND_VOICE, .raw = v.members, .text = v.sound };

	metric_add(METRIC_VOICE_FRAMES, 1);
	s->malformed = 0;
	if (seat)
		route_command(seat, 0, &c);
	else
		session_reply(s, 0, E_NOT_JOINED, NULL);
}

void native_tell_voice(struct seat *to, const struct event *e)
{
	struct session *s = to->session;
	struct buf *out = &s->dialect->out;

	if (!s->ws)
		return; /* away */
	if (ws_behind(s->ws) > s->dialect->settings->voice.queue) {
		metric_add(METRIC_VOICE_DROPPED, 1);
		return;
	}
	buf_clear(out);
	voice_encode(out, to->fanout->room, e->member, e->text);
	ws_send(s->ws, WS_BINARY, buf_slice(out));
	metric_add(METRIC_VOICE_COPIES, 1);
}
