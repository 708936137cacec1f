/* tools: what an operator does with a database: also while a server uses it. Lines for people in `why`. */
#pragma once
#include "store/store.h"

/* E_MALFORMED: it is damaged, and `why` has how. */
int store_check(const struct store_settings *s, struct buf *why) NODISCARD;
/* A copy as of one moment, in a new file. */
int store_backup(const struct store_settings *s, const char *to, struct buf *why)
	NODISCARD;
/* All messages, one JSON object a line, room by room. */
typedef void store_line_fn(void *arg, struct slice line);
int store_export(const struct store_settings *s, store_line_fn *fn, void *arg,
		 struct buf *why) NODISCARD;
