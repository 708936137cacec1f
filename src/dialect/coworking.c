#include <stdlib.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"
#include "dialect/coworking_call.h"

/* Nobody stays for longer without a word to us. */
#define FORGOTTEN (12 * 3600 * 1000)
/* Who has just joined may not have opened its socket yet. */
#define FRESH 60000

/* --- answers --- */

void coworking_reply(struct call *c, int status, struct buf *b)
{
	http_reply(c->x, status, "application/json", buf_slice(b));
	buf_fini(b);
}

void coworking_fail(struct call *c, int status, const char *detail)
{
	struct buf b = BUF_INIT(4096);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "detail", slice_str(detail));
	json_object_end(&w);
	coworking_reply(c, status, &b);
}

void coworking_put_time(struct jsonw *w, const char *name, ms_t at)
{
	struct buf iso = BUF_INIT(64);

	clock_iso(&iso, at);
	json_field_string(w, name, buf_slice(&iso));
	buf_fini(&iso);
}

struct slice coworking_avatar(struct slice name)
{
	size_t n = name.n > 0;

	while (n > 0 && n < name.n && (name.p[n] & 0xc0) == 0x80)
		n++;
	return slice_of(name.p, n);
}

static void put_person(struct jsonw *w, const struct person *p)
{
	json_object(w);
	json_field_string(w, "id", slice_str(p->id));
	json_field_string(w, "name", slice_str(p->name));
	json_field_string(w, "avatar", coworking_avatar(slice_str(p->name)));
	json_field_bool(w, "is_speaking", p->speaking);
	json_field_bool(w, "is_muted", p->muted);
	coworking_put_time(w, "joined_at", p->joined_at);
	json_object_end(w);
}

static void put_summary(struct jsonw *w, const struct hall *h)
{
	json_object(w);
	json_field_string(w, "id", slice_str(h->id));
	json_field_string(w, "name", slice_str(h->name));
	json_field_string(w, "description", slice_str(h->description));
	json_field_string(w, "status", SLICE("active"));
	json_field_u64(w, "participant_count", h->people_count);
	json_field_u64(w, "max_participants", h->max);
	json_field_string(w, "color", slice_str(h->color));
	json_object_end(w);
}

void coworking_put_room(struct jsonw *w, const struct call *c, struct slice messages)
{
	const struct hall *h = c->hall;

	json_object(w);
	json_field_string(w, "id", slice_str(h->id));
	json_field_string(w, "name", slice_str(h->name));
	json_field_string(w, "description", slice_str(h->description));
	json_key(w, SLICE("participants"));
	json_array(w);
	for (uint32_t i = 0; i < h->people_count; i++)
		put_person(w, &h->people[i]);
	json_array_end(w);
	json_key(w, SLICE("messages"));
	json_array(w);
	coworking_put_messages(w, c, messages);
	json_array_end(w);
	json_field_u64(w, "tasks_completed", 0);
	json_field_u64(w, "tasks_total", 0);
	json_field_u64(w, "focus_time", 0);
	json_field_u64(w, "focus_goal", 480);
	json_object_end(w);
}

void coworking_reply_done(struct call *c, const char *message)
{
	struct buf b = BUF_INIT(1024);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_bool(&w, "success", true);
	json_field_string(&w, "message", slice_str(message));
	json_object_end(&w);
	coworking_reply(c, 200, &b);
}

/* --- what was sent --- */

char *coworking_text(struct call *c, const char *name, size_t max, const char *preset)
{
	uint32_t t = c->has_json ? json_member(&c->json, 0, slice_str(name)) : 0;
	struct buf b = BUF_INIT(max + 1);
	char *text = NULL;

	if (!t || json_kind_of(&c->json, t) == JSON_NULL)
		return preset ? xstrdup(preset) : NULL;
	if (json_string(&c->json, t, max, &b) == 0 && slice_trim(buf_slice(&b)).n > 0)
		text = slice_dup(buf_slice(&b));
	buf_fini(&b);
	return text;
}

static int body_bool(struct call *c, const char *name, bool *out)
{
	uint32_t t = c->has_json ? json_member(&c->json, 0, slice_str(name)) : 0;

	return t ? json_bool(&c->json, t, out) : E_BAD_FIELD;
}

/* --- people and rooms --- */

