/* tls_private: between tls.c and stream_tls.c. */
#pragma once
#include <openssl/ssl.h>
#include "net/tls.h"

/* A server's side of a new connection, with the certificate of the moment. */
SSL *tls_session(struct tls_context *t);
/* OpenSSL's reason for the last failure of this thread. */
const char *tls_reason(void);
