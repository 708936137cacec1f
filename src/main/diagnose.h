/* diagnose: the commands that look at a deployment: parley doctor. */
#pragma once

/* parley doctor [--url URL] [--token TOKEN] [--json] [options]: without a URL the server that these settings
 * start. The exit status. */
int diagnose_doctor(int argc, char **argv);
