/* coworking_call: private to the files of the co-working REST API: coworking.c (rooms and who is in them),
 * coworking_chat.c (what is said), coworking_kept.c (what outlives the process), coworking_login.c (who somebody is).
 */
#pragma once
#include "base/json.h"
#include "bus/ask.h"
#include "dialect/coworking.h"
#include "dialect/internal.h"
#include "room/desk.h"

#define ROOM_ID 12
#define MAX_TOKENS 256
#define MAX_REPLY (1u << 20)
#define MAX_NAME 128

struct person {
	char *id, *name;
	bool muted;
	bool speaking; /* not kept */
	ms_t joined_at;
	ms_t seen; /* not kept */
};

/* Without a store: one of the last things said. */
struct post {
	uint64_t id;
	char *user, *text;
	ms_t at;
};

struct hall {
	char id[ROOM_ID + 1];
	char *name, *description, *color, *maker;
	uint32_t max, people_count, post_count, post_at;
	ms_t made_at;
	struct person people[COWORKING_PEOPLE];
	struct post posts[COWORKING_POSTS];
};

struct coworking {
	struct dialect *dialect;
	struct room_desk *desk;
	struct hall *halls[COWORKING_ROOMS]; /* in the order of making */
	size_t hall_count;
	uint64_t last_post;
	struct door {
		struct coworking *coworking;
		const struct coworking_op *op;
	} * doors;
};

/* One request, while it is answered. One that is answered later is a copy, without `json`. */
struct call {
	struct coworking *c;
	struct http_exchange *x;
	struct hall *hall; /* NULL: the path names none */
	struct person *me; /* NULL: not in there */
	char id[MAX_NAME + 1], name[MAX_NAME + 1], email[MAX_NAME + 1];
	ms_t now;
	struct json json;
	struct json_token tokens[MAX_TOKENS];
	bool has_json;
	struct store_ticket ticket;
	bool answered;
	char *text; /* being said; owned */
	const char *
		outcome; /* join: what is answered beside the room; NULL: the room alone */
};

struct coworking_op {
	enum http_method method;
	const char *path;
	void (*run)(struct call *c);
	enum { FOR_ALL, FOR_KNOWN /* by a token */, FOR_PEOPLE /* of the room */ } whom;
};

/* --- coworking.c --- */
void coworking_free_hall(struct hall *h);
/* Into its place by the time of its making. E_LIMIT. */
int coworking_add_hall(struct coworking *c, struct hall *h) NODISCARD;
/* The answer; `b` is given up. */
void coworking_reply(struct call *c, int status, struct buf *b);
void coworking_fail(struct call *c, int status, const char *detail);
/* {"success":true,"message":...} */
void coworking_reply_done(struct call *c, const char *message);
void coworking_put_time(struct jsonw *w, const char *name, ms_t at);
/* The first letter of the name. */
struct slice coworking_avatar(struct slice name);
/* The whole room; `messages`: events of the chat, encoded. */
void coworking_put_room(struct jsonw *w, const struct call *c, struct slice messages);
/* A text of 1 to `max` bytes; NULL when it is none, `preset` when it is absent. */
char *coworking_text(struct call *c, const char *name, size_t max, const char *preset);
/* NULL: there is none of that id. */
struct hall *coworking_hall(struct coworking *c, struct slice id);
/* A copy that is answered later. */
struct call *coworking_later(const struct call *c);
/* For such a copy: the room may have been deleted meanwhile. False: that was answered, and the copy is freed. */
bool coworking_find_again(struct call *c);
void coworking_free(struct call *c);

/* --- coworking_chat.c --- */
void coworking_on_message(struct call *c);
void coworking_on_emoji(struct call *c);
/* "Ann joined the room"; when that is kept it is answered: with the room as well, for who is in it. */
void coworking_note(struct call *c, const char *what, const char *outcome);
/* Answers with the room, and `outcome` beside it. */
void coworking_show(struct call *c, const char *outcome);
void coworking_put_messages(struct jsonw *w, const struct call *c, struct slice messages);
/* Members of other dialects see it. */
void coworking_tell_state(struct call *c, unsigned which, bool on);

/* --- coworking_kept.c --- */
/* Keeps the room as it now is in the store; drops it there. */
void coworking_keep(const struct coworking *c, const struct hall *h);
void coworking_drop(const struct coworking *c, const struct hall *h);
/* A new one; `answer`, given up, is told when it is kept. One that cannot be lives as long as the process. */
void coworking_keep_made(struct call *c, const struct hall *h, struct buf *answer);

/* --- coworking_login.c --- */
void coworking_on_login(struct call *c);
void coworking_on_user(struct call *c);
/* From the token. E_UNAUTHORIZED, E_DENIED. */
int coworking_identify(struct call *c) NODISCARD;
