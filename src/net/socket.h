/* socket: a bound descriptor, as listeners and UDP both want it. */
#pragma once
#include "net/addr.h"

/* Non-blocking. `type`: SOCK_STREAM or SOCK_DGRAM; `share`: with SO_REUSEPORT. [::] takes IPv4 too, other IPv6
 * addresses do not. The descriptor, or -errno. */
int net_socket_bound(const struct addr *a, int type, bool share) NODISCARD;
