/* native_decode: one message of parley.v1 to a command. */
#include "base/err.h"
#include "bus/member_json.h"
#include "dialect/native_message.h"
#include "room/room.h"
#include "store/file.h"

/* The members of a message that we know; the others are ignored. */
#define FIELD_LIST(X)                                                                    \
	X(TYPE, "type")                                                                  \
	X(ID, "id")                                                                      \
	X(ROOM, "room")                                                                  \
	X(TO, "to")                                                                      \
	X(DATA, "data")                                                                  \
	X(TEXT, "text")                                                                  \
	X(NAME, "name")                                                                  \
	X(USER, "user")                                                                  \
	X(METADATA, "metadata")                                                          \
	X(STATE, "state")                                                                \
	X(OPTIONS, "options")                                                            \
	X(REASON, "reason")                                                              \
	X(ROLE, "role")                                                                  \
	X(MEMBER, "member")                                                              \
	X(SESSION, "session")                                                            \
	X(SECRET, "secret")                                                              \
	X(SEEN, "seen")                                                                  \
	X(CODEC, "codec")                                                                \
	X(N, "n")                                                                        \
	X(BEFORE, "before")                                                              \
	X(AFTER, "after")                                                                \
	X(LIMIT, "limit")                                                                \
	X(REPLY, "reply")                                                                \
	X(KEY, "key")                                                                    \
	X(EMOJI, "emoji")                                                                \
	X(ON, "on")                                                                      \
	X(ADDRESS, "address")                                                            \
	X(CHAT, "chat")                                                                  \
	X(FILES, "files")

#define X(id, name) FIELD_##id,
enum field { FIELD_LIST(X) FIELDS };
#undef X

#define X(id, name) [FIELD_##id] = SLICE_LIT(name),
static const struct slice field_names[FIELDS] = { FIELD_LIST(X) };
#undef X

struct decoder {
	struct json j;
	struct native_scratch *scratch;
	struct native_message *m;
	uint32_t at[FIELDS]; /* tokens of the values, 0: absent */
};

/* Most names differ in length or in their first letter. */
static inline bool is_named(struct slice text, struct slice name)
{
	return text.n == name.n && text.p[0] == name.p[0] &&
	       memcmp(text.p, name.p, name.n) == 0;
}

static enum field field_named(const struct decoder *d, uint32_t name)
{
	enum field f = 0;

	if (d->j.tok[name].escaped) {
		while (f < FIELDS && !json_string_is(&d->j, name, field_names[f]))
			f++;
		return f;
	}
	struct slice text = json_string_raw(&d->j, name);
	while (f < FIELDS && !is_named(text, field_names[f]))
		f++;
	return f;
}

/* One pass over the message's members instead of a search for each field. */
static void find_fields(struct decoder *d)
{
	const struct json_token *tok = d->j.tok;

	for (uint32_t t = 1; t < tok[0].next; t = tok[t + 1].next) {
		enum field f = field_named(d, t);

		if (f < FIELDS && d->at[f] == 0)
			d->at[f] = t + 1;
	}
}

static int bad_field(struct decoder *d, const char *name)
{
	d->m->detail = name;
	return E_BAD_FIELD;
}

/* A string of min..max bytes. The scratch has room for the whole message, so earlier
 * slices stay where they are. */
static int text_of(struct decoder *d, uint32_t t, size_t min, size_t max,
		   struct slice *out)
{
	struct buf *b = &d->scratch->text;
	size_t at = b->n;

	if (!d->j.tok[t].escaped && json_kind_of(&d->j, t) == JSON_STRING) {
		*out = json_string_raw(&d->j, t);
	} else {
		if (json_string(&d->j, t, max, b) < 0)
			return E_BAD_FIELD;
		*out = slice_of(b->p + at, b->n - at);
	}
	return out->n < min || out->n > max ? E_BAD_FIELD : 0;
}

/* A text that must be there (min > 0) or may be. */
static int take_text(struct decoder *d, enum field f, size_t min, size_t max,
		     struct slice *out)
{
	const char *name = (const char *)field_names[f].p;
	uint32_t t = d->at[f];

	*out = SLICE_NONE;
	if (t == 0)
		return min > 0 ? bad_field(d, name) : 0;
	return text_of(d, t, min, max, out) < 0 ? bad_field(d, name) : 0;
}

static int take_metadata(struct decoder *d)
{
	struct command *c = &d->m->command;
	uint32_t t = d->at[FIELD_METADATA];

	if (t == 0)
		return 0;
	if (json_kind_of(&d->j, t) != JSON_OBJECT)
		return bad_field(d, "metadata");
	c->metadata = json_raw(&d->j, t);
	c->changed |= CHANGED_METADATA;
	return c->metadata.n > ROOM_MAX_METADATA ? bad_field(d, "metadata") : 0;
}

