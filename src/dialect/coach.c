/* coach: the three wordings that meet on /ws-simple/{room}, from one handler:
 *
 *   simple  no role, no kind: offers when told shouldCreateOffer
 *   hybrid  userRole: the coach offers to everybody it is told of, the client waits; webrtc-* types
 *   tri     userRole and participantType: a newcomer works out from peer-discovery who offers
 *
 * Their pages tolerate each other's messages; where they do not, the notes below say so.
 */
#include "dialect/coach.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/fanout.h"
#include "dialect/relay.h"

/* What a session is here; userRole and participantType travel as the member's metadata. */
struct coach {
	char *room, *user;
	bool hybrid, tri;
	struct member_info self; /* offers, rank and user alone */
};

/* Ours to say who a message is from. */
static const char *const sender_fields[] = { "from", "fromId", NULL };

/* --- hearing --- */

static enum rank rank_of(struct slice role, struct slice kind)
{
	if (slice_is(kind, "ai"))
		return RANK_AI;
	if (slice_is(role, "coach"))
		return RANK_COACH;
	return role.n > 0 ? RANK_CLIENT : RANK_NONE;
}

static void coach_become(struct coach *c, struct slice role, struct slice kind)
{
	c->tri = kind.n > 0;
	c->hybrid = !c->tri && role.n > 0;
	c->self.rank = (uint8_t)rank_of(role, kind);
	if (c->tri)
		c->self.offers = OFFERS_RANKED;
	else if (c->hybrid)
		c->self.offers =
			c->self.rank == RANK_COACH ? OFFERS_ALWAYS : OFFERS_NEVER;
	else
		c->self.offers = OFFERS_TOLD;
}

static void put_metadata(struct buf *b, struct slice role, struct slice kind)
{
	struct jsonw w;

	json_begin(&w, b);
	json_object(&w);
	if (role.n > 0)
		json_field_string(&w, "userRole", role);
	if (kind.n > 0)
		json_field_string(&w, "participantType", kind);
	json_object_end(&w);
}

static void on_join(struct session *s, struct relay *r)
{
	struct coach *c = s->own;
	struct slice role = relay_text(r, "userRole", ROOM_MAX_NAME);
	struct slice kind = relay_text(r, "participantType", ROOM_MAX_NAME);
	struct buf metadata = BUF_INIT(ROOM_MAX_METADATA);
	struct command join = {
		.kind = COMMAND_JOIN,
		.named = true,
		.replaces = true,
		.name = relay_text(r, "userName", ROOM_MAX_NAME),
		.user = relay_text(r, "userId", ROOM_MAX_NAME),
	};

	if (s->seats) /* a second join on one socket changes nothing */
		return;
	if (join.user.n == 0) {
		session_reply(s, 0, E_BAD_FIELD, "userId");
		return;
	}
	coach_become(c, role, kind);
	free(c->user);
	c->user = slice_dup(join.user);
	c->self.user = slice_str(c->user);
	put_metadata(&metadata, role, kind);
	join.offers = c->self.offers;
	join.rank = c->self.rank;
	join.metadata = buf_slice(&metadata);
	route_command(session_add_seat(s, slice_str(c->room), 1), 1, &join);
	buf_fini(&metadata);
}

static void on_signal(struct session *s, struct relay *r, enum media kind,
		      const char *field, struct slice text)
{
	static const char *const targets[] = { "toId", "targetId", "to" };
	const struct coach *c = s->own;
	struct command signal = {
		.kind = COMMAND_SIGNAL,
		.flavor = c->hybrid ? FLAVOR_HYBRID : FLAVOR_SIMPLE,
		.media = (uint8_t)kind,
		.or_all = true,
		.untouched = !relay_has(r, sender_fields),
		.text = relay_raw(r, field),
		.raw = text,
	};

	if (!s->seats) {
		session_reply(s, 0, E_NOT_JOINED, NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(targets) && signal.to_name.n == 0; i++)
		signal.to_name = relay_text(r, targets[i], ROOM_MAX_NAME);
	route_command(s->seats, 0, &signal);
}

/* What the pages of a call with an AI tell each other: to all others, word for word. */
static void on_aside(struct session *s, struct slice text)
{
	const struct command signal = {
		.kind = COMMAND_SIGNAL,
		.flavor = FLAVOR_ASIDE,
		.text = text,
	};

	if (s->seats)
		route_command(s->seats, 0, &signal);
	else
		session_reply(s, 0, E_NOT_JOINED, NULL);
}

static void on_leave(struct session *s)
{
	const struct command leave = { .kind = COMMAND_LEAVE };

	if (s->seats)
		route_command(s->seats, 0, &leave);
}

/* What is passed on, and the field that must be in it. */
static const struct {
	const char *type;
	enum media kind;
	const char *field;
} relayed[] = {
	{ "offer", MEDIA_OFFER, "offer" },
	{ "answer", MEDIA_ANSWER, "answer" },
	{ "ice-candidate", MEDIA_CANDIDATE, "candidate" },
	{ "webrtc-offer", MEDIA_OFFER, "offer" },
	{ "webrtc-answer", MEDIA_ANSWER, "answer" },
};

static const char *const asides[] = {
	"ai_status", "client_signal", "ai_control", "orb_heartbeat", "ai-orb-shutdown",
};

/* Types that nobody knows are ignored, as these clients expect. */
static void on_type(struct session *s, struct relay *r, struct slice type,
		    struct slice text)
{
	if (slice_is(type, "ping")) {
		session_send(s, SLICE("{\"type\":\"pong\"}"));
	} else if (slice_is(type, "join")) {
		on_join(s, r);
	} else if (slice_is(type, "leave")) {
		on_leave(s);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(relayed); i++)
			if (slice_is(type, relayed[i].type) &&
			    relay_raw(r, relayed[i].field).n > 0)
				on_signal(s, r, relayed[i].kind, relayed[i].field, text);
		for (size_t i = 0; i < ARRAY_LEN(asides); i++)
			if (slice_is(type, asides[i]))
				on_aside(s, text);
	}
}