static struct person *find_person(struct hall *h, const char *id)
{
	for (uint32_t i = 0; i < h->people_count; i++)
		if (strcmp(h->people[i].id, id) == 0)
			return &h->people[i];
	return NULL;
}

static void remove_person(struct hall *h, struct person *p)
{
	free(p->id);
	free(p->name);
	size_t at = (size_t)(p - h->people);
	h->people_count--;
	memmove(p, p + 1, (h->people_count - at) * sizeof(*p));
}

/* Whoever has been silent for long is gone; so is who is silent while fewer sockets are open than people are
 * listed. */
static void prune(struct call *c, uint32_t live)
{
	struct hall *h = c->hall;
	uint32_t before = h->people_count;

	for (uint32_t i = h->people_count; i-- > 0;) {
		ms_t silent = c->now - h->people[i].seen;

		if (silent > FORGOTTEN || (silent > FRESH && h->people_count > live))
			remove_person(h, &h->people[i]);
	}
	if (h->people_count < before)
		coworking_keep(c->c, h);
}

void coworking_free_hall(struct hall *h)
{
	while (h->people_count > 0)
		remove_person(h, &h->people[h->people_count - 1]);
	for (size_t i = 0; i < COWORKING_POSTS; i++) {
		free(h->posts[i].user);
		free(h->posts[i].text);
	}
	free(h->name);
	free(h->description);
	free(h->color);
	free(h->maker);
	free(h);
}

static void hall_remove(struct coworking *c, size_t at)
{
	coworking_free_hall(c->halls[at]);
	c->hall_count--;
	memmove(&c->halls[at], &c->halls[at + 1],
		(c->hall_count - at) * sizeof(c->halls[0]));
}

struct call *coworking_later(const struct call *c)
{
	struct call *later = xmemdup(c, sizeof(*c));

	later->has_json = false;
	return later;
}

void coworking_free(struct call *c)
{
	free(c->text);
	free(c);
}

struct hall *coworking_hall(struct coworking *c, struct slice id)
{
	for (size_t i = 0; i < c->hall_count; i++)
		if (slice_is(id, c->halls[i]->id))
			return c->halls[i];
	return NULL;
}

bool coworking_find_again(struct call *c)
{
	c->hall = coworking_hall(c->c, http_param(c->x, "room"));
	if (c->hall)
		return true;
	coworking_fail(c, 404, "Room not found");
	coworking_free(c);
	return false;
}

int coworking_add_hall(struct coworking *c, struct hall *h)
{
	size_t at = c->hall_count;

	if (c->hall_count == COWORKING_ROOMS)
		return E_LIMIT;
	while (at > 0 && c->halls[at - 1]->made_at > h->made_at)
		at--;
	memmove(&c->halls[at + 1], &c->halls[at],
		(c->hall_count - at) * sizeof(c->halls[0]));
	c->halls[at] = h;
	c->hall_count++;
	return 0;
}

static bool make_room(struct coworking *c)
{
	for (size_t i = 0; c->hall_count == COWORKING_ROOMS && i < c->hall_count; i++)
		if (c->halls[i]->people_count == 0) {
			coworking_drop(c, c->halls[i]);
			hall_remove(c, i);
		}
	return c->hall_count < COWORKING_ROOMS;
}

/* --- operations --- */

static void on_list(struct call *c)
{
	struct buf b = BUF_INIT(MAX_REPLY);
	struct jsonw w;

	json_begin(&w, &b);
	json_array(&w);
	for (size_t i = 0; i < c->c->hall_count; i++)
		put_summary(&w, c->c->halls[i]);
	json_array_end(&w);
	coworking_reply(c, 200, &b);
}