static int take_presence(struct decoder *d, uint32_t obj)
{
	static const struct {
		const char *name;
		uint8_t bit;
	} flags[] = {
		{ "mic", PRESENCE_MIC },           { "camera", PRESENCE_CAMERA },
		{ "screen", PRESENCE_SCREEN },     { "hand", PRESENCE_HAND },
		{ "speaking", PRESENCE_SPEAKING },
	};
	struct command *c = &d->m->command;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		uint32_t t = json_member(&d->j, obj, slice_str(flags[i].name));
		bool on;

		if (t == 0)
			continue;
		if (json_bool(&d->j, t, &on) < 0)
			return bad_field(d, flags[i].name);
		c->changed |= flags[i].bit;
		if (on)
			c->state |= flags[i].bit;
	}
	return 0;
}

static int take_member(struct decoder *d, enum field f, bool needed)
{
	const char *name = (const char *)field_names[f].p;
	uint32_t t = d->at[f];

	if (t == 0)
		return needed ? bad_field(d, name) : 0;
	d->m->command.to = bus_member_number(json_string_raw(&d->j, t));
	/* A text that cannot be an id names nobody; anything else has a wrong form. */
	if (d->m->command.to == 0)
		return json_kind_of(&d->j, t) == JSON_STRING ? E_NO_MEMBER
							     : bad_field(d, name);
	return 0;
}

static int take_options(struct decoder *d)
{
	struct command *c = &d->m->command;
	uint32_t obj = d->at[FIELD_OPTIONS];
	uint64_t capacity = 0;

	if (obj == 0)
		return 0;
	if (json_kind_of(&d->j, obj) != JSON_OBJECT)
		return bad_field(d, "options");
	uint32_t t = json_member(&d->j, obj, SLICE("capacity"));
	if (t != 0 && (json_u53(&d->j, t, &capacity) < 0 || capacity == 0))
		return bad_field(d, "options.capacity");
	c->capacity = capacity > ROOM_MAX_MEMBERS ? ROOM_MAX_MEMBERS : (uint32_t)capacity;
	t = json_member(&d->j, obj, SLICE("ring"));
	if (t != 0 && json_bool(&d->j, t, &c->ring) < 0)
		return bad_field(d, "options.ring");
	t = json_member(&d->j, obj, SLICE("lobby"));
	if (t != 0 && json_bool(&d->j, t, &c->lobby) < 0)
		return bad_field(d, "options.lobby");
	return 0;
}

/* --- one function per type --- */

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

static int decode_join(struct decoder *d)
{
	struct command *c = &d->m->command;
	int err = take_text(d, FIELD_NAME, 0, ROOM_MAX_NAME, &c->name);

	/* What a join gives back comes in its reply, so it must have one. */
	if (d->m->request == 0)
		return bad_field(d, "id");
	if (d->m->room.n == 0 || has_control(d->m->room))
		return bad_field(d, "room");
	if (err == 0 && d->at[FIELD_NAME] == 0)
		err = bad_field(d, "name");
	if (err == 0 && d->at[FIELD_USER] != 0)
		err = take_text(d, FIELD_USER, 1, ROOM_MAX_NAME, &c->user);
	if (err == 0)
		err = take_metadata(d);
	uint32_t state = d->at[FIELD_STATE];
	if (err == 0 && state != 0)
		err = json_kind_of(&d->j, state) == JSON_OBJECT ? take_presence(d, state)
								: bad_field(d, "state");
	return err == 0 ? take_options(d) : err;
}

static int decode_leave(struct decoder *d)
{
	d->m->command.reason = LEAVE_LEAVE;
	return 0;
}

static int decode_update(struct decoder *d)
{
	struct command *c = &d->m->command;
	int err = take_presence(d, 0);

	if (err == 0 && d->at[FIELD_NAME] != 0) {
		err = take_text(d, FIELD_NAME, 0, ROOM_MAX_NAME, &c->name);
		c->changed |= CHANGED_NAME;
	}
	return err == 0 ? take_metadata(d) : err;
}

static int decode_signal(struct decoder *d)
{
	uint32_t data = d->at[FIELD_DATA];

	if (data == 0)
		return bad_field(d, "data");
	d->m->command.text = json_raw(&d->j, data);
	return take_member(d, FIELD_TO, false);
}

/* --- the chat --- */

