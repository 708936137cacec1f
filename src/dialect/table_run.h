/* table_run: a session that speaks by a table, and how the table's templates write what is said. */
#pragma once
#include "dialect/internal.h"
#include "dialect/table_rules.h"

#define TABLE_TOKENS 1024 /* of what a member's metadata or a chat message is made of */

/* A route of a table, for its handler. */
struct table_door {
	struct dialect *dialect;
	const struct table *table;
};

/* What a table says every so often. */
struct table_keepalive {
	struct loop_timer timer;
	struct session *session;
};

/* Who a client is in its room: it has this from its first join on. */
struct table_member {
	struct member_info info; /* id, user, dialect, order, offers, rank */
	char *id; /* what the join says; NULL: what is fixed, else the member's number */
	char *name;
	char *alias; /* what it calls itself; NULL before it is learned */
	char *joining; /* fields of the join that is under way: a raw JSON object, or NULL */
	bool asked_members; /* the list for "when members" is on its way */
};

/* session->own */
struct table_session {
	struct table_member *member; /* NULL: it has not joined yet */
	struct slice fixed; /* what the client goes by at first: the transport's */
	char *path;         /* the room that its path names, quoted; NULL: none */
	struct table_keepalive *keepalive; /* NULL: not begun, or its table has none */
	struct session_rate *buckets;      /* of the rules with a rate */
	uint8_t variant;                   /* from 1 */
	bool connected;
};

static inline struct slice table_text_or_none(const char *text)
{
	return text ? slice_str(text) : SLICE_NONE;
}

static inline const struct table *table_of(const struct session *s)
{
	return (const struct table *)s->vocabulary;
}

/* What a template can see. Everything may be missing. */
struct table_scope {
	const struct table *table;
	const struct table_session *self;  /* the receiver; or who is heard */
	const struct member_info *subject; /* who it is about or from; NULL: self */
	const struct event *event;
	const struct json *json; /* the message; args_count arguments of it: */
	uint32_t arg[TABLE_ARGS];
	unsigned arg_count;
	struct slice args;  /* raw: between the brackets of all arguments */
	struct slice room;  /* quoted */
	struct slice name;  /* quoted: what the message is called */
	struct slice heard; /* quoted: the name of the message that is answered */
	struct slice you;   /* RELAYED: the receiver's name, when it is known here */
	bool keep_name;     /* the rest has the name already */
	bool you_later;     /* RELAYED: the receiver's side puts its name in */
	int err;
	const char *detail;
	ms_t wall;
	const struct dialect_settings *settings; /* when something is told */
};

/* Room for the id of a member as it is shown. */
#define TABLE_SHOWN (BUS_MEMBER_TEXT + 1)

/* --- table_write.c --- */
/* Makes the arguments of `j` visible: JSON messages are one, Socket.IO's are a list. */
void table_see(struct table_scope *sc, const struct json *j);
/* The same for those that are tokens of it, from `first` to before `end`. */
void table_see_args(struct table_scope *sc, const struct json *j, uint32_t first,
		    uint32_t end);
/* The value's token, or UINT32_MAX. */
uint32_t table_field_token(const struct table_scope *sc, const struct table_field *f);
/* As text, unescaped, appended to `b`; numbers as they are written. False: none of them is there. */
bool table_text_of(const struct table_scope *sc, struct table_span values, size_t max,
		   struct buf *b, struct slice *out);
bool table_holds(const struct table_scope *sc, struct table_span tests);
/* Appends what the template says. */
void table_write(struct buf *b, const struct table_scope *sc,
		 const struct table_template *m);
/* A whole message: with brackets and the name where the table's speech has them. It is left open (you_later) before the receiver's name. */
void table_write_message(struct buf *b, const struct table_scope *sc,
			 const struct table_template *m);
/* Arguments alone, as a list: "[...]". */
void table_write_args(struct buf *b, const struct table_scope *sc,
		      const struct table_template *m);
/* Closes a message that was left open. */
void table_write_you(struct buf *b, const struct table *t, struct slice you);
/* How `m` is called towards sc->self. */
struct slice table_shown(const struct table_scope *sc, const struct member_info *m,
			 char room[TABLE_SHOWN]);
/* The member that a shown id stands for by its number alone; 0: it is another name. */
uint64_t table_shown_number(const struct table *t, struct slice id);
/* A whole value for a neutral payload, and a message made of one. */
bool table_payload(const struct table_scope *sc, const struct table_media *m,
		   struct buf *b, enum media *kind, struct slice *out);
void table_from_payload(struct buf *b, const struct table *t, const struct table_rule *r,
			struct slice payload);

/* --- table_session.c --- */
/* To be filled in: it joins, or is a member already. */
struct table_member *table_member(struct table_session *own);
/* Who it is; before the first join nobody. */
const struct member_info *table_self(const struct table_session *own);
/* What its client goes by; empty: the member's number. */
struct slice table_own_id(const struct table_session *own);
struct slice table_own_name(const struct table_session *own);
/* Its name for itself, where others have to put that in. */
struct slice table_you(const struct table_session *own, char room[BUS_MEMBER_TEXT]);
/* Says the table's keepalive from now on. */
void table_keepalive_start(struct session *s);
/* To this client alone. `binary`: attachments that go along. */
void table_say(struct session *s, const struct table_scope *sc,
	       const struct table_saying *say, struct slice binary);
/* Carries out what a client asked for, in its room. */
void table_ack(struct session *s, uint64_t ack, const struct table_scope *sc,
	       const struct table_template *args, struct slice binary);

/* --- table_hear.c --- */
void table_on_text(struct session *s, struct slice text);
/* The answer to a command of table_hear.c. */
void table_on_reply(struct session *s, uint64_t request, int err, const char *detail);
/* The same to a join that was done: how the room stands. */
void table_on_welcome(struct session *s, const struct event *e);
/* The request of who wants the list for "when members": no rule has that number. */
#define TABLE_REQUEST_MEMBERS (UINT64_MAX << 48)

/* --- table_tell.c --- */
void table_tell(struct seat *to, const struct event *e);
void table_encode(struct buf *b, const struct fanout_channel *c, const struct event *e);
unsigned table_parts(const struct fanout_channel *c, const struct event *e);
/* The steps of a "when". */
void table_run_when(struct session *s, enum table_when when, struct table_scope *sc);
