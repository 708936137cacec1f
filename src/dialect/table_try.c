/* table_try: a table at work without a network: clients are names in a file, what they are told is
 * written down. Rooms, sessions and the engine are the real ones.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/internal.h"
#include "dialect/table_run.h"

#define MAX_CLIENTS 32
#define MAX_TOKENS 16384

struct client {
	struct session_transport transport; /* of its session: how we know whose it is */
	struct try *try;
	struct session *session;
	char *name;
	bool closed;
};

struct
try {
	struct loop *loop;
	struct dialect *dialect;
	const struct table *table;
	struct dialect_settings settings;
	struct client client[MAX_CLIENTS];
	unsigned count;
	struct json json;
	struct buf *out, *why;
};

/* --- what clients are told --- */

static struct client *client_of(const struct session *s)
{
	return (struct client *)container_of(s->transport, struct client, transport);
}

/* Who is closed hears no more. */
static void put_told(const struct client *c, const char *how, struct slice what)
{
	if (c->closed)
		return;
	buf_printf(c->try->out, "    %-8s <- %s%.*s\n", c->name, how, SLICE_FMT(what));
}

static void on_send(struct session *s, struct slice message, struct slice binary)
{
	put_told(client_of(s), binary.n > 0 ? "(with attachments) " : "", message);
}

static void on_ack(struct session *s, uint64_t ack, struct slice args,
		   struct slice binary)
{
	(void)ack;
	(void)binary;
	put_told(client_of(s), "acknowledged ", args);
}

static void on_close(struct session *s, uint16_t code, const char *reason)
{
	struct client *c = client_of(s);

	if (!c->closed)
		buf_printf(c->try->out, "    %-8s <- closed with %u %s\n", c->name, code,
			   reason);
	c->closed = true;
}

/* --- clients --- */

static int fail_at(struct try *try, unsigned step, const char *what)
{
	buf_printf(try->why, "step %u: %s", step, what);
	return E_MALFORMED;
}

static void client_connect(struct client *c, struct slice room, struct slice auth)
{
	struct try *try = c->try;
	bool sio = try->table->speaks == SPEAKS_SOCKETIO;
	struct slice id = sio ? slice_str(c->name) : SLICE_NONE;
	struct table_session *own =
		table_session(try->table, id, sio ? SLICE_NONE : room);

	c->closed = false;
	buf_printf(try->out, "%s connects\n", c->name);
	c->session = session_make(try->dialect, table_vocabulary(try->table), own,
				  &c->transport, SLICE_NONE);
	table_connected(c->session, sio ? auth : SLICE_NONE);
}

static void client_end(struct client *c)
{
	if (!c->session)
		return;
	session_end(c->session, LEAVE_LEAVE);
	c->session = NULL;
}

/* Whoever was closed during the step goes now. */
static void end_closed(struct try *try)
{
	for (unsigned i = 0; i < try->count; i++)
		if (try->client[i].closed)
			client_end(&try->client[i]);
}

static struct client *find_client(struct try *try, uint32_t as)
{
	struct buf name = BUF_INIT(64);
	struct client *c = NULL;

	if (!as || json_string(&try->json, as, 32, &name) < 0 || name.n == 0) {
		buf_fini(&name);
		return NULL;
	}
	for (unsigned i = 0; i < try->count; i++)
		if (slice_is(buf_slice(&name), try->client[i].name))
			c = &try->client[i];
	if (!c && try->count < MAX_CLIENTS) {
		c = &try->client[try->count++];
		c->try = try;
		c->name = slice_dup(buf_slice(&name));
		c->transport = (struct session_transport){ .send = on_send,
							   .ack = on_ack,
							   .close = on_close };
	}
	buf_fini(&name);
	return c;
}

/* --- steps --- */

static int say_event(struct client *c, unsigned step, uint32_t say, bool ack)
{
	struct try *try = c->try;
	const struct json *j = &try->json;
	struct buf name = BUF_INIT(4096);
	int err = E_MALFORMED;

	if (json_kind_of(j, say) == JSON_ARRAY && j->tok[say].count > 0)
		err = json_string(j, say + 1, ROOM_MAX_NAME, &name);
	if (err == 0)
		table_hear(c->session,
			   &(struct table_message){ .name = buf_slice(&name),
						    .json = j,
						    .first = j->tok[say + 1].next,
						    .end = j->tok[say].next,
						    .ack = ack });
	buf_fini(&name);
	return err < 0 ? fail_at(try, step, "\"say\" should be [\"name\", ...]") : 0;
}

