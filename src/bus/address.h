/* address: where rooms, sessions and members live. A worker's number is its loop's id. */
#pragma once
#include "base/slice.h"

/* The worker that owns the room of that name; the same in every worker. */
unsigned bus_room_worker(struct slice name, unsigned workers);

/* Where a member is reached: its session on its worker. */
struct bus_home {
	uint32_t worker;
	uint64_t session; /* number of the session on that worker, never reused */
};
