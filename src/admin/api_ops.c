/* api_ops: the table of the server API, and what its operations do. */
#include <stdlib.h>

#include "admin/api_call.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"
#include "bus/member_json.h"
#include "store/file.h"

#define LIST_PRESET 100
#define LIST_MOST 1000
#define ANSWER_MAX ((size_t)64 << 20)

/* --- JSON --- */

static void put_room(struct jsonw *w, const struct room_info *r)
{
	json_field_string(w, "name", r->name);
	json_field_u64(w, "members", r->members);
	json_field_u64(w, "capacity", r->capacity);
	json_field_bool(w, "ring", r->ring);
	json_field_bool(w, "locked", r->locked);
	json_field_bool(w, "lobby", r->lobby);
	json_field_u64(w, "seq", r->seq);
	json_field_u64(w, "madeAt", (uint64_t)r->made_at);
}

static void put_members(struct jsonw *w, struct slice members)
{
	struct cur in = cur_of_slice(members);
	struct member_info m;

	json_array(w);
	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0) {
		json_object(w);
		bus_put_member(w, &m);
		json_object_end(w);
	}
	json_array_end(w);
}

/* --- rooms --- */

static int by_name(const void *a, const void *b)
{
	const struct room_info *ra = a, *rb = b;
	size_t n = ra->name.n < rb->name.n ? ra->name.n : rb->name.n;
	int d = n > 0 ? memcmp(ra->name.p, rb->name.p, n) : 0;

	return d != 0 ? d : (ra->name.n > rb->name.n) - (ra->name.n < rb->name.n);
}

/* All that the workers named, in order. The caller frees it. */
static struct room_info *gather(const struct bus_answer *a, size_t count, size_t *n)
{
	struct room_info *rooms =
		xmalloc(size_mul(count * LIST_MOST + 1, sizeof(*rooms)));

	*n = 0;
	for (size_t i = 0; i < count; i++) {
		struct cur in = cur_of_slice(a[i].rooms);

		for (size_t k = 0; k < LIST_MOST && cur_left(&in) > 0; k++)
			*n += bus_room_decode(&rooms[*n], &in) == 0;
	}
	qsort(rooms, *n, sizeof(*rooms), by_name);
	return rooms;
}

static size_t wanted(const struct api_call *c)
{
	const struct api_value *limit = api_value(c, "limit");

	return limit->there ? (size_t)limit->number : LIST_PRESET;
}

static void on_rooms(struct api_call *c, const struct bus_answer *a, size_t count)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct jsonw w;
	size_t n;
	struct room_info *rooms = gather(a, count, &n);
	size_t most = wanted(c);

	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("rooms"));
	json_array(&w);
	for (size_t i = 0; i < n && i < most; i++) {
		json_object(&w);
		put_room(&w, &rooms[i]);
		json_object_end(&w);
	}
	json_array_end(&w);
	/* A full page may be the last one: then the next is empty. */
	if (n >= most)
		json_field_string(&w, "next", rooms[most - 1].name);
	json_object_end(&w);
	api_done(c, buf_slice(&b));
	free(rooms);
	buf_fini(&b);
}

static void list_rooms(struct api_call *c)
{
	const struct bus_ask ask = { .kind = ASK_ROOMS,
				     .limit = (uint32_t)wanted(c),
				     .after = api_value(c, "after")->text };

	api_ask(c, &ask, on_rooms);
}

static void on_room(struct api_call *c, const struct bus_answer *a, size_t count)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct cur in = cur_of_slice(a->rooms);
	struct room_info r;
	struct jsonw w;

	(void)count;
	if (bus_room_decode(&r, &in) < 0) {
		api_fail(c, E_NOT_FOUND, "room");
		return;
	}
	json_begin(&w, &b);
	json_object(&w);
	put_room(&w, &r);
	json_object_end(&w);
	api_done(c, buf_slice(&b));
	buf_fini(&b);
}

static void ask_room(struct api_call *c, api_answer_fn *fn)
{
	api_ask(c, &(struct bus_ask){ .kind = ASK_ROOM, .room = c->room }, fn);
}

static void get_room(struct api_call *c)
{
	ask_room(c, on_room);
}

static void close_room(struct api_call *c)
{
	api_order(c, &(struct command){ .kind = COMMAND_CLOSE,
					.text = api_value(c, "reason")->text });
}

/* --- members --- */

