/* coworking: {"type","data","from","to","roomId"} in both directions.
 *
 * A client makes up an id of its own for `from`, while the others know it by ours. So per socket the
 * `from` is learned as an alias; what is passed on carries one canonical id as `from`, and `to` is
 * resolved through the aliases. A client offers to whom a user-joined tells it of, so it is
 * told only of those to whom it shall offer.
 */
#include "dialect/coworking.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/fanout.h"
#include "dialect/relay.h"

struct coworking {
	char *room;
	char *alias; /* learned; NULL before */
};

/* Offers as it is told: who was there to who comes. */
static const struct member_info self = { .offers = OFFERS_LATER };

static const struct {
	const char *type;
	enum media kind;
} types[] = {
	{ "offer", MEDIA_OFFER },
	{ "answer", MEDIA_ANSWER },
	{ "ice-candidate", MEDIA_CANDIDATE },
	/* A client says these as well; they only tell its name. */
	{ "user-joined", MEDIA_NONE },
	{ "user-left", MEDIA_NONE },
};

/* --- hearing --- */

static void learn_alias(struct session *s, struct slice from)
{
	struct coworking *c = s->own;
	const struct command alias = { .kind = COMMAND_ALIAS, .text = from };

	if (c->alias && slice_is(from, c->alias))
		return;
	free(c->alias);
	c->alias = slice_dup(from);
	route_command(s->seats, 0, &alias);
}

static void on_signal(struct session *s, struct relay *r, enum media kind,
		      struct slice text)
{
	struct slice data = relay_raw(r, "data");
	const struct command signal = {
		.kind = COMMAND_SIGNAL,
		.flavor = FLAVOR_ENVELOPE,
		.media = (uint8_t)kind,
		.to_name = relay_text(r, "to", ROOM_MAX_NAME),
		.raw = text,
		.text = data,
	};

	if (data.n > 0)
		route_command(s->seats, 0, &signal);
}

/* Messages that lack a field, unknown types, and the client's own user-joined are ignored, as in
 * the original. */
static void coworking_message(struct session *s, struct slice text)
{
	struct relay r;
	int err = relay_read(&r, text, &s->dialect->scratch);

	if (err < 0) {
		(void)session_malformed(s, err, NULL);
		return;
	}
	s->malformed = 0;
	metric_add(METRIC_COMMANDS, 1);
	struct slice type = relay_text(&r, "type", ROOM_MAX_NAME);
	struct slice from = relay_text(&r, "from", ROOM_MAX_NAME);
	if (from.n == 0 || relay_raw(&r, "roomId").n == 0 || !s->seats ||
	    !s->seats->member_id)
		return;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!slice_is(type, types[i].type))
			continue;
		learn_alias(s, from);
		if (types[i].kind != MEDIA_NONE)
			on_signal(s, &r, types[i].kind, text);
	}
}

/* --- telling --- */

static void send_user(struct seat *to, const char *type, const struct member_info *m)
{
	struct buf *out = &to->session->dialect->out;
	char text[BUS_MEMBER_TEXT];
	struct slice id = relay_shown_id(m, text);
	struct jsonw w;

	buf_clear(out);
	json_begin(&w, out);
	json_object(&w);
	json_field_string(&w, "type", slice_str(type));
	json_key(&w, SLICE("data"));
	json_object(&w);
	json_field_string(&w, "userId", id);
	json_object_end(&w);
	json_field_string(&w, "from", id);
	json_field_raw(&w, "roomId", to->fanout->quoted);
	json_object_end(&w);
	session_send_out(to->session);
}

static void tell_welcome(struct seat *to, const struct event *e)
{
	struct cur in = cur_of_slice(e->roster);
	struct member_info m;

	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0)
		if (m.offer)
			send_user(to, "user-joined", &m);
}

