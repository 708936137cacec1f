#include "loop/signals.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/mem.h"

struct loop_signals {
	struct loop_io io;
	struct loop *loop;
	loop_signal_fn *fn;
	void *arg;
};

static void on_signal(struct loop_io *io, uint32_t events)
{
	struct loop_signals *s = container_of(io, struct loop_signals, io);
	struct signalfd_siginfo info;

	(void)events;
	if (read(io->fd, &info, sizeof(info)) == sizeof(info))
		s->fn(s->arg, (int)info.ssi_signo);
}

int loop_signals_open(struct loop_signals **out, struct loop *l, const int *list,
		      loop_signal_fn *fn, void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	for (; *list; list++)
		sigaddset(&set, *list);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct loop_signals *s = xzalloc(sizeof(*s));
	s->loop = l;
	s->fn = fn;
	s->arg = arg;
	int err = loop_io_add(l, &s->io, fd, EPOLLIN, on_signal);
	if (err < 0) {
		close(fd);
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

void loop_signals_close(struct loop_signals *s)
{
	if (!s)
		return;
	loop_io_del(s->loop, &s->io);
	close(s->io.fd);
	free(s);
}
