/* recovery_restart: how a client comes back over Socket.IO when the server has been started anew meanwhile. Its session is
 * kept in the store while it is in a room, and restored as one that has lost its line. To the others it is away: nobody
 * has heard it leave, so a call that needs no server goes on.
 *
 * What it has missed is of two kinds. Chat of before the restart is in the store: the offset that the client shows
 * has the number of the last message that it got, the room says what it had come to (REPLAY, once it knows), and what
 * lies between is told again. All that came since is in the log of events, as for others. What else was said in the
 * last moments before is nowhere: signals, who came and went.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"
#include "dialect/socketio.h"
#include "dialect/table_run.h"

/* More than a client is told one by one: it joins anew. */
#define MAX_RETOLD 2000

/* --- what is kept of a session, beyond its seat --- */

/* No admission begins with it: it would be an address of 254 bytes. */
#define CARD 0xfe

void recovery_put_card(struct buf *b, const struct session *s)
{
	const struct table_session *own = s->own;
	const struct member_info *self = table_self(own);
	struct slice ns = table_namespace(s->vocabulary, socketio_variant(s));

	buf_u8(b, CARD);
	buf_u8(b, self->offers);
	buf_u8(b, self->rank);
	buf_u8(b, own->variant);
	buf_u8(b, recovery_is_lost(s));
	buf_prefixed(b, table_name(table_of(s)));
	buf_prefixed(b, ns);
	buf_put(b, admit_bytes(s));
}

void recovery_note(const struct session *s)
{
	struct buf card = BUF_INIT(64 * 1024);

	recovery_put_card(&card, s);
	resume_note_session(s, buf_slice(&card));
	buf_fini(&card);
}

bool recovery_read_card(struct recovery_card *c, const struct dialect *d,
			struct slice kept)
{
	struct cur in = cur_of_slice(kept);
	unsigned index = 0;

	*c = (struct recovery_card){ .admission = kept };
	if (cur_u8(&in) != CARD)
		return false;
	c->offers = cur_u8(&in);
	c->rank = cur_u8(&in);
	c->variant = cur_u8(&in);
	c->lost = cur_u8(&in) != 0;
	struct slice table = cur_prefixed(&in), ns = cur_prefixed(&in);
	c->admission = cur_slice(&in, cur_left(&in));
	/* The tables may be others now. */
	const struct table *t = table_of_namespace(d->settings->tables, ns, &index);
	if (!in.bad && t && slice_eq(table_name(t), table)) {
		c->table = t;
		c->number = (uint16_t)t->number;
		c->namespace = (uint8_t)index;
	}
	return true;
}

/* --- bringing it back --- */

struct session *recovery_restore(struct dialect *d, const struct store_seat *stored,
				 const struct recovery_card *c)
{
	const struct vocabulary *v = table_vocabulary(c->table);
	struct session *s = session_restore(d, v, stored->session);
	struct restart *r = xzalloc(sizeof(*r));

	memcpy(r->hash, stored->secret_hash.p, STORE_HASH);
	s->admission = admit_again(c->admission);
	s->own = table_session_again(c->table, slice_of(s->id, SESSION_ID), c->variant);
	recovery_begin(s);
	s->recovery->namespace = c->namespace;
	s->recovery->restart = r;
	recovery_lose(s);
	return s;
}

void recovery_restore_seat(struct seat *seat, const struct member_info *m,
			   const struct recovery_card *c)
{
	struct table_session *own = seat->session->own;
	struct table_member *me = table_member(own);

	free(me->id);
	me->id = m->user.n > 0 && !slice_eq(m->user, own->fixed) ? slice_dup(m->user)
								 : NULL;
	me->info = (struct member_info){
		.id = m->id,
		.user = table_own_id(own),
		.named = true,
		.dialect = c->number,
		.offers = c->offers,
		.rank = c->rank,
		.order = seat->member ? member_order(seat->member) : 0,
	};
	free(me->name);
	me->name = m->name.n > 0 ? slice_dup(m->name) : NULL;
	/* What is said from now on is kept for it. */
	fanout_back(seat->fanout, seat);
}

bool recovery_secret_is(const struct session *s, struct slice secret)
{
	const struct restart *r = s->recovery->restart;
	uint8_t hash[STORE_HASH];

	if (!r || r->proven)
		return session_secret_is(s, secret);
	store_hash(secret, hash);
	return slice_eq(slice_of(r->hash, STORE_HASH), slice_of(hash, STORE_HASH));
}

