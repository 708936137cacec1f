/* volley: sends of one turn that leave in one system call (io_uring), where the kernel has it and lets us.
 *
 * Between one send and the next the kernel then does not come back to us, so each side's code and data stay in the
 * cache: rooms cost a fifth less. Nothing stays under way: when the call returns the kernel has
 * done with all of them, and none has waited for its peer, as with so many calls of send().
 */
#pragma once
#include "base/slice.h"
#include "loop/loop.h"

/* n: what send() would have returned; or -errno (-EAGAIN: the socket is full). Must not add or fire. */
typedef void loop_sent_fn(void *arg, struct slice bytes, ssize_t n);

/* Takes a send to a stream socket; false: the loop takes none, send by yourself. `fn` follows when the volley is
 * fired: by loop_volley_fire(), by the last that it has room for, or in LOOP_FLUSH. Until
 * then the bytes stay as they are, fd stays open, and nobody else writes to it. */
bool loop_volley_add(struct loop *l, int fd, struct slice bytes, loop_sent_fn *fn,
		     void *arg) NODISCARD;
void loop_volley_fire(struct loop *l);
/* Some are taken and not fired: what they point to is in use. */
bool loop_volley_waits(const struct loop *l);

/* Before the loop runs. Preset: true. */
void loop_volley_enable(struct loop *l, bool on);
