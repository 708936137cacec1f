/* internal: the inside of rooms and members, for the files of this folder. */
#pragma once
#include "base/map.h"
#include "loop/loop.h"
#include "room/chat.h"
#include "room/room.h"

/* What every message touches comes first, in one cache line each. */
struct member {
	struct room *room;
	uint64_t id;
	struct bus_home home;
	void *user_data;
	uint8_t role;
	uint8_t state;
	uint8_t offers, rank;
	uint8_t barred; /* PRESENCE_* bits that its token takes away */
	uint8_t denied; /* and rights */
	bool verified;  /* a token proved its user */
	bool hidden;
	bool ghost; /* hidden while it is away: the others think that it has left */
	bool muted;
	uint16_t dialect;
	uint32_t order;
	bool named;
	uint64_t away; /* the room's seq when its connection broke; 0: it is here */
	ms_t joined_at;
	char *name, *user, *metadata, *alias; /* each owned, NULL: none */
	char *address;                        /* the client's, owned, NULL: unknown */
	uint32_t name_len, user_len, metadata_len, alias_len, address_len;
	uint64_t *hears; /* ids of the members whose voice it wants through the server */
	uint32_t hears_count;
	bool replays;   /* back after a restart: to be told what came after */
	uint64_t known; /* this number of the chat; UINT64_MAX: it does not say */
	uint64_t until,
		replay_request; /* up to this one (0: the last); and for whom it asks */
	uint64_t read;          /* number of the last message it says it has read */
};

struct room {
	struct room_registry *registry;
	struct member **members; /* in the order of joining */
	uint32_t count, cap;
	uint32_t capacity;
	uint32_t named;   /* members of other dialects */
	uint32_t hearing; /* how many voices its members want through the server */
	uint32_t hidden;
	uint32_t joins; /* so far */
	uint64_t seq;
	uint64_t rate_left; /* of settings->rate: thousandths of a message */
	ms_t rate_at;
	uint16_t
		*at_worker; /* members per worker, [LOOP_MAX]; NULL while all live here */
	void *user_data;
	struct map by_id; /* only past ROOM_SCAN members */
	struct room_chat *chat;
	struct room_guard *guard; /* NULL: everybody may come in */
	ms_t made_at;             /* wall clock */
	bool ring;
	bool kept; /* the store has how it is set */
	uint16_t name_len;
	char name[];
};

struct room_registry {
	struct map by_name;
	const struct room_settings *settings;
	room_event_fn *event;
	room_answer_fn *answer;
	void *event_arg;
	room_watch_fn *watch; /* NULL: nobody */
	void *watch_arg;
	struct auth_limits *limits; /* NULL: none */
	struct store_desk *store;   /* NULL: chat lives in memory */
	uint64_t seq_base;          /* where the events of new rooms count from */
	struct map left_over;       /* of struct room_chat: their rooms are gone */
	struct room_bans *bans;
	struct map
		doors; /* how rooms were set before the restart, until they are there */
	bool restored;
	bool closing;
};

/* Up to here looking through the array beats a table. */
#define ROOM_SCAN 16

static inline void room_tell(struct room *r, const struct event *e, struct member *to,
			     struct member *except)
{
	r->registry->event(r->registry->event_arg, r, e, to, except);
}

/* Sees to it that there is an owner. */
void room_succeed(struct room *r);
static inline void room_tell_all(struct room *r, struct event *e, struct member *except)
{
	e->seq = ++r->seq;
	metric_add(METRIC_EVENTS, 1);
	room_tell(r, e, NULL, except);
}

static inline void room_tell_one(struct room *r, struct event *e, struct member *to)
{
	e->seq = ++r->seq;
	metric_add(METRIC_EVENTS, 1);
	room_tell(r, e, to, NULL);
}

enum room_right {
	RIGHT_PRESENCE = BIT(0), /* hand, speaking, name, metadata */
	RIGHT_MEDIA = BIT(1),    /* mic, camera, screen */
	RIGHT_CHAT = BIT(2),
	RIGHT_SIGNAL_ONE = BIT(3), /* answering an offer needs it: everybody has it */
	RIGHT_SIGNAL_ALL = BIT(4),
	RIGHT_ADMIN = BIT(5),
	RIGHT_SELF = BIT(6), /* own name and metadata */
};