static void coach_message(struct session *s, struct slice text)
{
	struct relay r;
	int err = relay_read(&r, text, &s->dialect->scratch);

	if (err < 0) {
		if (session_malformed(s, err, NULL))
			session_reply(s, 0, err, NULL);
		return;
	}
	s->malformed = 0;
	metric_add(METRIC_COMMANDS, 1);
	on_type(s, &r, relay_text(&r, "type", ROOM_MAX_NAME), text);
}

/* --- telling --- */

enum { VARIANT_SIMPLE, VARIANT_HYBRID };

static uint8_t coach_variant(const struct session *s)
{
	const struct coach *c = s->own;

	return c->hybrid ? VARIANT_HYBRID : VARIANT_SIMPLE;
}

/* userRole and participantType as the member's client gave them; a member without a role is
 * shown under the one that makes the receiver do its part. */
static void put_role(struct jsonw *w, const struct member_info *m, const struct coach *to)
{
	struct json_token tokens[16];
	struct json j;
	uint32_t role = 0, kind = 0;

	if (m->named && json_parse(&j, m->metadata, tokens, ARRAY_LEN(tokens)) == 0) {
		role = json_member(&j, 0, SLICE("userRole"));
		kind = json_member(&j, 0, SLICE("participantType"));
	}
	const char *shown =
		bus_rank_shown(m, &to->self) == RANK_COACH ? "\"coach\"" : "\"client\"";
	json_field_raw(w, "userRole", role ? json_raw(&j, role) : slice_str(shown));
	json_field_raw(w, "participantType",
		       kind ? json_raw(&j, kind) : SLICE("\"human\""));
}

static void put_user(struct jsonw *w, const struct member_info *m, const struct coach *to)
{
	char id[BUS_MEMBER_TEXT];

	json_field_string(w, "userId", relay_shown_id(m, id));
	json_field_string(w, "userName", m->name);
	put_role(w, m, to);
}

static void send_user(struct seat *to, const char *type, const struct member_info *m,
		      const bool *offer)
{
	struct buf *out = &to->session->dialect->out;
	struct jsonw w;

	buf_clear(out);
	json_begin(&w, out);
	json_object(&w);
	json_field_string(&w, "type", slice_str(type));
	put_user(&w, m, to->session->own);
	if (offer)
		json_field_bool(&w, "shouldCreateOffer", *offer);
	json_object_end(&w);
	session_send_out(to->session);
}

/* A hybrid coach offers to everybody it is told of, so it is told only of those. */
static void send_joined(struct seat *to, const struct member_info *m, bool offer)
{
	const struct coach *c = to->session->own;

	if (offer || c->self.offers != OFFERS_ALWAYS)
		send_user(to, "user-joined", m, &offer);
}

static void send_discovery(struct seat *to, struct slice roster)
{
	struct buf *out = &to->session->dialect->out;
	struct cur in = cur_of_slice(roster);
	struct member_info m;
	struct jsonw w;

	buf_clear(out);
	json_begin(&w, out);
	json_object(&w);
	json_field_string(&w, "type", SLICE("peer-discovery"));
	json_key(&w, SLICE("peers"));
	json_array(&w);
	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0) {
		json_object(&w);
		put_user(&w, &m, to->session->own);
		json_object_end(&w);
	}
	json_array_end(&w);
	json_field_raw(&w, "roomId", to->fanout->quoted);
	json_object_end(&w);
	session_send_out(to->session);
}

/* A tri newcomer gets the list alone: a user-joined as well would make it offer twice. */
static void tell_welcome(struct seat *to, const struct event *e)
{
	const struct coach *c = to->session->own;
	struct cur in = cur_of_slice(e->roster);
	struct member_info m;

	send_discovery(to, e->roster);
	while (!c->tri && cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0)
		send_joined(to, &m, m.offer);
}

