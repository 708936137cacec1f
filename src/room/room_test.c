#include "room/testing.h"

static size_t roster_count(struct slice roster)
{
	struct cur in = cur_of_slice(roster);
	struct member_info m;
	size_t n = 0;

	while (cur_left(&in) > 0 && bus_member_decode(&m, &in) == 0) {
		assert_true(m.offer);
		n++;
	}
	return n;
}

static size_t welcomed_roster;

static void count_roster(void *arg, struct room *r, const struct event *e,
			 struct member *to, struct member *except)
{
	if (e->kind == EVENT_WELCOME)
		welcomed_roster = roster_count(e->roster);
	stage_hear(arg, r, e, to, except);
}

static void room_join_welcomes_then_tells_the_others(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");

	assert_int_equal(s->count, 1);
	assert_int_equal(s->heard[0].to, ann->id);
	assert_int_equal(s->heard[0].e.subject.role, ROLE_OWNER);
	struct member *bo = stage_join(s, "r", "Bo");
	assert_int_equal(s->count, 3);
	assert_int_equal(s->heard[1].to, bo->id);
	assert_int_equal(s->heard[2].e.kind, EVENT_JOINED);
	assert_int_equal(s->heard[2].except, bo->id);
	assert_int_equal(s->heard[2].e.subject.role, ROLE_SPEAKER);
	assert_false(s->heard[2].e.subject.offer);
}

static void room_roster_tells_the_newcomer_to_offer_to_each(void **state)
{
	struct stage *s = *state;
	struct room_registry *g =
		room_registry_create(&s->settings, count_roster, stage_answer, s);
	struct command c = { .kind = COMMAND_JOIN };

	for (uint64_t i = 0; i < 5; i++) {
		struct bus_home home = { 0, i };
		assert_int_equal(room_join(g, SLICE("r"), &c, home, 1, 0), 0);
		assert_int_equal(welcomed_roster, i);
	}
	room_registry_destroy(g);
}

static void room_leave_last_member_frees_room(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");

	assert_non_null(room_find(s->rooms, SLICE("r")));
	room_leave(ann, LEAVE_LEAVE, SLICE_NONE);
	assert_null(room_find(s->rooms, SLICE("r")));
	assert_int_equal(s->count, 1);
}

static void room_leave_tells_the_rest_and_names_an_heir(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");

	stage_join(s, "r", "Cy");
	uint64_t gone = ann->id;
	room_leave(ann, LEAVE_DISCONNECT, SLICE_NONE);
	const struct heard *left = &s->heard[s->count - 2], *heir = stage_last(s);
	assert_int_equal(left->e.kind, EVENT_LEFT);
	assert_int_equal(left->e.member, gone);
	assert_int_equal(left->e.reason, LEAVE_DISCONNECT);
	assert_int_equal(heir->e.kind, EVENT_UPDATED);
	assert_int_equal(heir->e.member, bo->id);
	assert_int_equal(heir->e.subject.role, ROLE_OWNER);
}

static void room_full_is_refused_and_nobody_told(void **state)
{
	struct stage *s = *state;
	struct command c = { .kind = COMMAND_JOIN, .capacity = 2 };

	assert_int_equal(stage_try_join(s, "r", &c), 0);
	c.capacity = 50; /* only the first join's word counts */
	assert_int_equal(stage_try_join(s, "r", &c), 0);
	size_t before = s->count;
	assert_int_equal(stage_try_join(s, "r", &c), E_ROOM_FULL);
	assert_int_equal(s->count, before);
}

static void room_capacity_is_at_most_the_servers(void **state)
{
	struct stage *s = *state;
	struct command c = { .kind = COMMAND_JOIN, .capacity = 5000 };

	assert_int_equal(stage_try_join(s, "r", &c), 0);
	assert_int_equal(s->heard[0].e.capacity, s->settings.capacity);
}

static void too_many_rooms_are_a_limit(void **state)
{
	struct stage *s = *state;
	struct command c = { .kind = COMMAND_JOIN };

	assert_int_equal(stage_try_join(s, "a", &c), 0);
	assert_int_equal(stage_try_join(s, "b", &c), 0);
	assert_int_equal(stage_try_join(s, "c", &c), 0);
	assert_int_equal(stage_try_join(s, "d", &c), 0);
	assert_int_equal(stage_try_join(s, "e", &c), E_LIMIT);
	assert_int_equal(stage_try_join(s, "d", &c), 0);
}