static void on_members(struct api_call *c, const struct bus_answer *a, size_t count)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct jsonw w;

	(void)count;
	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("members"));
	put_members(&w, a->members);
	json_object_end(&w);
	api_done(c, buf_slice(&b));
	buf_fini(&b);
}

static void list_members(struct api_call *c)
{
	ask_room(c, on_members);
}

static bool is_meant(const struct api_call *c, const struct member_info *m)
{
	return m->id == bus_member_number(c->member) || slice_eq(m->user, c->member);
}

static void on_member(struct api_call *c, const struct bus_answer *a, size_t count)
{
	struct cur in = cur_of_slice(a->members);
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct member_info m;
	struct jsonw w;

	(void)count;
	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0) {
		if (!is_meant(c, &m))
			continue;
		json_begin(&w, &b);
		json_object(&w);
		bus_put_member(&w, &m);
		json_object_end(&w);
		api_done(c, buf_slice(&b));
		buf_fini(&b);
		return;
	}
	api_fail(c, E_NO_MEMBER, NULL);
}

static void get_member(struct api_call *c)
{
	ask_room(c, on_member);
}

/* One or two commands, the second once the first is carried out. */
static void change_twice(struct api_call *c, const struct command *first,
			 const struct command *second, bool has_first, bool has_second,
			 api_answer_fn *then)
{
	if (!has_first && !has_second)
		api_fail(c, E_BAD_FIELD, "nothing to change");
	else if (has_first && has_second)
		api_command(c, first, then);
	else
		api_order(c, has_first ? first : second);
}

static void on_role(struct api_call *c, const struct bus_answer *a, size_t count)
{
	(void)a;
	(void)count;
	api_order(c, &(struct command){ .kind = COMMAND_MUTE,
					.on = api_value(c, "muted")->on });
}

static void change_member(struct api_call *c)
{
	const struct api_value *role = api_value(c, "role"),
			       *muted = api_value(c, "muted");
	const struct command give = { .kind = COMMAND_ROLE,
				      .role = (enum role)role->number };
	const struct command mute = { .kind = COMMAND_MUTE, .on = muted->on };

	change_twice(c, &give, &mute, role->there, muted->there, on_role);
}

static void kick_member(struct api_call *c)
{
	api_order(c, &(struct command){ .kind = COMMAND_KICK,
					.text = api_value(c, "reason")->text });
}

/* --- the door: lock, lobby, bans --- */

static void on_locked(struct api_call *c, const struct bus_answer *a, size_t count)
{
	(void)a;
	(void)count;
	api_order(c, &(struct command){ .kind = COMMAND_LOBBY,
					.on = api_value(c, "lobby")->on });
}

static void change_room(struct api_call *c)
{
	const struct api_value *locked = api_value(c, "locked"),
			       *lobby = api_value(c, "lobby");
	const struct command lock = { .kind = COMMAND_LOCK, .on = locked->on };
	const struct command wait = { .kind = COMMAND_LOBBY, .on = lobby->on };

	change_twice(c, &lock, &wait, locked->there, lobby->there, on_locked);
}

static void on_waiting(struct api_call *c, const struct bus_answer *a, size_t count)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct cur in = cur_of_slice(a->members);
	struct member_info m;
	struct jsonw w;

	(void)count;
	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("waiting"));
	json_array(&w);
	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0) {
		json_object(&w);
		bus_put_waiting(&w, &m);
		json_object_end(&w);
	}
	json_array_end(&w);
	json_object_end(&w);
	api_done(c, buf_slice(&b));
	buf_fini(&b);
}

static void list_waiting(struct api_call *c)
{
	api_ask(c, &(struct bus_ask){ .kind = ASK_WAITING, .room = c->room }, on_waiting);
}

static void admit(struct api_call *c)
{
	api_order(c, &(struct command){ .kind = COMMAND_ADMIT });
}

static void deny(struct api_call *c)
{
	api_order(c, &(struct command){ .kind = COMMAND_DENY });
}

static void ban(struct api_call *c)
{
	c->member = api_value(c, "member")->text;
	api_order(c, &(struct command){ .kind = COMMAND_BAN,
					.user = api_value(c, "user")->text,
					.address = api_value(c, "address")->text,
					.on = api_value(c, "byAddress")->on,
					.text = api_value(c, "reason")->text });
}

static void on_bans(struct api_call *c, const struct bus_answer *a, size_t count)
{
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct jsonw w;

	(void)count;
	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("bans"));
	bus_put_bans(&w, a->members);
	json_object_end(&w);
	api_done(c, buf_slice(&b));
	buf_fini(&b);
}

