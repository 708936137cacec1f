/* tls_private: between tls.c and stream_tls.c. */
#pragma once
#include <openssl/ssl.h>
#include "net/tls.h"

/* A server's side of a new connection, with the certificate of the moment. */
SSL *tls_session(struct tls_context *t);
/* The same for DTLS, and whether a session has the certificate of the moment. */
SSL *tls_dtls_session(struct tls_context *t);
bool tls_dtls_is_current(const struct tls_context *t, const SSL *ssl);
/* dtls.c: what the settings of DTLS have beside those of TLS. */
void tls_set_up_dtls(SSL_CTX *ctx);
/* A BIO without a socket: reads and writes are ours, its owner is its data. Never NULL. */
typedef int tls_bio_read_fn(BIO *bio, char *to, int n);
typedef int tls_bio_write_fn(BIO *bio, const char *from, int n);
BIO_METHOD *tls_bio_method(const char *name, tls_bio_read_fn *read,
			   tls_bio_write_fn *write);
/* OpenSSL's reason for the last failure of this thread. */
const char *tls_reason(void);
