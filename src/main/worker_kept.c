#include "main/worker_kept.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#define AGAIN 1000 /* ms */

struct worker_kept {
	struct loop *loop;
	struct store_desk *desk;
	struct auth_gate *gate;
	struct room_registry *rooms;
	unsigned workers;
	struct coworking *coworking;
	struct store_ticket ticket;
	struct loop_timer again;
	struct store_query next; /* the question */
	struct buf name;         /* in it */
};

/* Of rooms that live here. */
static int take_of_room(struct worker_kept *k, const struct store_note *n)
{
	unsigned worker = bus_room_worker(room_of_note(n), k->workers);

	return worker == loop_id(k->loop) ? room_registry_take(k->rooms, n) : 0;
}

void worker_kept_take(void *arg, const struct store_note *n)
{
	struct worker_kept *k = arg;
	int err = 0;

	if (n->kind == STORE_NOTE_TOKEN || n->kind == STORE_NOTE_USER)
		err = auth_gate_revoke(k->gate,
				       n->kind == STORE_NOTE_USER ? AUTH_REVOKED_USER
								  : AUTH_REVOKED_TOKEN,
				       n->name, n->time, n->until);
	else if (n->kind == STORE_NOTE_HALL && k->coworking)
		err = coworking_take(k->coworking, n);
	else if (n->kind == STORE_NOTE_BAN || n->kind == STORE_NOTE_DOOR)
		err = take_of_room(k, n);
	if (err < 0)
		log_warn("main", "not-taken", "kind=%llu err=%s",
			 (unsigned long long)n->kind, err_text(err));
}

/* --- from the loop --- */

static void ask(struct worker_kept *k)
{
	if (store_ask(k->desk, &k->next, &k->ticket) < 0)
		loop_timer_start(k->loop, &k->again, AGAIN);
}

static void on_again(struct loop_timer *t)
{
	ask(container_of(t, struct worker_kept, again));
}

static void on_answer(struct store_ticket *t, const struct store_answer *a)
{
	struct worker_kept *k = container_of(t, struct worker_kept, ticket);

	if (a->err < 0)
		loop_timer_start(k->loop, &k->again, AGAIN);
	else if (store_notes_next(&k->next, &k->name, a, worker_kept_take, k))
		ask(k);
	else
		log_info("main", "kept", "worker=%u: all is known again",
			 loop_id(k->loop));
}

static void ask_here(void *arg)
{
	struct worker_kept *k = arg;

	k->next = (struct store_query){ .op = STORE_KEPT, .time = loop_wall(k->loop) };
	ask(k);
}

void worker_kept_ask(struct worker_kept *k)
{
	loop_post(k->loop, ask_here, k);
}

/* --- life --- */

struct worker_kept *worker_kept_create(struct loop *l, unsigned workers,
				       struct dialect *dialect,
				       struct coworking *coworking)
{
	struct worker_kept *k = xzalloc(sizeof(*k));

	k->loop = l;
	k->workers = workers;
	k->rooms = dialect_rooms(dialect);
	k->desk = room_registry_store(k->rooms);
	k->gate = dialect_gate(dialect);
	k->coworking = coworking;
	k->ticket.done = on_answer;
	loop_timer_init(&k->again, on_again);
	buf_init(&k->name, SIZE_MAX);
	return k;
}

void worker_kept_destroy(struct worker_kept *k)
{
	if (!k)
		return;
	loop_timer_stop(k->loop, &k->again);
	buf_fini(&k->name);
	free(k);
}
