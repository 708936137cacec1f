#include "worker.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "util.h"

#define EVENTS 512
#define WAIT_NS (20 * NS_PER_MS)
#define OPENING_WAIT_NS (2 * NS_PER_MS)
#define TICK_NS (200 * NS_PER_MS)

static const struct mode *const modes[MODES] = {
	[MODE_ECHO] = &echo_mode,     [MODE_ROOM] = &room_mode,
	[MODE_IDLE] = &idle_mode,     [MODE_STORM] = &storm_mode,
	[MODE_RESUME] = &resume_mode,
};

static void make_conns(struct worker *w, const struct worker_share *share)
{
	w->nconns = share->conns;
	w->nrooms = share->rooms;
	w->conns = xzalloc(w->nconns * sizeof(*w->conns));
	srand(w->id * 7919 + 17);
	for (uint32_t i = 0; i < w->nconns; i++) {
		struct conn *c = &w->conns[i];

		c->w = w;
		c->fd = -1;
		c->id = share->first_conn + i;
		for (int k = 0; k < 4; k++)
			c->mask[k] = (unsigned char)rand();
		c->room = options_rooms() ? share->first_room + i / opt.members : c->id;
		c->member = options_rooms() ? i % opt.members : 0;
	}
}

static void follow_phase(struct worker *w, const struct shared *shared)
{
	enum phase p = atomic_load_explicit(&shared->phase, memory_order_acquire);

	if (p == w->phase)
		return;
	if (p == PHASE_MEASURE)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &w->stats->cpu_from);
	if (p == PHASE_DRAIN)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &w->stats->cpu_to);
	w->phase = p;
}

/* Keeps --concurrency handshakes going until all connections are open. */
static void open_more(struct worker *w)
{
	uint32_t settled = atomic_load(&w->stats->ready) + atomic_load(&w->stats->failed);

	while (w->opened < w->nconns && w->opened - settled < opt.concurrency)
		conn_open(&w->conns[w->opened++]);
	if (w->opened < w->nconns)
		w->wait_ns = OPENING_WAIT_NS;
}

static void start_once(struct worker *w)
{
	if (w->started || w->phase < PHASE_WARM)
		return;
	w->started = true;
	if (w->mode.start)
		w->mode.start(w);
}

static void on_event(struct conn *c, uint32_t events)
{
	if (c->fd < 0)
		return;
	if (c->state == CONN_CONNECTING) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			conn_connected(c);
		return;
	}
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		conn_read(c);
	if (c->fd >= 0 && (events & EPOLLOUT) && c->wants_out) {
		int err = conn_flush(c);
		if (err < 0)
			conn_fail(c, "write", -err);
	}
}

static void wait_and_serve(struct worker *w)
{
	struct epoll_event ev[EVENTS];
	struct timespec limit = { .tv_nsec = (long)w->wait_ns };
	int n = epoll_pwait2(w->epoll, ev, EVENTS, &limit, NULL);

	for (int i = 0; i < n; i++) {
		/* Late enough for latency, and a clock read less for most events. */
		if (i % 8 == 0 || opt.depth > 1)
			w->now = now_ns();
		on_event(ev[i].data.ptr, ev[i].events);
	}
}

_Noreturn static void out_of_time(int sig)
{
	(void)sig;
	_exit(3);
}

/* Dies with its parent, and by itself when a run hangs. */
static void guard(unsigned limit_s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1);
	signal(SIGALRM, out_of_time);
	alarm(limit_s);
}

static void init(struct worker *w, const struct worker_share *share)
{
	w->mode = *modes[opt.mode];
	w->fan = 1;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		die("no epoll");
	make_conns(w, share);
	if (w->mode.init)
		w->mode.init(w);
	if (opt.rate > 0)
		pace_take_over(&w->mode);
}

void worker_run(struct shared *shared, unsigned id, const struct worker_share *share,
		unsigned limit_s)
{
	struct worker w = { .id = id, .stats = &shared->of[id] };
	uint64_t ticked = now_ns();

	guard(limit_s);
	init(&w, share);
	for (;;) {
		follow_phase(&w, shared);
		if (w.phase == PHASE_QUIT)
			_exit(0); /* the kernel closes what is open */
		w.wait_ns = WAIT_NS;
		open_more(&w);
		start_once(&w);
		if (w.mode.turn)
			w.mode.turn(&w);
		wait_and_serve(&w);
		w.now = now_ns();
		if (w.now - ticked > TICK_NS) {
			ticked = w.now;
			if (w.mode.tick)
				w.mode.tick(&w);
		}
	}
}
