/* coworking: the signalling envelope of the co-working family on /ws/room/{room} and its
 * other spellings (docs/dialects.md).
 */
#pragma once
#include "http/http.h"

/* arg: the dialect */
void coworking_on_connect(struct http_exchange *x, void *arg);
