/* resume: a session outlives its connection for a while, with its seats; and the client that comes
 * back in time goes on where it was. Of two connections the newer one wins, also when the older
 * has not been found dead yet.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "bus/mail.h"
#include "dialect/admit.h"
#include "dialect/fanout.h"

/* A session without a connection. */
struct away {
	struct list link; /* of dialect->away, in the order of going */
	struct loop_timer timer;
	struct session *session;
	bool restored;
	uint8_t hash
		[STORE_HASH]; /* of the secret, when restored: that itself is not known */
};

static void on_grace_over(struct loop_timer *t)
{
	session_end(container_of(t, struct away, timer)->session, LEAVE_DISCONNECT);
}

/* --- going --- */

/* --- in the store --- */

/* Who goes because the server stops may come back when it runs again. */
static bool is_kept(const struct session *s)
{
	const struct dialect *d = s->dialect;
	bool resumes = s->vocabulary->resumes && d->settings->grace > 0;

	return (resumes || s->recovery) && !d->draining;
}

void resume_note_seat(const struct seat *seat, bool taken)
{
	const struct session *s = seat->session;
	struct store_desk *store = room_registry_store(s->dialect->rooms);
	struct buf card = BUF_INIT(64 * 1024);

	if (!store || !is_kept(s))
		return;
	if (s->recovery && taken)
		recovery_put_card(&card, s);
	store_tell(store, &(struct store_query){
				  .op = taken ? STORE_SEAT : STORE_SEAT_END,
				  .room = seat->fanout->room,
				  .viewer = seat->member_id,
				  .session = slice_of(s->id, SESSION_ID),
				  .secret = slice_of(s->secret, SESSION_SECRET),
				  .text = s->recovery ? buf_slice(&card) : admit_bytes(s),
			  });
	buf_fini(&card);
}

void resume_note_session(const struct session *s, struct slice card)
{
	struct store_desk *store = room_registry_store(s->dialect->rooms);

	if (store && is_kept(s))
		store_tell(store, &(struct store_query){
					  .op = STORE_SECRET,
					  .session = slice_of(s->id, SESSION_ID),
					  .secret = slice_of(s->secret, SESSION_SECRET),
					  .text = card,
				  });
}

/* To all rooms: AWAY or BACK. */
static void tell_rooms(struct session *s, enum command_kind kind)
{
	struct command c = { .kind = kind };

	for (struct seat *seat = s->seats; seat; seat = seat->next)
		route_command(seat, 0, &c);
}

/* Nothing more is written to its connection. */
static void take_out(struct session *s)
{
	session_drop_unseated(s);
	for (struct seat *seat = s->seats; seat; seat = seat->next)
		fanout_away(seat->fanout, seat);
}

static struct away *go_away(struct session *s)
{
	struct dialect *d = s->dialect;
	struct away *a = xzalloc(sizeof(*a));

	a->session = s;
	list_init(&a->link);
	list_append(&d->away, &a->link);
	loop_timer_init(&a->timer, on_grace_over);
	loop_timer_start(d->loop, &a->timer, d->settings->grace);
	s->away = a;
	metric_add(METRIC_SESSIONS_AWAY, 1);
	return a;
}

bool resume_keep(struct session *s)
{
	struct dialect *d = s->dialect;

	if (d->draining || d->settings->grace == 0 || !s->vocabulary->resumes)
		return false;
	session_drop_unseated(s);
	if (s->seat_count == 0)
		return false;
	take_out(s);
	go_away(s);
	s->ws = NULL;
	tell_rooms(s, COMMAND_AWAY);
	return true;
}

struct session *resume_restore(struct dialect *d, const struct store_seat *stored)
{
	struct session *s = session_restore(d, &native_vocabulary, stored->session);
	struct away *a = go_away(s);

	s->admission = admit_again(stored->admission);
	a->restored = true;
	memcpy(a->hash, stored->secret_hash.p, STORE_HASH);
	return s;
}

void resume_forget(struct session *s)
{
	struct away *a = s->away;

	if (!a)
		return;
	loop_timer_stop(s->dialect->loop, &a->timer);
	list_unlink(&a->link);
	free(a);
	s->away = NULL;
	metric_add(METRIC_SESSIONS_AWAY, -1);
}

