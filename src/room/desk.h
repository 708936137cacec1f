/* desk: where the server itself asks rooms something, from any worker: an HTTP handler that
 * lists rooms, describes one, or gives a command in it.
 *
 * Owner:   a loop; one desk per worker, which also answers for the rooms of that worker.
 * Order:   fn is called exactly once, in a later turn, on the asking loop; with no answers (count 0)
 *          when the desk goes first.
 * Limits:  the askers bound how many asks are under way (an HTTP connection has one exchange).
 */
#pragma once
#include "bus/ask.h"
#include "loop/loop.h"
#include "room/room.h"

struct room_desk;

/* `rooms`, `gate`: those of this worker. Registers the handlers of ASK and ANSWER mail. */
struct room_desk *room_desk_create(struct loop *l, unsigned workers,
				   struct room_registry *rooms, struct auth_gate *gate);
void room_desk_destroy(struct room_desk *d);

/* One answer per worker that was asked. They and their slices are valid during the call. */
typedef void room_desk_fn(void *arg, const struct bus_answer *answers, size_t count);
/* To the worker of ask->room, or to all when that is empty (ASK_ROOMS). The ticket is ours. */
void room_desk_ask(struct room_desk *d, const struct bus_ask *ask, room_desk_fn *fn,
		   void *arg);
