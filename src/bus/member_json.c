#include "bus/member_json.h"

#include "bus/ask.h"

static const char *const role_names[ROLES] = { "owner", "moderator", "speaker",
					       "listener" };

const char *bus_role_name(enum role role)
{
	return role_names[role];
}

enum role bus_role_named(struct slice name)
{
	for (unsigned i = 0; i < ROLES; i++)
		if (slice_is(name, role_names[i]))
			return (enum role)i;
	return ROLES;
}

void bus_put_member_id(struct jsonw *w, const char *name, uint64_t id)
{
	char text[BUS_MEMBER_TEXT];

	bus_member_text(text, id);
	json_field_string(w, name, slice_of(text, sizeof(text)));
}

void bus_put_presence(struct jsonw *w, uint8_t state, uint8_t which)
{
	static const struct slice names[] = {
		SLICE_LIT("mic"),  SLICE_LIT("camera"),   SLICE_LIT("screen"),
		SLICE_LIT("hand"), SLICE_LIT("speaking"),
	};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (!(which & BIT(i)))
			continue;
		json_key(w, names[i]);
		json_put_bool(w, (state & BIT(i)) != 0);
	}
}

void bus_put_waiting(struct jsonw *w, const struct member_info *m)
{
	bus_put_member_id(w, "id", m->id);
	json_field_string(w, "name", m->name);
	if (m->user.n > 0)
		json_field_string(w, "user", m->user);
	if (m->metadata.n > 0)
		json_field_raw(w, "metadata", m->metadata);
}

void bus_put_member(struct jsonw *w, const struct member_info *m)
{
	bus_put_member_id(w, "id", m->id);
	json_field_string(w, "name", m->name);
	if (m->user.n > 0)
		json_field_string(w, "user", m->user);
	json_field_string(w, "role", slice_str(bus_role_name(m->role)));
	json_key(w, SLICE("state"));
	json_object(w);
	bus_put_presence(w, m->state, PRESENCE_ALL);
	if (m->away)
		json_field_bool(w, "away", true);
	if (m->muted)
		json_field_bool(w, "muted", true);
	json_object_end(w);
	if (m->metadata.n > 0)
		json_field_raw(w, "metadata", m->metadata);
	json_field_u64(w, "joinedAt", (uint64_t)m->joined_at);
}

void bus_put_bans(struct jsonw *w, struct slice bans)
{
	struct cur in = cur_of_slice(bans);
	struct bus_ban ban;

	json_array(w);
	while (cur_left(&in) > 0 && bus_ban_decode(&ban, &in) == 0) {
		json_object(w);
		if (ban.user.n > 0)
			json_field_string(w, "user", ban.user);
		if (ban.address.n > 0)
			json_field_string(w, "address", ban.address);
		if (ban.name.n > 0)
			json_field_string(w, "name", ban.name);
		json_field_u64(w, "until", (uint64_t)ban.until);
		json_object_end(w);
	}
	json_array_end(w);
}