void resume_drain(struct dialect *d)
{
	while (!list_empty(&d->away))
		session_end(list_entry(d->away.next, struct away, link)->session,
			    LEAVE_SHUTDOWN);
}

/* --- coming back --- */

static void refuse(struct session *s, uint64_t request, int err, const char *detail)
{
	native_own(s)->tried = 0;
	metric_add(METRIC_RESUMES_REFUSED, 1);
	session_reply(s, request, err, detail);
}

/* The worker to ask next: whom the id names, then all in turn, since a session without a hint of
 * its room moves at the first join; `workers` when all were asked. */
static unsigned next_worker(const struct dialect *d, uint64_t tried, struct slice id)
{
	unsigned worker = session_worker(id);

	if (worker < d->workers && !(tried & (UINT64_C(1) << worker)))
		return worker;
	for (worker = 0; worker < d->workers; worker++)
		if (!(tried & (UINT64_C(1) << worker)))
			break;
	return worker;
}

static bool bytes_match(struct slice a, struct slice b)
{
	unsigned differ = a.n != b.n;

	for (size_t i = 0; i < a.n && i < b.n; i++)
		differ |= (unsigned)a.p[i] ^ b.p[i];
	return differ == 0;
}

bool session_secret_is(const struct session *s, struct slice secret)
{
	uint8_t hash[STORE_HASH];

	if (!s->away || !s->away->restored)
		return bytes_match(slice_of(s->secret, SESSION_SECRET), secret);
	store_hash(secret, hash);
	return bytes_match(slice_of(s->away->hash, STORE_HASH),
			   slice_of(hash, STORE_HASH));
}

static struct session *find_earlier(const struct session *s, struct slice id)
{
	struct session *earlier = session_find(s->dialect, session_number(id));

	return earlier && slice_eq(slice_of(earlier->id, SESSION_ID), id) ? earlier
									  : NULL;
}

/* The number from which on a member misses what was said. */
static uint64_t seen_of(const struct seat *seat, const struct native_message *m)
{
	uint64_t seen = native_seen(m, seat->fanout->room);

	return seen > seat->since ? seen : seat->since;
}

static int check(const struct session *s, const struct session *earlier,
		 const struct native_message *m, const char **detail)
{
	if (earlier == s || !earlier->vocabulary->resumes ||
	    !session_secret_is(earlier, m->secret))
		return E_CANNOT_RESUME;
	for (const struct seat *seat = earlier->seats; seat; seat = seat->next) {
		if (!seat->member_id || seen_of(seat, m) <= seat->fanout->seq)
			continue;
		*detail = "seen";
		return E_BAD_FIELD;
	}
	return 0;
}

static void put_room(struct jsonw *w, const struct seat *seat,
		     const struct native_message *m, bool restored)
{
	/* What was said before the restart and is not of the chat is nowhere any more. */
	bool complete = !restored && fanout_reaches_back(seat, seen_of(seat, m));
	char you[BUS_MEMBER_TEXT];

	if (!complete)
		metric_add(METRIC_RESUMES_INCOMPLETE, 1);
	bus_member_text(you, seat->member_id);
	json_object(w);
	json_field_raw(w, "room", seat->fanout->quoted);
	json_field_u64(w, "seq", seat->fanout->seq);
	json_field_bool(w, "complete", complete);
	if (restored)
		json_field_bool(w, "restarted", true);
	json_field_string(w, "you", slice_of(you, sizeof(you)));
	json_object_end(w);
}

static void send_resumed(const struct session *s, const struct native_message *m,
			 bool restored)
{
	struct buf *b = &s->dialect->out;
	struct jsonw w;

	buf_clear(b);
	json_begin(&w, b);
	json_object(&w);
	json_field_string(&w, "type", SLICE("reply"));
	json_field_u64(&w, "id", m->request);
	json_field_bool(&w, "ok", true);
	json_key(&w, SLICE("data"));
	json_object(&w);
	json_field_string(&w, "session", slice_of(s->id, SESSION_ID));
	json_field_string(&w, "secret", slice_of(s->secret, SESSION_SECRET));
	json_key(&w, SLICE("iceServers"));
	session_put_ice(&w, s);
	json_key(&w, SLICE("rooms"));
	json_array(&w);
	for (const struct seat *seat = s->seats; seat; seat = seat->next)
		put_room(&w, seat, m, restored);
	json_array_end(&w);
	json_object_end(&w);
	json_object_end(&w);
	ws_send(s->ws, WS_TEXT, buf_slice(b));
}