/* A number that must be there (needed) or may be; from 1 on. */
static int take_number(struct decoder *d, enum field f, bool needed, uint64_t *out)
{
	const char *name = (const char *)field_names[f].p;
	uint32_t t = d->at[f];

	if (t == 0)
		return needed ? bad_field(d, name) : 0;
	return json_u53(&d->j, t, out) < 0 || *out == 0 ? bad_field(d, name) : 0;
}

static int take_on(struct decoder *d)
{
	uint32_t t = d->at[FIELD_ON];

	d->m->command.on = true;
	return t != 0 && json_bool(&d->j, t, &d->m->command.on) < 0 ? bad_field(d, "on")
								    : 0;
}

static bool has_id(struct slice ids, struct slice id)
{
	for (; ids.n >= id.n; ids = slice_from(ids, id.n))
		if (slice_eq(slice_of(ids.p, id.n), id))
			return true;
	return false;
}

/* Ids, of one length: one after the other they are the command's. */
static int take_files(struct decoder *d)
{
	const struct json_token *tok = d->j.tok;
	uint32_t list = d->at[FIELD_FILES];
	struct buf *b = &d->scratch->text;
	size_t at = b->n;

	if (list == 0)
		return 0;
	if (json_kind_of(&d->j, list) != JSON_ARRAY || tok[list].count > STORE_FILES_MAX)
		return bad_field(d, "files");
	for (uint32_t t = list + 1; t < tok[list].next; t = tok[t].next) {
		struct slice id = json_string_raw(&d->j, t);

		if (!store_file_is_id(id) || has_id(slice_from(buf_slice(b), at), id))
			return bad_field(d, "files");
		buf_put(b, id);
	}
	d->m->command.file = slice_from(buf_slice(b), at);
	return 0;
}

/* With a file there need not be a text. */
static int decode_chat(struct decoder *d)
{
	struct command *c = &d->m->command;
	int err = take_files(d);

	if (err == 0)
		err = take_text(d, FIELD_TEXT, c->file.n == 0, ROOM_MAX_TEXT, &c->text);
	if (err == 0)
		err = take_number(d, FIELD_REPLY, false, &c->n);
	if (err == 0 && d->at[FIELD_KEY] != 0)
		err = take_text(d, FIELD_KEY, 1, CHAT_MAX_KEY, &c->key);
	return err == 0 ? take_member(d, FIELD_TO, false) : err;
}

static int decode_edit(struct decoder *d)
{
	int err = take_number(d, FIELD_N, true, &d->m->command.n);

	return err == 0 ? take_text(d, FIELD_TEXT, 1, ROOM_MAX_TEXT, &d->m->command.text)
			: err;
}

/* delete and read: about one message. */
static int decode_n(struct decoder *d)
{
	return take_number(d, FIELD_N, true, &d->m->command.n);
}

static int decode_react(struct decoder *d)
{
	int err = take_number(d, FIELD_N, true, &d->m->command.n);

	if (err == 0)
		err = take_text(d, FIELD_EMOJI, 1, CHAT_MAX_REACTION,
				&d->m->command.text);
	return err == 0 ? take_on(d) : err;
}

static int decode_typing(struct decoder *d)
{
	int err = take_on(d);

	return err == 0 ? take_member(d, FIELD_TO, false) : err;
}

/* history and whowas: pages. */
static int decode_page(struct decoder *d)
{
	struct command *c = &d->m->command;
	uint64_t limit = 0;
	int err = take_number(d, FIELD_BEFORE, false, &c->n);

	if (d->m->request == 0)
		return bad_field(d, "id");
	/* 0: from the first on. */
	if (err == 0 && d->at[FIELD_AFTER] != 0) {
		c->on = true;
		if (json_u53(&d->j, d->at[FIELD_AFTER], &c->after) < 0)
			err = bad_field(d, "after");
	}
	if (err == 0)
		err = take_number(d, FIELD_LIMIT, false, &limit);
	if (err == 0 && limit > STORE_PAGE_MAX)
		err = bad_field(d, "limit");
	c->limit = (uint32_t)limit;
	return err;
}

static int decode_search(struct decoder *d)
{
	int err = take_text(d, FIELD_TEXT, 1, ROOM_MAX_TEXT, &d->m->command.text);

	return err == 0 ? decode_page(d) : err;
}

static int decode_accept(struct decoder *d)
{
	return take_member(d, FIELD_TO, true);
}

static int decode_reject(struct decoder *d)
{
	int err = take_member(d, FIELD_TO, true);

	return err < 0 ? err
		       : take_text(d, FIELD_REASON, 0, ROOM_MAX_REASON,
				   &d->m->command.text);
}

