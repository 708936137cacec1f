/* dtls: the server's side of DTLS 1.2 (RFC 6347), without sockets: datagrams and the time go in, datagrams and
 * plaintext come out.
 *
 * Owner:  a loop. A dtls_door lets newcomers in: it keeps nothing for who has not returned its cookie (RFC 6347,
 *         4.2.1), so that a flood of hellos from made-up addresses costs an answer each.
 * Memory: a session is some 60 KB while it lives.
 * Limits: a handshake of DTLS_HANDSHAKE; the number of sessions is the caller's to bound.
 */
#pragma once
#include "loop/loop.h"
#include "net/addr.h"

#define DTLS_HANDSHAKE 10000 /* ms */
#define DTLS_MTU 1200        /* of handshake datagrams */
#define DTLS_RECORD 16384    /* plaintext of a record */

struct tls_context;
struct dtls_door;
struct dtls;

typedef void dtls_send_fn(void *arg, struct slice datagram);

/* tls must outlive it. */
struct dtls_door *dtls_door_create(struct tls_context *tls);
void dtls_door_destroy(struct dtls_door *d);
/* A ClientHello of somebody unknown. With the right cookie there is a session, whose handshake has begun; without, it was told
 * one by `send` and the result is NULL. The session keeps send and arg. */
struct dtls *dtls_door_knock(struct dtls_door *d, const struct addr *from,
			     struct slice datagram, dtls_send_fn *send, void *arg);

void dtls_destroy(struct dtls *d); /* says close_notify */
/* Another way for what the session says. */
void dtls_set_output(struct dtls *d, dtls_send_fn *send, void *arg);
/* Takes a datagram, then gives the records in it one by one: bytes into `to` (DTLS_RECORD of them), 0: no more, negative: the
 * session has ended. */
void dtls_feed(struct dtls *d, struct slice datagram);
int dtls_read(struct dtls *d, uint8_t *to) NODISCARD;
/* One record, as one datagram. Lost before the handshake is done. */
void dtls_write(struct dtls *d, struct slice plain);
bool dtls_is_ready(const struct dtls *d);
/* The hello of a client that no longer knows of its session (RFC 6347, 4.2.8): another than the session's own, which may
 * come again. Who stays unknown at the door has not sent it. */
bool dtls_is_anew(const struct dtls *d, struct slice datagram);
/* ms until dtls_tick() is due (a lost flight is sent again); -1: not at all. */
ms_t dtls_timeout(struct dtls *d);
void dtls_tick(struct dtls *d);
