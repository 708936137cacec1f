/* Calls: who may, what was sent, and how they end. */
#include "admin/api_call.h"
#include "admin/asyncapi.h"

#include <assert.h>
#include <stdlib.h>

#include "auth/seat_key.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "bus/member_json.h"

#define MAX_TEXT ((size_t)1 << 20)

struct api_route {
	struct api *api;
	const struct api_op *op;
};

/* --- ends --- */

static void call_free(struct api_call *c)
{
	buf_fini(&c->text);
	free(c);
}

void api_done(struct api_call *c, struct slice json)
{
	http_reply(c->x, c->op->status, c->op->answer ? "application/json" : NULL, json);
	call_free(c);
}

void api_fail(struct api_call *c, int err, const char *detail)
{
	if (err == E_UNAUTHORIZED) {
		metric_add(METRIC_UNAUTHORIZED, 1);
		http_add_header(c->x, "WWW-Authenticate", SLICE("Bearer"));
	}
	metric_add(METRIC_API_REFUSED, 1);
	http_reply_error(c->x, err, detail);
	call_free(c);
}

void api_drop(struct api_call *c)
{
	call_free(c);
}

/* --- who may --- */

/* A request that a proxy passed on is not of this machine. */
static bool is_local(const struct http_exchange *x)
{
	return addr_is_loopback(http_peer(x)) &&
	       http_header(x, "X-Forwarded-For").n == 0 &&
	       http_header(x, "Forwarded").n == 0;
}

/* NAME:SECRET of the header, as it is or as RFC 7617 has it; empty: none. */
static struct slice shown_secret(struct api_call *c)
{
	struct slice field = http_header(c->x, "Authorization");
	struct slice bearer = http_bearer(c->x);
	size_t at = c->text.n;

	if (slice_find(bearer, ':') < bearer.n)
		return bearer;
	if (field.n <= 6 || !slice_ieq(slice_of(field.p, 6), SLICE("Basic ")))
		return SLICE_NONE;
	if (base64_decode(&c->text, slice_trim(slice_from(field, 6))) < 0)
		return SLICE_NONE;
	return slice_from(buf_slice(&c->text), at);
}

static int check_token(struct api_call *c, const char **why)
{
	struct auth_pass p;
	int err = auth_gate_check(c->api->settings.gate, http_bearer(c->x),
				  loop_wall(c->api->loop), &p, why);

	if (err < 0)
		return err;
	*why = "grant";
	if (c->op->need == 0 || !(p.allow & c->op->need))
		return E_DENIED;
	if ((c->op->need & API_SEATED) && p.user.n == 0)
		return E_DENIED;
	if (c->room.n > 0 && p.room.n > 0 && !slice_eq(p.room, c->room))
		return E_DENIED;
	size_t at = c->text.n;
	buf_put(&c->text, p.user);
	c->user = slice_from(buf_slice(&c->text), at);
	return 0;
}

/* Whether the member still has its seat, the room knows. */
static int check_seat(struct api_call *c, const char **why)
{
	struct slice key = http_bearer(c->x);

	*why = "not the key of a seat in this room";
	if (!auth_seat_key_is_good(key, c->api->settings.files.secret, c->room))
		return E_UNAUTHORIZED;
	c->seat = auth_seat_key_member(key);
	return 0;
}

static int authorize(struct api_call *c, const char **why)
{
	struct slice secret = shown_secret(c);

	if (c->op->need & API_ANYBODY)
		return 0;
	if ((c->op->need & API_SEATED) && auth_seat_key_looks(http_bearer(c->x)))
		return check_seat(c, why);
	if (auth_gate_open(c->api->settings.gate)) {
		*why = "no auth.key is set: only from this machine";
		return is_local(c->x) ? 0 : E_UNAUTHORIZED;
	}
	if (secret.n == 0)
		return check_token(c, why);
	if (!auth_keys_secret(c->api->settings.keys, secret)) {
		*why = "unknown key";
		return E_UNAUTHORIZED;
	}
	c->key = slice_of(secret.p, slice_find(secret, ':'));
	return 0;
}

/* --- what was sent --- */

static const struct api_value *find_value(const struct api_call *c,
					  const struct api_field *list, size_t at,
					  const char *name)
{
	for (size_t i = 0; list && list[i].name; i++)
		if (strcmp(list[i].name, name) == 0)
			return &c->value[at + i];
	return NULL;
}

const struct api_value *api_value(const struct api_call *c, const char *name)
{
	const struct api_value *v = find_value(c, c->op->query, 0, name);

	if (!v)
		v = find_value(c, c->op->body, API_MAX_FIELDS, name);
	assert(v);
	return v;
}

static int read_body(struct api_call *c, const char **why)
{
	if (!c->op->body)
		return 0;
	return api_read_body(c->op->body, http_body(c->x), c->value + API_MAX_FIELDS,
			     &c->text, why);
}

static int read_query(struct api_call *c, const char **why)
{
	const struct api_field *f = c->op->query;

	for (struct api_value *v = c->value; f && f->name; f++, v++) {
		v->there = http_query_param(c->x, f->name, &v->text);
		*why = f->name;
		if (!v->there)
			continue;
		if (f->kind == API_NUMBER && slice_to_u64(v->text, &v->number) < 0)
			return E_BAD_FIELD;
		if (!api_within(f, f->kind == API_NUMBER ? v->number : v->text.n))
			return E_BAD_FIELD;
	}
	*why = NULL;
	return 0;
}

