/* sessions: whole conversations, over socket pairs, with the dialects as they are served: connections
 * come, speak, break, resume, in any order. Nothing may be left when all are gone.
 *
 * The input is a script, one step per line: a client's letter (a to h) and what it does:
 *
 *     a/v1/connect       connects to that path; what it had before breaks
 *     a{"type":...}      says that; $Sb and $Kb are the session id and the secret that b was told last
 *     a!                 its connection breaks
 *     a~                 it says goodbye
 *     a-...              sends the rest of the line as raw bytes
 *     .                  the server has a turn; it has one after every 16 steps anyway
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/keys.h"
#include "base/log.h"
#include "base/mem.h"
#include "dialect/dialect.h"
#include "dialect/table.h"
#include "loop/loop.h"

#define CLIENTS 8
#define STEPS 300
#define STEPS_PER_TURN 16
#define ID_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct client {
	int fd; /* -1: none */
	char session[ID_MAX], secret[ID_MAX];
};

struct stage {
	struct auth_keys *keys; /* none: open mode */
	struct table_set *tables;
	struct http_settings http_settings;
	struct dialect_settings settings;
	struct loop *loop;
	struct http_server *http;
	struct dialect *dialect;
	struct client client[CLIENTS];
};

static const struct ws_settings usual_ws = {
	.max_message = 64 << 10,
	.ping_interval = 60000,
	.ping_timeout = 60000,
	.close_timeout = 60000,
	.deflate = true,
	.deflate_min = 64,
};

static void set_up(struct stage *s)
{
	const struct auth_settings open = { .issuer = "", .audience = "" };
	struct buf why = BUF_INIT(1000);

	log_setup(LOG_ERROR, false);
	if (auth_keys_create(&s->keys, &open, &why) < 0 ||
	    table_set_load(&s->tables, NULL, NULL, 0, &why) < 0)
		abort();
	s->http_settings = (struct http_settings){
		.max_line = 1000,
		.max_headers = 2000,
		.max_header_count = 30,
		.max_body = 1000,
		.head_timeout = 60000,
		.body_timeout = 60000,
		.idle_timeout = 60000,
		.max_connections = 100,
		.stream = { .queue = 1 << 20, .handshake = 60000, .linger = 60000 },
	};
	s->settings = (struct dialect_settings){
		.ws = usual_ws,
		.session_rooms = 3,
		.grace = 60000,
		.log = 20,
		.log_size = 64 << 10,
		.room = { .capacity = 4, .max_rooms = 4, .chat_replay = 3, .voices = 2 },
		.voice = { .limits = { 2, 1000 }, .frames = 50, .queue = 16 << 10 },
		.ice = { .fixed = SLICE_LIT("[]"), .place = "" },
		.sio_path = "/socket.io/",
		.sio = { .eio = { .ws = usual_ws,
				  .max_payload = 10000,
				  .queue = 10000,
				  .max_sessions = 10 } },
		.version = "fuzz",
		.keys = s->keys,
		.tables = s->tables,
	};
	buf_fini(&why);
}

static void begin(struct stage *s)
{
	struct dialect *d;

	s->loop = loop_create(0);
	s->http = http_server_create(s->loop, &s->http_settings, NULL);
	s->dialect = d = dialect_create(s->loop, 1, &s->settings, NULL);
	http_route(s->http, HTTP_GET, "/v1/connect", HTTP_UPGRADE, native_on_connect, d);
	table_add_routes(d, s->http);
	for (size_t i = 0; i < CLIENTS; i++)
		s->client[i] = (struct client){ .fd = -1 };
}

/* --- clients --- */

static void copy_text(char to[ID_MAX], struct slice in, const char *name)
{
	const uint8_t *p = memmem(in.p, in.n, name, strlen(name));
	size_t n = 0;

	if (!p)
		return;
	for (p += strlen(name); p < in.p + in.n && *p != '"' && n + 1 < ID_MAX; p++)
		to[n++] = (char)*p;
	to[n] = '\0';
}

/* Reads what the server said. */
static void hear(struct client *c)
{
	static uint8_t text[1 << 20];
	ssize_t n;

	while (c->fd >= 0 && (n = recv(c->fd, text, sizeof(text), MSG_DONTWAIT)) > 0) {
		copy_text(c->session, slice_of(text, (size_t)n), "\"session\":\"");
		copy_text(c->secret, slice_of(text, (size_t)n), "\"secret\":\"");
	}
}

static void on_stop(void *arg)
{
	loop_stop(arg);
}

