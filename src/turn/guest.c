/* Clients whose allocation is on another worker than their socket (RFC 8016: they moved, and the kernel gave them to
 * this one). What they say goes to the allocation's worker by mail, and what it answers comes back by mail.
 *
 * A guest is entered when its allocation's worker says so. One on a connection is so already while its first
 * message is out, so that an answer finds only a connection that still exists.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "turn/server_private.h"

struct guest {
	struct turn_path path; /* as this worker knows it */
	unsigned home;         /* the worker of its allocation */
	bool stays;            /* said by it */
};

static struct guest *find(const struct turn_server *s, const struct turn_path *path)
{
	struct guest *g = map_find_u64(&s->guests, turn_path_hash(s->turn, path));

	return g && turn_same_path(&g->path, path) ? g : NULL;
}

static struct guest *enter(struct turn_server *s, const struct turn_path *path,
			   unsigned home)
{
	struct guest *g = find(s, path);

	if (!g) {
		g = xzalloc(sizeof(*g));
		g->path = *path;
		free(map_put_u64(&s->guests, turn_path_hash(s->turn, path), g));
		metric_add(METRIC_TURN_GUESTS, 1);
	}
	g->home = home;
	return g;
}

static void leave(struct turn_server *s, struct guest *g)
{
	map_del_u64(&s->guests, turn_path_hash(s->turn, &g->path));
	free(g);
	metric_add(METRIC_TURN_GUESTS, -1);
}

void turn_guest_leave_all(struct turn_server *s)
{
	struct guest *g;
	size_t at = 0;

	while ((g = map_next(&s->guests, &at))) {
		leave(s, g);
		at = 0;
	}
	map_fini(&s->guests);
}

bool turn_guest_is(const struct turn_server *s, const struct turn_path *path)
{
	return s->guests.count > 0 && find(s, path);
}

/* --- here, where the client is --- */

bool turn_guest_says(struct turn_server *s, const struct turn_path *from,
		     struct slice bytes)
{
	const struct guest *g = find(s, from);

	if (g)
		turn_server_post(s, g->home, TURN_LETTER_SAID, from, bytes);
	return g;
}

void turn_guest_pass_on(void *arg, unsigned worker, const struct turn_path *from,
			struct slice bytes)
{
	struct turn_server *s = arg;

	if (from->transport != TURN_UDP)
		enter(s, from, worker);
	turn_server_post(s, worker, TURN_LETTER_SAID, from, bytes);
}

void turn_guest_closed(struct turn_server *s, const struct turn_path *path)
{
	struct guest *g = find(s, path);

	if (!g)
		return;
	turn_server_post(s, g->home, TURN_LETTER_CLOSED, path, SLICE_NONE);
	leave(s, g);
}

void turn_guest_stays(struct turn_server *s, const struct turn_path *path, unsigned home,
		      bool stays)
{
	struct guest *g = find(s, path);

	if (stays && (g || path->transport == TURN_UDP))
		enter(s, path, home)->stays = true;
	else if (!stays && g && g->home == home)
		leave(s, g);
}

void turn_guest_hears(struct turn_server *s, const struct turn_path *to,
		      struct slice bytes)
{
	struct guest *g = find(s, to);

	if (!g && to->transport != TURN_UDP)
		return; /* it hung up */
	turn_server_send(to, &(const struct turn_parts){ .body = bytes });
	if (g && !g->stays)
		leave(s, g); /* it was turned away */
}
