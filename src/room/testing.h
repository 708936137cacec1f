/* testing: a worker's rooms with a recorder in the place of the dialects. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "room/internal.h"

#define MAX_HEARD 4096

struct heard {
	struct event e;
	uint64_t to, except; /* member ids, 0: none */
	char text[64];
};

struct stage {
	struct room_settings settings;
	struct room_registry *rooms;
	struct heard heard[MAX_HEARD];
	size_t count;
	uint64_t sessions;
	struct event answer; /* the last one; its slices are gone */
	unsigned answers;
};

static inline void stage_hear(void *arg, struct room *r, const struct event *e,
			      struct member *to, struct member *except)
{
	struct stage *s = arg;
	struct heard *h = &s->heard[s->count++];

	(void)r;
	assert_true(s->count < MAX_HEARD);
	h->e = *e;
	h->to = to ? to->id : 0;
	h->except = except ? except->id : 0;
	if (e->text.n < sizeof(h->text))
		memcpy(h->text, e->text.p ? e->text.p : (const uint8_t *)"", e->text.n);
}

static inline void stage_answer(void *arg, struct bus_home home, struct slice room,
				const struct event *e)
{
	struct stage *s = arg;

	(void)home;
	(void)room;
	s->answer = *e;
	s->answers++;
}

static inline int stage_setup(void **state)
{
	struct stage *s = xzalloc(sizeof(*s));

	s->settings = (struct room_settings){ .capacity = 100,
					      .max_rooms = 4,
					      .chat_replay = 3,
					      .voices = 8,
					      .ban_time = 60000,
					      .max_bans = 2000 };
	s->rooms = room_registry_create(&s->settings, stage_hear, stage_answer, s);
	*state = s;
	return 0;
}

static inline int stage_teardown(void **state)
{
	struct stage *s = *state;

	room_registry_destroy(s->rooms);
	free(s);
	return 0;
}

static inline const struct heard *stage_last(const struct stage *s)
{
	assert_true(s->count > 0);
	return &s->heard[s->count - 1];
}

static inline int stage_try_join(struct stage *s, const char *room,
				 const struct command *c)
{
	struct bus_home home = { 0, ++s->sessions };

	return room_join(s->rooms, slice_str(room), c, home, s->sessions, 1000);
}

/* Joins and returns the member. */
static inline struct member *stage_join(struct stage *s, const char *room,
					const char *name)
{
	struct command c = { .kind = COMMAND_JOIN, .name = slice_str(name) };
	size_t at = s->count;

	assert_int_equal(stage_try_join(s, room, &c), 0);
	assert_int_equal(s->heard[at].e.kind, EVENT_WELCOME);
	return room_member(room_find(s->rooms, slice_str(room)), s->heard[at].e.member);
}

/* The result, or that of the answer. */
static inline int stage_do(struct member *m, struct command c)
{
	struct stage *s = m->room->registry->event_arg;
	int err = room_command(m, 1, &c, 2000);

	return err == ROOM_LATER ? s->answer.err : err;
}