/* Its own connection goes to the earlier session; what that one had, if it was not found dead yet,
 * comes to this one, to be closed. */
static void swap_connections(struct session *s, struct session *earlier)
{
	struct ws *before = earlier->ws;

	if (before)
		take_out(earlier);
	earlier->ws = s->ws;
	ws_set_arg(earlier->ws, earlier);
	s->ws = before;
	if (before) {
		ws_set_arg(before, s);
		ws_close(before, 4001, "resumed elsewhere");
	} else {
		session_end(s, LEAVE_LEAVE);
	}
}

/* Their rooms answer with REPLAY; until then the seats stay away, so that nothing newer comes before. */
static void ask_replays(struct session *s, const struct native_message *m)
{
	struct seat *next;

	for (struct seat *seat = s->seats; seat; seat = next) {
		const struct command back = { .kind = COMMAND_BACK,
					      .on = true,
					      .n = native_known(m, seat->fanout->room) };

		next = seat->next;
		route_command(seat, 0, &back);
	}
}

void resume_replay(struct seat *seat, const struct event *e)
{
	struct session *s = seat->session;
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	if (seat->channel || !s->ws)
		return; /* it has lost its connection again meanwhile */
	native_encode_replay(&b, seat->fanout->quoted, e);
	for (struct cur in = cur_of_slice(buf_slice(&b)); cur_left(&in) > 0;) {
		ws_send(s->ws, WS_TEXT, cur_prefixed(&in));
		metric_add(METRIC_DELIVERIES, 1);
	}
	buf_fini(&b);
	if (e->partial)
		return;
	fanout_replay(seat, e->seq, s->ws);
	fanout_back(seat->fanout, seat);
}

static void come_back(struct session *s, struct session *earlier,
		      const struct native_message *m)
{
	bool was_away = earlier->away != NULL;
	bool restored = was_away && earlier->away->restored;

	swap_connections(s, earlier);
	resume_forget(earlier);
	earlier->malformed = 0;
	earlier->over_rate = 0;
	rand_text(earlier->secret, SESSION_SECRET);
	metric_add(METRIC_RESUMES, 1);
	log_info("native", "resumed", "session=%.*s peer=%s", SESSION_ID, earlier->id,
		 addr_text(ws_peer(earlier->ws), &(struct addr_text){ 0 }));
	resume_note_session(earlier, admit_bytes(earlier));
	send_resumed(earlier, m, restored);
	if (restored) {
		ask_replays(earlier, m);
		return;
	}
	for (struct seat *seat = earlier->seats; seat; seat = seat->next) {
		fanout_replay(seat, seen_of(seat, m), earlier->ws);
		fanout_back(seat->fanout, seat);
	}
	if (was_away)
		tell_rooms(earlier, COMMAND_BACK);
}

void resume_ask(struct session *s, const struct native_message *m, struct slice text)
{
	struct dialect *d = s->dialect;
	struct session *earlier = find_earlier(s, m->session);
	const char *detail = NULL;
	int err = E_CANNOT_RESUME;

	if (s->seat_count > 0) {
		refuse(s, m->request, E_CANNOT_RESUME, "joined already");
		return;
	}
	uint64_t *tried = &native_own(s)->tried;
	*tried |= UINT64_C(1) << d->self;
	unsigned worker = next_worker(d, *tried, m->session);
	if (!earlier && session_number(m->session) && worker < d->workers) {
		session_hand_over(s, worker, text);
		return;
	}
	if (earlier)
		err = check(s, earlier, m, &detail);
	if (err < 0)
		refuse(s, m->request, err, detail);
	else
		come_back(s, earlier, m);
}
