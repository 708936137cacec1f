/* seat_key: what a member's client shows with an HTTP request to be known as that member: an HMAC over the
 * member and its room by a secret of the server's. Given with the seat; whether the member still has it, the
 * room is asked. No state.
 *
 *     "m_7f3kabcd" (the member's number as text) "." 26 letters of 5 bits
 */
#pragma once
#include "base/slice.h"

#define AUTH_SEAT_MEMBER 10 /* bytes */
#define AUTH_SEAT_KEY (AUTH_SEAT_MEMBER + 1 + 26)

void auth_seat_key(char out[AUTH_SEAT_KEY], struct slice secret, struct slice room,
		   struct slice member);
/* Does it look like one? */
bool auth_seat_key_looks(struct slice key);
/* Of such a one: whose it says it is, and, in constant time, whether that is so in this room. */
struct slice auth_seat_key_member(struct slice key);
bool auth_seat_key_is_good(struct slice key, struct slice secret, struct slice room);
