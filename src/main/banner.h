/* banner: what the start prints on standard output: first a line for programs, then for people. */
#pragma once
#include "base/buf.h"
#include "net/addr.h"

/* {"event":"ready","urls":["http://127.0.0.1:8443",...],"pid":N}, then the links to a new room and, on a terminal, the
 * QR code of the one that other machines can use. */
void banner_print(const struct addr *listen, size_t count, const char *cert_file,
		  bool self_signed);
