/* listen: TCP listeners, one socket per worker and address (SO_REUSEPORT), so the kernel
 * spreads connections and no worker wakes another to accept.
 */
#pragma once
#include "loop/loop.h"
#include "net/addr.h"

/* Binds without SO_REUSEPORT and lets go again, so that a second server on the port is an
 * error and not a silent share. Fills in the port when it was 0. Returns a socket bound
 * with SO_REUSEPORT that holds the port until the workers have theirs (close it then), or
 * -errno. */
int listen_reserve(struct addr *a) NODISCARD;

struct listener;
/* Takes the descriptor (non-blocking, close-on-exec, TCP_NODELAY set). */
typedef void listen_accept_fn(void *arg, int fd, const struct addr *peer);
/* dual stack when the address is [::]. -errno. */
int listen_open(struct listener **out, struct loop *l, const struct addr *a,
		listen_accept_fn *fn, void *arg) NODISCARD;
/* Stops accepting. */
void listen_close(struct listener *ln);

/* The other direction: begins to connect from an address that somebody listens on (by listen_open()) to another. The
 * descriptor (non-blocking, close-on-exec, TCP_NODELAY), or -errno; writable: listen_connect_result() says how it went. */
int listen_connect(const struct addr *from, const struct addr *to) NODISCARD;
int listen_connect_result(int fd) NODISCARD;