/* --- coming back --- */

static bool hears_chat(const struct table *t)
{
	return t->when[WHEN_CHAT].count > 0;
}

/* What the client has of the chat of before the restart; 0: nobody can say. */
static uint64_t said_before(const struct session *s)
{
	const struct table *t = table_of(s);
	const struct restart *r = s->recovery->restart;

	if (r->base == 0 || !hears_chat(t))
		return r->base;
	if (r->offset.said > 0)
		return r->offset.said;
	/* Nothing yet: all that there is, when one who joins would be told as much. */
	return r->base - 1 <= t->history ? 1 : 0;
}

static void ask_store(struct session *s, uint64_t said)
{
	struct restart *r = s->recovery->restart;
	const struct command back = {
		.kind = COMMAND_BACK, .on = true, .n = said - 1, .after = r->base - 1
	};

	r->telling = true;
	route_command(s->seats, ++r->asked, &back);
}

/* False: some of it is nowhere. */
static bool catch_up(struct session *s, struct sio_socket *socket)
{
	const struct command back = { .kind = COMMAND_BACK };
	struct restart *r = s->recovery->restart;
	const struct offset *o = &r->offset;
	uint64_t said = said_before(s), since = s->seats->heard;

	r->seen = o->current && o->number > since ? o->number : since;
	if (said == 0 || (said < r->base && r->base - said > MAX_RETOLD))
		return false;
	if (said < r->base) {
		if (s->sio != socket)
			recovery_come(s, socket);
		ask_store(s, said);
		return true;
	}
	if (!recovery_go_on(s, socket, r->seen))
		return false;
	route_command(s->seats, 0, &back);
	return true;
}

bool recovery_catch_up(struct session *s, struct sio_socket *socket,
		       const struct offset *o)
{
	/* Not how far it has got, but how far the chat has. */
	const struct command back = { .kind = COMMAND_BACK, .on = true, .n = UINT64_MAX };
	struct restart *r = s->recovery->restart;

	r->proven = true;
	r->offset = *o;
	if (!s->seats || s->seats->next)
		return false;
	if (r->base > 0)
		return catch_up(s, socket);
	recovery_come(s, socket);
	r->telling = r->waiting = true;
	route_command(s->seats, 0, &back);
	return true;
}

/* It was taken for recovered: that it is not after all it learns when it comes again. */
static void give_up(struct session *s)
{
	recovery_take_over(s);
	session_end(s, LEAVE_DISCONNECT);
}

static void tell_again(struct seat *seat, struct slice messages)
{
	struct recovery *r = seat->session->recovery;
	struct cur in = cur_of_slice(messages);
	struct event e;

	r->coming = true;
	while (cur_left(&in) > 0 && bus_event_decode(&e, &in) == 0) {
		r->said = e.n + 1;
		if (e.kind == EVENT_CHAT)
			seat->session->vocabulary->tell(seat, &e);
	}
	r->coming = false;
}

/* What has been said in this turn is in the log: it comes from there. */
static void end_telling(struct seat *seat)
{
	struct restart *r = seat->session->recovery->restart;

	fanout_catch_up(seat);
	r->waiting = r->telling = false;
}

/* The room knows its chat again, or knows that it cannot. */
static void note_base(struct seat *seat, const struct event *e)
{
	struct session *s = seat->session;
	struct restart *r = s->recovery->restart;
	bool waiting = r->waiting;

	if (e->err != E_UNAVAILABLE && r->base == 0) {
		r->base = e->n + 1;
		seat->heard = s->dialect->heard;
		recovery_note_chat(seat, e->n);
	}
	if (!waiting)
		return;
	end_telling(seat);
	if (r->base == 0 || !catch_up(s, s->sio))
		give_up(s);
}

void recovery_on_replay(struct seat *seat, const struct event *e)
{
	struct session *s = seat->session;
	struct restart *r = s->recovery->restart;

	if (!r)
		return;
	if (e->request == 0) {
		note_base(seat, e);
		return;
	}
	if (!r->telling || e->request != r->asked)
		return; /* it has lost its line again meanwhile */
	if (e->err < 0) {
		give_up(s);
		return;
	}
	tell_again(seat, e->backlog);
	if (e->partial)
		return;
	end_telling(seat);
	if (!recovery_go_on(s, s->sio, r->seen))
		give_up(s);
}
