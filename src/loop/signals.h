/* signals: process signals as events of one loop (signalfd).
 *
 * Blocks the signals for the calling thread; call it before other threads are made, so that they
 * inherit that and only this loop sees the signals.
 */
#pragma once
#include "loop/loop.h"

struct loop_signals;
typedef void loop_signal_fn(void *arg, int signal);

/* `list` ends with 0. -errno. */
int loop_signals_open(struct loop_signals **out, struct loop *l, const int *list,
		      loop_signal_fn *fn, void *arg) NODISCARD;
void loop_signals_close(struct loop_signals *s);
