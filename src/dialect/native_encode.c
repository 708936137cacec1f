/* native_encode: one event to a message of parley.v1. */
#include <assert.h>

#include "base/err.h"
#include "bus/chat_json.h"
#include "bus/member_json.h"
#include "dialect/native_message.h"

static void put_info(struct jsonw *w, const struct member_info *m, bool with_offer)
{
	json_object(w);
	bus_put_member(w, m);
	if (with_offer)
		json_field_bool(w, "offer", m->offer);
	json_object_end(w);
}

/* Where there is room for it. */
static inline uint8_t *put(uint8_t *to, struct slice piece)
{
	if (piece.n > 0)
		memcpy(to, piece.p, piece.n);
	return to + piece.n;
}

/* Opens an event's object. Every message of a room begins with this, so it is put together from
 * whole pieces. */
static void begin_event(struct jsonw *w, struct buf *b, struct slice type,
			struct slice room, uint64_t seq)
{
	uint8_t *to = buf_room(b, 32 + type.n + room.n);

	json_begin_inside(w, b);
	if (!to)
		return;
	to = put(to, SLICE("{\"type\":"));
	to = put(to, type);
	to = put(to, SLICE(",\"room\":"));
	to = put(to, room);
	to = put(to, SLICE(",\"seq\":"));
	b->n = (size_t)(to - b->p);
	buf_dec(b, seq);
}

static const struct member_info native = { .offers = OFFERS_TOLD };

static void encode_joined(struct jsonw *w, const struct event *e)
{
	json_key(w, SLICE("member"));
	put_info(w, &e->subject, false);
	json_field_bool(w, "offer", !bus_newcomer_offers(&native, &e->subject));
}

static void encode_left(struct jsonw *w, const struct event *e)
{
	bus_put_member_id(w, "member", e->member);
	json_field_string(w, "reason", slice_str(bus_leave_name(e->reason)));
	if (e->text.n > 0)
		json_field_string(w, "detail", e->text);
}

static void encode_updated(struct jsonw *w, const struct event *e)
{
	bus_put_member_id(w, "member", e->member);
	json_key(w, SLICE("changes"));
	json_object(w);
	bus_put_presence(w, e->subject.state, e->changed & PRESENCE_ALL);
	if (e->changed & CHANGED_AWAY)
		json_field_bool(w, "away", e->subject.away);
	if (e->changed & CHANGED_MUTED)
		json_field_bool(w, "muted", e->subject.muted);
	if (e->changed & CHANGED_NAME)
		json_field_string(w, "name", e->subject.name);
	if (e->changed & CHANGED_METADATA)
		json_field_raw(w, "metadata", e->subject.metadata);
	if (e->changed & CHANGED_ROLE)
		json_field_string(w, "role", slice_str(bus_role_name(e->subject.role)));
	json_object_end(w);
}

/* ,"name":"m_..." */
static inline uint8_t *put_member_piece(uint8_t *to, struct slice name, uint64_t id)
{
	to = put(to, name);
	bus_member_text((char *)to, id);
	return put(to + BUS_MEMBER_TEXT, SLICE("\""));
}

/* The message that matters for speed: in whole pieces too. */
static void encode_signal(struct jsonw *w, const struct event *e)
{
	struct buf *b = w->b;
	uint8_t *to = buf_room(b, 64 + 2 * BUS_MEMBER_TEXT + e->text.n);

	if (!to)
		return;
	to = put_member_piece(to, SLICE(",\"from\":\""), e->member);
	if (e->to)
		to = put_member_piece(to, SLICE(",\"to\":\""), e->to);
	to = put(to, SLICE(",\"data\":"));
	if (e->media == MEDIA_CANDIDATE)
		to = put(to, SLICE("{\"candidate\":"));
	else if (e->media != MEDIA_NONE)
		to = put(to, SLICE("{\"description\":"));
	to = put(to, e->text);
	if (e->media != MEDIA_NONE)
		to = put(to, SLICE("}"));
	b->n = (size_t)(to - b->p);
}

static void encode_typing(struct jsonw *w, const struct event *e)
{
	bus_put_member_id(w, "from", e->member);
	json_field_bool(w, "on", bus_chat_more(e).on);
}

static void encode_read(struct jsonw *w, const struct event *e)
{
	bus_put_member_id(w, "from", e->member);
	json_field_u64(w, "n", e->n);
}

static void encode_accept(struct jsonw *w, const struct event *e)
{
	bus_put_member_id(w, "from", e->member);
}

static void encode_reject(struct jsonw *w, const struct event *e)
{
	bus_put_member_id(w, "from", e->member);
	if (e->text.n > 0)
		json_field_string(w, "reason", e->text);
}

static void encode_relay(struct jsonw *w, const struct event *e)
{
	static const char *const names[VOICE_CODECS] = { "none", "opus", "pcm" };

	bus_put_member_id(w, "from", e->member);
	json_field_string(w, "codec", slice_str(names[e->codec]));
}

