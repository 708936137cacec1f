/* queue: packets that wait for a client to ask for them. Bounded in bytes; holds no memory while empty. */
#pragma once
#include "sio/eio_packet.h"

struct eio_queue {
	struct buf bytes; /* packets: a byte of type and kind, length, data */
	uint32_t count;
	uint32_t binary; /* of them */
};

void eio_queue_init(struct eio_queue *q, size_t max);
void eio_queue_fini(struct eio_queue *q);
/* E_SLOW: there is no room; nothing was added. */
int eio_queue_put(struct eio_queue *q, const struct eio_packet *p) NODISCARD;
/* Walks from the oldest on: start with *at = 0; false at the end. The data are the queue's. */
bool eio_queue_next(const struct eio_queue *q, size_t *at, struct eio_packet *p);
/* Puts all into one payload, and empties the queue; true: as bytes (see eio_payload_put()). */
bool eio_queue_take(struct eio_queue *q, struct eio_form form, struct buf *payload);
