/* Allocations, by the address of their client. */
#include <sys/socket.h>
#include <unistd.h>

#include "refturn.h"

#define SLOTS (4 * MAX_ALLOCS) /* never full: entries stay when their allocation goes */
#define RELAY_BUFFER (1 << 20)

/* Untouched pages of them cost nothing. */
static struct alloc allocs[MAX_ALLOCS];
static struct alloc *slots[SLOTS];
static unsigned count;

static uint32_t slot_of(const struct sockaddr_in *at)
{
	uint32_t mixed = at->sin_addr.s_addr ^ at->sin_port * 0x9e3779b1u;

	return (mixed * 0x85ebca6bu >> 11) % SLOTS;
}

static bool same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
	return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

struct alloc *alloc_find(const struct sockaddr_in *client)
{
	for (uint32_t i = slot_of(client); slots[i]; i = (i + 1) % SLOTS)
		if (slots[i]->used && same(&slots[i]->client, client))
			return slots[i];
	return NULL;
}

struct alloc *alloc_make(const struct sockaddr_in *client)
{
	uint32_t i = slot_of(client);
	socklen_t n = sizeof(struct sockaddr_in);

	if (count == MAX_ALLOCS)
		return NULL;
	struct alloc *a = &allocs[count];
	a->fd = open_socket(0, RELAY_BUFFER, a);
	if (a->fd < 0)
		return NULL;
	getsockname(a->fd, (struct sockaddr *)&a->relayed, &n);
	a->client = *client;
	a->used = true;
	while (slots[i])
		i = (i + 1) % SLOTS;
	slots[i] = a;
	count++;
	return a;
}

void alloc_free(struct alloc *a)
{
	close(a->fd);
	a->used = a->bound = false;
}
