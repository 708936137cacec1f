/* store: what outlives the process: messages, who was in a room, sessions.
 *
 * Threads: a writer, which commits what has gathered in one transaction, and a reader; each is a
 *          loop, reached by mail. Workers ask through their desk and never wait: a store that is
 *          slow, full or gone answers E_UNAVAILABLE, late or at once.
 * Order:   the writer answers a desk in the order of asking, after the commit; so does the reader.
 *          Between the two there is none.
 * Limits:  settings.queue queries of one desk under way; LIMIT_* below.
 */
#pragma once
#include "bus/chat.h"
#include "loop/loop.h"

struct store;
struct store_desk;
struct store_file; /* file.h */
struct store_note; /* note.h */

/* Bytes of files, at most; 0: any number. */
struct store_space {
	uint64_t room, all;
};

struct store_settings {
	const char *url; /* "sqlite" or "postgresql://..." */
	const char *dir; /* of the data, for SQLite */
	bool sessions; /* they may come back: else what is left of them goes at the start */
	uint32_t queue; /* queries of one worker that may wait */
	ms_t patience;  /* then a waiting asker is told that the store is not available */
	ms_t keep;      /* messages and visits are kept so long, 0: for ever */
	uint64_t keep_messages; /* of a room, 0: any number */
	struct store_space space;
};

/* --- the process's --- */

/* Opens the database, bringing its tables up to date, and makes the threads (not running yet). A line for
 * people in `why`. */
int store_create(struct store **out, const struct store_settings *s, struct buf *why)
	NODISCARD;
int store_start(struct store *s) NODISCARD;
/* Commits what has been asked until now and ends the threads. The workers do not run any more. */
void store_destroy(struct store *s);
/* From any thread: whether it takes messages, as far as is known. */
bool store_ready(const struct store *s);
/* How often the process has been started on this database, from 0. */
uint64_t store_boot(const struct store *s);

/* --- queries --- */

/* clang-format off */
#define STORE_OP_LIST(X)                                                                 \
	/* name         thread   prose */                                                \
	X(MESSAGE,      WRITER, "keep event (CHAT); a known key: answered with the first's numbers. E_NOT_FOUND: a file of it") \
	X(CHANGE,       WRITER, "keep event (EDITED, DELETED, REACTED) if the viewer may")   \
	X(READ,         WRITER, "the viewer has read up to n")                           \
	X(VISIT,        WRITER, "member is in the room, as it now is")                   \
	X(VISIT_END,    WRITER, "and has left: viewer, reason, time")                    \
	X(SEAT,         WRITER, "session has a seat in the room: viewer; secret, text (its admission)") \
	X(SEAT_END,     WRITER, "and has it no more: viewer")                            \
	X(SECRET,       WRITER, "session's secret (or text) is another")                 \
	X(FILE,         WRITER, "keep file, uploaded at `time`; E_LIMIT: no room, `known`: in all rooms") \
	X(KEEP,         WRITER, "keep note, in the place of one of its kind and name")   \
	X(WAKE,         READER, "the last messages told to all, newest number, epoch")   \
	X(HISTORY,      READER, "messages that the viewer may see: before, after, limit") \
	X(SEARCH,       READER, "those with the words of text: before, limit")           \
	X(VISITS,       READER, "who was in the room: before, limit")                     \
	X(SPACE,        READER, "bytes of the room's files (n), and of all (to)")          \
	X(FILE_FIND,    READER, "the file of id `text`: a store_file, encoded")          \
	X(FILES_UNUSED, READER, "which of the hashes in text are of no file")            \
	X(KEPT,         READER, "the notes after that of kind n and name text, by these; not those over at `time`")
/* clang-format on */

#define X(id, thread, prose) STORE_##id,
enum store_op { STORE_OP_LIST(X) STORE_OPS };
#undef X

#define STORE_PAGE                                                                       \
	50 /* messages or visits in an answer, unless asked for another number */
#define STORE_PAGE_MAX 200 /* and at most */

struct store_query {
	enum store_op op;
	uint32_t limit;
	bool forward; /* HISTORY: from `after` on, also when that is 0; else back from `before` */
	bool all; /* the viewer is the server, or may change what others said */
	enum leave_reason reason;
	ms_t time;
	uint64_t viewer; /* a member */
	uint64_t before; /* 0: from the end */
	uint64_t after;
	uint64_t n;
	struct slice room;
	struct slice viewer_user; /* proven, or empty */
	struct slice
		reader; /* READ, HISTORY: whose mark, a user or a member's number text */
	struct slice text;
	struct slice session, secret;
	const struct event *event;
	const struct member_info *member;
	const struct store_file *file; /* FILE */
	const struct store_note *note; /* KEEP */
};

struct store_answer {
	int err;
	bool partial; /* there is more than body has */
	bool known;   /* MESSAGE: it was there already */
	uint64_t
		n; /* MESSAGE: its number; WAKE: the newest; HISTORY: the reader's mark */
	uint64_t epoch;    /* 0: the room has no messages */
	uint64_t from, to; /* CHANGE: the members of the message, if it is a direct one */
	ms_t time;         /* MESSAGE: when it was said first */
	struct slice
		body; /* events, or visits, encoded one after another; oldest first; MESSAGE: the record of its files */
};

/* The asker's, part of a record of its own; in the desk's hands until `done`. */
struct store_ticket;
typedef void store_ticket_fn(struct store_ticket *t);
typedef void store_done_fn(struct store_ticket *t, const struct store_answer *a);
struct store_ticket {
	struct list link;
	uint64_t number;
	ms_t at;
	store_done_fn *done; /* once, in a later turn; the record may be freed in it */
	store_ticket_fn *
		overdue; /* NULL, or called at most once, when patience ends before `done` */
	bool told_overdue;
};

/* --- one per worker --- */

struct store_desk *store_desk_create(struct store *s, struct loop *l);
/* What was asked and not answered is dropped: `done` with E_UNAVAILABLE. */
void store_desk_destroy(struct store_desk *d);
/* Copies the query. E_UNAVAILABLE: too much waits already, then `done` is not called. */
int store_ask(struct store_desk *d, const struct store_query *q, struct store_ticket *t)
	NODISCARD;
/* The same for rows whose fate the asker cannot change: a failure is counted. */
void store_tell(struct store_desk *d, const struct store_query *q);

/* --- sessions of before the restart --- */

struct store_seat {
	struct slice session;
	struct slice secret_hash; /* STORE_HASH bytes: SHA-256 of the secret */
	struct slice admission;   /* as it was given */
	struct slice room;
	struct member_info member;
};
#define STORE_HASH 32
void store_hash(struct slice secret, uint8_t out[STORE_HASH]);

typedef void store_seat_fn(void *arg, const struct store_seat *s);
/* Before store_start(): all of them, seats of one session together. */
int store_each_seat(struct store *s, store_seat_fn *fn, void *arg) NODISCARD;
