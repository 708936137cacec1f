#include "sio/conn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"

static_assert(sizeof(struct eio_conn) <= 152, "an idle client shall cost little");

/* How long the last packets wait for a poll after we have closed. */
#define CLOSING_LIMIT 5000

static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";

/* --- the clock --- */

static const struct eio_times *times_of(const struct eio_conn *c)
{
	return &c->eio->settings->times;
}

void eio_conn_arm(struct eio_conn *c)
{
	ms_t now = loop_now(c->eio->loop), next = eio_engine_next(&c->engine);

	loop_timer_start(c->eio->loop, &c->timer, next > now ? next - now : 0);
}

/* Many are due in one turn: they share the frame, and leave together. */
static void send_ping(struct eio_conn *c)
{
	static const uint8_t frame[] = { 0x80 | WS_TEXT, 1, '0' + EIO_PING };

	if (c->ws)
		ws_send_volley(c->ws, slice_of(frame, sizeof(frame)), 1);
	else
		eio_send(c, SLICE("2"));
}

bool eio_conn_alive(struct eio_conn *c)
{
	if (c->engine.state == EIO_CLOSING)
		return true;
	enum eio_alarm alarm =
		eio_engine_alarm(&c->engine, times_of(c), loop_now(c->eio->loop));
	if (alarm == EIO_DEAD) {
		metric_add(METRIC_SIO_TIMEOUTS, 1);
		eio_close(c, EIO_TIMEOUT);
		return false;
	}
	if (alarm == EIO_PING_DUE)
		send_ping(c);
	if (c->engine.state == EIO_CLOSED) /* by the ping: too slow */
		return false;
	eio_conn_arm(c);
	return true;
}

static void on_timer(struct loop_timer *t)
{
	struct eio_conn *c = container_of(t, struct eio_conn, timer);

	if (c->engine.state == EIO_CLOSING)
		eio_conn_end(c, c->why);
	else
		(void)eio_conn_alive(c);
}

/* --- life --- */

static void tell_end(struct eio_conn *c)
{
	if (c->told)
		return;
	c->told = true;
	c->eio->ops->closed(c->own, c, c->why);
}

void eio_conn_finish(struct eio_conn *c)
{
	tell_end(c);
	eio_conn_free(c);
}

static void on_task(struct loop_task *t)
{
	struct eio_conn *c = container_of(t, struct eio_conn, task);

	if (c->engine.state == EIO_CLOSED) {
		eio_conn_finish(c);
	} else if (c->engine.state == EIO_CLOSING) {
		tell_end(c);
	} else if (c->polling) {
		eio_poll_answer(c, NULL);
	}
}

/* In this turn, when nothing is in the middle of it. */
static void act_later(struct eio_conn *c)
{
	loop_task_post(c->eio->loop, LOOP_FANOUT, &c->task);
}

static void make_sid(struct eio_conn *c)
{
	unsigned worker = loop_id(c->eio->loop);

	c->sid[0] = letters[worker >> 5 & 31];
	c->sid[1] = letters[worker & 31];
	rand_text(c->sid + 2, EIO_SID - 2);
}

/* What the page put into the address, without what is the protocol's or secret; nothing when it is too much. */
static void put_page_query(struct buf *b, struct slice query)
{
	static const char *const ours[] = { "EIO", "transport", "t",     "j",
					    "b64", "sid",       "token", "access_token" };
	size_t from = b->n;
	struct slice part;

	while (slice_split(&query, '&', &part)) {
		struct slice name = slice_of(part.p, slice_find(part, '='));
		size_t i = 0;

		while (i < ARRAY_LEN(ours) && !slice_is(name, ours[i]))
			i++;
		if (i < ARRAY_LEN(ours) || name.n == 0)
			continue;
		if (b->n > from)
			buf_u8(b, '&');
		buf_put(b, part);
	}
	if (b->n - from > EIO_MAX_QUERY)
		b->n = from;
}

static char *keep_asked(struct http_exchange *x)
{
	struct slice token = http_token(x), query = http_query(x);
	struct buf b = BUF_INIT(token.n + query.n + 2);

	buf_put(&b, token);
	buf_u8(&b, 0);
	put_page_query(&b, query);
	char *asked = b.n > 1 ? slice_dup(buf_slice(&b)) : NULL;
	buf_fini(&b);
	return asked;
}

