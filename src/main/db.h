/* db: `parley db check|backup FILE|export`, for operators. */
#pragma once
#include "base/buf.h"

/* argv: what follows `db`. The exit status. */
int db_main(int argc, char **argv);
void db_print_help(struct buf *out);
