#include "dialect/coworking.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/rand.h"
#include "bus/ask.h"
#include "dialect/admit.h"
#include "room/desk.h"

#define ROOM_ID 12
#define MAX_TOKENS 256
#define MAX_REPLY (1u << 20)
#define MAX_NAME 128
#define MAX_EMOJI 40 /* ten of four bytes */
/* Nobody stays for longer without a word to us. */
#define FORGOTTEN (12 * 3600 * 1000)
/* Who has just joined may not have opened its socket yet. */
#define FRESH 60000

struct person {
	char *id, *name;
	bool muted, speaking;
	ms_t joined_at, seen;
};

struct post {
	uint64_t id;
	char *user, *text;
	ms_t at;
};

struct hall {
	char id[ROOM_ID + 1];
	char *name, *description, *color, *maker;
	uint32_t max, people_count, post_count, post_at;
	ms_t made_at;
	struct person people[COWORKING_PEOPLE];
	struct post posts[COWORKING_POSTS];
};

struct coworking {
	struct dialect *dialect;
	struct room_desk *desk;
	struct hall *halls[COWORKING_ROOMS]; /* in the order of making */
	size_t hall_count;
	uint64_t last_post;
	struct door {
		struct coworking *coworking;
		const struct coworking_op *op;
	} * doors;
};

/* One request, while it is answered. */
struct call {
	struct coworking *c;
	struct http_exchange *x;
	struct hall *hall; /* NULL: the path names none */
	struct person *me; /* NULL: not in there */
	char id[MAX_NAME + 1], name[MAX_NAME + 1];
	ms_t now;
	struct json json;
	struct json_token tokens[MAX_TOKENS];
	bool has_json;
};

struct coworking_op {
	enum http_method method;
	const char *path; /* behind /api/coworking/rooms */
	void (*run)(struct call *c);
	bool inside; /* only for those who have joined */
};

/* --- answers --- */

static void reply(struct call *c, int status, struct buf *b)
{
	http_reply(c->x, status, "application/json", buf_slice(b));
	buf_fini(b);
}

static void fail(struct call *c, int status, const char *detail)
{
	struct buf b = BUF_INIT(4096);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "detail", slice_str(detail));
	json_object_end(&w);
	reply(c, status, &b);
}

static void put_time(struct jsonw *w, const char *name, ms_t at)
{
	struct buf iso = BUF_INIT(64);

	clock_iso(&iso, at);
	json_field_string(w, name, buf_slice(&iso));
	buf_fini(&iso);
}

/* "HH:MM", in UTC. */
static void put_clock(struct jsonw *w, const char *name, ms_t at)
{
	struct buf iso = BUF_INIT(64);

	clock_iso(&iso, at);
	json_field_string(w, name, slice_of(iso.p + 11, 5));
	buf_fini(&iso);
}

/* The first letter of the name. */
static struct slice avatar(const char *name)
{
	size_t n = name[0] != 0;

	while (n > 0 && ((uint8_t)name[n] & 0xc0) == 0x80)
		n++;
	return slice_of(name, n);
}

static void put_post(struct jsonw *w, const struct post *p)
{
	json_object(w);
	json_field_u64(w, "id", p->id);
	json_field_string(w, "user", slice_str(p->user));
	json_field_string(w, "avatar", avatar(p->user));
	json_field_string(w, "text", slice_str(p->text));
	put_clock(w, "time", p->at);
	put_time(w, "created_at", p->at);
	json_object_end(w);
}

