/* api: the server API (docs/api.md): REST below /api/v1 for the application's backend.
 *
 * One table of operations (api_ops.c) makes the routes, checks what comes in, and is /openapi.json.
 * Owner:  a loop; one per worker. Rooms of other workers are asked by mail and the exchange is answered later.
 * Access: an API key (NAME:SECRET, as Bearer or Basic) may everything, a token what its grants say. In open mode: only
 *         this machine.
 */
#pragma once
#include "auth/gate.h"
#include "http/http.h"
#include "room/desk.h"

struct api;

/* All must outlive it. */
struct api_settings {
	const char *version;
	const struct auth_keys *keys;
	struct auth_gate *gate;
	struct room_desk *desk;
};

struct api *api_create(struct loop *l, const struct api_settings *s);
void api_destroy(struct api *a);
/* Those of the table, /openapi.json and /asyncapi.json. */
void api_add_routes(struct api *a, struct http_server *h);
