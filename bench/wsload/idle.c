/* idle: connections that say nothing after they are ready; pings are answered. What
 * counts is the server's memory and CPU, and those the parent reads.
 */
#include "worker.h"

const struct mode idle_mode = { 0 };
