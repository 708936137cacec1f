/* dialects: `parley dialect list|show|check|test`: the tables, for those who write one. */
#pragma once
#include "base/buf.h"

/* argv: without the program's name and the command. The exit status. */
int dialects_run(int argc, char **argv);
void dialects_print_help(struct buf *out);
