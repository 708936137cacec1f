/* refws PORT [seconds to live, default 600] */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "refws.h"

#define EVENTS 1024
#define LIFE_S 600

struct conn *conns;
int epoll;

_Noreturn static void fail(const char *what)
{
	perror(what);
	exit(1);
}

void *grow(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p)
		fail("memory");
	return p;
}

static int listen_on(uint16_t port)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4096) < 0)
		fail("listen");
	return fd;
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		conn_accepted(fd);
}

_Noreturn static void serve(int listener)
{
	static struct epoll_event ev[EVENTS];
	struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		int n = epoll_wait(epoll, ev, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;

			if (fd == listener) {
				accept_all(listener);
				continue;
			}
			if (ev[i].events & EPOLLOUT)
				conn_writable(fd);
			if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
				conn_readable(fd);
		}
		rooms_flush();
	}
}

int main(int argc, char **argv)
{
	struct rlimit rl;

	if (argc < 2) {
		fputs("usage: refws PORT [seconds to live]\n", stderr);
		return 2;
	}
	alarm(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : LIFE_S);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);

	/* Untouched pages of it cost nothing. */
	conns = calloc(MAX_DESCRIPTORS, sizeof(*conns));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!conns || epoll < 0)
		fail("start");
	serve(listen_on((uint16_t)strtoul(argv[1], NULL, 10)));
}
