/* api: the server API (docs/api.md): REST below /api/v1 for the application's backend.
 *
 * One table of operations (api_ops.c) makes the routes, checks what comes in, and is /openapi.json.
 * Owner:  a loop; one per worker. Rooms of other workers are asked by mail and the exchange is answered later.
 * Files:  uploads and downloads go through in pieces; the disk is asked by mail as well.
 * Access: an API key (NAME:SECRET, as Bearer or Basic) may everything, a token what its grants say. In open mode: only
 *         this machine.
 */
#pragma once
#include "auth/gate.h"
#include "depot/depot.h"
#include "http/http.h"
#include "room/desk.h"

struct api;

/* What members may upload. */
struct api_files {
	uint64_t size;       /* bytes of a file, 0: there are none */
	uint32_t transfers;  /* uploads and downloads at once, on a worker */
	struct slice secret; /* of the seats' keys */
	struct store_space space;
	const struct auth_limit_settings *limits;
};

/* All must outlive it. */
struct api_settings {
	const char *version;
	const struct auth_keys *keys;
	struct auth_gate *gate;
	struct room_desk *desk;
	struct api_files files;
	struct depot_desk *depot; /* NULL: no files */
	struct store_desk *store;
};

struct api *api_create(struct loop *l, const struct api_settings *s);
void api_destroy(struct api *a);
/* Those of the table, /openapi.json and /asyncapi.json. */
void api_add_routes(struct api *a, struct http_server *h);