static void list_bans(struct api_call *c)
{
	api_ask(c, &(struct bus_ask){ .kind = ASK_BANS, .room = c->room }, on_bans);
}

static void unban(struct api_call *c)
{
	api_order(c, &(struct command){ .kind = COMMAND_UNBAN,
					.user = api_value(c, "user")->text,
					.address = api_value(c, "address")->text });
}

/* --- saying something --- */

static void say(struct api_call *c)
{
	const struct api_value *file = api_value(c, "file");

	if (file->there && !store_file_is_id(file->text))
		api_fail(c, E_BAD_FIELD, "file");
	else
		api_order(c, &(struct command){ .kind = COMMAND_CHAT,
						.name = api_value(c, "name")->text,
						.text = api_value(c, "text")->text,
						.file = file->text });
}

static void notify(struct api_call *c)
{
	c->member = api_value(c, "to")->text;
	api_order(c, &(struct command){ .kind = COMMAND_NOTICE,
					.text = api_value(c, "data")->text });
}

/* --- tokens --- */

#define TTL_PRESET (6 * 3600)
#define ID_LETTERS 16

static bool says(const struct api_call *c, const char *name, bool preset)
{
	const struct api_value *v = api_value(c, name);

	return v->there ? v->on : preset;
}

static uint32_t granted(const struct api_call *c)
{
	uint32_t allow = AUTH_JOIN | AUTH_SUBSCRIBE | AUTH_SELF;

	if (says(c, "admin", false))
		allow |= AUTH_ADMIN;
	if (says(c, "hidden", false))
		allow |= AUTH_HIDDEN;
	if (says(c, "publish", true))
		allow |= AUTH_MIC | AUTH_CAMERA | AUTH_SCREEN;
	return says(c, "data", true) ? allow | AUTH_DATA : allow;
}

static void send_token(struct api_call *c, struct slice token, uint64_t expires)
{
	struct buf b = BUF_INIT((size_t)2 * AUTH_TOKEN_MAX);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_field_string(&w, "token", token);
	json_field_u64(&w, "expires", expires);
	json_object_end(&w);
	api_done(c, buf_slice(&b));
	buf_fini(&b);
}

static void make_token(struct api_call *c)
{
	const struct api_value *ttl = api_value(c, "ttl"), *role = api_value(c, "role");
	struct buf token = BUF_INIT(AUTH_TOKEN_MAX);
	char id[ID_LETTERS];
	uint64_t now = (uint64_t)loop_wall(c->api->loop) / 1000;
	struct auth_pass p = {
		.allow = granted(c),
		.role = role->there ? auth_role_named(role->text) : AUTH_NO_ROLE,
		.issued = now,
		.expires = now + (ttl->there ? ttl->number : TTL_PRESET),
		.user = api_value(c, "identity")->text,
		.name = api_value(c, "name")->text,
		.metadata = api_value(c, "metadata")->text,
		.room = api_value(c, "room")->text,
		.id = slice_of(id, sizeof(id)),
	};
	const struct auth_keys *keys = c->api->settings.keys;
	struct auth_held key;

	if (!auth_keys_hold(keys, c->key, &key)) {
		api_fail(c, E_STATE, "no auth.key is set: nobody asks for tokens");
		return;
	}
	rand_text(id, sizeof(id));
	p.key = key.name;
	auth_pass_sign(&token, &p, key.secret);
	auth_keys_release(keys, &key);
	if (token.bad)
		api_fail(c, E_TOO_LARGE, "metadata");
	else
		send_token(c, buf_slice(&token), p.expires);
	buf_fini(&token);
}

/* --- the table --- */

