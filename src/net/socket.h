/* socket: a bound descriptor, as listeners and UDP both want it. */
#pragma once
#include "net/addr.h"

enum net_port {
	NET_PORT_ALONE,
	NET_PORT_SHARED, /* SO_REUSEPORT: with others of this process's user that say the same */
	NET_PORT_BESIDE, /* beside a UDP socket that has SO_REUSEADDR just now; keeps the option */
};
/* Non-blocking. `type`: SOCK_STREAM or SOCK_DGRAM. [::] takes IPv4 too, other IPv6 addresses do not. The
 * descriptor, or -errno. */
int net_socket_bound(const struct addr *a, int type, enum net_port port) NODISCARD;
/* An option that is an int. -errno. */
int net_socket_set(int fd, int level, int name, int value);