static void encode_settings(struct jsonw *w, const struct event *e)
{
	if (e->member)
		bus_put_member_id(w, "from", e->member);
	json_field_bool(w, "locked", e->locked);
	json_field_bool(w, "lobby", e->lobby);
}

static void encode_knock(struct jsonw *w, const struct event *e)
{
	json_key(w, SLICE("member"));
	json_object(w);
	bus_put_waiting(w, &e->subject);
	json_object_end(w);
}

static void encode_unknock(struct jsonw *w, const struct event *e)
{
	bus_put_member_id(w, "member", e->member);
}

static void encode_waiting(struct buf *b, struct slice room)
{
	struct jsonw w;

	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "type", SLICE("waiting"));
	json_field_raw(&w, "room", room);
	json_object_end(&w);
}

static void encode_notice(struct jsonw *w, const struct event *e)
{
	json_field_raw(w, "data", e->text);
}

static const struct {
	struct slice type; /* quoted */
	void (*encode)(struct jsonw *w, const struct event *e);
} encoders[EVENT_KINDS] = {
	[EVENT_JOINED] = { SLICE_LIT("\"joined\""), encode_joined },
	[EVENT_LEFT] = { SLICE_LIT("\"left\""), encode_left },
	[EVENT_UPDATED] = { SLICE_LIT("\"updated\""), encode_updated },
	[EVENT_SIGNAL] = { SLICE_LIT("\"signal\""), encode_signal },
	[EVENT_CHAT] = { SLICE_LIT("\"chat\""), bus_put_talk },
	[EVENT_EDITED] = { SLICE_LIT("\"edited\""), bus_put_talk },
	[EVENT_DELETED] = { SLICE_LIT("\"deleted\""), bus_put_talk },
	[EVENT_REACTED] = { SLICE_LIT("\"reacted\""), bus_put_talk },
	[EVENT_TYPING] = { SLICE_LIT("\"typing\""), encode_typing },
	[EVENT_READ] = { SLICE_LIT("\"read\""), encode_read },
	[EVENT_ACCEPT] = { SLICE_LIT("\"accept\""), encode_accept },
	[EVENT_REJECT] = { SLICE_LIT("\"reject\""), encode_reject },
	[EVENT_RELAY] = { SLICE_LIT("\"relay\""), encode_relay },
	[EVENT_SETTINGS] = { SLICE_LIT("\"settings\""), encode_settings },
	[EVENT_KNOCK] = { SLICE_LIT("\"knock\""), encode_knock },
	[EVENT_UNKNOCK] = { SLICE_LIT("\"unknock\""), encode_unknock },
	[EVENT_NOTICE] = { SLICE_LIT("\"notice\""), encode_notice },
};

static void put_roster(struct jsonw *w, struct slice roster)
{
	struct cur in = cur_of_slice(roster);
	struct member_info m;

	json_key(w, SLICE("members"));
	json_array(w);
	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0)
		put_info(w, &m, true);
	json_array_end(w);
}

/* One event of a backlog: no number among the room's events, it was told before. */
static void put_past(struct jsonw *w, struct slice room, const struct event *e)
{
	json_object(w);
	json_field_raw(w, "type", bus_talk_name(e->kind));
	json_field_raw(w, "room", room);
	bus_put_talk(w, e);
	json_object_end(w);
}

static void put_backlog(struct jsonw *w, const char *name, struct slice room,
			struct slice backlog)
{
	struct cur in = cur_of_slice(backlog);
	struct event e;

	json_key(w, slice_str(name));
	json_array(w);
	while (cur_left(&in) > 0 && bus_event_decode(&e, &in) == 0)
		if (bus_talk_name(e.kind).n > 0)
			put_past(w, room, &e);
	json_array_end(w);
}

static void put_replayed(struct buf *b, struct slice room, const struct event *e)
{
	struct jsonw w;

	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "type", SLICE("replayed"));
	json_field_raw(&w, "room", room);
	json_field_u64(&w, "n", e->n);
	json_field_bool(&w, "complete", e->err == 0);
	json_object_end(&w);
}

void native_encode_replay(struct buf *b, struct slice room, const struct event *e)
{
	struct cur in = cur_of_slice(e->backlog);
	struct event past;
	struct jsonw w;
	size_t at;

	while (cur_left(&in) > 0 && bus_event_decode(&past, &in) == 0) {
		if (bus_talk_name(past.kind).n == 0)
			continue;
		at = buf_at(b);
		buf_be32(b, 0);
		json_begin(&w, b);
		put_past(&w, room, &past);
		buf_set_be32(b, at, (uint32_t)(buf_at(b) - at - 4));
	}
	if (e->partial)
		return;
	at = buf_at(b);
	buf_be32(b, 0);
	put_replayed(b, room, e);
	buf_set_be32(b, at, (uint32_t)(buf_at(b) - at - 4));
}

