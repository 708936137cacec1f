/* api_call: one request of the server API while it is carried out; for the files of the API. */
#pragma once
#include "admin/api.h"
#include "base/json.h"

enum api_kind {
	API_TEXT,   /* min..max bytes */
	API_NUMBER, /* min..max */
	API_BOOL,
	API_OBJECT, /* raw JSON object of at most max bytes */
	API_ANY,    /* raw JSON of at most max bytes */
	API_ROLE,   /* owner, moderator, speaker, listener */
};

/* With `need`: */
enum api_manner {
	API_ANYBODY = BIT(29), /* nobody is asked for anything */
	API_SEATED = BIT(30),  /* members of the room may, by the key of their seat */
	API_PIECES =
		BIT(31), /* the body is a file: the call is run when the head is there */
};

/* A parameter of the query, or a member of the body. Lists end with a nameless one. */
struct api_field {
	const char *name;
	enum api_kind kind;
	bool required;
	uint32_t min;
	uint64_t max;
	const char *help;
};

struct api_value {
	bool there, on;
	uint64_t number;
	struct slice text; /* or raw JSON */
};

struct api_call;

struct api_op {
	const char *id;
	enum http_method method;
	const char *path;
	const char *summary;
	uint32_t
		need; /* AUTH_* that a token must have one of, 0: an API key itself; and enum api_manner */
	const struct api_field *query, *body;
	int status;         /* of success */
	const char *answer; /* name of its schema, or a media type; NULL: 204, nothing */
	void (*run)(struct api_call *c);
};

extern const struct api_op api_ops[];
extern const size_t api_op_count;

struct api {
	struct loop *loop;
	struct api_settings settings;
	struct api_route *routes;
	struct buf openapi;
	struct auth_limits *limits; /* of uploads */
	uint32_t transfers;         /* under way */
};

#define API_MAX_FIELDS 12

struct api_call {
	struct api *api;
	const struct api_op *op;
	struct http_exchange *x;
	struct slice room;   /* of the path; empty: none */
	struct slice member; /* of the path: an id or a user */
	struct slice key;  /* the API key that was shown; empty: a token, or open mode */
	struct slice seat; /* the number of the member whose key was shown; or empty */
	struct slice user; /* whom a token proves; or empty */
	struct buf text;   /* unescaped */
	struct api_value value[2 * API_MAX_FIELDS]; /* of the query, then of the body */
};

/* A field by its name; it must be in the operation's lists. */
const struct api_value *api_value(const struct api_call *c, const char *name);
/* The last thing of a call: answers and frees it. */
void api_done(struct api_call *c, struct slice json);
void api_fail(struct api_call *c, int err, const char *detail);
/* The same for one that is answered otherwise, or that has nobody to answer to. */
void api_drop(struct api_call *c);
/* Asks rooms; `fn` gets the call. Answers itself when the server stops. */
typedef void api_answer_fn(struct api_call *c, const struct bus_answer *a, size_t count);
void api_ask(struct api_call *c, const struct bus_ask *ask, api_answer_fn *fn);
/* A command in the call's room, to its member if it names one. */
void api_command(struct api_call *c, const struct command *command, api_answer_fn *fn);
/* The same; answers with nothing. */
void api_order(struct api_call *c, const struct command *command);

/* api_read.c: a body's members in the order of the list. Texts are unescaped into `text`, which has room for all of them, or lie
 * in the body. E_MALFORMED, E_TOO_LARGE, E_BAD_FIELD with the name in *why. */
int api_read_body(const struct api_field *list, struct slice body, struct api_value *out,
		  struct buf *text, const char **why) NODISCARD;
bool api_within(const struct api_field *f, uint64_t n);

/* api_history.c */
void api_list_messages(struct api_call *c);
void api_list_visits(struct api_call *c);

/* api_revoke.c */
void api_revoke(struct api_call *c);

/* api_upload.c, api_download.c */
void api_upload(struct api_call *c);
void api_download(struct api_call *c);
/* One more upload or download; false: there are too many. */
bool api_begin_transfer(struct api *a);
void api_end_transfer(struct api *a);

/* openapi.c */
void api_print_openapi(struct buf *b, const char *version);
