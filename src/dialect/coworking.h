/* coworking: the REST half of the co-working family (its socket is dialects/coworking.dialect): rooms that are made
 * and listed, who joined them, a few messages; {"detail":...} for errors (docs/dialects.md).
 *
 * Owner:   the first worker's dialect; other workers hand such requests to it. In memory, and as notes in the store.
 * Limits:  COWORKING_ROOMS rooms, COWORKING_PEOPLE in each, its last COWORKING_POSTS messages. When there are too many
 *          rooms the oldest empty one makes way.
 */
#pragma once
#include "dialect/dialect.h"

#define COWORKING_ROOMS 1000
#define COWORKING_PEOPLE 50
#define COWORKING_POSTS 50
#define COWORKING_TEXT 2000 /* bytes of a message, of a description */

struct coworking;
struct room_desk;
struct store_note;

/* One per worker; `desk`: asks the rooms. */
struct coworking *coworking_create(struct dialect *d, struct room_desk *desk);
void coworking_destroy(struct coworking *c);
/* Before others come: a room of before the restart. E_MALFORMED, E_LIMIT. */
int coworking_take(struct coworking *c, const struct store_note *n) NODISCARD;
void coworking_add_routes(struct coworking *c, struct http_server *h);
