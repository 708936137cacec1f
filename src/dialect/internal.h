/* internal: the inside of the dialect floor, for the files of this folder. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "dialect/dialect.h"
#include "dialect/event_log.h"
#include "dialect/native_message.h"
#include "dialect/vocabulary.h"

#define SESSION_ID 18     /* "s_", 2 letters of the worker it was made for, 14 more */
#define SESSION_SECRET 26 /* letters of 5 bits */

/* A member of a room, seen from its session. Unseated until the room has said WELCOME. */
struct seat {
	struct session *session;
	struct ws *
		ws; /* the session's: what is written to all goes straight there; NULL: away */
	struct fanout *fanout;
	struct fanout_channel *channel; /* NULL while unseated or away */
	struct member *member;  /* when the room lives on this worker, else NULL */
	uint64_t member_id;     /* 0: unseated */
	uint32_t told;          /* how much of the turn's frames it has had: bytes, */
	uint32_t told_messages; /* and messages */
	uint32_t index;         /* in fanout->seats */
	uint64_t since;         /* the room's last event before it came */
	uint64_t heard;         /* dialect->heard when it came */
	uint64_t join_request;  /* whose answer seats it */
	struct seat *next;      /* of the same session */
};

/* A token bucket, or two. */
struct session_rate {
	uint32_t left;  /* in thousandths */
	uint32_t bytes; /* the allowance alone */
	ms_t at;
};

/* How a session's messages reach its client. `binary`: attachments, each with its length (buf_prefixed). */
struct session_transport {
	/* A whole message of its vocabulary. */
	void (*send)(struct session *s, struct slice message, struct slice binary);
	/* The answer to number `ack` - 1 of the client; NULL: it cannot ask for one. */
	void (*ack)(struct session *s, uint64_t ack, struct slice args,
		    struct slice binary);
	void (*close)(struct session *s, uint16_t code, const char *reason);
	/* Takes the connection to the worker, where the very message that is being heard is heard again; NULL: it stays, and
	 * rooms elsewhere are reached by mail. */
	void (*move)(struct session *s, unsigned worker, struct slice message);
};
extern const struct session_transport session_ws_transport;

/* One client. What every message touches comes first, in two cache lines. */
struct session {
	struct dialect *dialect;
	struct ws *ws; /* NULL: away, or it has none */
	const struct vocabulary *vocabulary;
	void *own;          /* the vocabulary's; may be NULL */
	struct seat *seats; /* seat_count of them */
	uint8_t seat_count;
	bool left_all;                 /* had seats and has none: no relays */
	uint8_t malformed;             /* in a row */
	uint16_t over_rate;            /* in a row */
	struct session_rate allowance; /* of messages, and of their bytes */
	struct seat first; /* most sessions are in one room: its seat is near at hand */
	const struct session_transport *transport;
	struct sio_socket *sio;      /* NULL: not over Socket.IO, or lost */
	struct recovery *recovery;   /* of it; NULL: it cannot come back */
	uint64_t number;             /* of its id */
	struct away *away;           /* only then */
	struct admission *admission; /* owned; NULL in open mode */
	char id[SESSION_ID];
	char secret[SESSION_SECRET]; /* good for one resume */
	char *place; /* how its client reaches us, see ice_offer.h; NULL: not told */
};

/* Buffers kept for the next turn, each of at most DIALECT_SPARE_SIZE bytes. */
#define DIALECT_SPARE 64
#define DIALECT_SPARE_SIZE (16u << 10)
/* Buffers that a volley reads from at once. */
#define DIALECT_LENT 64

struct dialect {
	struct loop *loop;
	const struct dialect_settings *settings;
	struct turn_server *turn; /* NULL: none */
	unsigned self, workers;
	bool draining;
	struct room_registry *rooms;
	struct auth_gate *gate;
	struct map fanouts;      /* by room name */
	struct eio *engine_echo; /* of /engine.io/ */
	struct socketio *socketio;
	struct http_server *http; /* that shows us requests */
	uint64_t heard;           /* events worded for Socket.IO so far */
	struct list echoes;       /* of /v1/echo */
	struct map sessions;      /* by number */
	struct list away;         /* of struct away */
	struct event_log log;     /* what rooms said, for who comes back */
	struct loop_timer log_timer;
	struct buf out; /* a message being encoded */
	struct buf
		worded; /* what a table's client has said, for members of the same wording */
	struct buf *spare[DIALECT_SPARE]; /* empty, for the frames of a turn */
	unsigned spare_count;
	struct buf *lent[DIALECT_LENT]; /* as they are until the loop's volley is fired */
	unsigned lent_count;
	struct table_door *doors; /* routes of the tables */
	struct native_scratch scratch;
};