static void turn(struct stage *s)
{
	loop_post(s->loop, on_stop, s->loop);
	loop_run(s->loop);
	for (size_t i = 0; i < CLIENTS; i++)
		hear(&s->client[i]);
}

/* What does not fit is lost: the server has to take torn frames too. */
static void put(struct client *c, struct slice bytes)
{
	ssize_t n = c->fd < 0
			    ? 0
			    : send(c->fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)n;
}

static void put_frame(struct client *c, enum ws_op op, struct slice payload)
{
	struct buf b = BUF_INIT(1 << 20);
	uint8_t head[WS_HEAD_MAX];
	size_t n = ws_head_encode(head, op, false, payload.n);
	static const uint8_t no_mask[4];

	head[1] |= 0x80;
	buf_add(&b, head, n);
	buf_add(&b, no_mask, sizeof(no_mask));
	buf_put(&b, payload);
	put(c, buf_slice(&b));
	buf_fini(&b);
}

static void vanish(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void connect_to(struct stage *s, struct client *c, struct slice path)
{
	struct buf b = BUF_INIT(1 << 20);
	struct addr peer;
	int pair[2];

	vanish(c);
	if (addr_parse(&peer, SLICE("192.0.2.1:1234")) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	c->fd = pair[0];
	http_server_accept(s->http, pair[1], &peer);
	buf_str(&b, "GET ");
	buf_put(&b, path);
	buf_str(&b, " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
		    "Upgrade\r\n"
		    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
		    "dGhlIHNhbXBsZSBub25jZQ==\r\n");
	if (path.n >= 3 && memcmp(path.p, "/v1", 3) == 0)
		buf_str(&b, "Sec-WebSocket-Protocol: parley.v1\r\n");
	buf_str(&b, "\r\n");
	put(c, buf_slice(&b));
	buf_fini(&b);
}

/* $Sx and $Kx are filled in. */
static void say(struct stage *s, struct client *c, struct slice text)
{
	struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < text.n; i++) {
		bool session = text.n - i > 2 && text.p[i] == '$' && text.p[i + 1] == 'S';
		bool secret = text.n - i > 2 && text.p[i] == '$' && text.p[i + 1] == 'K';

		if (session || secret) {
			const struct client *of = &s->client[text.p[i + 2] % CLIENTS];

			buf_str(&b, session ? of->session : of->secret);
			i += 2;
		} else {
			buf_u8(&b, text.p[i]);
		}
	}
	put_frame(c, WS_TEXT, buf_slice(&b));
	buf_fini(&b);
}

static void step(struct stage *s, struct slice line)
{
	if (line.n < 2)
		return;
	struct client *c = &s->client[line.p[0] % CLIENTS];
	struct slice rest = slice_from(line, 1);

	switch (rest.p[0]) {
	case '/':
		connect_to(s, c, rest);
		break;
	case '!':
		vanish(c);
		break;
	case '~':
		put_frame(c, WS_CLOSE, SLICE("\x03\xe8"));
		break;
	case '-':
		put(c, slice_from(rest, 1));
		break;
	default:
		say(s, c, rest);
	}
}

static void play(struct stage *s, struct slice script)
{
	for (unsigned steps = 1; script.n > 0 && steps < STEPS; steps++) {
		const uint8_t *end = memchr(script.p, '\n', script.n);
		size_t n = end ? (size_t)(end - script.p) : script.n;

		if (script.p[0] == '.' || steps % STEPS_PER_TURN == 0)
			turn(s);
		if (script.p[0] != '.')
			step(s, slice_of(script.p, n));
		script = slice_from(script, n < script.n ? n + 1 : n);
	}
	turn(s);
}

/* All go; who is away is given up. */
static void end(struct stage *s)
{
	for (size_t i = 0; i < CLIENTS; i++)
		vanish(&s->client[i]);
	for (int i = 0; i < 4; i++)
		turn(s);
	dialect_drain(s->dialect);
	for (int i = 0; i < 4; i++)
		turn(s);
	if (metric_total(METRIC_SESSIONS) != 0 ||
	    metric_total(METRIC_SESSIONS_AWAY) != 0 ||
	    metric_total(METRIC_MEMBERS) != 0 || metric_total(METRIC_ROOMS) != 0 ||
	    metric_total(METRIC_CONNECTIONS) != 0)
		abort();
	dialect_destroy(s->dialect);
	http_server_destroy(s->http);
	loop_destroy(s->loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stage s;

	if (!s.keys)
		set_up(&s);
	begin(&s);
	play(&s, slice_of(data, size));
	end(&s);
	return 0;
}