struct eio_conn *eio_conn_create(struct eio *e, struct http_exchange *x, unsigned version,
				 bool websocket)
{
	struct eio_conn *c = xzalloc(sizeof(*c));

	c->eio = e;
	c->asked = keep_asked(x);
	c->single = websocket;
	eio_engine_init(&c->engine, times_of(c), version, websocket, loop_now(e->loop));
	loop_timer_init(&c->timer, on_timer);
	loop_task_init(&c->task, on_task);
	list_init(&c->link);
	list_append(&e->conns, &c->link);
	make_sid(c);
	if (!websocket)
		map_put(&e->by_sid, eio_sid(c), c);
	metric_add(METRIC_SIO_CLIENTS, 1);
	return c;
}

static void put_handshake(struct buf *b, const struct eio_conn *c)
{
	const struct eio_settings *s = c->eio->settings;
	struct jsonw w;

	buf_u8(b, '0' + EIO_OPEN);
	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "sid", eio_sid(c));
	json_field_raw(&w, "upgrades",
		       c->single ? SLICE("[]") : SLICE("[\"websocket\"]"));
	buf_put(b, buf_slice(&c->eio->terms));
	if (c->engine.version == 4)
		json_field_u64(&w, "maxPayload", s->max_payload);
	json_object_end(&w);
}

void eio_conn_open(struct eio_conn *c)
{
	struct buf *b = &c->eio->payload;

	buf_clear(b);
	put_handshake(b, c);
	eio_send(c, buf_slice(b));
	eio_conn_arm(c);
	c->own = c->eio->ops->open(c->eio->arg, c);
}

void eio_conn_free(struct eio_conn *c)
{
	loop_timer_stop(c->eio->loop, &c->timer);
	loop_task_cancel(&c->task);
	list_unlink(&c->link);
	if (!c->single) {
		map_del(&c->eio->by_sid, eio_sid(c));
		if (!c->eio->draining) /* else nobody asks any more, and the loops end */
			eio_tell_home(c, EIO_GONE);
	}
	if (c->polling)
		eio_polling_destroy(c->polling);
	if (c->ws)
		eio_forget_ws(c->ws, 1000);
	metric_add(METRIC_SIO_CLIENTS, -1);
	free(c->asked);
	free(c);
}

/* --- the end --- */

static uint16_t close_code(enum eio_why why)
{
	switch (why) {
	case EIO_PARSE:
		return 1002;
	case EIO_SHUTDOWN:
	case EIO_TIMEOUT:
		return 1001;
	case EIO_SLOW:
		return 1013;
	case EIO_BY_CLIENT:
	case EIO_BROKEN:
	case EIO_BY_SERVER:
		break;
	}
	return 1000;
}

void eio_conn_end(struct eio_conn *c, enum eio_why why)
{
	if (c->engine.state == EIO_CLOSED)
		return;
	c->why = (uint8_t)why;
	eio_engine_set_state(&c->engine, EIO_CLOSED);
	loop_timer_stop(c->eio->loop, &c->timer);
	/* It stays ours until the application has heard: rooms still write to it. */
	if (c->ws)
		ws_close(c->ws, close_code(why), NULL);
	act_later(c);
}

/* A client between two polls gets what is for it, and the close packet, with the next. */
static bool has_last_words(const struct eio_conn *c, enum eio_why why)
{
	return c->polling && !c->polling->poll &&
	       (why == EIO_BY_SERVER || why == EIO_SHUTDOWN);
}

void eio_close(struct eio_conn *c, enum eio_why why)
{
	if (c->engine.state == EIO_CLOSED || c->engine.state == EIO_CLOSING)
		return;
	if (has_last_words(c, why)) {
		eio_candidate_drop(c);
		eio_engine_set_state(&c->engine, EIO_CLOSING);
		c->why = (uint8_t)why;
		loop_timer_start(c->eio->loop, &c->timer, CLOSING_LIMIT);
		act_later(c);
		return;
	}
	if (c->polling) {
		eio_send(c, why == EIO_BY_CLIENT ? SLICE("6") : SLICE("1"));
		eio_poll_answer(c, NULL);
	}
	eio_conn_end(c, why);
}

/* --- packets in --- */

static void answer_ping(struct eio_conn *c, const struct eio_packet *p)
{
	struct buf b = BUF_INIT(p->data.n + 1);

	buf_u8(&b, '0' + EIO_PONG);
	buf_put(&b, p->data);
	eio_send(c, buf_slice(&b));
	buf_fini(&b);
}

static void on_probe(struct eio_conn *c)
{
	ws_send(c->polling->candidate, WS_TEXT, SLICE("3probe"));
	eio_poll_answer(c, "6");
}

static bool on_wrong(struct eio_conn *c, enum eio_source from)
{
	if (from == EIO_BY_CANDIDATE) {
		eio_candidate_drop(c);
		return false;
	}
	metric_add(METRIC_MALFORMED, 1);
	eio_close(c, EIO_PARSE);
	return false;
}

