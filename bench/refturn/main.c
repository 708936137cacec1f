/* refturn PORT [seconds to live, default 600] */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../turnload/udp.h"
#include "refturn.h"

#define EVENTS 256
#define LIFE_S 600
#define CLIENTS_BUFFER (32 << 20)

int clients;
static int epoll;

_Noreturn static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int open_socket(uint16_t port, int buffer, struct alloc *a)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = a };
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (fd < 0)
		return -1;
	udp_enlarge(fd, buffer);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

_Noreturn static void serve(void)
{
	struct epoll_event ev[EVENTS];

	for (;;) {
		int n = epoll_wait(epoll, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct alloc *a = ev[i].data.ptr;

			if (!a)
				up_readable();
			else if (a->used)
				down_readable(a);
		}
		down_flush();
	}
}

int main(int argc, char **argv)
{
	struct rlimit rl;

	if (argc < 2) {
		fputs("usage: refturn PORT [seconds to live]\n", stderr);
		return 2;
	}
	alarm(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : LIFE_S);
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);

	request_start();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	clients = open_socket((uint16_t)strtoul(argv[1], NULL, 10), CLIENTS_BUFFER, NULL);
	if (epoll < 0 || clients < 0)
		fail("start");
	serve();
}
