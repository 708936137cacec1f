/* chat_json: messages and visits as JSON, as parley.v1 and the server API have them (docs/protocol.md). */
#pragma once
#include "base/json.h"
#include "bus/chat.h"

/* What is said, and the changes of it: these have a name (quoted JSON); else empty. */
struct slice bus_talk_name(enum event_kind kind);
/* The fields of such an event into an open object. */
void bus_put_talk(struct jsonw *w, const struct event *e);
const char *bus_leave_name(enum leave_reason reason);
/* All visits of a WHOWAS, as an array. */
void bus_put_visits(struct jsonw *w, struct slice backlog);
/* What `more` of an event says; nothing when it says nothing. */
struct chat_more bus_chat_more(const struct event *e);
