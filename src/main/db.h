/* db: `parley db check|backup FILE|export`, for operators. */
#pragma once

/* argv: what follows `db`. The exit status. */
int db_main(int argc, char **argv);
