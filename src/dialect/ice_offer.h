/* ice_offer: which ICE servers a client is told of: those of the settings, and this server itself with a credential
 * made for that client.
 *
 * A place is "host:port", this server as that client reaches it: by what it wrote into Host, unless the settings know
 * better.
 */
#pragma once
#include "base/json.h"
#include "http/http.h"
#include "turn/server.h"

#define ICE_PLACE_MAX 280

struct ice_offer {
	struct slice fixed;  /* JSON array, see ice_servers_json() */
	const char *place;   /* from the settings; "": by Host */
	uint16_t port;       /* that the server listens on, behind a proxy */
	uint16_t turn_port;  /* another one for STUN and TURN; 0: none */
	uint16_t turns_port; /* and by TLS */
	bool trusted;        /* browsers take our certificate: turns: makes sense */
	ms_t life;           /* of credentials */
};

/* The place for the client of that request, as text. */
void ice_place(const struct ice_offer *o, const struct http_exchange *x, struct buf *out);
/* The array. `turn` NULL: only what the settings have. `who`: the session, or anything. */
void ice_put_servers(struct jsonw *w, const struct ice_offer *o, struct turn_server *turn,
		     struct slice place, struct slice who);
