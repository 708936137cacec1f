#include "bus/chat.h"

#include "base/err.h"
#include "base/json.h"

enum flag { FLAG_DELETED = BIT(0), FLAG_REPLAY = BIT(1), FLAG_ON = BIT(2) };

void bus_chat_encode(struct buf *b, const struct chat_more *m)
{
	buf_u8(b, (uint8_t)((m->deleted ? FLAG_DELETED : 0) |
			    (m->replay ? FLAG_REPLAY : 0) | (m->on ? FLAG_ON : 0)));
	buf_be64(b, m->epoch);
	buf_be64(b, m->of);
	buf_be64(b, (uint64_t)m->edited);
	buf_prefixed(b, m->user);
	buf_prefixed(b, m->to_user);
	buf_prefixed(b, m->reader);
	buf_prefixed(b, m->key);
	buf_prefixed(b, m->file);
	buf_prefixed(b, m->reactions);
}

int bus_chat_decode(struct chat_more *m, struct slice more)
{
	struct cur in = cur_of_slice(more);

	*m = (struct chat_more){ 0 };
	if (more.n == 0)
		return 0;
	uint8_t flags = cur_u8(&in);
	m->deleted = (flags & FLAG_DELETED) != 0;
	m->replay = (flags & FLAG_REPLAY) != 0;
	m->on = (flags & FLAG_ON) != 0;
	m->epoch = cur_be64(&in);
	m->of = cur_be64(&in);
	m->edited = (ms_t)cur_be64(&in);
	m->user = cur_prefixed(&in);
	m->to_user = cur_prefixed(&in);
	m->reader = cur_prefixed(&in);
	m->key = cur_prefixed(&in);
	m->file = cur_prefixed(&in);
	m->reactions = cur_prefixed(&in);
	if (in.bad)
		return E_TRUNCATED;
	return cur_left(&in) > 0 ? E_MALFORMED : 0;
}

void bus_visit_encode(struct buf *b, const struct visit *v)
{
	buf_be64(b, v->number);
	buf_be64(b, v->member);
	buf_be64(b, (uint64_t)v->joined_at);
	buf_be64(b, (uint64_t)v->left_at);
	buf_u8(b, (uint8_t)v->reason);
	buf_prefixed(b, v->name);
	buf_prefixed(b, v->user);
}

int bus_visit_decode(struct visit *v, struct cur *in)
{
	*v = (struct visit){ .number = cur_be64(in) };
	v->member = cur_be64(in);
	v->joined_at = (ms_t)cur_be64(in);
	v->left_at = (ms_t)cur_be64(in);
	uint8_t reason = cur_u8(in);
	v->name = cur_prefixed(in);
	v->user = cur_prefixed(in);
	if (in->bad)
		return E_TRUNCATED;
	if (reason >= LEAVE_REASONS)
		return E_MALFORMED;
	v->reason = reason;
	return 0;
}

/* --- reactions --- */

#define REACTION_TOKENS (CHAT_MAX_REACTIONS * (CHAT_MAX_REACTORS + 2) + 8)

/* Copies the names of one reaction but `who`; how many there are, and whether `who` was one. */
static unsigned put_others(struct jsonw *w, const struct json *j, uint32_t array,
			   struct slice who, bool *was)
{
	const struct json_token *tok = j->tok;
	unsigned n = 0;

	for (uint32_t t = array + 1; t < tok[array].next; t = tok[t].next) {
		if (json_string_is(j, t, who)) {
			*was = true;
			continue;
		}
		if (n++ == 0)
			json_array(w);
		json_put_raw(w, json_raw(j, t));
	}
	return n;
}

/* One reaction's array with `who` in or out; nothing when it gets empty. */
static int put_changed(struct jsonw *w, const struct json *j, uint32_t array,
		       struct slice who, bool on, bool *was)
{
	unsigned n = array ? put_others(w, j, array, who, was) : 0;

	if (on && n >= CHAT_MAX_REACTORS)
		return E_LIMIT;
	if (on && n++ == 0)
		json_array(w);
	if (on)
		json_put_string(w, who);
	if (n > 0)
		json_array_end(w);
	return (int)n;
}

struct change {
	struct slice reaction, who;
	bool on, was;
	unsigned kinds; /* written so far */
};

/* One member of the object, changed when it is the one. */
static int put_kind(struct jsonw *w, const struct json *j, uint32_t name,
		    struct change *c, bool *found)
{
	struct buf array = BUF_INIT(64 * 1024);
	struct slice raw = json_raw(j, name + 1);
	struct jsonw inner;
	int err = 1;

	json_begin(&inner, &array);
	if (json_string_is(j, name, c->reaction)) {
		*found = true;
		err = put_changed(&inner, j, name + 1, c->who, c->on, &c->was);
		raw = buf_slice(&array);
	}
	if (err > 0) {
		if (c->kinds++ == 0)
			json_object(w);
		json_key(w, json_string_raw(j, name));
		json_put_raw(w, raw);
	}
	buf_fini(&array);
	return err < 0 ? err : 0;
}

/* A reaction that nobody had yet. */
static int put_new(struct jsonw *w, struct change *c)
{
	struct buf quoted = BUF_INIT(8 * CHAT_MAX_REACTION + 2);

	if (!c->on)
		return E_ALREADY;
	if (c->kinds >= CHAT_MAX_REACTIONS)
		return E_LIMIT;
	if (c->kinds++ == 0)
		json_object(w);
	json_quote(&quoted, c->reaction);
	json_key(w, slice_of(quoted.p + 1, quoted.n - 2));
	json_array(w);
	json_put_string(w, c->who);
	json_array_end(w);
	buf_fini(&quoted);
	return 0;
}

int bus_chat_react(struct slice reactions, struct slice reaction, struct slice who,
		   bool on, struct buf *out)
{
	struct json_token tok[REACTION_TOKENS];
	struct change c = { .reaction = reaction, .who = who, .on = on };
	struct json j = { 0 };
	bool found = false;
	struct jsonw w;
	int err = 0;

	json_begin(&w, out);
	if (reactions.n > 0 && json_parse(&j, reactions, tok, REACTION_TOKENS) < 0)
		return E_MALFORMED;
	for (uint32_t t = 1; err == 0 && j.count > 0 && t < tok[0].next;
	     t = tok[t + 1].next)
		err = put_kind(&w, &j, t, &c, &found);
	if (err == 0 && !found)
		err = put_new(&w, &c);
	if (err == 0 && found && c.was == on)
		err = E_ALREADY;
	if (err == 0 && c.kinds > 0)
		json_object_end(&w);
	return err;
}
