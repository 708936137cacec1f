/* dialects: `parley dialect list|show|check|test`: the tables, for those who write one. */
#pragma once

/* argv: without the program's name and the command. The exit status. */
int dialects_run(int argc, char **argv);
