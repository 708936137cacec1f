#include "dialect/ice_offer.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/rand.h"
#include "dialect/admit.h"

#define REFUSALS_TOLD 8

/* --- the place --- */

static bool is_host(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		bool digit = c >= '0' && c <= '9';
		if (!letter && !digit && c != '.' && c != '-' && c != ':' && c != '[' &&
		    c != ']')
			return false;
	}
	return s.n > 0 && s.n < ICE_PLACE_MAX - 8;
}

/* Where the port begins, behind its colon; 0: there is none. */
static size_t port_at(struct slice host)
{
	for (size_t i = host.n; i > 0 && host.p[i - 1] != ']'; i--)
		if (host.p[i - 1] == ':')
			return i;
	return 0;
}

void ice_place(const struct ice_offer *o, const struct http_exchange *x, struct buf *out)
{
	struct slice host = slice_str(o->place);

	if (host.n == 0)
		host = http_header(x, "Host");
	if (!is_host(host))
		return;
	buf_put(out, host);
	if (port_at(host) == 0)
		buf_printf(out, ":%u", http_is_tls(x) && !o->place[0] ? 443 : o->port);
}

/* --- the list --- */

static void put_url(struct jsonw *w, const char *scheme, struct slice place,
		    uint16_t port, const char *rest)
{
	struct buf b = BUF_INIT(ICE_PLACE_MAX + 40);
	size_t at = port_at(place);

	buf_str(&b, scheme);
	buf_put(&b, slice_of(place.p, at));
	if (port)
		buf_dec(&b, port);
	else
		buf_put(&b, slice_from(place, at));
	buf_str(&b, rest);
	json_put_string(w, buf_slice(&b));
	buf_fini(&b);
}

static void put_turn_urls(struct jsonw *w, const struct ice_offer *o, struct slice place)
{
	json_array(w);
	put_url(w, "turn:", place, o->turn_port, "?transport=udp");
	if (o->turn_port)
		put_url(w, "turn:", place, 0, "?transport=udp");
	put_url(w, "turn:", place, 0, "?transport=tcp");
	if (o->trusted) {
		put_url(w, "turns:", place, 0, "?transport=tcp");
		if (o->turns_port)
			put_url(w, "turns:", place, o->turns_port, "?transport=tcp");
	}
	json_array_end(w);
}

static void put_own(struct jsonw *w, const struct ice_offer *o, struct turn_server *turn,
		    struct slice place, struct slice who)
{
	struct turn_credential c;

	json_object(w);
	json_key(w, SLICE("urls"));
	json_array(w);
	put_url(w, "stun:", place, o->turn_port, "");
	json_array_end(w);
	json_object_end(w);
	if (turn_server_credential(turn, who, o->life, &c) < 0)
		return;
	json_object(w);
	json_key(w, SLICE("urls"));
	put_turn_urls(w, o, place);
	json_field_string(w, "username", slice_str(c.user));
	json_field_string(w, "credential", slice_str(c.password));
	json_object_end(w);
}

void ice_put_servers(struct jsonw *w, const struct ice_offer *o, struct turn_server *turn,
		     struct slice place, struct slice who)
{
	json_array(w);
	if (o->fixed.n > 2) /* without its brackets */
		json_put_raw(w, slice_of(o->fixed.p + 1, o->fixed.n - 2));
	if (turn && place.n > 0)
		put_own(w, o, turn, place, who);
	json_array_end(w);
}

/* --- by HTTP --- */

/* Whether they may be here; false: answered. */
static bool admit_stranger(struct dialect *d, struct http_exchange *x)
{
	struct admission *admission;
	const char *why = NULL;
	int err = admit_exchange(d, x, &admission, &why);

	/* A token for the server API alone takes nobody into a call. */
	if (err == 0 && !admit_may_join(admission)) {
		err = E_DENIED;
		why = "grant";
	}
	free(admission);
	if (err < 0)
		http_reply_error(x, err, why);
	return err == 0;
}

static void reply_json(struct http_exchange *x, const struct buf *b)
{
	http_add_header(x, "Cache-Control", SLICE("no-store"));
	http_reply(x, 200, "application/json", buf_slice(b));
}

/* The same once more, as programs know it that ask by "TURN REST". */
static void put_rest(struct jsonw *w, const struct ice_offer *o, struct turn_server *turn,
		     struct slice place, struct slice who)
{
	struct turn_credential c;

	if (place.n == 0 || turn_server_credential(turn, who, o->life, &c) < 0)
		return;
	json_field_string(w, "username", slice_str(c.user));
	json_field_string(w, "password", slice_str(c.password));
	json_key(w, SLICE("uris"));
	put_turn_urls(w, o, place);
}

/* For who has no session here: relays end with the credential. */
void dialect_on_ice_servers(struct http_exchange *x, void *arg)
{
	struct dialect *d = arg;
	const struct ice_offer *o = &d->settings->ice;
	struct buf b = BUF_INIT(o->fixed.n + 4096), place = BUF_INIT(ICE_PLACE_MAX);
	struct jsonw w;
	char who[16];

	if (!admit_stranger(d, x))
		return;
	rand_text(who, sizeof(who));
	ice_place(o, x, &place);
	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("iceServers"));
	ice_put_servers(&w, o, d->turn, buf_slice(&place), slice_of(who, sizeof(who)));
	if (d->turn) {
		json_field_u64(&w, "ttl", (uint64_t)o->life / 1000);
		put_rest(&w, o, d->turn, buf_slice(&place), slice_of(who, sizeof(who)));
	}
	json_object_end(&w);
	reply_json(x, &b);
	buf_fini(&b);
	buf_fini(&place);
}

static void put_refusal(struct jsonw *w, const struct turn_refused *r, ms_t now)
{
	json_object(w);
	json_field_string(w, "why", slice_str(turn_refusal_name(r->why)));
	json_field_u64(w, "code", turn_refusal_code(r->why));
	json_field_string(w, "reason", slice_str(turn_refusal_phrase(r->why)));
	json_field_u64(w, "ago", now > r->at ? (uint64_t)(now - r->at) : 0);
	if (r->why == TURN_REFUSAL_EXPIRED)
		json_field_u64(w, "expiredFor", (uint64_t)r->expired);
	json_object_end(w);
}

void dialect_on_turn_refusals(struct http_exchange *x, void *arg)
{
	struct dialect *d = arg;
	struct turn_refused refused[REFUSALS_TOLD];
	struct slice user = SLICE_NONE;
	struct buf b = BUF_INIT(4096);
	struct jsonw w;

	if (!admit_stranger(d, x))
		return;
	(void)http_query_param(x, "user", &user);
	size_t n =
		d->turn ? turn_server_refusals(d->turn, user, refused, REFUSALS_TOLD) : 0;
	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("refusals"));
	json_array(&w);
	for (size_t i = 0; i < n; i++)
		put_refusal(&w, &refused[i], loop_wall(d->loop));
	json_array_end(&w);
	json_object_end(&w);
	reply_json(x, &b);
	buf_fini(&b);
}
