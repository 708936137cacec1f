/* member_json: members, and who may not become one, as JSON, as parley.v1 and the server API have them (docs/protocol.md). */
#pragma once
#include "base/json.h"
#include "bus/member_info.h"

const char *bus_role_name(enum role role);
/* ROLES: there is none of that name. */
enum role bus_role_named(struct slice name);
/* "name":"m_..." */
void bus_put_member_id(struct jsonw *w, const char *name, uint64_t id);
/* "mic":true, ... for the bits of `which`. */
void bus_put_presence(struct jsonw *w, uint8_t state, uint8_t which);
/* Of one who waits to become a member, only what is known before. */
void bus_put_waiting(struct jsonw *w, const struct member_info *m);
/* All of a member's fields into an open object. */
void bus_put_member(struct jsonw *w, const struct member_info *m);
/* All bus_bans, as an array. */
void bus_put_bans(struct jsonw *w, struct slice bans);
