#include "bus/address.h"

#include "base/map.h"

unsigned bus_room_worker(struct slice name, unsigned workers)
{
	return (unsigned)(hash_stable(name) % workers);
}
