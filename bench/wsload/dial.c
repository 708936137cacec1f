/* dial: from nothing to a sent upgrade request, or what takes its place. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "conn.h"
#include "options.h"
#include "util.h"
#include "worker.h"

#define STORM_PER_SOURCE 4096

static bool is_loopback(struct in_addr a)
{
	return ntohl(a.s_addr) >> 24 == 127;
}

/* 127.10+w.x.y: many source addresses, so that ports do not run out. */
static int bind_source(struct conn *c)
{
	static uint32_t storm_opened;
	int one = 1;
	uint32_t k = opt.mode == MODE_STORM ? storm_opened++ / STORM_PER_SOURCE % 200
					    : c->id / opt.spread;
	uint32_t host = (10 + c->w->id) << 16 | (k / 250) << 8 | (1 + k % 250);
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000000u | host),
	};

	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(c->fd, (struct sockaddr *)&from, sizeof(from));
}

void conn_open(struct conn *c)
{
	int one = 1;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)opt.port),
		.sin_addr = opt.addr,
	};
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };

	c->state = CONN_CONNECTING;
	c->opened_at = now_ns();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		conn_fail(c, "socket", errno);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (is_loopback(opt.addr) && bind_source(c) < 0) {
		conn_fail(c, "bind to the source address", errno);
		return;
	}
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS) {
		conn_fail(c, "connect", errno);
		return;
	}
	if (epoll_ctl(c->w->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		die("epoll_ctl fails");
	c->wants_out = true;
}

static void request_upgrade(struct conn *c)
{
	char request[2048];
	size_t path_n, stamp_at;

	const char *path = conn_expand(c, opt.path, &path_n, &stamp_at);
	/* The key is the example of RFC 6455, 1.3; receive.c knows its answer. */
	int n = snprintf(request, sizeof(request),
			 "GET %.*s HTTP/1.1\r\n"
			 "Host: %s:%u\r\n"
			 "Upgrade: websocket\r\n"
			 "Connection: Upgrade\r\n"
			 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			 "Sec-WebSocket-Version: 13\r\n"
			 "%s%s\r\n",
			 (int)path_n, path, opt.host, opt.port,
			 opt.header ? opt.header : "", opt.header ? "\r\n" : "");
	if (n < 0 || (size_t)n >= sizeof(request))
		die("--path or --header is too long");
	c->state = CONN_UPGRADING;
	int err = conn_write(c, request, (size_t)n);
	if (err < 0)
		conn_fail(c, "write of the request", -err);
}

void conn_connected(struct conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err) {
		conn_fail(c, "connect", err);
		return;
	}
	conn_want_out(c, false);
	if (opt.tcp)
		conn_begin(c);
	else
		request_upgrade(c);
}
