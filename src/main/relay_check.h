/* relay_check: this server's own TURN tried by itself at the start, as a client does: a relay of its own, a packet to
 * it from outside and one from another relay. What fails is logged and told by /readyz, and tried again.
 *
 * Owner: the main thread; the trying is done on a thread of its own, since it waits for answers. It holds no lock and
 *        shares two atomics.
 */
#pragma once
#include <stdatomic.h>
#include "main/relays.h"

struct relay_check;
/* `main`: where the server listens. NULL when there is no secret to make a credential with, or everybody is sent to another
 * server. */
struct relay_check *relay_check_create(const struct relays *r, const struct addr *main);
/* Returns at once. */
void relay_check_start(struct relay_check *c);
/* Asks it to end; true once it has. While the workers run that is a matter of milliseconds. NULL has ended. */
bool relay_check_ended(struct relay_check *c);
/* Waits for its end, and frees it. */
void relay_check_destroy(struct relay_check *c);
/* False while the last try has failed; for /readyz, from any thread. */
const _Atomic bool *relay_check_failed(const struct relay_check *c);
