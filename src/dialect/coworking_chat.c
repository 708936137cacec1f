/* coworking_chat: what is said by REST: it is of the room's chat as all else that is said there, kept and read with it.
 * Without a store the last messages lie here, and the room hears them too.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/coworking_call.h"

#define MAX_EMOJI 40 /* ten of four bytes */
#define SYSTEM "System"

static bool has_store(const struct call *c)
{
	return c->c->dialect->settings->store != NULL;
}

/* --- wording --- */

static void put_message(struct jsonw *w, uint64_t id, struct slice user,
			struct slice text, ms_t at)
{
	struct buf iso = BUF_INIT(64);

	clock_iso(&iso, at);
	json_object(w);
	json_field_u64(w, "id", id);
	json_field_string(w, "user", user);
	json_field_string(w, "avatar", coworking_avatar(user));
	json_field_string(w, "text", text);
	json_field_string(w, "time", slice_of(iso.p + 11, 5)); /* "HH:MM", in UTC */
	json_field_string(w, "created_at", buf_slice(&iso));
	json_object_end(w);
	buf_fini(&iso);
}

/* Not what was taken back. */
static void put_kept(struct jsonw *w, const struct dialect_settings *s,
		     struct slice messages)
{
	struct cur in = cur_of_slice(messages);
	struct event e;

	while (cur_left(&in) > 0 && bus_event_decode(&e, &in) == 0) {
		struct buf made = BUF_INIT(0);
		struct slice text = dialect_chat_text(s, &e, &made);

		if (text.n > 0)
			put_message(w, e.n, e.subject.name, text, e.time);
		buf_fini(&made);
	}
}

void coworking_put_messages(struct jsonw *w, const struct call *c, struct slice messages)
{
	const struct hall *h = c->hall;
	uint32_t first = h->post_at + COWORKING_POSTS - h->post_count;

	put_kept(w, c->c->dialect->settings, messages);
	for (uint32_t i = 0; i < h->post_count; i++) {
		const struct post *p = &h->posts[(first + i) % COWORKING_POSTS];

		put_message(w, p->id, slice_str(p->user), slice_str(p->text), p->at);
	}
}

static void reply_message(struct call *c, uint64_t id, ms_t at)
{
	struct buf b = BUF_INIT(16384);
	struct jsonw w;

	json_begin(&w, &b);
	put_message(&w, id, slice_str(c->name), slice_str(c->text), at);
	coworking_reply(c, 200, &b);
}

/* --- saying --- */

static const struct post *add_post(struct call *c, const char *user, const char *text)
{
	struct hall *h = c->hall;
	struct post *p = &h->posts[h->post_at];

	free(p->user);
	free(p->text);
	*p = (struct post){ .id = ++c->c->last_post,
			    .user = xstrdup(user),
			    .text = xstrdup(text),
			    .at = c->now };
	h->post_at = (h->post_at + 1) % COWORKING_POSTS;
	if (h->post_count < COWORKING_POSTS)
		h->post_count++;
	return p;
}

static void on_told(void *arg, const struct bus_answer *a, size_t count)
{
	(void)arg;
	(void)a;
	(void)count;
}

/* Also when nobody is in the room. */
static void ask_chat(struct call *c, const char *user, const char *name, const char *text,
		     room_desk_fn *fn, void *arg)
{
	const struct bus_ask ask = {
		.kind = ASK_COMMAND,
		.room = slice_str(c->hall->id),
		.command = { .kind = COMMAND_CHAT,
			     .on = true,
			     .user = slice_str(user),
			     .name = slice_str(name),
			     .text = slice_str(text) },
	};

	room_desk_ask(c->c->desk, &ask, fn, arg);
}

static void on_noted(void *arg, const struct bus_answer *a, size_t count)
{
	struct call *c = arg;

	(void)a;
	(void)count;
	if (!coworking_find_again(c))
		return;
	if (c->me)
		coworking_show(c, c->outcome);
	else
		coworking_reply_done(c, c->outcome);
	coworking_free(c);
}

