/* pages: the web app's paths: the page of a room, its files. */
#pragma once
#include "http/http.h"

void pages_add_routes(struct http_server *h);
/* A name for a new room, such as "amber-fox", for the first page. */
void pages_room_name(struct buf *b);
