/* coach: two-person calls of the coaching family on /ws-simple/{room} (docs/dialects.md). */
#pragma once
#include "http/http.h"

/* arg: the dialect */
void coach_on_connect(struct http_exchange *x, void *arg);
