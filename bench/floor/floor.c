/* floor: the least that a server of rooms can do on TCP with a call for each message: no
 * protocol, no frames, nothing kept. What it costs is the kernel's share of a delivery.
 *
 * What one read brings is one message: true while a connection has one in flight. The
 * text "J<one letter><number>" joins a room and is answered "joined"; each later message
 * goes to the other members, by one send each. Before a join messages are echoed.
 *
 * Events are edge-triggered, which spares the kernel a second look at each socket. Sends
 * block: who does not read stops everybody.
 *
 *   floor PORT [seconds to live, default 600]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_DESCRIPTORS (1 << 20)
#define MAX_ROOMS (1 << 16)
#define EVENTS 1024
#define LIFE_S 600

struct room {
	int *members;
	uint32_t count, cap;
};

/* Untouched pages of both cost nothing. */
static struct room rooms[MAX_ROOMS];
static struct room *room_of[MAX_DESCRIPTORS];
static char in[1 << 19];
static int epoll;

_Noreturn static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* A connection that fails is heard of when it is read. */
static void put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(fd, p, n, MSG_NOSIGNAL);

		if (k < 0)
			return;
		p += k;
		n -= (size_t)k;
	}
}

static void join(int fd, unsigned long number)
{
	struct room *r = &rooms[number % MAX_ROOMS];

	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 2;
		r->members = realloc(r->members, r->cap * sizeof(*r->members));
		if (!r->members)
			fail("memory");
	}
	r->members[r->count++] = fd;
	room_of[fd] = r;
	put(fd, "joined", 6);
}

static void forget(int fd)
{
	struct room *r = room_of[fd];

	for (uint32_t i = 0; r && i < r->count; i++)
		if (r->members[i] == fd)
			r->members[i] = r->members[--r->count];
	room_of[fd] = NULL;
	close(fd);
}

static void on_message(int fd, const char *p, size_t n)
{
	const struct room *r = room_of[fd];

	if (r) {
		for (uint32_t i = 0; i < r->count; i++)
			if (r->members[i] != fd)
				put(r->members[i], p, n);
	} else if (p[0] == 'J' && n > 2) {
		join(fd, strtoul(p + 2, NULL, 10));
	} else {
		put(fd, p, n);
	}
}

/* A read that leaves room has emptied the socket: the next bytes are a new edge. Only an
 * end that came with them has none of its own.
 */
static void on_readable(int fd, bool ends)
{
	const size_t most = sizeof(in) - 1;
	ssize_t n;

	do {
		n = recv(fd, in, most, MSG_DONTWAIT);
		if (n <= 0)
			break;
		in[n] = '\0';
		on_message(fd, in, (size_t)n);
	} while ((size_t)n == most || ends);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		forget(fd);
}

static void accept_all(int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct epoll_event e = {
			.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
			.data.fd = fd,
		};

		if (fd >= MAX_DESCRIPTORS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
	}
}

static int listen_on(uint16_t port)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4096) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		fail("listen");
	return fd;
}

_Noreturn static void serve(int listener)
{
	static struct epoll_event ev[EVENTS];

	for (;;) {
		int n = epoll_wait(epoll, ev, EVENTS, -1);

		for (int i = 0; i < n; i++)
			if (ev[i].data.fd == listener)
				accept_all(listener);
			else
				on_readable(ev[i].data.fd, ev[i].events != EPOLLIN);
	}
}

int main(int argc, char **argv)
{
	struct rlimit rl;

	if (argc < 2) {
		fputs("usage: floor PORT [seconds to live]\n", stderr);
		return 2;
	}
	alarm(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : LIFE_S);
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		fail("start");
	serve(listen_on((uint16_t)strtoul(argv[1], NULL, 10)));
}
