/* policy: to whom may be relayed. A relay stands inside the operator's network, so what is not public is
 * denied unless the settings open it: private, shared, loopback, link-local, multicast, broadcast and
 * reserved addresses, IPv6 forms that wrap such an IPv4 address, and this machine's own.
 */
#pragma once
#include "net/addr.h"

#define TURN_MAX_RANGES 64
#define TURN_MAX_OWN 256

struct turn_range {
	struct addr from; /* the port does not count */
	uint8_t bits;
};

struct turn_policy {
	struct turn_range allowed[TURN_MAX_RANGES];
	size_t allowed_count;
	struct addr own[TURN_MAX_OWN];
	size_t own_count;
};

/* "10.0.0.0/8", "2001:db8::/32", or one address. E_MALFORMED, E_LIMIT. */
int turn_policy_allow(struct turn_policy *p, struct slice text) NODISCARD;
/* An address of this machine; what does not fit is not denied as such. */
void turn_policy_add_own(struct turn_policy *p, const struct addr *a);
bool turn_policy_is_own(const struct turn_policy *p, const struct addr *a);
/* Whether packets may go to `a` through a socket. */
bool turn_policy_permits(const struct turn_policy *p, const struct addr *a);
/* Is it a public unicast address, by its form? */
bool turn_policy_is_public(const struct addr *a);
