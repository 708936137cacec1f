/* visit: who is in a room, for those who ask later. Rows that nobody waits for. */
#include "room/internal.h"

void room_note_visit(const struct member *m)
{
	const struct room *r = m->room;
	struct member_info info;

	if (!r->registry->store || m->hidden)
		return;
	room_member_info(m, &info);
	store_tell(r->registry->store, &(struct store_query){ .op = STORE_VISIT,
							      .room = room_name(r),
							      .n = r->chat->epoch,
							      .member = &info });
}

void room_note_visit_end(const struct member *m, enum leave_reason reason)
{
	const struct room *r = m->room;

	/* Who goes because the server stops may come back to a seat; the next start ends the visits of the others. */
	if (!r->registry->store || m->hidden || reason == LEAVE_SHUTDOWN)
		return;
	store_tell(r->registry->store, &(struct store_query){ .op = STORE_VISIT_END,
							      .room = room_name(r),
							      .viewer = m->id,
							      .reason = reason,
							      .time = clock_wall() });
}