static void on_make(struct call *c)
{
	uint32_t t =
		c->has_json ? json_member(&c->json, 0, SLICE("max_participants")) : 0;
	uint64_t max = COWORKING_PEOPLE;
	struct buf b = BUF_INIT(16384);
	struct jsonw w;

	if (t && (json_u53(&c->json, t, &max) < 0 || max < 1 || max > COWORKING_PEOPLE)) {
		coworking_fail(c, 422, "max_participants should be 1 to 50");
		return;
	}
	struct hall *h = xzalloc(sizeof(*h));
	h->name = coworking_text(c, "name", MAX_NAME, NULL);
	h->description = coworking_text(c, "description", COWORKING_TEXT, "");
	h->color = coworking_text(c, "color", 32, "#4f46e5");
	if (!h->name || !h->description || !h->color) {
		coworking_free_hall(h);
		coworking_fail(c, 422,
			       "name, description or color is missing or too long");
		return;
	}
	rand_text(h->id, ROOM_ID);
	h->max = (uint32_t)max;
	h->maker = xstrdup(c->id);
	h->made_at = c->now;
	if (!make_room(c->c) || coworking_add_hall(c->c, h) < 0) {
		coworking_free_hall(h);
		coworking_fail(c, 503, "Too many rooms");
		return;
	}
	json_begin(&w, &b);
	put_summary(&w, h);
	coworking_keep_made(c, h, &b);
}

static void on_show(struct call *c)
{
	prune(c, COWORKING_PEOPLE);
	coworking_show(c, NULL);
}

static void on_remove(struct call *c)
{
	if (strcmp(c->hall->maker, c->id) != 0) {
		coworking_fail(c, 403, "Only who made the room may delete it");
		return;
	}
	coworking_drop(c->c, c->hall);
	for (size_t i = 0; i < c->c->hall_count; i++)
		if (c->c->halls[i] == c->hall)
			hall_remove(c->c, i);
	coworking_reply_done(c, "Room deleted");
}

/* A page that is reloaded joins again: it is there already, and that is no error. */
static void do_join(struct call *c)
{
	struct hall *h = c->hall;

	bool comes = !c->me;

	if (comes) {
		c->me = &h->people[h->people_count++];
		*c->me = (struct person){ .id = xstrdup(c->id),
					  .name = xstrdup(c->name),
					  .joined_at = c->now };
	}
	c->me->seen = c->now;
	if (!comes) {
		coworking_show(c, "Joined the room");
		return;
	}
	coworking_keep(c->c, h);
	coworking_note(c, "joined", "Joined the room");
}

/* Who is still there, when it seems full: the answer of the room with its sockets. */
static void on_live(void *arg, const struct bus_answer *a, size_t count)
{
	struct call *c = arg;
	struct room_info info = { .members = 0 };
	struct cur in = cur_of_slice(count > 0 ? a->rooms : SLICE_NONE);

	if (count > 0 && a->err == 0 && bus_room_decode(&info, &in) < 0)
		info.members = 0;
	if (!coworking_find_again(c))
		return;
	prune(c, info.members);
	c->me = find_person(c->hall, c->id);
	if (!c->me && c->hall->people_count >= c->hall->max)
		coworking_fail(c, 400, "Room is full");
	else
		do_join(c);
	coworking_free(c);
}

static void on_join(struct call *c)
{
	const struct bus_ask ask = { .kind = ASK_ROOM, .room = slice_str(c->hall->id) };

	prune(c, COWORKING_PEOPLE);
	c->me = find_person(c->hall, c->id);
	if (c->me || c->hall->people_count < c->hall->max) {
		do_join(c);
		return;
	}
	room_desk_ask(c->c->desk, &ask, on_live, coworking_later(c));
}

static void on_leave(struct call *c)
{
	remove_person(c->hall, c->me);
	c->me = NULL;
	coworking_keep(c->c, c->hall);
	coworking_note(c, "left", "Left the room");
}

static void reply_flag(struct call *c, const char *name, bool value)
{
	struct buf b = BUF_INIT(256);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_bool(&w, "success", true);
	json_field_bool(&w, name, value);
	json_object_end(&w);
	coworking_reply(c, 200, &b);
}

static void on_mic(struct call *c)
{
	bool muted;

	if (body_bool(c, "is_muted", &muted) < 0) {
		coworking_fail(c, 422, "is_muted should be true or false");
		return;
	}
	bool changed = c->me->muted != muted;
	c->me->muted = muted;
	if (changed)
		coworking_keep(c->c, c->hall);
	c->me->speaking = c->me->speaking && !muted;
	coworking_tell_state(c, PRESENCE_MIC, !muted);
	reply_flag(c, "is_muted", muted);
}

