/* link: a connection to a server under examination: TCP, TLS, UDP or DTLS, blocking with a deadline.
 *
 * The doctor is a command of its own, one step after the other, so it waits where it stands; the
 * server's loops never use this. A link belongs to its caller and holds one descriptor.
 */
#pragma once
#include <openssl/ssl.h>
#include "base/clock.h"
#include "net/addr.h"

enum link_kind { LINK_TCP, LINK_TLS, LINK_UDP, LINK_DTLS };

struct link {
	int fd;      /* -1: not connected */
	bool stream; /* TCP, TLS: nothing is lost */
	SSL *ssl;    /* TLS, DTLS */
	struct addr peer, local;
	ms_t connect_ms, tls_ms; /* what each took */
	long trust;     /* X509_V_OK, or why the chain is not trusted; TLS, DTLS */
	ms_t cert_days; /* until the certificate ends */
};

enum link_kind link_kind(bool tls, bool tcp);
/* An address of that name in a family; false: it has none. */
bool link_resolve(struct slice host, int family, struct addr *out);
/* Resolves `host` (a name or an address), tries its addresses in turn, and shakes hands for TLS. A certificate
 * that is not trusted is noted, not refused. -errno, E_NOT_FOUND (no such host), E_TIMEOUT, E_MALFORMED (TLS
 * failed; the reason in `why`). Close it either way. */
int link_open(struct link *l, enum link_kind kind, struct slice host, uint16_t port,
	      ms_t timeout, struct buf *why) NODISCARD;
void link_close(struct link *l);
/* UDP alone: speaks to, and hears, somebody else from now on, from the same port. -errno */
int link_redirect(struct link *l, const struct addr *to) NODISCARD;
/* All of it. -errno, E_TIMEOUT. */
int link_send(struct link *l, struct slice bytes, ms_t timeout) NODISCARD;
/* What is there, at most n bytes and at least one (UDP: one datagram); 0 at the end. -errno, E_TIMEOUT. */
ssize_t link_receive(struct link *l, uint8_t *p, size_t n, ms_t timeout) NODISCARD;
