/* tools: what an operator does with a database: also while a server uses it. Lines for people in `why`. */
#pragma once
#include "store/store.h"

/* E_MALFORMED: it is damaged, and `why` has how. */
int store_check(const struct store_settings *s, struct buf *why) NODISCARD;
/* What a file contains, by its hash: once for each. E_NOT_FOUND: it is not there, and the others may be; after another error
 * there is no next. */
typedef int store_content_fn(void *arg, struct slice hash, uint64_t size);
/* All that the database names. The number of those that are not there, or an error. */
int store_contents(const struct store_settings *s, store_content_fn *fn, void *arg,
		   struct buf *why) NODISCARD;
/* A copy as of one moment, in a new file, and `fn` for all that it names. What is not there any more may have gone with its
 * message meanwhile: then another copy is made. Returns as above. */
int store_backup(const struct store_settings *s, const char *to, store_content_fn *fn,
		 void *arg, struct buf *why) NODISCARD;
/* All messages, one JSON object a line, room by room. */
typedef void store_line_fn(void *arg, struct slice line);
int store_export(const struct store_settings *s, store_line_fn *fn, void *arg,
		 struct buf *why) NODISCARD;
