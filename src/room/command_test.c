#include "room/testing.h"

static void update_tells_only_what_changed(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	struct command c = { .kind = COMMAND_UPDATE,
			     .changed = PRESENCE_MIC | PRESENCE_HAND,
			     .state = PRESENCE_MIC };

	assert_int_equal(stage_do(ann, c), 0);
	assert_int_equal(stage_last(s)->e.kind, EVENT_UPDATED);
	assert_int_equal(stage_last(s)->e.changed, PRESENCE_MIC);
	assert_int_equal(stage_last(s)->except, ann->id);
	size_t before = s->count;
	assert_int_equal(stage_do(ann, c), 0);
	assert_int_equal(s->count, before);
}

static void update_keeps_what_it_does_not_name(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");

	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_UPDATE,
							 .changed = PRESENCE_ALL,
							 .state = PRESENCE_MIC |
								  PRESENCE_CAMERA }),
			 0);
	assert_int_equal(
		stage_do(ann, (struct command){ .kind = COMMAND_UPDATE,
						.changed = PRESENCE_MIC | CHANGED_NAME,
						.name = SLICE("Anna") }),
		0);
	assert_int_equal(ann->state, PRESENCE_CAMERA);
	assert_int_equal(ann->name_len, 4);
}

static void signal_goes_to_one_or_to_all_others(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");

	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_SIGNAL,
							 .to = bo->id,
							 .text = SLICE("1") }),
			 0);
	assert_int_equal(stage_last(s)->to, bo->id);
	assert_int_equal(stage_last(s)->e.member, ann->id);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_SIGNAL,
							 .text = SLICE("2") }),
			 0);
	assert_int_equal(stage_last(s)->to, 0);
	assert_int_equal(stage_last(s)->except, ann->id);
}

static void signal_outside_the_room_is_no_such_member(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"),
		      *far = stage_join(s, "other", "Far");
	size_t before = s->count;

	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_SIGNAL,
							 .to = far->id,
							 .text = SLICE("1") }),
			 E_NO_MEMBER);
	assert_int_equal(s->count, before);
}

static void chat_reaches_everybody_with_rising_numbers(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");

	for (uint64_t n = 1; n <= 5; n++) {
		assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_CHAT,
								 .text = SLICE("hi") }),
				 0);
		assert_int_equal(stage_last(s)->e.n, n);
		assert_int_equal(stage_last(s)->except, 0);
		assert_int_equal(stage_last(s)->to, 0);
	}
}

static void chat_must_have_a_text_of_bounded_length(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	char *longer = xzalloc(ROOM_MAX_TEXT + 2);

	memset(longer, 'x', ROOM_MAX_TEXT + 1);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_CHAT }),
			 E_BAD_FIELD);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_CHAT,
							 .text = slice_str(longer) }),
			 E_BAD_FIELD);
	free(longer);
}

static void a_call_is_answered_to_another_member(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");

	assert_int_equal(
		stage_do(ann, (struct command){ .kind = COMMAND_ACCEPT, .to = bo->id }),
		0);
	assert_int_equal(stage_last(s)->e.kind, EVENT_ACCEPT);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_REJECT,
							 .to = bo->id,
							 .text = SLICE("busy") }),
			 0);
	assert_int_equal(stage_last(s)->e.kind, EVENT_REJECT);
	assert_string_equal(stage_last(s)->text, "busy");
	assert_int_equal(
		stage_do(ann, (struct command){ .kind = COMMAND_ACCEPT, .to = ann->id }),
		E_NO_MEMBER);
}

static void kick_tells_the_member_first_and_frees_it(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");
	uint64_t gone = bo->id;
	struct room *r = ann->room;

	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_KICK,
							 .to = gone,
							 .text = SLICE("bye") }),
			 0);
	assert_int_equal(s->heard[s->count - 2].to, gone);
	assert_int_equal(s->heard[s->count - 2].e.kind, EVENT_LEFT);
	assert_int_equal(stage_last(s)->e.kind, EVENT_LEFT);
	assert_int_equal(stage_last(s)->to, 0);
	assert_int_equal(stage_last(s)->e.reason, LEAVE_KICK);
	assert_null(room_member(r, gone));
}

static void a_new_listener_loses_its_media(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");

	assert_int_equal(stage_do(bo, (struct command){ .kind = COMMAND_UPDATE,
							.changed = PRESENCE_MIC,
							.state = PRESENCE_MIC }),
			 0);
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_ROLE,
							 .to = bo->id,
							 .role = ROLE_LISTENER }),
			 0);
	assert_int_equal(stage_last(s)->e.changed, CHANGED_ROLE | PRESENCE_MIC);
	assert_int_equal(bo->state, 0);
}

