/* doctor: looks at a running server as its clients do and says which hop fails and which setting cures it:
 * TCP, TLS and certificate, clock, WebSocket, polling, STUN and each relay.
 *
 * A command of its own: it blocks, and ends within some seconds per check. docs/turn.md has the list of findings.
 */
#pragma once
#include <stdbool.h>

struct doctor_options {
	const char *url;   /* "https://host:port" */
	const char *token; /* for servers with tokens; "" without */
	bool json;
};

/* The exit status: 0, 1 when something failed, 2 when the URL is none. */
int doctor_run(const struct doctor_options *o);