static void on_speaking(struct call *c)
{
	bool speaking;

	if (body_bool(c, "is_speaking", &speaking) < 0) {
		coworking_fail(c, 422, "is_speaking should be true or false");
	} else if (speaking && c->me->muted) {
		coworking_fail(c, 400, "Cannot speak while muted");
	} else {
		c->me->speaking = speaking;
		coworking_tell_state(c, PRESENCE_SPEAKING, speaking);
		reply_flag(c, "is_speaking", speaking);
	}
}

/* --- requests --- */

#define AUTH "/api/auth"
#define ROOMS "/api/coworking/rooms"
#define ROOM ROOMS "/{room}"

static const struct coworking_op ops[] = {
	{ HTTP_GET, ROOMS, on_list, FOR_KNOWN },
	{ HTTP_POST, ROOMS, on_make, FOR_KNOWN },
	{ HTTP_GET, ROOM, on_show, FOR_KNOWN },
	{ HTTP_DELETE, ROOM, on_remove, FOR_KNOWN },
	{ HTTP_POST, ROOM "/join", on_join, FOR_KNOWN },
	{ HTTP_POST, ROOM "/leave", on_leave, FOR_PEOPLE },
	{ HTTP_POST, ROOM "/messages", coworking_on_message, FOR_PEOPLE },
	{ HTTP_PUT, ROOM "/mic-toggle", on_mic, FOR_PEOPLE },
	{ HTTP_PUT, ROOM "/speaking", on_speaking, FOR_PEOPLE },
	{ HTTP_POST, ROOM "/emoji", coworking_on_emoji, FOR_PEOPLE },
	{ HTTP_POST, AUTH "/login", coworking_on_login, FOR_ALL },
	{ HTTP_POST, AUTH "/register", coworking_on_login, FOR_ALL },
	{ HTTP_GET, AUTH "/user", coworking_on_user, FOR_KNOWN },
};

static void run(struct call *c, const struct coworking_op *op)
{
	struct slice room = http_param(c->x, "room"), body = http_body(c->x);

	int err = op->whom == FOR_ALL ? 0 : coworking_identify(c);
	if (err == E_DENIED) {
		coworking_fail(c, 403, "Not allowed by the token");
		return;
	}
	if (err == E_UNAVAILABLE) {
		coworking_fail(c, 503, "The keys are being fetched: try again");
		return;
	}
	if (err < 0) {
		http_add_header(c->x, "WWW-Authenticate", SLICE("Bearer"));
		coworking_fail(c, 401, "Not authenticated");
		return;
	}
	c->hall = room.n > 0 ? coworking_hall(c->c, room) : NULL;
	c->me = c->hall ? find_person(c->hall, c->id) : NULL;
	c->has_json =
		body.n > 0 && json_parse(&c->json, body, c->tokens, MAX_TOKENS) == 0;
	if (c->me)
		c->me->seen = c->now;
	if (room.n > 0 && !c->hall)
		coworking_fail(c, 404, "Room not found");
	else if (op->whom == FOR_PEOPLE && !c->me)
		coworking_fail(c, op->run == on_leave ? 404 : 403, "Not in this room");
	else if (body.n > 0 && !c->has_json)
		coworking_fail(c, 422, "the body is no JSON");
	else
		op->run(c);
}

static void on_request(struct http_exchange *x, void *arg)
{
	const struct door *door = arg;
	struct dialect *d = door->coworking->dialect;
	struct call c = { .c = door->coworking, .x = x, .now = loop_wall(d->loop) };

	if (d->self != 0)
		route_request(x, 0);
	else
		run(&c, door->op);
}

/* --- life --- */

struct coworking *coworking_create(struct dialect *d, struct room_desk *desk)
{
	struct coworking *c = xzalloc(sizeof(*c));

	c->dialect = d;
	c->desk = desk;
	c->doors = xzalloc(size_mul(ARRAY_LEN(ops), sizeof(*c->doors)));
	return c;
}

void coworking_destroy(struct coworking *c)
{
	if (!c)
		return;
	while (c->hall_count > 0)
		hall_remove(c, c->hall_count - 1);
	free(c->doors);
	free(c);
}

void coworking_add_routes(struct coworking *c, struct http_server *h)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		c->doors[i] = (struct door){ c, &ops[i] };
		http_route(h, ops[i].method, ops[i].path, 0, on_request, &c->doors[i]);
	}
}
