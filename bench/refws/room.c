/* Rooms, and the turn: messages that arrive in one turn of the loop are kept one after
 * another as ready frames. At its end each member gets one write: the whole turn, or,
 * for those who have sent, everything but their own.
 */
#include <stdlib.h>
#include <string.h>

#include "refws.h"

#define MAX_NAME 31
#define BUCKETS 65536
#define GATHER (1 << 19)

struct sent {
	int fd;
	uint32_t at, n;
};

struct room {
	char name[MAX_NAME + 1];
	int *members;
	uint32_t count, cap;
	bool dirty;
	char *turn; /* the frames of this turn */
	size_t turn_n, turn_cap;
	struct sent *sent; /* who sent which of them */
	uint32_t sent_n, sent_cap;
	struct room *next;
};

static struct room *buckets[BUCKETS], **dirty;
static uint32_t dirty_n, dirty_cap;

static uint32_t hash(const char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619u;
	return h;
}

static struct room *find(const char *name, size_t n)
{
	struct room **bucket = &buckets[hash(name, n) % BUCKETS];

	for (struct room *r = *bucket; r; r = r->next)
		if (strncmp(r->name, name, n) == 0 && r->name[n] == '\0')
			return r;
	struct room *r = grow(NULL, sizeof(*r));
	*r = (struct room){ .next = *bucket };
	memcpy(r->name, name, n);
	*bucket = r;
	return r;
}

void room_join(int fd, const char *name, size_t n)
{
	struct room *r = find(name, n < MAX_NAME ? n : MAX_NAME);

	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 2;
		r->members = grow(r->members, r->cap * sizeof(*r->members));
	}
	conns[fd].room = r;
	conns[fd].place = r->count;
	r->members[r->count++] = fd;
}

void room_leave(int fd)
{
	struct room *r = conns[fd].room;

	if (!r)
		return;
	int last = r->members[--r->count];
	r->members[conns[fd].place] = last;
	conns[last].place = conns[fd].place;
	conns[fd].room = NULL;
}

static void mark_dirty(struct room *r)
{
	if (r->dirty)
		return;
	if (dirty_n == dirty_cap) {
		dirty_cap = dirty_cap ? dirty_cap * 2 : 64;
		dirty = grow(dirty, dirty_cap * sizeof(*dirty));
	}
	r->dirty = true;
	dirty[dirty_n++] = r;
}

void room_publish(int from, unsigned op, const char *p, size_t n)
{
	struct room *r = conns[from].room;

	if (n + MAX_HEAD > r->turn_cap - r->turn_n) {
		r->turn_cap = (r->turn_n + n + MAX_HEAD) * 2;
		r->turn = grow(r->turn, r->turn_cap);
	}
	if (r->sent_n == r->sent_cap) {
		r->sent_cap = r->sent_cap ? r->sent_cap * 2 : 4;
		r->sent = grow(r->sent, r->sent_cap * sizeof(*r->sent));
	}
	char *out = r->turn + r->turn_n;
	size_t head = frame_head(out, op, n);
	memcpy(out + head, p, n);
	r->sent[r->sent_n++] =
		(struct sent){ from, (uint32_t)r->turn_n, (uint32_t)(head + n) };
	r->turn_n += head + n;
	mark_dirty(r);
}

/* Everything but its own, gathered by copying: few members send in one turn. */
static void put_others(const struct room *r, int fd)
{
	static char out[GATHER];
	size_t n = 0;

	for (uint32_t i = 0; i < r->sent_n; i++) {
		const struct sent *s = &r->sent[i];

		if (s->fd == fd || s->n > sizeof(out) - n)
			continue;
		memcpy(out + n, r->turn + s->at, s->n);
		n += s->n;
	}
	if (n > 0)
		conn_put(fd, out, n);
}

static void flush(struct room *r)
{
	for (uint32_t i = 0; i < r->sent_n; i++)
		conns[r->sent[i].fd].sent_now = true;
	for (uint32_t i = 0; i < r->count; i++) {
		int fd = r->members[i];

		if (conns[fd].sent_now)
			put_others(r, fd);
		else
			conn_put(fd, r->turn, r->turn_n);
	}
	for (uint32_t i = 0; i < r->sent_n; i++)
		conns[r->sent[i].fd].sent_now = false;
	r->turn_n = 0;
	r->sent_n = 0;
	r->dirty = false;
}

void rooms_flush(void)
{
	for (uint32_t i = 0; i < dirty_n; i++)
		flush(dirty[i]);
	dirty_n = 0;
}
