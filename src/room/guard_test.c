#include "room/guard.h"

#include "room/testing.h"

static const struct bus_home home = { 0, 77 };

/* A join that may have to wait. */
static int knock(struct stage *s, const char *user)
{
	struct command c = { .kind = COMMAND_JOIN,
			     .name = SLICE("N"),
			     .user = slice_str(user),
			     .address = SLICE("192.0.2.7") };

	return room_join(s->rooms, SLICE("r"), &c, home, 5, 1000);
}

static struct member *room_with(struct stage *s, enum command_kind kind)
{
	struct member *ann = stage_join(s, "r", "Ann");

	assert_int_equal(stage_do(ann, (struct command){ .kind = kind, .on = true }), 0);
	return ann;
}

static void locked_room_lets_nobody_in(void **state)
{
	struct stage *s = *state;
	struct member *ann = room_with(s, COMMAND_LOCK);

	assert_int_equal(stage_last(s)->e.kind, EVENT_SETTINGS);
	assert_true(stage_last(s)->e.locked);
	assert_int_equal(knock(s, "eve"), E_LOCKED);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_LOCK }), 0);
	assert_int_equal(knock(s, "eve"), 0);
}

static void lobby_keeps_the_join_until_it_is_admitted(void **state)
{
	struct stage *s = *state;
	struct member *ann = room_with(s, COMMAND_LOBBY);

	assert_int_equal(knock(s, "eve"), ROOM_LATER);
	assert_int_equal(s->answer.kind, EVENT_WAITING);
	assert_int_equal(stage_last(s)->e.kind, EVENT_KNOCK);
	assert_int_equal(stage_last(s)->to, ann->id);
	uint64_t id = stage_last(s)->e.member;
	assert_int_equal(room_count(ann->room), 1);
	assert_int_equal(
		stage_do(ann, (struct command){ .kind = COMMAND_ADMIT, .to = id }), 0);
	assert_int_equal(room_count(ann->room), 2);
	assert_non_null(room_member(ann->room, id));
	assert_int_equal(
		stage_do(ann, (struct command){ .kind = COMMAND_ADMIT, .to = id }),
		E_NO_MEMBER);
}

static void who_goes_waits_no_more(void **state)
{
	struct stage *s = *state;
	const struct member *ann = room_with(s, COMMAND_LOBBY);
	unsigned answers = s->answers;

	assert_int_equal(knock(s, "eve"), ROOM_LATER);
	room_forget(ann->room, home, LEAVE_DISCONNECT);
	assert_int_equal(stage_last(s)->e.kind, EVENT_UNKNOCK);
	assert_int_equal(s->answers, answers + 1); /* WAITING alone */
	assert_false(room_withdraw(ann->room, home));
}

static void end_of_the_room_refuses_who_waits(void **state)
{
	struct stage *s = *state;
	struct member *ann = room_with(s, COMMAND_LOBBY);

	assert_int_equal(knock(s, "eve"), ROOM_LATER);
	room_leave(ann, LEAVE_LEAVE, SLICE_NONE);
	assert_int_equal(s->answer.kind, EVENT_REPLY);
	assert_int_equal(s->answer.err, E_DENIED);
	assert_int_equal(s->answer.request, 5);
}

static void lobby_is_limited(void **state)
{
	struct stage *s = *state;

	room_with(s, COMMAND_LOBBY);
	for (int i = 0; i < ROOM_MAX_WAITING; i++)
		assert_int_equal(knock(s, "eve"), ROOM_LATER);
	assert_int_equal(knock(s, "eve"), E_LIMIT);
}

static void muted_members_stay_so(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bob = stage_join(s, "r", "Bob");
	struct command on = { .kind = COMMAND_UPDATE,
			      .changed = PRESENCE_MIC,
			      .state = PRESENCE_MIC };
	struct command mute = { .kind = COMMAND_MUTE, .to = bob->id, .on = true };

	assert_int_equal(stage_do(bob, on), 0);
	assert_int_equal(stage_do(ann, mute), 0);
	assert_int_equal(stage_last(s)->e.changed, CHANGED_MUTED | PRESENCE_MIC);
	assert_int_equal(bob->state & PRESENCE_MIC, 0);
	assert_int_equal(stage_do(bob, on), E_DENIED);
	assert_int_equal(stage_do(bob, mute), E_DENIED);
	mute.on = false;
	assert_int_equal(stage_do(ann, mute), 0);
	assert_int_equal(stage_do(bob, on), 0);
}

#define guard_test(name)                                                                 \
	cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		guard_test(locked_room_lets_nobody_in),
		guard_test(lobby_keeps_the_join_until_it_is_admitted),
		guard_test(who_goes_waits_no_more),
		guard_test(end_of_the_room_refuses_who_waits),
		guard_test(lobby_is_limited),
		guard_test(muted_members_stay_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