static void unfit_names_are_bad_fields(void **state)
{
	struct stage *s = *state;
	char longer[ROOM_MAX_NAME + 2] = { 0 };
	struct command c = { .kind = COMMAND_JOIN };

	memset(longer, 'x', sizeof(longer) - 1);
	assert_int_equal(stage_try_join(s, "", &c), E_BAD_FIELD);
	assert_int_equal(stage_try_join(s, longer, &c), E_BAD_FIELD);
	c.name = slice_str(longer);
	assert_int_equal(stage_try_join(s, "r", &c), E_BAD_FIELD);
	assert_null(room_find(s->rooms, SLICE("r")));
}

static void members_are_found_in_rooms_of_every_size(void **state)
{
	struct stage *s = *state;
	struct member *m[60];

	for (unsigned i = 0; i < ARRAY_LEN(m); i++) {
		m[i] = stage_join(s, "r", "x");
		for (unsigned k = 0; k <= i; k++)
			assert_ptr_equal(room_member(m[0]->room, m[k]->id), m[k]);
	}
	struct room *r = m[0]->room;
	for (unsigned i = 0; i + 1 < ARRAY_LEN(m); i++) {
		uint64_t id = m[i]->id;
		room_leave(m[i], LEAVE_LEAVE, SLICE_NONE);
		assert_null(room_member(r, id));
		for (unsigned k = i + 1; k < ARRAY_LEN(m); k++)
			assert_ptr_equal(room_member(r, m[k]->id), m[k]);
	}
}

static void seq_rises_with_every_event_of_a_room(void **state)
{
	struct stage *s = *state;
	uint64_t last = 0;

	for (int i = 0; i < 10; i++)
		stage_join(s, "r", "x");
	for (size_t i = 0; i < s->count; i++) {
		if (s->heard[i].e.kind == EVENT_WELCOME)
			continue;
		assert_true(s->heard[i].e.seq > last);
		last = s->heard[i].e.seq;
	}
}

static void who_goes_away_and_comes_back_is_told_once(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	size_t before = s->count;

	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_BACK }), 0);
	assert_int_equal(s->count, before);
	for (int i = 0; i < 2; i++)
		assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_AWAY }),
				 0);
	assert_int_equal(s->count, before + 1);
	assert_int_equal(stage_last(s)->e.kind, EVENT_UPDATED);
	assert_int_equal(stage_last(s)->e.changed, CHANGED_AWAY);
	assert_true(stage_last(s)->e.subject.away);
	assert_int_equal(stage_last(s)->except, ann->id);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_BACK }), 0);
	assert_false(stage_last(s)->e.subject.away);
}

static void a_full_room_takes_the_seat_of_who_is_away_the_longest(void **state)
{
	struct stage *s = *state;
	struct command c = { .kind = COMMAND_JOIN, .capacity = 3 };

	assert_int_equal(stage_try_join(s, "r", &c), 0);
	struct member *bo = stage_join(s, "r", "Bo"), *cy = stage_join(s, "r", "Cy");
	uint64_t longest = cy->id;
	assert_int_equal(stage_do(cy, (struct command){ .kind = COMMAND_AWAY }), 0);
	assert_int_equal(stage_do(bo, (struct command){ .kind = COMMAND_AWAY }), 0);
	size_t before = s->count;
	assert_int_equal(stage_try_join(s, "r", &c), 0);
	/* Itself first, so that its session knows; then the others. */
	for (size_t i = before; i < before + 2; i++) {
		assert_int_equal(s->heard[i].e.kind, EVENT_LEFT);
		assert_int_equal(s->heard[i].e.member, longest);
		assert_int_equal(s->heard[i].e.reason, LEAVE_TIMEOUT);
	}
	assert_int_equal(s->heard[before].to, longest);
	assert_int_equal(s->heard[before + 2].e.kind, EVENT_WELCOME);
}

