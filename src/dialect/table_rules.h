/* table_rules: a table as it was compiled: rules by name, and small programs that write JSON.
 *
 * Made by table_parse.c, run by table_hear.c (what clients say) and table_tell.c (what rooms say).
 * Everything is reached by index from one table and never changes after the parsing.
 */
#pragma once
#include "base/json.h"
#include "bus/command.h"
#include "dialect/table.h"
#include "dialect/vocabulary.h"

#define TABLE_DEPTH 4    /* steps of a field: data.user.id */
#define TABLE_ARGS 9     /* $1 .. $9 */
#define TABLE_VARIANTS 7 /* numbered from 1; 0 means all */
#define TABLE_MAX_OPS 4096
#define TABLE_MAX_ROUTES 16
#define TABLE_MAX_PARAMS 4 /* {names} in a path */

enum table_speaks { SPEAKS_JSON, SPEAKS_KEYS, SPEAKS_TEXT, SPEAKS_SOCKETIO };

/* A range of one of the table's arrays. */
struct table_span {
	uint16_t first, count;
};

/* Where a value lies in a message: an argument (JSON messages are argument 0), and names from there. */
struct table_field {
	uint8_t arg, depth;
	struct slice step[TABLE_DEPTH];
};

/* clang-format off */
#define TABLE_VAR_LIST(X)                                                         \
	X(ID,      "id",      "the member that it is about, or the speaker")      \
	X(NAME,    "name",    "and what it is called")                            \
	X(YOU,     "you",     "the receiver's own id")                            \
	X(ROOM,    "room",    "the room's name; before joining, the path's")      \
	X(OFFER,   "offer",   "true when the receiver shall call that member")    \
	X(OFFERS,  "offers",  "how the receiver comes to call: told, never, ...") \
	X(RANK,    "rank",    "the member's rank, as the receiver shall see it")  \
	X(MINE,    "mine",    "true when the receiver itself is the speaker")     \
	X(REPLACED, "replaced", "true when the same user came again")             \
	X(NUMBER,  "n",       "number of a chat message: rising, below 2^53")     \
	X(TEXT,    "text",    "text of a chat message")                           \
	X(TIME,    "time",    "time of a chat message, else now: ISO 8601")       \
	X(MILLIS,  "millis",  "the same in milliseconds since 1970")              \
	X(SECONDS, "seconds", "the same in seconds")                              \
	X(CODE,    "code",    "code of an error: room_full")                      \
	X(ERROR,   "error",   "an error in words")                                \
	X(DETAIL,  "detail",  "what of the message was wrong")                    \
	X(OK,      "ok",      "true when it was done")                            \
	X(EVENT,   "event",   "the name of the message that an answer is for")    \
	X(ARGS,    "args",    "all arguments")                                    \
	X(MEMBERS, "members", "a list of all members: $members {id: $id}")        \
	X(OTHERS,  "others",  "a list of all members but the receiver")
/* clang-format on */

/* How a client comes to offer, and enum offers. */
#define TABLE_OFFERS_LIST(X)                                                             \
	X(TOLD, "told")                                                                  \
	X(LATER, "later")                                                                \
	X(NEVER, "never")                                                                \
	X(ALWAYS, "always")                                                              \
	X(RANKED, "ranked")                                                              \
	X(LEXICAL, "lexical")

#define X(id, name, prose) VAR_##id,
enum table_var { TABLE_VAR_LIST(X) TABLE_VARS };
#undef X

enum table_source { SOURCE_FIELD, SOURCE_VAR, SOURCE_TEXT };

/* One of several places that a value may come from. */
struct table_value {
	enum table_source source;
	enum table_var var;
	struct slice text; /* raw JSON */
	struct table_field field;
};

enum table_op_kind {
	OP_OPEN,   /* text: the bracket */
	OP_CLOSE,  /* text: the bracket */
	OP_NAMING, /* the message's own name, as the table's `speaks` says */
	OP_VALUE,  /* key, values: the first that is there */
	OP_REST,   /* the fields of the message but those in `drop` */
	OP_ROSTER, /* var: for each member `skip` ops that follow */
	OP_YOU,    /* the receiver's name, put in at the end by the receiver's side */
};