static void put_media(struct jsonw *w, bool hybrid, enum media kind, struct slice payload)
{
	static const struct {
		const char *simple, *hybrid, *field;
	} words[] = {
		[MEDIA_OFFER] = { "offer", "webrtc-offer", "offer" },
		[MEDIA_ANSWER] = { "answer", "webrtc-answer", "answer" },
		[MEDIA_CANDIDATE] = { "ice-candidate", "ice-candidate", "candidate" },
	};

	json_object(w);
	json_field_string(w, "type",
			  slice_str(hybrid ? words[kind].hybrid : words[kind].simple));
	json_field_raw(w, words[kind].field, payload);
}

/* A media signal of the own wording is passed on as it came, with who it is from; another is
 * put into it. What is no media signal goes to members of this family, word for word. */
static void word_signal(struct buf *b, bool hybrid, const struct event *e)
{
	struct slice payload = SLICE_NONE;
	char id[BUS_MEMBER_TEXT];
	struct jsonw w;

	if (e->flavor == FLAVOR_ASIDE) {
		buf_put(b, e->text);
		return;
	}
	enum media kind = relay_media(e, &payload);
	bool same = e->flavor == (hybrid ? FLAVOR_HYBRID : FLAVOR_SIMPLE);
	if (kind == MEDIA_NONE)
		return;
	if (same && e->untouched) {
		relay_extend(b, &w, e->raw);
	} else if (same) {
		relay_reopen(b, &w, e->raw, sender_fields);
	} else {
		json_begin(&w, b);
		put_media(&w, hybrid, kind, payload);
	}
	struct slice from = relay_shown_id(&e->subject, id);
	json_field_string(&w, "fromId", from);
	json_field_string(&w, "from", from);
	json_object_end(&w);
}

static void coach_encode(struct buf *b, const struct fanout_channel *c,
			 const struct event *e)
{
	if (e->kind == EVENT_SIGNAL)
		word_signal(b, c->variant == VARIANT_HYBRID, e);
}

static void coach_tell(struct seat *to, const struct event *e)
{
	struct buf *out = &to->session->dialect->out;
	const struct coach *c = to->session->own;

	switch (e->kind) {
	case EVENT_WELCOME:
		tell_welcome(to, e);
		break;
	case EVENT_JOINED:
		send_joined(to, &e->subject, !bus_newcomer_offers(&c->self, &e->subject));
		break;
	case EVENT_LEFT:
		if (e->member == to->member_id && e->reason == LEAVE_REPLACED)
			ws_close(to->ws, 4001, "the same user came again");
		else if (e->reason != LEAVE_REPLACED && e->member != to->member_id)
			send_user(to, "user-left", &e->subject, NULL);
		break;
	case EVENT_SIGNAL:
		buf_clear(out);
		word_signal(out, c->hybrid, e);
		session_send_out(to->session);
		break;
	default: /* these pages know nothing of the rest */
		break;
	}
}

static void coach_reply(struct session *s, uint64_t request, int err, const char *detail)
{
	struct buf *out = &s->dialect->out;
	struct jsonw w;

	(void)request;
	if (err >= 0)
		return;
	buf_clear(out);
	json_begin(&w, out);
	json_object(&w);
	json_field_string(&w, "type", SLICE("error"));
	json_field_string(&w, "code", slice_str(err_name(err)));
	json_field_string(&w, "message", slice_str(err_text(err)));
	if (detail)
		json_field_string(&w, "detail", slice_str(detail));
	json_object_end(&w);
	session_send_out(s);
}

static void coach_over_rate(struct session *s, struct slice text)
{
	(void)text;
	session_reply(s, 0, E_RATE, NULL);
}

/* --- the connection --- */

static void coach_arrive(struct session *s, struct slice message)
{
	/* The page speaks first: its join. */
	(void)s;
	(void)message;
}

static void coach_end(struct session *s)
{
	struct coach *c = s->own;

	free(c->room);
	free(c->user);
	free(c);
}

static const struct vocabulary coach = {
	.name = "coach",
	.variant = coach_variant,
	.personal = BIT(EVENT_JOINED) | BIT(EVENT_LEFT),
	.message = coach_message,
	.arrive = coach_arrive,
	.encode = coach_encode,
	.tell = coach_tell,
	.reply = coach_reply,
	.over_rate = coach_over_rate,
	.end = coach_end,
};

void coach_on_connect(struct http_exchange *x, void *arg)
{
	struct coach *c = xzalloc(sizeof(*c));

	c->room = slice_dup(http_param(x, "room"));
	struct session *s = session_open(arg, x, &coach, c, NULL, slice_str(c->room));
	if (s)
		session_go(s, slice_str(c->room));
}