static int decode_role(struct decoder *d)
{
	uint32_t t = d->at[FIELD_ROLE];
	int err = take_member(d, FIELD_MEMBER, true);

	for (unsigned i = 0; t != 0 && i < ROLES; i++) {
		if (!json_string_is(&d->j, t, slice_str(bus_role_name(i))))
			continue;
		d->m->command.role = (enum role)i;
		return err;
	}
	return bad_field(d, "role");
}

static int decode_kick(struct decoder *d)
{
	int err = take_member(d, FIELD_MEMBER, true);

	return err < 0 ? err
		       : take_text(d, FIELD_REASON, 0, ROOM_MAX_REASON,
				   &d->m->command.text);
}

static int decode_close(struct decoder *d)
{
	return take_text(d, FIELD_REASON, 0, ROOM_MAX_REASON, &d->m->command.text);
}

static int decode_who(struct decoder *d)
{
	return take_member(d, FIELD_MEMBER, true);
}

static int decode_mute(struct decoder *d)
{
	int err = take_on(d);

	return err == 0 ? take_member(d, FIELD_MEMBER, false) : err;
}

/* Somebody who is not there: by his user or his address. */
static int decode_unban(struct decoder *d)
{
	struct command *c = &d->m->command;
	int err = take_text(d, FIELD_USER, 0, ROOM_MAX_NAME, &c->user);

	if (err == 0)
		err = take_text(d, FIELD_ADDRESS, 0, ROOM_MAX_NAME, &c->address);
	if (err == 0 && c->user.n == 0 && c->address.n == 0)
		return bad_field(d, "user");
	return err;
}

/* Who is there: as a member, whose address may be kept out as well. */
static int decode_ban(struct decoder *d)
{
	struct command *c = &d->m->command;
	uint32_t address = d->at[FIELD_ADDRESS];
	int err = take_text(d, FIELD_REASON, 0, ROOM_MAX_REASON, &c->text);

	if (err < 0 || d->at[FIELD_MEMBER] == 0)
		return err < 0 ? err : decode_unban(d);
	if (address != 0 && json_bool(&d->j, address, &c->on) < 0)
		return bad_field(d, "address");
	return take_member(d, FIELD_MEMBER, true);
}

static int decode_relay(struct decoder *d)
{
	static const char *const names[VOICE_CODECS] = { "none", "opus", "pcm" };
	uint32_t t = d->at[FIELD_CODEC];
	int err = take_member(d, FIELD_MEMBER, true);

	for (unsigned i = 0; t != 0 && i < VOICE_CODECS; i++) {
		if (!json_string_is(&d->j, t, slice_str(names[i])))
			continue;
		d->m->command.codec = (uint8_t)i;
		return err;
	}
	return bad_field(d, "codec");
}

static int decode_ping(struct decoder *d)
{
	d->m->kind = NATIVE_PING;
	return 0;
}

/* A question: without an id nobody could tell its answer. */
static int decode_question(struct decoder *d)
{
	return d->m->request == 0 ? bad_field(d, "id") : 0;
}

/* An object of numbers by room. */
static int check_numbers(struct decoder *d, enum field f, uint32_t *out)
{
	const char *name = (const char *)field_names[f].p;
	const struct json_token *tok = d->j.tok;
	uint32_t obj = d->at[f];
	uint64_t n;

	if (obj == 0)
		return 0;
	if (json_kind_of(&d->j, obj) != JSON_OBJECT)
		return bad_field(d, name);
	for (uint32_t t = obj + 1; t < tok[obj].next; t = tok[t + 1].next)
		if (json_u53(&d->j, t + 1, &n) < 0)
			return bad_field(d, name);
	*out = obj;
	return 0;
}

static int decode_resume(struct decoder *d)
{
	int err = take_text(d, FIELD_SESSION, 1, ROOM_MAX_NAME, &d->m->session);

	d->m->kind = NATIVE_RESUME;
	d->m->json = d->j;
	if (d->m->request == 0)
		return bad_field(d, "id");
	if (err == 0)
		err = take_text(d, FIELD_SECRET, 1, ROOM_MAX_NAME, &d->m->secret);
	if (err == 0)
		err = check_numbers(d, FIELD_SEEN, &d->m->seen);
	return err == 0 ? check_numbers(d, FIELD_CHAT, &d->m->chat) : err;
}

uint64_t native_known(const struct native_message *m, struct slice room)
{
	uint32_t t = m->chat ? json_member(&m->json, m->chat, room) : 0;
	uint64_t n;

	return t && json_u53(&m->json, t, &n) == 0 ? n : UINT64_MAX;
}

