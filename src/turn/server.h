/* server: a worker's TURN server on its sockets: datagrams and connections in, relay sockets out.
 *
 * Owner: a loop. Where datagrams and streams come from (which port, which other protocols share it) is
 *        the business of who calls it.
 * Limits: turn/turn.h; a connection without an allocation is closed after TURN_IDLE.
 */
#pragma once
#include "net/stream.h"
#include "net/udp.h"
#include "turn/turn.h"

#define TURN_IDLE 60000

struct turn_server;
struct turn_wiring {
	struct loop *loop;
	struct udp_pool *pool;
	struct tls_context *tls; /* for DTLS; NULL: none */
	int64_t max_dtls;        /* sessions of the process */
	unsigned workers;        /* of the process */
	unsigned
		mail; /* a kind of mail of its own, between the TURN servers of the workers */
};
struct turn_server *turn_server_create(const struct turn_wiring *w,
				       const struct turn_settings *s);
void turn_server_destroy(struct turn_server *s);
/* The process will end: no new allocations (508), and connections close as soon as theirs has ended. */
void turn_server_drain(struct turn_server *s);

/* A datagram that came to a listening socket: STUN, ChannelData or DTLS. */
void turn_server_datagram(struct turn_server *s, struct udp *u,
			  const struct udp_packet *p);
/* Whether a connection that begins so is one for turn_server_take(): 1 yes, 0 no, -EAGAIN: too few bytes to
 * tell. ChannelData never begins a connection. */
int turn_server_wants(const uint8_t *p, size_t n);
/* A connection to a port that is TURN's alone; takes the descriptor. tls may be NULL. */
void turn_server_accept(struct turn_server *s, int fd, const struct addr *peer,
			const struct stream_limits *limits, struct tls_context *tls);
/* Takes over a stream whose first bytes are still unread. */
void turn_server_take(struct turn_server *s, struct stream *stream);

/* A credential for `who` that bars new allocations after `life`. E_NOT_FOUND without a secret. */
int turn_server_credential(struct turn_server *s, struct slice who, ms_t life,
			   struct turn_credential *out) NODISCARD;
/* Why credentials of that name were refused lately, the newest first; only for names that expire. */
size_t turn_server_refusals(const struct turn_server *s, struct slice user,
			    struct turn_refused *out, size_t max);
/* --- sessions, by the number that settings.session_of() gives --- */
void turn_server_open_session(struct turn_server *s, uint64_t session);
/* Barred: its relays on all workers end now, and there will be no new ones until it is allowed again. */
void turn_server_bar_session(struct turn_server *s, uint64_t session, bool barred);
void turn_server_close_session(struct turn_server *s, uint64_t session);