/* Opens a successful reply with its data. */
static void begin_reply(struct jsonw *w, struct buf *b, uint64_t request)
{
	json_begin(w, b);
	json_object(w);
	json_field_string(w, "type", SLICE("reply"));
	json_field_u64(w, "id", request);
	json_field_bool(w, "ok", true);
	json_key(w, SLICE("data"));
	json_object(w);
}

static void end_reply(struct jsonw *w)
{
	json_object_end(w);
	json_object_end(w);
}

static void encode_welcome(struct buf *b, struct slice room, const struct event *e)
{
	struct jsonw w;

	begin_reply(&w, b, e->request);
	json_field_raw(&w, "room", room);
	json_field_u64(&w, "seq", e->seq);
	json_key(&w, SLICE("you"));
	put_info(&w, &e->subject, false);
	put_roster(&w, e->roster);
	json_field_u64(&w, "capacity", e->capacity);
	json_field_bool(&w, "ring", e->ring);
	if (e->text.n > 0)
		json_field_string(&w, "upload", e->text);
	if (e->locked)
		json_field_bool(&w, "locked", true);
	if (e->lobby)
		json_field_bool(&w, "lobby", true);
	if (e->more.n > 0) {
		json_field_u64(&w, "epoch", bus_chat_more(e).epoch);
		json_field_u64(&w, "n", e->n);
	}
	put_backlog(&w, "chat", room, e->backlog);
	end_reply(&w);
}

static void encode_history(struct buf *b, struct slice room, const struct event *e)
{
	struct jsonw w;

	begin_reply(&w, b, e->request);
	json_field_raw(&w, "room", room);
	json_field_u64(&w, "epoch", bus_chat_more(e).epoch);
	json_field_bool(&w, "more", e->partial);
	json_field_u64(&w, "read", e->n);
	put_backlog(&w, "messages", room, e->backlog);
	end_reply(&w);
}

static void encode_whowas(struct buf *b, struct slice room, const struct event *e)
{
	struct jsonw w;

	begin_reply(&w, b, e->request);
	json_field_raw(&w, "room", room);
	json_field_bool(&w, "more", e->partial);
	json_key(&w, SLICE("visits"));
	bus_put_visits(&w, e->backlog);
	end_reply(&w);
}

static void encode_bans(struct buf *b, struct slice room, const struct event *e)
{
	struct jsonw w;

	begin_reply(&w, b, e->request);
	json_field_raw(&w, "room", room);
	json_field_bool(&w, "more", e->partial);
	json_key(&w, SLICE("bans"));
	bus_put_bans(&w, e->backlog);
	end_reply(&w);
}

void native_encode_kept(struct buf *b, const struct event *e)
{
	const struct chat_more m = bus_chat_more(e);
	struct jsonw w;

	if (!e->request)
		return;
	begin_reply(&w, b, e->request);
	json_field_u64(&w, "n", e->n);
	json_field_u64(&w, "epoch", m.epoch);
	json_field_u64(&w, "time", (uint64_t)e->time);
	if (m.replay)
		json_field_bool(&w, "known", true);
	end_reply(&w);
}

void native_encode_reply(struct buf *b, uint64_t request, int err, const char *detail)
{
	struct jsonw w;

	if (!request && err >= 0)
		return;
	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "type", request ? SLICE("reply") : SLICE("error"));
	if (request) {
		json_field_u64(&w, "id", request);
		json_field_bool(&w, "ok", err >= 0);
	}
	if (err < 0) {
		json_key(&w, SLICE("error"));
		json_object(&w);
		json_field_string(&w, "code", slice_str(err_name(err)));
		json_field_string(&w, "message", slice_str(err_text(err)));
		if (detail)
			json_field_string(&w, "detail", slice_str(detail));
		json_object_end(&w);
	}
	json_object_end(&w);
}

void native_encode(struct buf *b, struct slice room, const struct event *e)
{
	struct jsonw w;

	if (e->kind == EVENT_WELCOME || e->kind == EVENT_SYNCED) {
		encode_welcome(b, room, e);
		return;
	}
	if (e->kind == EVENT_WAITING) {
		encode_waiting(b, room);
		return;
	}
	if (e->kind == EVENT_REPLY) {
		native_encode_reply(b, e->request, e->err, NULL);
		return;
	}
	if (e->kind == EVENT_HISTORY) {
		encode_history(b, room, e);
		return;
	}
	if (e->kind == EVENT_WHOWAS) {
		encode_whowas(b, room, e);
		return;
	}
	if (e->kind == EVENT_BANS) {
		encode_bans(b, room, e);
		return;
	}
	assert(encoders[e->kind].encode);
	begin_event(&w, b, encoders[e->kind].type, room, e->seq);
	encoders[e->kind].encode(&w, e);
	json_object_end(&w);
}