bool eio_conn_packet(struct eio_conn *c, enum eio_source from, const struct eio_packet *p)
{
	int step = eio_engine_packet(&c->engine, times_of(c), from, p,
				     loop_now(c->eio->loop));

	if (step < 0)
		return on_wrong(c, from);
	switch ((enum eio_step)step) {
	case EIO_NOTHING:
		if (p->type == EIO_PONG && !c->engine.waits)
			eio_conn_arm(c);
		break;
	case EIO_DELIVER:
		c->eio->ops->message(c->own, c, p->binary, p->data);
		break;
	case EIO_ANSWER:
		eio_conn_arm(c);
		answer_ping(c, p);
		break;
	case EIO_PROBED:
		on_probe(c);
		break;
	case EIO_UPGRADED:
		eio_conn_upgrade(c);
		break;
	case EIO_ENDED:
		eio_close(c, EIO_BY_CLIENT);
		break;
	}
	return c->engine.state != EIO_CLOSED && !c->moving;
}

/* --- packets out --- */

static void too_slow(struct eio_conn *c)
{
	metric_add(METRIC_QUEUE_DROPS, 1);
	log_info("sio", "too-slow", "sid=%.4s queued=%zu", c->sid,
		 c->polling->out.bytes.n);
	eio_conn_end(c, EIO_SLOW);
}

static void enqueue(struct eio_conn *c, const struct eio_packet *p)
{
	if (c->engine.state == EIO_CLOSED)
		return;
	if (eio_queue_put(&c->polling->out, p) < 0)
		too_slow(c);
	else if (c->polling->poll)
		act_later(c);
}

void eio_send(struct eio_conn *c, struct slice packet)
{
	if (c->ws) {
		ws_send(c->ws, WS_TEXT, packet);
	} else if (c->polling) {
		struct eio_packet p = { (enum eio_type)(packet.p[0] - '0'), false,
					slice_from(packet, 1) };
		enqueue(c, &p);
	}
}

static void send_binary_ws(struct eio_conn *c, struct slice data)
{
	uint8_t head[1];
	size_t n = eio_binary_head(c->engine.version, head);
	uint8_t *p = ws_send_begin(c->ws, WS_BINARY, n + data.n);

	if (!p)
		return;
	memcpy(p, head, n);
	if (data.n)
		memcpy(p + n, data.p, data.n);
}

void eio_send_binary(struct eio_conn *c, struct slice data)
{
	if (c->ws)
		send_binary_ws(c, data);
	else if (c->polling)
		enqueue(c, &(struct eio_packet){ EIO_MESSAGE, true, data });
}

static void send_queued(struct eio_conn *c, const struct eio_queue *q)
{
	struct buf *b = &c->eio->payload;
	struct eio_packet p;
	size_t at = 0;

	while (eio_queue_next(q, &at, &p)) {
		if (p.binary) {
			send_binary_ws(c, p.data);
			continue;
		}
		buf_clear(b);
		buf_u8(b, (uint8_t)('0' + p.type));
		buf_put(b, p.data);
		ws_send(c->ws, WS_TEXT, buf_slice(b));
	}
}

void eio_conn_upgrade(struct eio_conn *c)
{
	struct eio_polling *p = c->polling;

	eio_poll_answer(c, "6");
	c->ws = p->candidate;
	p->candidate = NULL;
	c->polling = NULL;
	send_queued(c, &p->out);
	eio_polling_destroy(p);
	c->eio->ops->upgraded(c->own, c);
}

/* --- questions --- */

struct ws *eio_ws(const struct eio_conn *c)
{
	return c->ws;
}

bool eio_is_open(const struct eio_conn *c)
{
	return eio_engine_polls(&c->engine) || c->engine.state == EIO_WEBSOCKET;
}

unsigned eio_version(const struct eio_conn *c)
{
	return c->engine.version;
}

struct slice eio_sid(const struct eio_conn *c)
{
	return slice_of(c->sid, EIO_SID);
}

void *eio_arg(const struct eio_conn *c)
{
	return c->eio->arg;
}

struct loop *eio_loop(const struct eio_conn *c)
{
	return c->eio->loop;
}

const struct addr *eio_peer(const struct eio_conn *c)
{
	return c->ws ? ws_peer(c->ws) : &c->polling->peer;
}

struct slice eio_token(const struct eio_conn *c)
{
	return c->asked ? slice_str(c->asked) : SLICE_NONE;
}

struct slice eio_query(const struct eio_conn *c)
{
	return c->asked ? slice_str(c->asked + strlen(c->asked) + 1) : SLICE_NONE;
}

void *eio_own(const struct eio_conn *c)
{
	return c->own;
}