static const struct api_field page[] = {
	{ "limit", API_NUMBER, false, 1, LIST_MOST, "how many at most; 100" },
	{ "after", API_TEXT, false, 0, ROOM_MAX_NAME,
	  "rooms that sort after this name: `next` of the page before" },
	{ .name = NULL },
};
#define NUMBER_MOST ((UINT64_C(1) << 53) - 1)
static const struct api_field message_query[] = {
	{ "before", API_NUMBER, false, 1, NUMBER_MOST,
	  "messages before this number; neither: the newest" },
	{ "after", API_NUMBER, false, 0, NUMBER_MOST,
	  "those after it, and the changes of earlier ones; 0: from the first on" },
	{ "limit", API_NUMBER, false, 1, STORE_PAGE_MAX, "how many at most; 50" },
	{ .name = NULL },
};
static const struct api_field visit_query[] = {
	{ "before", API_NUMBER, false, 1, NUMBER_MOST,
	  "visits before this number; else the newest" },
	{ "limit", API_NUMBER, false, 1, STORE_PAGE_MAX, "how many at most; 50" },
	{ .name = NULL },
};
static const struct api_field reason[] = {
	{ "reason", API_TEXT, false, 0, ROOM_MAX_REASON, "for those who are sent away" },
	{ .name = NULL },
};
static const struct api_field member_body[] = {
	{ "role", API_ROLE, false, 1, 16, "the member's new role" },
	{ "muted", API_BOOL, false, 0, 0, "its microphone is off and stays so" },
	{ .name = NULL },
};
static const struct api_field room_body[] = {
	{ "locked", API_BOOL, false, 0, 0, "nobody comes in" },
	{ "lobby", API_BOOL, false, 0, 0, "newcomers wait until they are admitted" },
	{ .name = NULL },
};
static const struct api_field ban_body[] = {
	{ "member", API_TEXT, false, 1, ROOM_MAX_NAME,
	  "who is there, by id or user: sent away, and kept out (room.ban-time)" },
	{ "byAddress", API_BOOL, false, 0, 0,
	  "the member's address as well, as for those who have no user" },
	{ "user", API_TEXT, false, 1, ROOM_MAX_NAME, "who is not there, by user" },
	{ "address", API_TEXT, false, 1, ROOM_MAX_NAME, "or by address" },
	{ "reason", API_TEXT, false, 0, ROOM_MAX_REASON, "for the member" },
	{ .name = NULL },
};
static const struct api_field banned[] = {
	{ "user", API_TEXT, false, 1, ROOM_MAX_NAME, "who may come in again" },
	{ "address", API_TEXT, false, 1, ROOM_MAX_NAME, "or by address" },
	{ .name = NULL },
};
static const struct api_field message_body[] = {
	{ "text", API_TEXT, false, 1, ROOM_MAX_TEXT,
	  "what is said; it may be absent with a file" },
	{ "file", API_TEXT, false, STORE_FILE_ID, STORE_FILE_ID,
	  "the id of a file uploaded by an API key" },
	{ "name", API_TEXT, false, 0, ROOM_MAX_NAME, "who says it, for people" },
	{ .name = NULL },
};
static const struct api_field file_query[] = {
	{ "name", API_TEXT, false, 0, 4096, "what it is called; file" },
	{ .name = NULL },
};
static const struct api_field notice_body[] = {
	{ "data", API_ANY, true, 0, 65536,
	  "any JSON; native members get it as `notice`" },
	{ "to", API_TEXT, false, 1, ROOM_MAX_NAME, "a member's id or user; else all" },
	{ .name = NULL },
};
static const struct api_field token_body[] = {
	{ "identity", API_TEXT, true, 1, AUTH_MAX_TEXT, "who it is for" },
	{ "room", API_TEXT, false, 1, AUTH_MAX_TEXT, "the only room; else any" },
	{ "name", API_TEXT, false, 0, AUTH_MAX_TEXT, "the name that the others see" },
	{ "role", API_ROLE, false, 1, 16, "the role in the room" },
	{ "metadata", API_OBJECT, false, 0, AUTH_MAX_METADATA,
	  "what the others get with the member" },
	{ "ttl", API_NUMBER, false, 1, 316224000, "seconds that it is good for; 21600" },
	{ "admin", API_BOOL, false, 0, 0,
	  "may moderate, and use this API for the room; false" },
	{ "hidden", API_BOOL, false, 0, 0, "the others do not see the member; false" },
	{ "publish", API_BOOL, false, 0, 0, "microphone, camera and screen; true" },
	{ "data", API_BOOL, false, 0, 0, "chat and signals to all; true" },
	{ .name = NULL },
};
static const struct api_field revoke_body[] = {
	{ "identity", API_TEXT, false, 1, AUTH_MAX_TEXT,
	  "all tokens of this identity issued up to now; who is in by one is out at "
	  "once" },
	{ "token", API_TEXT, false, 1, AUTH_MAX_TEXT,
	  "one token, by its `jti`; who is in by it is out at once" },
	{ "seconds", API_NUMBER, false, 1, 316224000,
	  "how long to remember it, the tokens' longest life; 86400" },
	{ .name = NULL },
};

