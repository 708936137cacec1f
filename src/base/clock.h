/* clock: time in milliseconds. Protocol code takes `now` as a parameter; only loops and logs
 * ask the clock.
 */
#pragma once
#include <stdint.h>
#include "base/buf.h"

/* A span or a moment; a plain number, so the one typedef that is not of a function. */
typedef int64_t ms_t;

ms_t clock_mono(void); /* since some moment; never jumps back */
ms_t clock_wall(void); /* since 1970-01-01 UTC */
uint64_t clock_mono_us(void);
/* "2026-11-20T10:53:49.123Z" */
void clock_iso(struct buf *b, ms_t wall);