static void a_user_takes_the_seat_that_it_is_away_from(void **state)
{
	struct stage *s = *state;
	struct command c = { .kind = COMMAND_JOIN, .user = SLICE("u") };

	stage_join(s, "r", "Ann");
	assert_int_equal(stage_try_join(s, "r", &c), 0);
	struct room *r = room_find(s->rooms, SLICE("r"));
	assert_int_equal(stage_try_join(s, "r", &c),
			 0); /* not away: there are two then */
	assert_int_equal(room_count(r), 3);
	assert_int_equal(
		stage_do(r->members[1], (struct command){ .kind = COMMAND_AWAY }), 0);
	size_t before = s->count;
	assert_int_equal(stage_try_join(s, "r", &c), 0);
	assert_int_equal(room_count(r), 3);
	assert_int_equal(s->heard[before].e.kind, EVENT_LEFT);
	assert_int_equal(s->heard[before].e.reason, LEAVE_REPLACED);
}

static void who_is_hidden_while_away_has_left_and_comes_again(void **state)
{
	struct stage *s = *state;
	struct command join = { .kind = COMMAND_JOIN, .capacity = 2 };
	struct command away = { .kind = COMMAND_AWAY,
				.hidden = true,
				.reason = LEAVE_DISCONNECT };
	struct command back = { .kind = COMMAND_BACK };

	assert_int_equal(stage_try_join(s, "r", &join), 0);
	struct room *r = room_find(s->rooms, SLICE("r"));
	struct member *ann = r->members[0], *bo = stage_join(s, "r", "Bo");
	size_t before = s->count;
	assert_int_equal(stage_do(ann, away), 0);
	assert_int_equal(stage_do(ann, away), 0); /* once is enough */
	assert_int_equal(s->count, before + 2);
	assert_int_equal(s->heard[before].e.kind, EVENT_LEFT);
	assert_int_equal(s->heard[before].e.reason, LEAVE_DISCONNECT);
	assert_int_equal(s->heard[before].except, ann->id);
	assert_int_equal(bo->role, ROLE_OWNER);
	assert_int_equal(stage_do(ann, back), 0);
	assert_int_equal(stage_last(s)->e.kind, EVENT_JOINED);
	assert_int_equal(stage_last(s)->except, ann->id);
	/* Meanwhile somebody else may take its seat; then there is none for it. */
	assert_int_equal(stage_do(ann, away), 0);
	assert_int_equal(stage_try_join(s, "r", &join), 0);
	uint64_t late = ann->id;
	assert_int_equal(stage_do(ann, back), 0);
	assert_null(room_member(r, late));
	assert_int_equal(room_count(r), 2);
	assert_int_equal(stage_last(s)->e.kind, EVENT_LEFT);
	assert_int_equal(stage_last(s)->to, late);
}

static void a_sync_tells_the_member_alone_how_the_room_stands(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");

	stage_join(s, "r", "Bo");
	size_t before = s->count;
	room_sync(ann, 5);
	assert_int_equal(s->count, before + 1);
	assert_int_equal(stage_last(s)->e.kind, EVENT_SYNCED);
	assert_int_equal(stage_last(s)->e.request, 5);
	assert_int_equal(stage_last(s)->to, ann->id);
	assert_int_equal(stage_last(s)->e.seq, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(room_join_welcomes_then_tells_the_others),
		TEST(room_roster_tells_the_newcomer_to_offer_to_each),
		TEST(room_leave_last_member_frees_room),
		TEST(room_leave_tells_the_rest_and_names_an_heir),
		TEST(room_full_is_refused_and_nobody_told),
		TEST(room_capacity_is_at_most_the_servers),
		TEST(too_many_rooms_are_a_limit),
		TEST(unfit_names_are_bad_fields),
		TEST(members_are_found_in_rooms_of_every_size),
		TEST(seq_rises_with_every_event_of_a_room),
		TEST(who_goes_away_and_comes_back_is_told_once),
		TEST(a_full_room_takes_the_seat_of_who_is_away_the_longest),
		TEST(a_user_takes_the_seat_that_it_is_away_from),
		TEST(who_is_hidden_while_away_has_left_and_comes_again),
		TEST(a_sync_tells_the_member_alone_how_the_room_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