/* A message of a client can make one event; the largest is a WELCOME. */
#define DIALECT_MAX_OUT (64u << 20)

/* --- session.c --- */
/* Answers the upgrade and makes a session; NULL: refused, and answered. `own` goes to the vocabulary's end() either
 * way; `room`: the one that it will be in first, or empty. */
struct session *session_open(struct dialect *d, struct http_exchange *x,
			     const struct vocabulary *v, void *own, const char *protocol,
			     struct slice room);
/* The same for a client that has no WebSocket. */
struct session *session_make(struct dialect *d, const struct vocabulary *v, void *own,
			     const struct session_transport *t, struct slice room);
/* Moves to the room's worker, or arrives at once when that is this one. */
void session_go(struct session *s, struct slice room);
/* Hands the connection to another worker, with a message to begin with. */
void session_hand_over(struct session *s, unsigned worker, struct slice message);
/* The receiving side. */
void session_arrive(struct dialect *d, struct session *s, struct slice message);
/* It is, or is no longer, one of this worker's. */
void session_enter(struct dialect *d, struct session *s);
void session_exit(struct session *s);
/* One more message, of n bytes: false: it is over the rate. */
bool session_within_rate(struct session *s, size_t n);
/* A message without sense: counted, logged; false when it was one too many and the connection ends. */
bool session_malformed(struct session *s, int err, const char *detail);
/* Takes one, of `rate` per second and `burst` at most at once; false: none is left. */
bool session_allows(struct session_rate *r, uint32_t rate, uint32_t burst, ms_t now);
/* A message over its rate: counted, logged, answered, and at last the connection ends. `text`: it, or none. */
void session_over_rate(struct session *s, struct slice text);
/* An unseated one. */
struct seat *session_add_seat(struct session *s, struct slice room, uint64_t request);
/* Compared in constant time. */
bool session_secret_is(const struct session *s, struct slice b);
struct session *session_find(const struct dialect *d, uint64_t number);
/* The number that an id has; 0: it is none. */
uint64_t session_number(struct slice id);
/* The worker that it names. */
unsigned session_worker(struct slice id);
struct seat *session_seat(const struct session *s, struct slice room);
/* Takes the seat out of its fanout and session, and frees it. The room is told by the caller. */
void session_drop_seat(struct seat *seat);
void session_send(struct session *s, struct slice message);
void session_send_with(struct session *s, struct slice message, struct slice binary);
void session_close(struct session *s, uint16_t code, const char *reason);
/* The ICE servers for its client, as a JSON array. */
void session_put_ice(struct jsonw *w, const struct session *s);
/* What has been put into dialect->out. */
void session_send_out(struct session *s);
void session_reply(struct session *s, uint64_t request, int err, const char *detail);
/* An event for this session alone. Takes its seat when it is welcomed, loses it when it LEFT. */
void session_event(struct session *s, struct slice room, const struct event *e);

void session_leave_rooms(struct session *s, enum leave_reason reason, struct slice text);
/* Leaves all rooms and frees it; its connection is gone. */
void session_end(struct session *s, enum leave_reason reason);
/* One of before a restart, and its seats, away. */
struct session *session_restore(struct dialect *d, const struct vocabulary *v,
				struct slice id);
/* NULL: the room did not take it back. */
struct seat *session_restore_seat(struct session *s, struct slice room, uint64_t member,
				  uint64_t seq);
/* Seats that their rooms have not confirmed yet are given up. */
void session_drop_unseated(struct session *s);

