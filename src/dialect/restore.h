/* restore: sessions of before a restart, and their seats, brought back as if their connections had just
 * broken: away, with a whole grace to come back.
 *
 * Threads: read on the main thread before the workers run; each worker then takes what is its own, on
 *          its loop, before anybody connects.
 */
#pragma once
#include "dialect/dialect.h"

struct restored; /* what one worker has to bring back */

/* Fills out[0..workers); each is for dialect_restore() or, unused, for dialect_restore_drop(). NULL: nothing. */
void dialect_restore_read(struct store *s, unsigned workers, struct restored **out);
/* Takes `r`, which may be NULL. */
void dialect_restore(struct dialect *d, struct restored *r);
void dialect_restore_drop(struct restored *r);
