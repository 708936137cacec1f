/* token: `parley token create`, and the keys that the settings name. */
#pragma once
#include "auth/keys.h"
#include "main/config.h"

/* auth.key, auth.jwks and what belongs to them. A line for people in `why`. */
int token_open_keys(const struct config *c, struct auth_keys **out, struct buf *why)
	NODISCARD;
/* What auth.key says by now: flags, environment and files are read anew. The log has what came of it; when anything is wrong the
 * old ones stay. */
void token_reload_keys(const struct config *c, struct auth_keys *keys);
/* The command, without its name. Returns the exit status. */
int token_run(int argc, char **argv);
void token_print_help(struct buf *out);