/* docs/protocol.md, "Roles and what they may do" */
static void each_role_may_what_the_protocol_says(void **state)
{
	struct stage *s = *state;
	struct member *owner = stage_join(s, "r", "owner"), *m = stage_join(s, "r", "m");
	struct member *other = stage_join(s, "r", "other");
	const struct command mic = { .kind = COMMAND_UPDATE,
				     .changed = PRESENCE_MIC,
				     .state = PRESENCE_MIC };
	const struct command hand = { .kind = COMMAND_UPDATE,
				      .changed = PRESENCE_HAND,
				      .state = PRESENCE_HAND };
	const struct command all = { .kind = COMMAND_SIGNAL, .text = SLICE("1") };
	const struct command one = { .kind = COMMAND_SIGNAL,
				     .text = SLICE("1"),
				     .to = other->id };
	const struct command say = { .kind = COMMAND_CHAT, .text = SLICE("1") };
	const struct command role = { .kind = COMMAND_ROLE,
				      .to = other->id,
				      .role = ROLE_SPEAKER };
	const struct {
		enum role role;
		int mic, hand, all, one, chat, admin;
	} v[] = {
		{ ROLE_OWNER, 0, 0, 0, 0, 0, 0 },
		{ ROLE_MODERATOR, 0, 0, 0, 0, 0, 0 },
		{ ROLE_SPEAKER, 0, 0, 0, 0, 0, E_DENIED },
		{ ROLE_LISTENER, E_DENIED, 0, E_DENIED, 0, 0, E_DENIED },
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		assert_int_equal(stage_do(owner, (struct command){ .kind = COMMAND_ROLE,
								   .to = m->id,
								   .role = v[i].role }),
				 0);
		assert_int_equal(stage_do(m, mic), v[i].mic);
		assert_int_equal(stage_do(m, hand), v[i].hand);
		assert_int_equal(stage_do(m, all), v[i].all);
		assert_int_equal(stage_do(m, one), v[i].one);
		assert_int_equal(stage_do(m, say), v[i].chat);
		assert_int_equal(stage_do(m, role), v[i].admin);
	}
}

static void a_moderator_cannot_touch_owners(void **state)
{
	struct stage *s = *state;
	struct member *owner = stage_join(s, "r", "o"), *m = stage_join(s, "r", "m");

	assert_int_equal(stage_do(owner, (struct command){ .kind = COMMAND_ROLE,
							   .to = m->id,
							   .role = ROLE_MODERATOR }),
			 0);
	assert_int_equal(
		stage_do(m, (struct command){ .kind = COMMAND_KICK, .to = owner->id }),
		E_DENIED);
	assert_int_equal(stage_do(m, (struct command){ .kind = COMMAND_ROLE,
						       .to = owner->id,
						       .role = ROLE_LISTENER }),
			 E_DENIED);
	assert_int_equal(stage_do(m, (struct command){ .kind = COMMAND_ROLE,
						       .to = m->id,
						       .role = ROLE_OWNER }),
			 E_DENIED);
}

static void the_only_owner_cannot_step_down(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join(s, "r", "Bo");
	struct command down = { .kind = COMMAND_ROLE,
				.to = ann->id,
				.role = ROLE_SPEAKER };
	struct command up = { .kind = COMMAND_ROLE, .to = bo->id, .role = ROLE_OWNER };

	assert_int_equal(stage_do(ann, down), E_DENIED);
	assert_int_equal(stage_do(ann, up), 0);
	assert_int_equal(stage_do(ann, down), 0);
}

static void an_unchanged_name_is_not_told(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	struct command c = { .kind = COMMAND_UPDATE,
			     .changed = CHANGED_NAME,
			     .name = SLICE("Ann") };
	size_t before = s->count;

	assert_int_equal(stage_do(ann, c), 0);
	assert_int_equal(s->count, before);
	c.name = SLICE("Anna");
	assert_int_equal(stage_do(ann, c), 0);
	assert_int_equal(stage_last(s)->e.changed, CHANGED_NAME);
}

static struct member *stage_join_named(struct stage *s, const char *user)
{
	struct command c = { .kind = COMMAND_JOIN,
			     .named = true,
			     .replaces = true,
			     .user = slice_str(user) };

	assert_int_equal(stage_try_join(s, "r", &c), 0);
	return room_addressed(room_find(s->rooms, SLICE("r")), slice_str(user));
}

static void named_members_are_addressed_by_user_alias_and_number(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann"), *bo = stage_join_named(s, "bo");
	char text[BUS_MEMBER_TEXT];

	assert_non_null(bo);
	assert_int_equal(stage_do(bo, (struct command){ .kind = COMMAND_ALIAS,
							.text = SLICE("b_1") }),
			 0);
	assert_ptr_equal(room_addressed(ann->room, SLICE("b_1")), bo);
	bus_member_text(text, bo->id);
	assert_ptr_equal(room_addressed(ann->room, slice_of(text, sizeof(text))), bo);
	assert_null(room_addressed(ann->room, SLICE("nobody")));
	assert_null(room_addressed(ann->room, SLICE_NONE));
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_SIGNAL,
							 .to_name = SLICE("bo"),
							 .text = SLICE("1") }),
			 0);
	assert_int_equal(stage_last(s)->to, bo->id);
}

static void an_alias_cannot_take_anothers_name(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join_named(s, "ann");

	stage_join_named(s, "bo");
	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_ALIAS,
							 .text = SLICE("bo") }),
			 E_DENIED);
}