/* --- resume.c: sessions that lose their connection and find it again --- */
/* Keeps the session of a broken connection for a while; false: it has nothing to keep. */
bool resume_keep(struct session *s);
/* No longer away. */
void resume_forget(struct session *s);
/* A client asks to go on with an earlier session; `text` is its message. `s` may be gone afterwards. */
void resume_ask(struct session *s, const struct native_message *m, struct slice text);
/* --- what is kept in the store, for who comes back after a restart --- */
/* The seat is taken, or given up. */
void resume_note_seat(const struct seat *seat, bool taken);
/* Its secret is another one, or what it is restored with. */
void resume_note_session(const struct session *s, struct slice card);
/* A native session of before the restart, away, without seats yet. */
struct session *resume_restore(struct dialect *d, const struct store_seat *stored);
/* A piece of what it has missed in the chat, and the seat with the last of them. */
void resume_replay(struct seat *seat, const struct event *e);
/* The server stops: nobody will come back. */
void resume_drain(struct dialect *d);

/* --- route.c: between sessions and rooms --- */
/* Carries out a command in the room of `seat` (unseated for JOIN). The answer comes by session_event(), in a later turn
 * when the room lives elsewhere. LEAVE drops the seat at once; others may. */
void route_command(struct seat *seat, uint64_t request, const struct command *c);
void route_register(struct dialect *d);
/* Mails the detached connection to that worker. */
void route_handover(struct session *s, unsigned worker, struct slice message);

/* Mails an exchange's connection to the worker that its request is for. */
void route_request(struct http_exchange *x, unsigned worker);

/* --- native.c, native_voice.c --- */
/* What few native sessions need. */
struct native_own {
	struct session_rate voice;
	uint64_t tried; /* workers that do not know the session to resume: BIT(id) */
};
struct native_own *native_own(struct session *s);
extern const struct vocabulary native_vocabulary;
/* The seat that a message is about: the named room's, or the only one; NULL. */
struct seat *native_seat_meant(const struct session *s, struct slice room);
void native_on_voice(struct session *s, struct slice bytes);
/* A piece of another's voice, if it can still come in time. */
void native_tell_voice(struct seat *to, const struct event *e);

/* --- chat_text.c --- */
/* The text of a chat message, with a line for each of its files: the event's own, or made in `b`, which the caller frees. */
struct slice dialect_chat_text(const struct dialect_settings *s, const struct event *e,
			       struct buf *b);

/* --- echo.c --- */
void echo_drain(struct dialect *d);
void echo_free(struct dialect *d);

/* --- socketio.c --- */
/* The channel of a session: the index of its namespace among those of its table, while it has a WebSocket. */
uint8_t socketio_variant(const struct session *s);
extern const struct wrapping socketio_wrapping;
/* WebSocket frames of events to a client that polls. */
void socketio_deliver(struct session *s, struct slice frames);

/* --- recovery.c: all harmless for sessions that cannot come back --- */
/* How long what was said is kept for those who come back; 0: not for their sake. */
ms_t recovery_life(const struct dialect_settings *s);
bool recovery_is_lost(const struct session *s);
/* It comes into a room: it is about to be told so, and has been. */
void recovery_seated(struct session *s);
void recovery_welcomed(struct seat *seat, const struct event *welcome);
/* It alone is told message n of the chat. */
void recovery_told(struct session *s, uint64_t n);
/* The session ends. */
void recovery_forget(struct session *s);

/* --- recovery_restart.c --- */
struct store_seat;
/* What is kept of the session with its seats. */
struct recovery_card {
	const struct table *table; /* NULL: it is not there any more */
	uint16_t number;           /* of the table */
	uint8_t namespace, variant, offers, rank;
	bool lost; /* its line had gone before: the others think that it has left */
	struct slice admission;
};
void recovery_put_card(struct buf *b, const struct session *s);
/* False: it is no session over Socket.IO, and all is its admission. */
bool recovery_read_card(struct recovery_card *c, const struct dialect *d,
			struct slice kept);
/* A session of before the restart, lost, without a seat yet; and its seat, as `m` is in the room. */
struct session *recovery_restore(struct dialect *d, const struct store_seat *stored,
				 const struct recovery_card *c);
void recovery_restore_seat(struct seat *seat, const struct member_info *m,
			   const struct recovery_card *c);
/* REPLAY came for it. The session may be gone afterwards. */
void recovery_on_replay(struct seat *seat, const struct event *e);

void socketio_drain(struct dialect *d);
void socketio_free(struct dialect *d);