static int say_text(struct client *c, uint32_t say)
{
	const struct json *j = &c->try->json;
	struct buf text = BUF_INIT(1 << 20);

	if (json_kind_of(j, say) != JSON_STRING)
		buf_put(&text, json_raw(j, say));
	else if (json_string(j, say, 1 << 20, &text) < 0)
		buf_clear(&text);
	table_on_text(c->session, buf_slice(&text));
	buf_fini(&text);
	return 0;
}

static int run_say(struct client *c, unsigned step, uint32_t say, bool ack)
{
	buf_printf(c->try->out, "%s says %.*s\n", c->name,
		   SLICE_FMT(json_raw(&c->try->json, say)));
	if (c->try->table->speaks == SPEAKS_SOCKETIO)
		return say_event(c, step, say, ack);
	return say_text(c, say);
}

static int run_step(struct try *try, unsigned step, uint32_t at)
{
	const struct json *j = &try->json;
	uint32_t say = json_member(j, at, SLICE("say"));
	uint32_t room = json_member(j, at, SLICE("room"));
	uint32_t auth = json_member(j, at, SLICE("auth"));
	uint32_t ack = json_member(j, at, SLICE("ack"));
	struct client *c = find_client(try, json_member(j, at, SLICE("as")));
	struct buf name = BUF_INIT(4 * ROOM_MAX_NAME);
	int err = 0;

	if (!c)
		return fail_at(try, step, "who? \"as\": \"ann\" (at most 32 people)");
	if (!room || json_string(j, room, ROOM_MAX_NAME, &name) < 0)
		buf_str(&name, "room");
	if (!c->session)
		client_connect(c, buf_slice(&name),
			       auth ? json_raw(j, auth) : SLICE("{}"));
	if (say && !c->closed)
		err = run_say(c, step, say, ack != 0);
	if (json_member(j, at, SLICE("leave"))) {
		buf_printf(try->out, "%s goes\n", c->name);
		client_end(c);
	}
	end_closed(try);
	buf_fini(&name);
	return err;
}

static int run_steps(struct try *try)
{
	const struct json *j = &try->json;
	unsigned step = 0;
	int err = 0;

	if (json_kind_of(j, 0) != JSON_ARRAY) {
		buf_str(try->why,
			"the messages should be a list: [{\"as\":\"ann\",\"say\":...}]");
		return E_MALFORMED;
	}
	for (uint32_t t = 1; err == 0 && t < j->tok[0].next; t = j->tok[t].next)
		err = run_step(try, ++step, t);
	return err;
}

static void fill_settings(struct try *try)
{
	try->settings = (struct dialect_settings){
		.session_rooms = 8,
		.ws.max_message = 1 << 20,
		.room = { .capacity = 1000,
			  .max_rooms = 1000,
			  .chat_replay = 50,
			  .ban_time = 60000,
			  .max_bans = 1000 },
		.version = "try",
	};
}

int table_try(const struct table *t, struct slice messages, struct buf *out,
	      struct buf *why)
{
	struct json_token *tokens = xmalloc(size_mul(MAX_TOKENS, sizeof(*tokens)));
	struct try *try = xzalloc(sizeof(*try));
	int err;

	try->table = t;
	try->out = out;
	try->why = why;
	fill_settings(try);
	err = json_parse(&try->json, messages, tokens, MAX_TOKENS);
	if (err < 0) {
		buf_str(why, "the messages are no JSON");
		goto done;
	}
	try->loop = loop_create(0);
	try->dialect = dialect_create(try->loop, 1, &try->settings, NULL);
	err = run_steps(try);
	for (unsigned i = 0; i < try->count; i++)
		try->client[i].closed = true; /* nobody hears of the end */
	for (unsigned i = 0; i < try->count; i++) {
		client_end(&try->client[i]);
		free(try->client[i].name);
	}
	dialect_destroy(try->dialect);
	loop_destroy(try->loop);
done:
	free(try);
	free(tokens);
	return err;
}
