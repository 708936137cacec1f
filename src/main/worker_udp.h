/* worker_udp: what a worker does with datagrams: its sockets on the server's ports, its TURN server, and the ports
 * that only TURN has. Datagrams are told apart by their first byte (RFC 7983).
 */
#pragma once
#include "main/worker.h"

struct worker_udp;
/* TURN shares the TCP ports of `http`, which asks it about each connection's first bytes. */
int worker_udp_create(struct worker_udp **out, struct loop *l,
		      const struct worker_shared *shared, struct http_server *http,
		      struct tls_context *tls, struct buf *why) NODISCARD;
void worker_udp_destroy(struct worker_udp *w);
/* Its TURN server; NULL of NULL. */
struct turn_server *worker_udp_turn(const struct worker_udp *w);
/* No new connections and relays; those that are there go on until they end, or the process. */
void worker_udp_drain(struct worker_udp *w);
