/* testing: for the unit tests of this folder: clients of a server. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "http/http.h"

/* A new connection; the client's end of it, which does not block. */
static inline int http_test_connect(struct http_server *s)
{
	struct addr peer;
	int pair[2];

	assert_int_equal(addr_parse(&peer, SLICE("192.0.2.1:1234")), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
		0);
	http_server_accept(s, pair[1], &peer);
	return pair[0];
}