static void put_person(struct jsonw *w, const struct person *p)
{
	json_object(w);
	json_field_string(w, "id", slice_str(p->id));
	json_field_string(w, "name", slice_str(p->name));
	json_field_string(w, "avatar", avatar(p->name));
	json_field_bool(w, "is_speaking", p->speaking);
	json_field_bool(w, "is_muted", p->muted);
	put_time(w, "joined_at", p->joined_at);
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

static void put_detail(struct jsonw *w, const struct hall *h)
{
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
	for (uint32_t i = 0; i < h->post_count; i++)
		put_post(w, &h->posts[(h->post_at + COWORKING_POSTS - h->post_count + i) %
				      COWORKING_POSTS]);
	json_array_end(w);
	json_field_u64(w, "tasks_completed", 0);
	json_field_u64(w, "tasks_total", 0);
	json_field_u64(w, "focus_time", 0);
	json_field_u64(w, "focus_goal", 480);
	json_object_end(w);
}

/* {"success":true,"message":...}, and the room when there is one. */
static void reply_done(struct call *c, const char *message, const struct hall *room)
{
	struct buf b = BUF_INIT(MAX_REPLY);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_bool(&w, "success", true);
	json_field_string(&w, "message", slice_str(message));
	if (room) {
		json_key(&w, SLICE("room"));
		put_detail(&w, room);
	}
	json_object_end(&w);
	reply(c, 200, &b);
}

/* --- what was sent --- */

/* A text of 1 to `max` bytes; NULL when it is none, `preset` when it is absent. */
static char *body_text(struct call *c, const char *name, size_t max, const char *preset)
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

/* --- who asks --- */

static void set_text(char to[MAX_NAME + 1], struct slice text)
{
	size_t n = text.n < MAX_NAME ? text.n : MAX_NAME;

	while (n > 0 && n < text.n && (text.p[n] & 0xc0) == 0x80)
		n--;
	if (n > 0)
		memcpy(to, text.p, n);
	to[n] = 0;
}

/* In open mode anybody may be anybody: the claims are believed without a signature. */
static void believe_claims(struct call *c, struct slice token)
{
	static const char *const ids[] = { "sub", "user_id", "id" };
	static const char *const names[] = { "name", "username", "email" };
	struct buf claims = BUF_INIT(16384), text = BUF_INIT(1024);
	struct json_token tokens[MAX_TOKENS];
	struct slice part = SLICE_NONE, rest = token;
	struct json j;

	if (slice_split(&rest, '.', &part) && slice_split(&rest, '.', &part) &&
	    base64_url_decode(&claims, part) == 0 &&
	    json_parse(&j, buf_slice(&claims), tokens, MAX_TOKENS) == 0) {
		for (size_t i = 0; i < ARRAY_LEN(ids) && c->id[0] == 0; i++) {
			uint32_t t = json_member(&j, 0, slice_str(ids[i]));

			buf_clear(&text);
			if (t && json_kind_of(&j, t) == JSON_NUMBER)
				set_text(c->id, json_raw(&j, t));
			else if (t && json_string(&j, t, 1000, &text) == 0)
				set_text(c->id, buf_slice(&text));
		}
		for (size_t i = 0; i < ARRAY_LEN(names) && c->name[0] == 0; i++) {
			uint32_t t = json_member(&j, 0, slice_str(names[i]));

			buf_clear(&text);
			if (t && json_string(&j, t, 1000, &text) == 0)
				set_text(c->name, buf_slice(&text));
		}
	}
	buf_fini(&claims);
	buf_fini(&text);
}

/* A token that is no JWT still tells one from another. */
static void invent_identity(struct call *c, struct slice token)
{
	struct buf id = BUF_INIT(64);

	if (c->id[0] == 0) {
		buf_printf(&id, "u_%016llx", (unsigned long long)hash_stable(token));
		set_text(c->id, buf_slice(&id));
	}
	if (c->name[0] == 0)
		set_text(c->name, slice_str("Guest"));
	buf_fini(&id);
}

static int identify(struct call *c)
{
	struct auth_gate *gate = dialect_gate(c->c->dialect);
	struct slice token = http_bearer(c->x);
	struct auth_pass p;
	const char *why;

	if (token.n == 0)
		return E_UNAUTHORIZED;
	if (auth_gate_open(gate)) {
		believe_claims(c, token);
		invent_identity(c, token);
		return 0;
	}
	int err = auth_gate_check(gate, token, c->now, &p, &why);
	if (err < 0)
		return err;
	/* As a join by the socket would be asked. */
	struct slice room = http_param(c->x, "room");
	if (!(p.allow & AUTH_JOIN) ||
	    (room.n > 0 && p.room.n > 0 && !slice_eq(room, p.room)))
		return E_DENIED;
	set_text(c->id, p.user);
	set_text(c->name, p.name.n > 0 ? p.name : p.user);
	invent_identity(c, token);
	return 0;
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
static void prune(struct hall *h, ms_t now, uint32_t live)
{
	for (uint32_t i = h->people_count; i-- > 0;) {
		ms_t silent = now - h->people[i].seen;

		if (silent > FORGOTTEN || (silent > FRESH && h->people_count > live))
			remove_person(h, &h->people[i]);
	}
}

static struct post *add_post(struct call *c, const char *user, const char *text)
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

static void add_notice(struct call *c, const char *what)
{
	struct buf b = BUF_INIT(MAX_NAME + 64);

	buf_printf(&b, "%s %s the room", c->name, what);
	buf_u8(&b, 0);
	add_post(c, "System", (const char *)b.p);
	buf_fini(&b);
}

static void hall_free(struct hall *h)
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
	hall_free(c->halls[at]);
	c->hall_count--;
	memmove(&c->halls[at], &c->halls[at + 1],
		(c->hall_count - at) * sizeof(c->halls[0]));
}

static struct hall *find_hall(struct coworking *c, struct slice id)
{
	for (size_t i = 0; i < c->hall_count; i++)
		if (slice_is(id, c->halls[i]->id))
			return c->halls[i];
	return NULL;
}

static bool make_room(struct coworking *c)
{
	for (size_t i = 0; c->hall_count == COWORKING_ROOMS && i < c->hall_count; i++)
		if (c->halls[i]->people_count == 0)
			hall_remove(c, i);
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
	reply(c, 200, &b);
}

static void on_make(struct call *c)
{
	uint32_t t =
		c->has_json ? json_member(&c->json, 0, SLICE("max_participants")) : 0;
	uint64_t max = COWORKING_PEOPLE;
	struct buf b = BUF_INIT(16384);
	struct jsonw w;

	if (t && (json_u53(&c->json, t, &max) < 0 || max < 1 || max > COWORKING_PEOPLE)) {
		fail(c, 422, "max_participants should be 1 to 50");
		return;
	}
	if (!make_room(c->c)) {
		fail(c, 503, "Too many rooms");
		return;
	}
	struct hall *h = xzalloc(sizeof(*h));
	h->name = body_text(c, "name", MAX_NAME, NULL);
	h->description = body_text(c, "description", COWORKING_TEXT, "");
	h->color = body_text(c, "color", 32, "#4f46e5");
	if (!h->name || !h->description || !h->color) {
		hall_free(h);
		fail(c, 422, "name, description or color is missing or too long");
		return;
	}
	rand_text(h->id, ROOM_ID);
	h->max = (uint32_t)max;
	h->maker = xstrdup(c->id);
	h->made_at = c->now;
	c->c->halls[c->c->hall_count++] = h;
	json_begin(&w, &b);
	put_summary(&w, h);
	reply(c, 201, &b);
}

static void on_show(struct call *c)
{
	struct buf b = BUF_INIT(MAX_REPLY);
	struct jsonw w;

	prune(c->hall, c->now, COWORKING_PEOPLE);
	json_begin(&w, &b);
	put_detail(&w, c->hall);
	reply(c, 200, &b);
}

static void on_remove(struct call *c)
{
	if (strcmp(c->hall->maker, c->id) != 0) {
		fail(c, 403, "Only who made the room may delete it");
		return;
	}
	for (size_t i = 0; i < c->c->hall_count; i++)
		if (c->c->halls[i] == c->hall)
			hall_remove(c->c, i);
	reply_done(c, "Room deleted", NULL);
}

/* A page that is reloaded joins again: it is there already, and that is no error. */
static void do_join(struct call *c)
{
	struct hall *h = c->hall;

	if (!c->me) {
		c->me = &h->people[h->people_count++];
		*c->me = (struct person){ .id = xstrdup(c->id),
					  .name = xstrdup(c->name),
					  .joined_at = c->now };
		add_notice(c, "joined");
	}
	c->me->seen = c->now;
	reply_done(c, "Joined the room", h);
}

/* Who is still there, when it seems full: the answer of the room with its sockets. */
static void on_live(void *arg, const struct bus_answer *a, size_t count)
{
	struct call *c = arg;
	struct room_info info = { .members = 0 };
	struct cur in = cur_of_slice(count > 0 ? a->rooms : SLICE_NONE);

	if (count > 0 && a->err == 0 && bus_room_decode(&info, &in) < 0)
		info.members = 0;
	/* It may have been deleted meanwhile. */
	c->hall = find_hall(c->c, http_param(c->x, "room"));
	c->me = c->hall ? find_person(c->hall, c->id) : NULL;
	if (c->hall)
		prune(c->hall, c->now, info.members);
	if (!c->hall)
		fail(c, 404, "Room not found");
	else if (!c->me && c->hall->people_count >= c->hall->max)
		fail(c, 400, "Room is full");
	else
		do_join(c);
	free(c);
}

static void on_join(struct call *c)
{
	const struct bus_ask ask = { .kind = ASK_ROOM, .room = slice_str(c->hall->id) };

	prune(c->hall, c->now, COWORKING_PEOPLE);
	c->me = find_person(c->hall, c->id);
	if (c->me || c->hall->people_count < c->hall->max) {
		do_join(c);
		return;
	}
	struct call *later = xmemdup(c, sizeof(*c));
	room_desk_ask(c->c->desk, &ask, on_live, later);
}

static void on_leave(struct call *c)
{
	add_notice(c, "left");
	remove_person(c->hall, c->me);
	reply_done(c, "Left the room", NULL);
}

static void on_told(void *arg, const struct bus_answer *a, size_t count)
{
	(void)arg;
	(void)a;
	(void)count;
}

/* Members of other dialects in that room hear it in their chat. */
static void tell_room(struct call *c, const char *text)
{
	const struct bus_ask ask = {
		.kind = ASK_COMMAND,
		.room = slice_str(c->hall->id),
		.command = { .kind = COMMAND_CHAT,
			     .name = slice_str(c->name),
			     .text = slice_str(text) },
	};

	room_desk_ask(c->c->desk, &ask, on_told, NULL);
}

static void say(struct call *c, const char *field, size_t max)
{
	char *text = body_text(c, field, max, NULL);
	struct buf b = BUF_INIT(16384);
	struct jsonw w;

	if (!text) {
		fail(c, 422, "the text is missing, empty or too long");
		return;
	}
	json_begin(&w, &b);
	put_post(&w, add_post(c, c->name, text));
	tell_room(c, text);
	free(text);
	reply(c, 200, &b);
}

static void on_message(struct call *c)
{
	say(c, "message_text", COWORKING_TEXT);
}

static void on_emoji(struct call *c)
{
	say(c, "emoji", MAX_EMOJI);
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
	reply(c, 200, &b);
}

static void on_mic(struct call *c)
{
	bool muted;

	if (body_bool(c, "is_muted", &muted) < 0) {
		fail(c, 422, "is_muted should be true or false");
		return;
	}
	c->me->muted = muted;
	c->me->speaking = c->me->speaking && !muted;
	reply_flag(c, "is_muted", muted);
}

static void on_speaking(struct call *c)
{
	bool speaking;

	if (body_bool(c, "is_speaking", &speaking) < 0) {
		fail(c, 422, "is_speaking should be true or false");
	} else if (speaking && c->me->muted) {
		fail(c, 400, "Cannot speak while muted");
	} else {
		c->me->speaking = speaking;
		reply_flag(c, "is_speaking", speaking);
	}
}

/* --- requests --- */

#define ROOMS "/api/coworking/rooms"
#define ROOM ROOMS "/{room}"

static const struct coworking_op ops[] = {
	{ HTTP_GET, ROOMS, on_list, false },
	{ HTTP_POST, ROOMS, on_make, false },
	{ HTTP_GET, ROOM, on_show, false },
	{ HTTP_DELETE, ROOM, on_remove, false },
	{ HTTP_POST, ROOM "/join", on_join, false },
	{ HTTP_POST, ROOM "/leave", on_leave, true },
	{ HTTP_POST, ROOM "/messages", on_message, true },
	{ HTTP_PUT, ROOM "/mic-toggle", on_mic, true },
	{ HTTP_PUT, ROOM "/speaking", on_speaking, true },
	{ HTTP_POST, ROOM "/emoji", on_emoji, true },
};

static void run(struct call *c, const struct coworking_op *op)
{
	struct slice room = http_param(c->x, "room"), body = http_body(c->x);

	int err = identify(c);
	if (err == E_DENIED) {
		fail(c, 403, "Not allowed by the token");
		return;
	}
	if (err < 0) {
		http_add_header(c->x, "WWW-Authenticate", SLICE("Bearer"));
		fail(c, 401, "Not authenticated");
		return;
	}
	c->hall = room.n > 0 ? find_hall(c->c, room) : NULL;
	c->me = c->hall ? find_person(c->hall, c->id) : NULL;
	c->has_json =
		body.n > 0 && json_parse(&c->json, body, c->tokens, MAX_TOKENS) == 0;
	if (c->me)
		c->me->seen = c->now;
	if (room.n > 0 && !c->hall)
		fail(c, 404, "Room not found");
	else if (op->inside && !c->me)
		fail(c, op->run == on_leave ? 404 : 403, "Not in this room");
	else if (body.n > 0 && !c->has_json)
		fail(c, 422, "the body is no JSON");
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