struct table_op {
	uint8_t kind;
	uint8_t var;
	bool if_not_kept; /* only where the rest has no such field */
	bool keep_name;   /* REST: the field that names the message stays */
	bool by_id;       /* ROSTER: not a list, but fields named by the members' ids */
	uint16_t skip;
	struct table_span values;
	struct table_span drop; /* of names */
	struct slice key;       /* name, quoted, with the colon */
	struct slice text, bare;
};

/* Arguments of a message to be said. */
struct table_template {
	struct table_span ops;
	bool verbatim; /* as it came */
	bool has_rest;
	bool you_last;
};

struct table_test {
	bool negated;
	struct table_value value;
	struct table_span texts; /* of names: one of them it must be; none: anything */
};

enum table_step_kind {
	STEP_JOIN,
	STEP_LEAVE,
	STEP_SEND,
	STEP_EACH, /* SEND for each other member */
	STEP_ACK,
	STEP_RELAY,
	STEP_CHAT,
	STEP_CLOSE,
};

/* A message to be said under one name or several; the names are quoted. */
struct table_saying {
	struct table_span names;
	struct table_template args;
};

struct table_step {
	enum table_step_kind kind;
	struct table_span tests; /* all must hold */
	struct table_saying say;
	struct table_span
		values; /* JOIN: the room; LEAVE: the room or none; RELAY: targets; CHAT: text */
	struct table_span user, name; /* JOIN */
	bool user_needed;
	bool once;                  /* JOIN: a second one is nothing */
	bool replaces;              /* JOIN */
	bool others;                /* RELAY: to all others, or when no target is named */
	bool or_all;                /* RELAY: also when the target is not there */
	bool self;                  /* RELAY: and to the speaker */
	struct table_template keep; /* JOIN: what others may know of it */
	uint16_t code;              /* CLOSE */
	struct slice text;
};

struct table_media {
	enum media kind; /* MEDIA_NONE: none */
	bool any;        /* the payload itself says which it is */
	struct table_field field;
	struct table_template there,
		back; /* instead of a field: to the neutral form, and from it */
};

/* What a message of a client means. */
struct table_rule {
	struct slice name; /* unescaped */
	struct slice quoted;
	uint8_t variants; /* members of these are told so (bits) */
	struct table_span steps;
	struct table_media media;
	bool is_connect; /* the connection itself */
	bool guarded;    /* it has a role */
	enum role least;
	uint32_t size;   /* bytes, 0: no limit of its own */
	uint32_t rate;   /* per second, 0: no limit of its own */
	uint16_t bucket; /* of the session, for `rate` */
	bool acks;       /* it has ACK steps */
};

/* clang-format off */
#define TABLE_WHEN_LIST(X)                                                        \
	X(WELCOME,  "welcome",  "this client has come into the room")             \
	X(MEMBERS,  "members",  "it has, or somebody came or went: the new list") \
	X(JOINED,   "joined",   "another member came")                            \
	X(LEFT,     "left",     "another member went")                            \
	X(CHAT,     "chat",     "somebody said something in the room's chat")     \
	X(ACCEPTED, "accepted", "another member takes this client's call")        \
	X(REJECTED, "rejected", "another member refuses this client's call")      \
	X(FULL,     "full",     "the join was refused: the room is full")         \
	X(REFUSED,  "refused",  "the join was refused")                           \
	X(ERROR,    "error",    "something this client asked was refused")        \
	X(REPLACED, "replaced", "the same user came again elsewhere")             \
	X(KICKED,   "kicked",   "a moderator sent this client away")
/* clang-format on */

#define X(id, name, prose) WHEN_##id,
enum table_when { TABLE_WHEN_LIST(X) TABLE_WHENS };
#undef X

struct table_offers {
	enum offers offers;
	struct table_span tests;
};

struct table_rank {
	enum rank rank;
	struct slice word; /* quoted */
	struct table_span tests;
};

struct table_variant {
	struct slice name;
	struct table_span tests;
};