#define ROOM "/api/v1/rooms/{room}"
#define MEMBER ROOM "/members/{member}"
#define FILE_PATH "/files/{file}"

/* clang-format off */
const struct api_op api_ops[] = {
	{ "listRooms",    HTTP_GET,    "/api/v1/rooms", "The rooms that somebody is in, by name", AUTH_LIST, page, NULL, 200, "RoomList", list_rooms },
	{ "getRoom",      HTTP_GET,    ROOM,            "How a room stands", AUTH_ADMIN | AUTH_LIST, NULL, NULL, 200, "Room", get_room },
	{ "changeRoom",   HTTP_PATCH,  ROOM,            "Lock a room, give it a lobby", AUTH_ADMIN, NULL, room_body, 204, NULL, change_room },
	{ "closeRoom",    HTTP_DELETE, ROOM,            "Send everybody away", AUTH_ADMIN | AUTH_CREATE, reason, NULL, 204, NULL, close_room },
	{ "listMembers",  HTTP_GET,    ROOM "/members", "Who is in a room, in the order of coming", AUTH_ADMIN, NULL, NULL, 200, "MemberList", list_members },
	{ "getMember",    HTTP_GET,    MEMBER,          "One member, by id or user", AUTH_ADMIN, NULL, NULL, 200, "Member", get_member },
	{ "changeMember", HTTP_PATCH,  MEMBER,          "Give a member another role, mute it", AUTH_ADMIN, NULL, member_body, 204, NULL, change_member },
	{ "kickMember",   HTTP_DELETE, MEMBER,          "Send a member away", AUTH_ADMIN, reason, NULL, 204, NULL, kick_member },
	{ "listWaiting",  HTTP_GET,    ROOM "/waiting", "Who waits in the lobby", AUTH_ADMIN, NULL, NULL, 200, "WaitingList", list_waiting },
	{ "admit",        HTTP_POST,   ROOM "/waiting/{member}", "Let in who waits", AUTH_ADMIN, NULL, NULL, 204, NULL, admit },
	{ "deny",         HTTP_DELETE, ROOM "/waiting/{member}", "Send away who waits", AUTH_ADMIN, NULL, NULL, 204, NULL, deny },
	{ "listBans",     HTTP_GET,    ROOM "/bans",    "Who is kept out", AUTH_ADMIN, NULL, NULL, 200, "BanList", list_bans },
	{ "ban",          HTTP_POST,   ROOM "/bans",    "Keep somebody out, for room.ban-time", AUTH_ADMIN, NULL, ban_body, 204, NULL, ban },
	{ "unban",        HTTP_DELETE, ROOM "/bans",    "Let a user or an address in again", AUTH_ADMIN, banned, NULL, 204, NULL, unban },
	{ "listMessages", HTTP_GET,    ROOM "/messages", "What was said to all", AUTH_ADMIN, message_query, NULL, 200, "MessageList", api_list_messages },
	{ "listVisits",   HTTP_GET,    ROOM "/visits",  "Who was here, and when", AUTH_ADMIN, visit_query, NULL, 200, "VisitList", api_list_visits },
	{ "sendMessage",  HTTP_POST,   ROOM "/messages", "Say something in the chat", AUTH_ADMIN, NULL, message_body, 204, NULL, say },
	{ "uploadFile",   HTTP_POST,   ROOM "/files",   "Upload a file, to be put into a message", AUTH_DATA | API_SEATED | API_PIECES, file_query, NULL, 201, "File", api_upload },
	{ "getFile",      HTTP_GET,    FILE_PATH,       "A file, or a range of it", API_ANYBODY, NULL, NULL, 200, "*/*", api_download },
	{ "getNamedFile", HTTP_GET,    FILE_PATH "/{name}", "The same, under a name that is for people", API_ANYBODY, NULL, NULL, 200, "*/*", api_download },
	{ "sendNotice",   HTTP_POST,   ROOM "/notices", "Tell clients something, one or all", AUTH_ADMIN, NULL, notice_body, 204, NULL, notify },
	{ "makeToken",    HTTP_POST,   "/api/v1/tokens", "Make a token for a client", 0, NULL, token_body, 201, "Token", make_token },
	{ "revoke",       HTTP_POST,   "/api/v1/revocations", "Take tokens back", 0, NULL, revoke_body, 204, NULL, api_revoke },
};
/* clang-format on */

const size_t api_op_count = ARRAY_LEN(api_ops);