static void word_signal(struct buf *b, struct slice room, const struct event *e,
			const struct slice *to)
{
	static const char *const rewritten[] = { "from", "to", NULL };
	struct slice payload = SLICE_NONE;
	enum media kind = relay_media(e, &payload);
	char id[BUS_MEMBER_TEXT];
	struct jsonw w;

	if (kind == MEDIA_NONE || e->flavor == FLAVOR_ASIDE)
		return;
	if (e->flavor == FLAVOR_ENVELOPE) {
		relay_reopen(b, &w, e->raw, rewritten);
	} else {
		json_begin(&w, b);
		json_object(&w);
		for (size_t i = 0; i < ARRAY_LEN(types); i++)
			if (types[i].kind == kind)
				json_field_string(&w, "type", slice_str(types[i].type));
		json_field_raw(&w, "data", payload);
		json_field_raw(&w, "roomId", room);
	}
	json_field_string(&w, "from", relay_shown_id(&e->subject, id));
	if (to)
		json_field_string(&w, "to", *to);
	json_object_end(&w);
}

static void coworking_encode(struct buf *b, const struct fanout_channel *c,
			     const struct event *e)
{
	if (e->kind == EVENT_SIGNAL)
		word_signal(b, c->fanout->quoted, e, NULL);
}

/* `to` is what the receiver calls itself. */
static void tell_signal(struct seat *to, const struct event *e)
{
	const struct coworking *c = to->session->own;
	struct buf *out = &to->session->dialect->out;
	char text[BUS_MEMBER_TEXT];

	bus_member_text(text, to->member_id);
	struct slice name = c->alias ? slice_str(c->alias) : slice_of(text, sizeof(text));
	buf_clear(out);
	word_signal(out, to->fanout->quoted, e, &name);
	session_send_out(to->session);
}

static void coworking_tell(struct seat *to, const struct event *e)
{
	switch (e->kind) {
	case EVENT_WELCOME:
		tell_welcome(to, e);
		break;
	case EVENT_JOINED:
		if (!bus_newcomer_offers(&self, &e->subject))
			send_user(to, "user-joined", &e->subject);
		break;
	case EVENT_LEFT:
		if (e->member != to->member_id)
			send_user(to, "user-left", &e->subject);
		break;
	case EVENT_SIGNAL:
		tell_signal(to, e);
		break;
	default: /* these pages know nothing of the rest */
		break;
	}
}

/* 4003: not a room participant. Other refusals were never answered. */
static void coworking_reply(struct session *s, uint64_t request, int err,
			    const char *detail)
{
	(void)detail;
	if (err == E_UNAUTHORIZED)
		ws_close(s->ws, 4001, "authentication failed");
	if (err == E_ROOM_FULL || (err == E_DENIED && request) || err == E_LIMIT ||
	    err == E_BAD_FIELD)
		ws_close(s->ws, 4003, err_text(err));
}

static void coworking_over_rate(struct session *s, struct slice text)
{
	(void)s;
	(void)text;
}

/* --- the connection --- */

static void coworking_arrive(struct session *s, struct slice message)
{
	const struct coworking *c = s->own;
	const struct command join = { .kind = COMMAND_JOIN,
				      .named = true,
				      .offers = OFFERS_LATER };

	(void)message;
	route_command(session_add_seat(s, slice_str(c->room), 1), 1, &join);
}

static void coworking_end(struct session *s)
{
	struct coworking *c = s->own;

	free(c->room);
	free(c->alias);
	free(c);
}

static const struct vocabulary coworking = {
	.name = "coworking",
	.personal = BIT(EVENT_JOINED) | BIT(EVENT_LEFT),
	.message = coworking_message,
	.arrive = coworking_arrive,
	.encode = coworking_encode,
	.tell = coworking_tell,
	.reply = coworking_reply,
	.over_rate = coworking_over_rate,
	.end = coworking_end,
};

void coworking_on_connect(struct http_exchange *x, void *arg)
{
	struct coworking *c = xzalloc(sizeof(*c));

	c->room = slice_dup(http_param(x, "room"));
	struct session *s = session_open(arg, x, &coworking, c, NULL, slice_str(c->room));
	if (s)
		session_go(s, slice_str(c->room));
}
