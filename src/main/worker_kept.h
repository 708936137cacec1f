/* worker_kept: what a worker's parts have kept in the store is given back to them: revoked tokens to its gate, bans and
 * settings of rooms, and rooms of the co-working API, to where they live.
 *
 * At the start the main thread does it, before anybody connects. A database that is not there yet is asked
 * from the worker's loop until it has told all.
 */
#pragma once
#include "dialect/coworking.h"
#include "store/note.h"

struct worker_kept;

/* All must outlive it but the dialect's store desk, which goes first. `coworking`: NULL where its rooms do not live. */
struct worker_kept *worker_kept_create(struct loop *l, unsigned workers,
				       struct dialect *dialect,
				       struct coworking *coworking);
void worker_kept_destroy(struct worker_kept *k);
/* A store_note_fn; arg: a worker_kept. */
void worker_kept_take(void *arg, const struct store_note *n);
/* From any thread, before the worker runs. */
void worker_kept_ask(struct worker_kept *k);
