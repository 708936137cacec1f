/* serve: the life of the server process: start, signals, drain, end. */
#pragma once
#include "main/config.h"

/* Returns the exit status. */
int serve_run(const struct config *c);
