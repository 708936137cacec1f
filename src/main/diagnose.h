/* diagnose: the commands that look at a deployment: parley doctor, parley ports. */
#pragma once
#include "main/config.h"

/* parley doctor [--url URL] [--token TOKEN] [--json] [options]: without a URL the server that these settings
 * start. The exit status. */
int diagnose_doctor(int argc, char **argv);
/* parley ports: what a firewall must let through for these settings. The exit status. */
int diagnose_ports(const struct config *c, const struct option_set *set);
void diagnose_print_help(struct buf *out);
