#include "options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "stamp.h"
#include "util.h"

#define MAX_PROCS 200
#define MAX_SIZE 60000
#define SPARE_DESCRIPTORS 64 /* of each process: epoll, files of /proc, ... */

struct options opt = {
	.conns = 100,
	.depth = 1,
	.size = 64,
	.rooms = 10,
	.members = 10,
	.window = 1,
	.procs = 1,
	.concurrency = 64,
	.spread = 10000,
	.stall_ms = 2000,
	.duration = 5,
	.warmup = 1,
	.hold = 5,
	.connect_timeout = 60,
	.host = "127.0.0.1",
	.path = "/",
	.msg = "{stamp}{pad}",
	.close = "rst",
	.label = "",
	.proto = "ws",
};

static const char *const mode_names[MODES] = {
	[MODE_ECHO] = "echo",   [MODE_ROOM] = "room",     [MODE_IDLE] = "idle",
	[MODE_STORM] = "storm", [MODE_RESUME] = "resume",
};

enum kind { COUNT, REAL, TEXT };

static const struct row {
	const char *name;
	enum kind kind;
	void *at;
	const char *help;
} rows[] = {
	{ "--host", TEXT, &opt.host, "IPv4 address of the server" },
	{ "--port", COUNT, &opt.port, "its port" },
	{ "--path", TEXT, &opt.path, "request target, a template" },
	{ "--proto", TEXT, &opt.proto,
	  "ws; sio: Socket.IO over its WebSocket; tcp: --size bytes and nothing else" },
	{ "--header", TEXT, &opt.header, "one more request header, 'Name: value'" },
	{ "--pid", TEXT, &opt.pids_text,
	  "server processes P[,P...]: their CPU and memory" },
	{ "--conns", COUNT, &opt.conns, "echo, idle: connections" },
	{ "--depth", COUNT, &opt.depth, "echo: messages in flight on each" },
	{ "--size", COUNT, &opt.size, "bytes of stamp and padding in a message" },
	{ "--rate", REAL, &opt.rate,
	  "messages per second in all; 0: as fast as answered" },
	{ "--rooms", COUNT, &opt.rooms, "room, resume: rooms" },
	{ "--members", COUNT, &opt.members, "room, resume: members of each" },
	{ "--senders", COUNT, &opt.senders, "room: only the first so many send" },
	{ "--window", COUNT, &opt.window, "room: messages in flight in each" },
	{ "--slow", COUNT, &opt.slow, "room: the last so many join and never read" },
	{ "--own", COUNT, &opt.own, "room: copies of a message that its sender gets" },
	{ "--first", TEXT, &opt.first, "sent once when connected, a template" },
	{ "--await", TEXT, &opt.await, "ready when a text that holds this came" },
	{ "--msg", TEXT, &opt.msg, "the message, a template with {stamp}" },
	{ "--duration", REAL, &opt.duration, "seconds measured (resume: at most)" },
	{ "--warmup", REAL, &opt.warmup, "seconds of traffic before" },
	{ "--hold", REAL, &opt.hold, "idle: seconds of quiet measured" },
	{ "--connect-timeout", REAL, &opt.connect_timeout, "seconds to open all" },
	{ "--stall-ms", COUNT, &opt.stall_ms, "room: a message is lost after" },
	{ "--procs", COUNT, &opt.procs, "processes of the generator" },
	{ "--concurrency", COUNT, &opt.concurrency, "handshakes at a time and process" },
	{ "--spread", COUNT, &opt.spread, "connections per source address" },
	{ "--close", TEXT, &opt.close, "storm: rst or ws" },
	{ "--label", TEXT, &opt.label, "copied into the report" },
};

_Noreturn static void usage(void)
{
	fputs("usage: wsload echo|room|idle|storm|resume --port N [options]\n", stderr);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fprintf(stderr, "  %-18s %s\n", rows[i].name, rows[i].help);
	fputs("templates: {stamp} {pad} {room} {id} {member}\n", stderr);
	exit(2);
}

static uint32_t count_of(const char *name, const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || v > 10000000)
		die("%s: '%s' is no count", name, text);
	return (uint32_t)v;
}

