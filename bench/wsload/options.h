/* options: the command line of wsload, read once before anything else happens. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mode_id { MODE_ECHO, MODE_ROOM, MODE_IDLE, MODE_STORM, MODE_RESUME, MODES };

#define OPTIONS_MAX_PIDS 64

struct options {
	enum mode_id mode;
	const char *mode_name;
	uint32_t port, conns, depth, size, rooms, members, senders, window, slow, own;
	uint32_t procs, concurrency, spread, stall_ms;
	double rate, duration, warmup, hold, connect_timeout;
	const char *host, *path, *header, *first, *await, *msg, *close, *label, *proto;
	bool sio; /* Socket.IO: a namespace is joined before anything is said */
	bool tcp; /* bare messages of `size` bytes: no upgrade, no frames */
	const char *pids_text;
	pid_t pids[OPTIONS_MAX_PIDS];
	size_t npids;
	struct in_addr addr;
};

extern struct options opt;

/* Fills `opt`; ends the program with a usage text or a reason when it cannot. */
void options_read(int argc, char **argv);
/* The connections sit in rooms. */
static inline bool options_rooms(void)
{
	return opt.mode == MODE_ROOM || opt.mode == MODE_RESUME;
}
/* Raises the descriptor limit, and `opt.procs` to what the connections need. */
void options_fit_descriptors(void);