uint64_t native_seen(const struct native_message *m, struct slice room)
{
	uint32_t t = m->seen ? json_member(&m->json, m->seen, room) : 0;
	uint64_t seq = 0;

	return t && json_u53(&m->json, t, &seq) == 0 ? seq : 0;
}

static const struct {
	struct slice type;
	enum command_kind kind;
	int (*decode)(struct decoder *d);
} types[] = {
	{ SLICE_LIT("signal"), COMMAND_SIGNAL, decode_signal },
	{ SLICE_LIT("update"), COMMAND_UPDATE, decode_update },
	{ SLICE_LIT("ping"), COMMAND_KINDS, decode_ping },
	{ SLICE_LIT("chat"), COMMAND_CHAT, decode_chat },
	{ SLICE_LIT("join"), COMMAND_JOIN, decode_join },
	{ SLICE_LIT("leave"), COMMAND_LEAVE, decode_leave },
	{ SLICE_LIT("accept"), COMMAND_ACCEPT, decode_accept },
	{ SLICE_LIT("reject"), COMMAND_REJECT, decode_reject },
	{ SLICE_LIT("role"), COMMAND_ROLE, decode_role },
	{ SLICE_LIT("kick"), COMMAND_KICK, decode_kick },
	{ SLICE_LIT("close"), COMMAND_CLOSE, decode_close },
	{ SLICE_LIT("mute"), COMMAND_MUTE, decode_mute },
	{ SLICE_LIT("lock"), COMMAND_LOCK, take_on },
	{ SLICE_LIT("lobby"), COMMAND_LOBBY, take_on },
	{ SLICE_LIT("admit"), COMMAND_ADMIT, decode_who },
	{ SLICE_LIT("deny"), COMMAND_DENY, decode_who },
	{ SLICE_LIT("ban"), COMMAND_BAN, decode_ban },
	{ SLICE_LIT("unban"), COMMAND_UNBAN, decode_unban },
	{ SLICE_LIT("bans"), COMMAND_BANS, decode_question },
	{ SLICE_LIT("relay"), COMMAND_RELAY, decode_relay },
	{ SLICE_LIT("typing"), COMMAND_TYPING, decode_typing },
	{ SLICE_LIT("read"), COMMAND_READ, decode_n },
	{ SLICE_LIT("react"), COMMAND_REACT, decode_react },
	{ SLICE_LIT("edit"), COMMAND_EDIT, decode_edit },
	{ SLICE_LIT("delete"), COMMAND_DELETE, decode_n },
	{ SLICE_LIT("history"), COMMAND_HISTORY, decode_page },
	{ SLICE_LIT("search"), COMMAND_SEARCH, decode_search },
	{ SLICE_LIT("whowas"), COMMAND_WHOWAS, decode_page },
	{ SLICE_LIT("sync"), COMMAND_SYNC, decode_question },
	{ SLICE_LIT("resume"), COMMAND_KINDS, decode_resume },
};

static int decode_type(struct decoder *d)
{
	uint32_t t = d->at[FIELD_TYPE];

	if (t == 0 || json_kind_of(&d->j, t) != JSON_STRING) {
		d->m->detail = "type";
		return E_MALFORMED;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!json_string_is(&d->j, t, types[i].type))
			continue;
		d->m->command.kind = types[i].kind;
		return types[i].decode(d);
	}
	return E_UNKNOWN_TYPE;
}

static int decode_id(struct decoder *d)
{
	uint32_t t = d->at[FIELD_ID];

	if (t == 0)
		return 0;
	if (json_u53(&d->j, t, &d->m->request) < 0 || d->m->request == 0) {
		d->m->request = 0;
		return bad_field(d, "id");
	}
	return 0;
}

int native_decode(struct native_message *m, struct slice text, struct native_scratch *s)
{
	struct decoder d = { .scratch = s, .m = m };

	*m = (struct native_message){ .kind = NATIVE_COMMAND };
	int err = json_parse(&d.j, text, s->tokens, NATIVE_MAX_TOKENS);
	if (err < 0)
		return err;
	if (json_kind_of(&d.j, 0) != JSON_OBJECT) {
		m->detail = "not an object";
		return E_MALFORMED;
	}
	find_fields(&d);
	buf_clear(&s->text);
	s->text.max = text.n > s->text.max ? text.n : s->text.max;
	(void)buf_room(&s->text, text.n);
	err = decode_id(&d);
	if (err == 0)
		err = take_text(&d, FIELD_ROOM, 0, ROOM_MAX_NAME, &m->room);
	return err == 0 ? decode_type(&d) : err;
}