static int read_path(struct api_call *c, const char **why)
{
	c->room = http_param(c->x, "room");
	c->member = http_param(c->x, "member");
	if (c->room.n > ROOM_MAX_NAME || c->member.n > ROOM_MAX_NAME) {
		*why = c->room.n > ROOM_MAX_NAME ? "room" : "member";
		return E_BAD_FIELD;
	}
	return 0;
}

/* --- a call --- */

static void on_request(struct http_exchange *x, void *arg)
{
	const struct api_route *r = arg;
	struct api_call *c = xzalloc(sizeof(*c));
	const char *why = NULL;

	c->api = r->api;
	c->op = r->op;
	c->x = x;
	buf_init(&c->text, MAX_TEXT);
	/* All texts of one request fit: slices into it stay where they are. */
	(void)buf_room(&c->text,
		       http_body(x).n + 2 * http_header(x, "Authorization").n + 1);
	metric_add(METRIC_API_CALLS, 1);
	int err = read_path(c, &why);
	if (err == 0)
		err = authorize(c, &why);
	if (err == 0)
		err = read_query(c, &why);
	if (err == 0)
		err = read_body(c, &why);
	if (err < 0)
		api_fail(c, err, why);
	else
		c->op->run(c);
}

struct asking {
	struct api_call *call;
	api_answer_fn *fn;
};

static void on_answers(void *arg, const struct bus_answer *a, size_t count)
{
	struct asking *q = arg;
	struct api_call *c = q->call;
	api_answer_fn *fn = q->fn;

	free(q);
	if (count == 0)
		api_fail(c, E_UNAVAILABLE, "the server stops");
	else if (a->err < 0)
		api_fail(c, a->err, a->err == E_NOT_FOUND ? "room" : NULL);
	else
		fn(c, a, count);
}

void api_ask(struct api_call *c, const struct bus_ask *ask, api_answer_fn *fn)
{
	struct asking *q = xmalloc(sizeof(*q));

	*q = (struct asking){ c, fn };
	room_desk_ask(c->api->settings.desk, ask, on_answers, q);
}

static void on_ordered(struct api_call *c, const struct bus_answer *a, size_t count)
{
	(void)a;
	(void)count;
	log_info("api", c->op->id, "room=%s",
		 log_value(&(struct log_text){ 0 }, c->room));
	api_done(c, SLICE_NONE);
}

void api_command(struct api_call *c, const struct command *command, api_answer_fn *fn)
{
	struct bus_ask ask = { .kind = ASK_COMMAND,
			       .room = c->room,
			       .command = *command };

	if (c->member.n > 0) {
		ask.command.to = bus_member_number(c->member);
		if (!ask.command.to)
			ask.command.to_name = c->member;
	}
	api_ask(c, &ask, fn);
}

void api_order(struct api_call *c, const struct command *command)
{
	api_command(c, command, on_ordered);
}

bool api_begin_transfer(struct api *a)
{
	if (a->transfers >= a->settings.files.transfers)
		return false;
	a->transfers++;
	metric_add(METRIC_FILES_TRANSFERS, 1);
	return true;
}

void api_end_transfer(struct api *a)
{
	a->transfers--;
	metric_add(METRIC_FILES_TRANSFERS, -1);
}

/* --- life --- */

static void on_openapi(struct http_exchange *x, void *arg)
{
	const struct api *a = arg;

	http_reply(x, 200, "application/json", buf_slice(&a->openapi));
}

static void on_asyncapi(struct http_exchange *x, void *arg)
{
	(void)arg;
	http_reply(x, 200, "application/json", slice_of(api_asyncapi, api_asyncapi_size));
}

struct api *api_create(struct loop *l, const struct api_settings *s)
{
	struct api *a = xzalloc(sizeof(*a));

	a->loop = l;
	a->settings = *s;
	a->limits = auth_limits_create(s->files.limits);
	a->routes = xzalloc(size_mul(api_op_count, sizeof(*a->routes)));
	for (size_t i = 0; i < api_op_count; i++)
		a->routes[i] = (struct api_route){ a, &api_ops[i] };
	buf_init(&a->openapi, MAX_TEXT);
	api_print_openapi(&a->openapi, s->version);
	assert(!a->openapi.bad);
	return a;
}

void api_destroy(struct api *a)
{
	if (!a)
		return;
	buf_fini(&a->openapi);
	auth_limits_destroy(a->limits);
	free(a->routes);
	free(a);
}

void api_add_routes(struct api *a, struct http_server *h)
{
	for (size_t i = 0; i < api_op_count; i++) {
		const struct api_op *op = &api_ops[i];

		bool pieces = (op->need & API_PIECES) != 0;

		http_route_sized(h, (unsigned)op->method, op->path,
				 pieces ? HTTP_PIECES : 0,
				 pieces ? (size_t)a->settings.files.size : 0, on_request,
				 &a->routes[i]);
	}
	http_route(h, HTTP_GET, "/openapi.json", 0, on_openapi, a);
	http_route(h, HTTP_GET, "/asyncapi.json", 0, on_asyncapi, NULL);
}
