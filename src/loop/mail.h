/* mail: typed values between the loops of this process.
 *
 * Mail is copied bytes of a kind. What one turn sends to another loop is gathered and
 * handed over in one batch at the turn's end, with one wake-up (eventfd) when the
 * receiver sleeps; between two loops the order is kept. bus/ has the list of kinds; each
 * loop's handlers are registered before it runs. A batch is never lost while its receiver
 * lives; a loop that does not drain is bounded by what its senders are bounded by.
 */
#pragma once
#include "base/slice.h"
#include "loop/loop.h"

/* Runs on the receiving loop; `body` is valid during the call and aligned to 8 bytes. */
typedef void loop_mail_fn(void *arg, unsigned from, struct slice body);

#define LOOP_MAIL_KINDS 64
/* One handler per kind and loop, registered before the loop runs. */
void loop_mail_handler(struct loop *l, unsigned kind, loop_mail_fn *fn, void *arg);
/* To the loop with that id; also to oneself (arrives next turn). Only from a loop's
 * thread. */
void loop_mail_send(unsigned to, unsigned kind, struct slice body);