struct table {
	struct vocabulary vocabulary; /* first: a session's vocabulary is its table */
	char *vocabulary_name;
	unsigned number; /* 1 .. TABLE_MAX */
	struct slice name, about;
	enum table_speaks speaks;
	struct slice naming; /* JSON: the field that names a message */
	bool lexical;        /* its clients go by ids to know who calls */
	bool unknown_is_error;
	bool traces;       /* it asks which message was refused ($event) */
	bool shipped;      /* it came with the program */
	uint32_t capacity; /* members that a client copes with; 0: any */
	uint32_t history;  /* chat messages told to who comes */
	ms_t ping_timeout;
	ms_t every; /* keepalive */
	struct table_saying keepalive;
	bool has_alias;
	struct table_field alias;
	struct slice routes[TABLE_MAX_ROUTES];
	unsigned route_count;
	struct table_span required; /* of values */
	struct table_offers *offers;
	struct table_rank *ranks;
	struct table_variant *variants;
	unsigned offers_count, rank_count, variant_count;
	struct table_step *steps;
	struct table_rule *rules;
	struct table_op *ops;
	struct table_value *values;
	struct table_test *tests;
	struct slice *names;
	unsigned step_count, rule_count, op_count, value_count, test_count, name_count;
	unsigned buckets;
	struct table_span when[TABLE_WHENS]; /* of steps */
	uint16_t *slots; /* of rules by name, index + 1; open addressing */
	unsigned slot_mask;
	struct table_rule *any; /* "on *" */
	struct table_rule *connect;
	uint8_t *text; /* the file */
	size_t text_size;
	struct table_kept *kept; /* what had to be unescaped or quoted */
};

/* --- while it is made --- */

struct table_kept {
	struct table_kept *next;
	uint8_t bytes[];
};

struct table_lex;

/* Room for one more at the end of one of the table's arrays. */
#define TABLE_ADD(array, count)                                                          \
	(((count) & ((count)-1)) == 0                                                    \
		 ? (void)((array) =                                                      \
				  xrealloc((array), size_mul((count) ? 2 * (count) : 1,  \
							     sizeof(*(array)))))         \
		 : (void)0,                                                              \
	 (array)[(count)] = (__typeof__(*(array))){ 0 }, &(array)[(count)++])

/* A copy that lives as long as the table. */
struct slice table_keep(struct table *t, struct slice s);
struct slice table_keep_quoted(struct table *t, struct slice s);
/* The text of a JSON string. */
struct slice table_keep_unquoted(struct table *t, struct slice raw);

/* --- table_link.c --- */
/* The last step: E_MALFORMED when the table cannot work. */
int table_link(struct table *t, struct table_lex *l) NODISCARD;
/* What is wrong with a path that WebSockets are to come to, and why the table cannot work there; NULL: nothing. */
const char *table_path_wrong(struct slice path);
const char *table_wrong_at(const struct table *t, struct slice path);
/* The server itself answers there; what is said then. */
#define TABLE_OURS                                                                       \
	"the server itself answers at %.*s; take another path, such as /ws/NAME/{room}"
bool table_path_is_ours(struct slice path);
/* Both fit the same requests: names in braces are as good as others. Neither is empty. */
bool table_paths_same(struct slice a, struct slice b);
/* --- table_session.c --- */
void table_fill_vocabulary(struct table *t);

/* --- table_template.c --- */
/* Where the arguments stand: what they may say depends on it. */
enum table_place { PLACE_HEARD, PLACE_RELAYED, PLACE_TOLD };

/* "a.b | $name | "text"": places that are tried in turn. */
int table_parse_values(struct table *t, struct table_lex *l, struct table_span *out)
	NODISCARD;
int table_parse_field(struct table_lex *l, struct table_field *out) NODISCARD;
/* "if a and not b = c", or nothing. */
int table_parse_tests(struct table *t, struct table_lex *l, struct table_span *out)
	NODISCARD;
/* What follows the name of a message, up to "if" or the end of the line. */
int table_parse_args(struct table *t, struct table_lex *l, enum table_place place,
		     struct table_template *out) NODISCARD;
/* One object alone: what others may know of a member, what a payload is made of; PLACE_TOLD: a message, with its name. */
int table_parse_object(struct table *t, struct table_lex *l, enum table_place place,
		       struct table_template *out) NODISCARD;

/* Which rule a name has, or NULL. */
const struct table_rule *table_rule(const struct table *t, struct slice name);
uint32_t table_hash(struct slice name);

/* Whose wording a relayed message has: members of the same flavor get it as it was put together. */
static inline uint16_t table_flavor(const struct table *t, unsigned variant)
{
	return (uint16_t)(t->number * (TABLE_VARIANTS + 1) + variant);
}
