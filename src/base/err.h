/* err: the one table of our error codes, and what each wire answers for it.
 *
 * Functions return 0 or more on success, -errno for the system's errors and one of
 * these for ours; they start at -5001, so the two never meet. `name` is what the
 * native protocol shows as error.code (docs/protocol.md).
 */
#pragma once

/* clang-format off */
#define ERR_LIST(X)                                                                      \
	/* id              code   name              http  ws    text */                  \
	X(E_TRUNCATED,    -5001, "malformed",       400, 1002, "message ends early")      \
	X(E_MALFORMED,    -5002, "malformed",       400, 1002, "message is malformed")    \
	X(E_LIMIT,        -5003, "limit",           413, 1009, "limit exceeded")          \
	X(E_DENIED,       -5004, "denied",          403, 1008, "not allowed")             \
	X(E_STATE,        -5005, "state",           409, 1002, "not valid in this state") \
	X(E_UTF8,         -5006, "malformed",       400, 1007, "text is not UTF-8")       \
	X(E_UNKNOWN_TYPE, -5007, "unknown_type",    400, 1008, "unknown message type")    \
	X(E_BAD_FIELD,    -5008, "bad_field",       400, 1008, "a field has a wrong form") \
	X(E_NOT_JOINED,   -5009, "not_joined",      409, 1008, "not in that room")        \
	X(E_ALREADY,      -5010, "already_joined",  409, 1008, "already in that room")    \
	X(E_NO_MEMBER,    -5011, "no_such_member",  404, 1008, "no such member here")     \
	X(E_ROOM_FULL,    -5012, "room_full",       409, 1008, "the room is full")        \
	X(E_RATE,         -5013, "rate_limited",    429, 1008, "too many messages")       \
	X(E_TOO_LARGE,    -5014, "too_large",       413, 1009, "message is too large")    \
	X(E_SLOW,         -5015, "too_slow",        503, 1013, "reads too slowly")        \
	X(E_UNAVAILABLE,  -5016, "unavailable",     503, 1013, "not available now")       \
	X(E_NOT_FOUND,    -5017, "not_found",       404, 1008, "not found")               \
	X(E_TIMEOUT,      -5018, "timeout",         408, 1001, "took too long")            \
	X(E_CANNOT_RESUME,-5019, "cannot_resume",   404, 1008, "no such session any more") \
	X(E_LOCKED,       -5030, "locked",          409, 1008, "the room is locked")      \
	X(E_BANNED,       -5031, "banned",          403, 1008, "not allowed in that room any more") \
	X(E_UNAUTHORIZED, -5020, "unauthorized",    401, 4401, "a valid token is needed")
/* clang-format on */

#define X(id, code, name, http, ws, text) id = (code),
enum err { ERR_LIST(X) };
#undef X

/* For people: our text, or the system's in English. A constant; may be called on any thread. */
const char *err_text(int err);
/* The name on the wire; "internal" for system errors. */
const char *err_name(int err);
/* 500 and 1011 for system errors. */
int err_http_status(int err);
int err_ws_code(int err);