void coworking_note(struct call *c, const char *what, const char *outcome)
{
	struct buf b = BUF_INIT(MAX_NAME + 64);
	struct call *later = coworking_later(c);

	buf_printf(&b, "%s %s the room", c->name, what);
	buf_u8(&b, 0);
	later->outcome = outcome;
	if (!has_store(c))
		add_post(c, SYSTEM, (const char *)b.p);
	ask_chat(c, "", SYSTEM, (const char *)b.p, on_noted, later);
	buf_fini(&b);
}

static void on_said(void *arg, const struct bus_answer *a, size_t count)
{
	struct call *c = arg;
	struct event e = { .err = E_UNAVAILABLE };
	struct cur in = cur_of_slice(count > 0 ? a->event : SLICE_NONE);
	int err = count == 0 ? E_UNAVAILABLE : a->err;

	if (err == 0)
		err = bus_event_decode(&e, &in);
	if (err < 0)
		coworking_fail(c, err_http_status(err), err_text(err));
	else
		reply_message(c, e.n, e.time);
	coworking_free(c);
}

static void say(struct call *c, const char *field, size_t max)
{
	char *text = coworking_text(c, field, max, NULL);

	if (!text) {
		coworking_fail(c, 422, "the text is missing, empty or too long");
		return;
	}
	struct call *later = coworking_later(c);
	later->text = text;
	if (has_store(c)) {
		ask_chat(later, c->id, c->name, text, on_said, later);
		return;
	}
	const struct post *p = add_post(c, c->name, text);
	ask_chat(c, c->id, c->name, text, on_told, NULL);
	reply_message(later, p->id, p->at);
	coworking_free(later);
}

void coworking_on_message(struct call *c)
{
	say(c, "message_text", COWORKING_TEXT);
}

void coworking_on_emoji(struct call *c)
{
	say(c, "emoji", MAX_EMOJI);
}

/* Of a member that came by the same token; there may be none. */
void coworking_tell_state(struct call *c, unsigned which, bool on)
{
	const struct bus_ask ask = {
		.kind = ASK_COMMAND,
		.room = slice_str(c->hall->id),
		.command = { .kind = COMMAND_UPDATE,
			     .to_name = slice_str(c->id),
			     .changed = (uint16_t)which,
			     .state = (uint8_t)(on ? which : 0) },
	};

	room_desk_ask(c->c->desk, &ask, on_told, NULL);
}

/* --- showing --- */

static void reply_room(struct call *c, const char *outcome, struct slice messages)
{
	struct buf b = BUF_INIT(MAX_REPLY);
	struct jsonw w;

	json_begin(&w, &b);
	if (outcome) {
		json_object(&w);
		json_field_bool(&w, "success", true);
		json_field_string(&w, "message", slice_str(outcome));
		json_key(&w, SLICE("room"));
	}
	coworking_put_room(&w, c, messages);
	if (outcome)
		json_object_end(&w);
	coworking_reply(c, 200, &b);
}

/* A store that does not answer in time shows no past. */
static void on_history(struct store_ticket *t, const struct store_answer *a)
{
	struct call *c = container_of(t, struct call, ticket);

	if (!c->answered && !coworking_find_again(c))
		return;
	if (!c->answered)
		reply_room(c, c->outcome, a->err < 0 ? SLICE_NONE : a->body);
	coworking_free(c);
}

static void on_overdue(struct store_ticket *t)
{
	struct call *c = container_of(t, struct call, ticket);

	c->answered = true;
	c->hall = coworking_hall(c->c, http_param(c->x, "room"));
	if (c->hall)
		reply_room(c, c->outcome, SLICE_NONE);
	else
		coworking_fail(c, 404, "Room not found");
}

void coworking_show(struct call *c, const char *outcome)
{
	const struct store_query q = {
		.op = STORE_HISTORY,
		.room = slice_str(c->hall->id),
		.limit = COWORKING_POSTS,
	};

	if (has_store(c)) {
		struct call *later = coworking_later(c);

		later->outcome = outcome;
		later->text = NULL;
		later->ticket.done = on_history;
		later->ticket.overdue = on_overdue;
		if (store_ask(room_registry_store(c->c->dialect->rooms), &q,
			      &later->ticket) == 0)
			return;
		coworking_free(later);
	}
	reply_room(c, outcome, SLICE_NONE);
}
