/* diagnose: the commands that look at a deployment: parley doctor, parley ports. */
#pragma once

/* parley doctor [--url URL] [--token TOKEN] [--json] [options]: without a URL the server that these settings
 * start. The exit status. */
int diagnose_doctor(int argc, char **argv);
/* parley ports [options]: what a firewall must let through for these settings. The exit status. */
int diagnose_ports(int argc, char **argv);