static void an_unknown_name_is_nobody_or_all_others(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join_named(s, "ann");
	struct command c = { .kind = COMMAND_SIGNAL,
			     .to_name = SLICE("gone"),
			     .text = SLICE("1") };

	stage_join(s, "r", "Bo");
	assert_int_equal(stage_do(ann, c), E_NO_MEMBER);
	c.or_all = true;
	assert_int_equal(stage_do(ann, c), 0);
	assert_int_equal(stage_last(s)->to, 0);
	assert_int_equal(stage_last(s)->except, ann->id);
}

static void the_same_user_again_takes_the_old_seat(void **state)
{
	struct stage *s = *state;
	struct member *bo = stage_join_named(s, "bo");
	uint64_t before = bo->id;
	size_t at = s->count;

	bo = stage_join_named(s, "bo");
	assert_true(bo->id != before);
	assert_int_equal(bo->room->count, 1);
	assert_int_equal(s->heard[at].e.kind, EVENT_LEFT);
	assert_int_equal(s->heard[at].e.reason, LEAVE_REPLACED);
	assert_int_equal(s->heard[at].to, before);
}

static void joining_twice_is_refused(void **state)
{
	struct stage *s = *state;

	assert_int_equal(stage_do(stage_join(s, "r", "Ann"),
				  (struct command){ .kind = COMMAND_JOIN }),
			 E_ALREADY);
}

/* The clock stands, the low bits of the number run over. */
static void chat_ids_rise_strictly(void **state)
{
	struct stage *s = *state;
	struct member *a = stage_join(s, "r", "a");
	uint64_t last = 0;

	a->room->chat->n = BUS_CHAT_ID_N - 5;
	for (unsigned i = 0; i < 20; i++) {
		size_t at = s->count;

		(void)stage_do(
			a, (struct command){ .kind = COMMAND_CHAT, .text = SLICE("x") });
		while (s->heard[at].e.kind != EVENT_CHAT)
			at++;
		assert_true(bus_chat_id(&s->heard[at].e) > last);
		last = bus_chat_id(&s->heard[at].e);
	}
}

static void a_join_that_copes_with_fewer_is_refused(void **state)
{
	struct stage *s = *state;
	const struct command two = { .kind = COMMAND_JOIN, .fits = 2 };

	stage_join(s, "r", "a");
	assert_int_equal(stage_try_join(s, "r", &two), 0);
	assert_int_equal(stage_try_join(s, "r", &two), E_ROOM_FULL);
	stage_join(s, "r", "c"); /* the room itself has more seats */
}

static void only_the_same_dialect_takes_a_users_place(void **state)
{
	struct stage *s = *state;
	struct command u = { .kind = COMMAND_JOIN,
			     .named = true,
			     .replaces = true,
			     .dialect = 1,
			     .user = SLICE("u") };

	assert_int_equal(stage_try_join(s, "r", &u), 0);
	u.dialect = 2;
	assert_int_equal(stage_try_join(s, "r", &u), 0);
	assert_int_equal(room_count(room_find(s->rooms, SLICE("r"))), 2);
	u.dialect = 1;
	assert_int_equal(stage_try_join(s, "r", &u), 0);
	assert_int_equal(room_count(room_find(s->rooms, SLICE("r"))), 2);
}

static void a_guarded_signal_is_for_its_role(void **state)
{
	struct stage *s = *state;
	struct member *owner = stage_join(s, "r", "a"),
		      *speaker = stage_join(s, "r", "b");
	const struct command c = { .kind = COMMAND_SIGNAL,
				   .guarded = true,
				   .role = ROLE_MODERATOR,
				   .text = SLICE("1") };

	assert_int_equal(stage_do(owner, c), 0);
	assert_int_equal(stage_do(speaker, c), E_DENIED);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(update_tells_only_what_changed),
		TEST(update_keeps_what_it_does_not_name),
		TEST(signal_goes_to_one_or_to_all_others),
		TEST(signal_outside_the_room_is_no_such_member),
		TEST(chat_reaches_everybody_with_rising_numbers),
		TEST(chat_must_have_a_text_of_bounded_length),
		TEST(a_call_is_answered_to_another_member),
		TEST(kick_tells_the_member_first_and_frees_it),
		TEST(a_new_listener_loses_its_media),
		TEST(each_role_may_what_the_protocol_says),
		TEST(a_moderator_cannot_touch_owners),
		TEST(the_only_owner_cannot_step_down),
		TEST(an_unchanged_name_is_not_told),
		TEST(named_members_are_addressed_by_user_alias_and_number),
		TEST(an_alias_cannot_take_anothers_name),
		TEST(an_unknown_name_is_nobody_or_all_others),
		TEST(the_same_user_again_takes_the_old_seat),
		TEST(joining_twice_is_refused),
		TEST(chat_ids_rise_strictly),
		TEST(a_join_that_copes_with_fewer_is_refused),
		TEST(only_the_same_dialect_takes_a_users_place),
		TEST(a_guarded_signal_is_for_its_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