static double real_of(const char *name, const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= 0 && v <= 1e7))
		die("%s: '%s' is no number", name, text);
	return v;
}

static void set(const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		if (strcmp(r->name, name) != 0)
			continue;
		switch (r->kind) {
		case COUNT:
			*(uint32_t *)r->at = count_of(name, value);
			return;
		case REAL:
			*(double *)r->at = real_of(name, value);
			return;
		case TEXT:
			*(const char **)r->at = value;
			return;
		}
	}
	die("unknown option %s", name);
}

static void read_mode(const char *name)
{
	for (int i = 0; i < MODES; i++)
		if (strcmp(name, mode_names[i]) == 0) {
			opt.mode = (enum mode_id)i;
			opt.mode_name = name;
			return;
		}
	usage();
}

static void read_pids(void)
{
	char *end;

	for (const char *p = opt.pids_text; p && *p; p = *end == ',' ? end + 1 : end) {
		long pid = strtol(p, &end, 10);

		if (end == p || pid <= 0 || opt.npids == OPTIONS_MAX_PIDS)
			die("--pid: '%s' is no list of processes", opt.pids_text);
		opt.pids[opt.npids++] = (pid_t)pid;
	}
}

static void read_proto(void)
{
	opt.sio = strcmp(opt.proto, "sio") == 0;
	opt.tcp = strcmp(opt.proto, "tcp") == 0;
	if (!opt.sio && !opt.tcp && strcmp(opt.proto, "ws") != 0)
		die("--proto must be ws, sio or tcp");
}

static void check(void)
{
	if (opt.port == 0 || opt.port > 65535)
		die("--port is needed");
	if (opt.size < STAMP_LEN || opt.size > MAX_SIZE)
		die("--size must be %d to %d", STAMP_LEN, MAX_SIZE);
	if (!opt.depth || !opt.window || !opt.members || !opt.rooms || !opt.conns ||
	    !opt.procs || !opt.concurrency || !opt.spread || opt.duration <= 0)
		die("counts must be positive");
	if (opt.tcp && opt.mode != MODE_ECHO && opt.mode != MODE_ROOM)
		die("--proto tcp is for echo and room");
	if (inet_pton(AF_INET, opt.host, &opt.addr) != 1)
		die("--host must be an IPv4 address");
	if (opt.mode == MODE_ROOM && opt.members + opt.own < opt.slow + 2)
		die("a room needs a sender and a receiver");
	if (opt.mode == MODE_RESUME && (!opt.first || !opt.await))
		die("resume needs --first and --await");
}

static void derive(void)
{
	if (opt.mode == MODE_STORM)
		opt.conns = opt.concurrency * opt.procs;
	if (!options_rooms())
		return;
	uint32_t reading = opt.members - opt.slow;
	opt.conns = opt.rooms * opt.members;
	if (opt.senders == 0 || opt.senders > reading)
		opt.senders = reading;
	if (opt.procs > opt.rooms)
		opt.procs = opt.rooms;
}

void options_read(int argc, char **argv)
{
	if (argc < 2 || argc % 2 != 0)
		usage();
	read_mode(argv[1]);
	for (int i = 2; i < argc; i += 2)
		set(argv[i], argv[i + 1]);
	read_pids();
	read_proto();
	check();
	derive();
}

void options_fit_descriptors(void)
{
	struct rlimit rl;

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	uint32_t each = rl.rlim_max > 1000000 ? 1000000 : (uint32_t)rl.rlim_max;
	each = each > 2 * SPARE_DESCRIPTORS ? each - SPARE_DESCRIPTORS
					    : SPARE_DESCRIPTORS;

	/* A room stays in one process: its members take turns. */
	uint32_t unit = options_rooms() ? opt.members : 1;
	uint32_t units = options_rooms() ? opt.rooms : opt.conns;
	if (unit > each)
		die("a room of %u does not fit into %u descriptors", unit, each);
	while (opt.mode != MODE_STORM &&
	       (units + opt.procs - 1) / opt.procs * unit > each)
		opt.procs++;
	if (opt.procs > MAX_PROCS)
		die("too many processes");
}
