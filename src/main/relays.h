/* relays: the settings of the TURN server, made from those of the process: secret, users, relay addresses, whom
 * it relays to. Made once before the workers, who share them.
 */
#pragma once
#include "dialect/dialect.h"
#include "main/config.h"

#define RELAYS_MAX_LISTEN 8

struct relays {
	struct turn_settings turn;
	struct buf secret;
	/* Ports of our own, beside those that everything shares. */
	struct addr listen[RELAYS_MAX_LISTEN];
	size_t listen_count;
	uint16_t turn_port, turns_port; /* the first of each; 0: none */
};

/* `main`: where the server listens, with its ports. A line for people in `why`. */
int relays_init(struct relays *r, const struct config *c, const struct addr *main,
		size_t count, struct buf *why) NODISCARD;
void relays_fini(struct relays *r);
/* What clients are told of it. */
void relays_fill_offer(const struct relays *r, const struct config *c,
		       const struct addr *main, struct ice_offer *o);
