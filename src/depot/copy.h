/* copy: what files contain, looked at, or taken over into another folder: for operators, beside a server that runs.
 *
 * Owner: the calling thread. What is there is read as a whole, and must be what its hash says.
 */
#pragma once
#include "depot/disk.h"

/* E_NOT_FOUND: it is not there, or is something else. */
int depot_look_at(const struct depot_disk *from, struct slice hash, uint64_t size)
	NODISCARD;
/* The same for what is copied; what is in `to` with that size already is not looked at. -errno: it cannot be
 * written. */
int depot_copy(const struct depot_disk *from, struct depot_disk *to, struct slice hash,
	       uint64_t size) NODISCARD;
