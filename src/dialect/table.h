/* table: dialects that are tables in files (docs/dialect-tutorial.md): reading them, finding the
 * one that serves a path or a namespace, and sessions that speak them.
 *
 * Owner:  a set is read once, before the workers start, and never changes; all workers share it. Sessions belong
 *         to their loop as others do.
 * Limits: TABLE_MAX_FILE bytes a file, TABLE_MAX tables.
 */
#pragma once
#include "base/buf.h"
#include "http/http.h"

struct dialect;
struct session;
struct table;     /* a dialect, compiled */
struct table_set; /* all that there are, and what they serve */
struct vocabulary;

#define TABLE_MAX 64
#define TABLE_MAX_FILE (64u << 10)
#define TABLE_MAX_NAME 32

/* --- table_set.c --- */
/* The tables of the program and those in `dir` (NULL: none; a missing folder is an empty one), which take the place of ours with the same
 * name. `routes`: more paths, "/ws/{room}=NAME". E_MALFORMED with "file:line:column: what" in `why`. */
int table_set_load(struct table_set **out, const char *dir, const char *const *routes,
		   size_t route_count, struct buf *why) NODISCARD;
void table_set_destroy(struct table_set *set);
const struct table *table_find(const struct table_set *set, struct slice name);
/* Walks: start with *at = 0; NULL at the end. */
const struct table *table_next(const struct table_set *set, size_t *at);
/* The table that serves a Socket.IO namespace; `index`: which of the table's it is. */
const struct table *table_of_namespace(const struct table_set *set, struct slice ns,
				       unsigned *index);
/* A path or namespace and the table that serves it. */
struct table_way {
	const char *path;
	const struct table *table;
};
bool table_next_way(const struct table_set *set, size_t *at, struct table_way *out);
/* The namespace of that index that the vocabulary's table serves. */
struct slice table_namespace(const struct vocabulary *v, unsigned index);
/* A line for people: "duo  two-person video calls  socketio /". */
void table_describe(const struct table *t, struct buf *out);
/* The file as it was read. */
struct slice table_text(const struct table *t);
struct slice table_name(const struct table *t);

/* --- table_parse.c --- */
/* `file` names it in errors; `number` is its own among the tables, from 1. */
int table_parse(struct table **out, const char *file, struct slice text, unsigned number,
		struct buf *why) NODISCARD;
void table_destroy(struct table *t);

/* --- sessions: table_session.c --- */
const struct vocabulary *table_vocabulary(const struct table *t);
/* The table's wish, 0: none. */
ms_t table_ping_timeout(const struct table *t);
/* What a session that speaks `t` owns (session->own); freed by the vocabulary's end(). `id`: what its client goes by, or
 * empty, to be there as long as the session; `room`: the room that the path names, or empty. */
void *table_session(const struct table *t, struct slice id, struct slice room);

/* The same for one of before a restart. */
void *table_session_again(const struct table *t, struct slice id, uint8_t variant);

/* What a client says: by name, with its arguments. */
struct table_message {
	struct slice name;       /* unescaped */
	const struct json *json; /* the arguments are tokens of it, */
	uint32_t first, end;     /* from `first` to before `end` */
	struct slice binary;     /* attachments, each with its length (buf_prefixed) */
	uint64_t ack;            /* the client's number + 1; 0: no answer wanted */
};

/* The connection is there. `auth`: what a Socket.IO client showed, raw JSON, or empty. */
void table_connected(struct session *s, struct slice auth);
/* It has something to say to who connects. */
bool table_greets(const struct table *t);
void table_hear(struct session *s, const struct table_message *m);
/* Its session goes to another worker. */
void table_depart(struct session *s);

/* Makes the routes of the tables that speak on plain WebSockets. */
void table_add_routes(struct dialect *d, struct http_server *h);

/* --- table_try.c --- */
/* Clients that speak by `t` say what `messages` says, a JSON array of steps {"as":"ann","say":...,"leave":true}; who is told
 * what is written to `out`. E_MALFORMED with a line in `why`. */
int table_try(const struct table *t, struct slice messages, struct buf *out,
	      struct buf *why) NODISCARD;