#define PRESENCE_MEDIA (PRESENCE_MIC | PRESENCE_CAMERA | PRESENCE_SCREEN)

/* `m`: who wants to, NULL: the server, which may everything. */
bool room_may(const struct member *m, unsigned right);
/* What a dialect's table keeps for those of a role is not for `m`. */
static inline bool room_is_below(const struct member *m, const struct command *c)
{
	return c->guarded && m->role > c->role;
}
/* Any command that moderates: of a member, or of the server (NULL). `r` may be gone afterwards. 0, ROOM_LATER, or what is
 * wrong. */
int room_moderate(struct room *r, const struct member *m, struct bus_home home,
		  uint64_t request, const struct command *c, ms_t wall) NODISCARD;
/* Sends everybody away and ends the room. */
void room_close(struct room *r, enum leave_reason reason, struct slice text);

/* --- voice.c --- */
int room_on_relay(struct member *m, const struct command *c) NODISCARD;
void room_on_voice(struct member *m, const struct command *c);
/* It leaves: what it hears and who hears it is forgotten. */
void room_forget_voice(struct member *m);
/* entry.c: what a newcomer is. */
struct room_entry {
	uint64_t id; /* the member's; 0: a new one */
	struct slice user, name, metadata, address;
	uint8_t role; /* ROLES: the room decides */
	uint8_t barred, denied;
	bool verified, hidden, fixed;
};
/* E_BAD_FIELD, E_UNAUTHORIZED, E_DENIED. */
int room_entry_of(struct room_entry *e, const struct room_registry *g, struct slice room,
		  const struct command *c) NODISCARD;
/* Takes its seat; the last part of a join. E_ROOM_FULL, E_DENIED. */
int room_take_in(struct room *r, const struct command *c, const struct room_entry *e,
		 struct bus_home home, uint64_t request, ms_t wall) NODISCARD;
uint64_t room_new_id(const struct room *r);
/* Nobody may be who another one there has proved to be. */
bool room_may_be(const struct room *r, const struct room_entry *e);
/* The same user again: may he have this one's seat? */
bool room_may_replace(const struct room_entry *e, const struct member *before);
/* To the session, or to the server, that asked. */
void room_answer(struct room_registry *g, struct bus_home home, struct slice room,
		 const struct event *e);

/* desk.c: an answer that comes later, for a desk; `ticket` is e->request. */
void room_answer_desk(unsigned worker, const struct event *e);

/* --- say.c --- */
/* CHAT, EDIT, DELETE, REACT of a member or of the server (NULL). ROOM_LATER, or what is wrong. */
int room_say(struct room *r, const struct member *m, struct bus_home home,
	     uint64_t request, const struct command *c, ms_t wall) NODISCARD;
/* CHAT of the server in a room where nobody is. */
int room_say_empty(struct room_registry *g, struct slice name, struct bus_home home,
		   uint64_t request, const struct command *c, ms_t wall) NODISCARD;
int room_on_typing(struct member *m, const struct command *c) NODISCARD;
int room_on_read(struct member *m, const struct command *c) NODISCARD;
/* Under what the member's reactions and marks are kept: its user, else its number in `text`. */
struct slice room_reader(const struct member *m, char text[BUS_MEMBER_TEXT]);
/* Its user, when that is proven. */
struct slice room_proven_user(const struct member *m);

/* --- visit.c --- */
void room_note_visit(const struct member *m);
void room_note_visit_end(const struct member *m, enum leave_reason reason);

/* --- watch.c: tells the world outside, if it listens --- */
void room_tell_watch(const struct room *r, enum room_change_kind kind,
		     const struct member *m);
/* A message to all that is kept now. */
void room_tell_watch_message(const struct room *r, const struct event *e);

/* By number text, user or alias; NULL. */
struct member *room_addressed(const struct room *r, struct slice name);
void room_member_info(const struct member *m, struct member_info *out);
/* Replaces an owned text. */
void room_set_text(char **text, uint32_t *len, struct slice s);
