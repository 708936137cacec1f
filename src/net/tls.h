/* tls: certificates and the settings of TLS 1.2/1.3 (OpenSSL 3), shared by all streams of
 * a loop.
 *
 * One tls_context per loop; it looks at the files' times every two seconds and takes a
 * changed pair into use for new connections. A pair that does not load leaves the old one
 * in use and is logged. So is tls_context_reload(), at once.
 */
#pragma once
#include "loop/loop.h"

struct tls_context;

/* Loads certificate chain and key (PEM). E_MALFORMED / -errno; a line for people in
 * `why`. */
int tls_context_create(struct tls_context **out, struct loop *l, const char *cert_file,
		       const char *key_file, struct buf *why) NODISCARD;
void tls_context_destroy(struct tls_context *t);
/* Takes the pair as it is now into use, also when it looks unchanged. Loop thread. */
void tls_context_reload(struct tls_context *t);
/* Makes a self-signed P-256 certificate for `names` (DNS names and IP addresses,
 * comma-separated) unless both files exist. Valid 825 days; made anew when it has
 * expired. */
int tls_self_signed(const char *cert_file, const char *key_file, struct slice names,
		    struct buf *why) NODISCARD;
/* Whether nobody else has signed it, so that no browser trusts it by itself; -errno, E_MALFORMED. */
int tls_is_self_signed(const char *cert_file) NODISCARD;
/* SHA-256 fingerprint of the certificate, "AB:CD:...". */
int tls_fingerprint(const char *cert_file, struct buf *out) NODISCARD;
