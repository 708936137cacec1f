#include "room/ban.h"

#include <stdio.h>

#include "bus/ask.h"
#include "room/testing.h"
#include "store/note.h"

#define NOW 2000 /* of stage_do() */

static int come(struct stage *s, const char *room, const char *user, ms_t wall)
{
	struct command c = { .kind = COMMAND_JOIN,
			     .user = slice_str(user),
			     .address = SLICE("192.0.2.7") };
	struct bus_home home = { 0, ++s->sessions };

	return room_join(s->rooms, slice_str(room), &c, home, 5, wall);
}

static int ban_user(struct member *m, const char *user)
{
	return stage_do(m,
			(struct command){ .kind = COMMAND_BAN, .user = slice_str(user) });
}

static int unban_user(struct member *m, const char *user)
{
	return stage_do(
		m, (struct command){ .kind = COMMAND_UNBAN, .user = slice_str(user) });
}

/* How many are kept out of room "r". */
static unsigned banned(const struct stage *s, ms_t wall)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	struct bus_ban ban;
	unsigned n = 0;

	room_list_bans(s->rooms->bans, SLICE("r"), wall, &b);
	struct cur in = cur_of_slice(buf_slice(&b));
	while (cur_left(&in) > 0) {
		assert_int_equal(bus_ban_decode(&ban, &in), 0);
		n++;
	}
	buf_fini(&b);
	return n;
}

static void bans_are_by_user_or_address(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");

	assert_int_equal(stage_do(ann, (struct command){ .kind = COMMAND_BAN }),
			 E_BAD_FIELD);
	assert_int_equal(ban_user(ann, "eve"), 0);
	assert_int_equal(come(s, "r", "eve", NOW), E_BANNED);
	assert_int_equal(come(s, "other", "eve", NOW), 0);
	assert_int_equal(come(s, "r", "bob", NOW), 0);
	assert_int_equal(unban_user(ann, "eve"), 0);
	assert_int_equal(unban_user(ann, "eve"), E_NO_MEMBER);
	const struct command ban = { .kind = COMMAND_BAN, .address = SLICE("192.0.2.7") };
	assert_int_equal(stage_do(ann, ban), 0);
	assert_int_equal(come(s, "r", "zoe", NOW), E_BANNED);
}

static void bans_of_a_room_are_limited(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	char user[16];

	for (int i = 0; i <= ROOM_MAX_BANS; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		assert_int_equal(ban_user(ann, user), i < ROOM_MAX_BANS ? 0 : E_LIMIT);
	}
	assert_int_equal(banned(s, NOW), ROOM_MAX_BANS);
	/* One that is there already takes no place. */
	assert_int_equal(ban_user(ann, "u7"), 0);
}

static void bans_outlive_their_room(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");

	assert_int_equal(ban_user(ann, "eve"), 0);
	room_leave(ann, LEAVE_LEAVE, SLICE_NONE);
	assert_null(room_find(s->rooms, SLICE("r")));
	assert_int_equal(come(s, "r", "eve", NOW), E_BANNED);
	assert_null(room_find(s->rooms, SLICE("r")));
	assert_int_equal(come(s, "r", "bob", NOW), 0);
	assert_int_equal(come(s, "r", "eve", NOW), E_BANNED);
}

static void bans_end(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	ms_t end = NOW + s->settings.ban_time;

	assert_int_equal(ban_user(ann, "eve"), 0);
	assert_int_equal(come(s, "r", "eve", end - 1), E_BANNED);
	assert_int_equal(banned(s, end), 0);
	assert_int_equal(come(s, "r", "eve", end), 0);
}

static void over_the_limit_the_oldest_ends(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	int64_t dropped = metric_total(METRIC_BANS_DROPPED);

	s->settings.max_bans = 3;
	assert_int_equal(ban_user(ann, "a"), 0);
	assert_int_equal(ban_user(ann, "b"), 0);
	assert_int_equal(ban_user(ann, "c"), 0);
	assert_int_equal(ban_user(ann, "a"), 0); /* anew: the youngest now */
	assert_int_equal(metric_total(METRIC_BANS_DROPPED), dropped);
	assert_int_equal(ban_user(ann, "d"), 0);
	assert_int_equal(metric_total(METRIC_BANS_DROPPED), dropped + 1);
	assert_int_equal(come(s, "r", "a", NOW), E_BANNED);
	assert_int_equal(come(s, "r", "b", NOW), 0);
	assert_int_equal(banned(s, NOW), 3);
}

static void a_self_ban_is_no_harm(void **state)
{
	struct stage *s = *state;
	struct member *ann = stage_join(s, "r", "Ann");
	struct command ban = { .kind = COMMAND_BAN, .to = ann->id };

	assert_int_equal(stage_do(ann, ban), E_BAD_FIELD); /* nothing to know it by */
	assert_int_equal(come(s, "q", "eve", NOW), 0);
	struct member *eve = room_find(s->rooms, SLICE("q"))->members[0];
	ban.to = eve->id;
	assert_int_equal(room_command(eve, 1, &ban, NOW), 0);
	assert_null(room_find(s->rooms, SLICE("q")));
	assert_int_equal(come(s, "q", "eve", NOW), E_BANNED);
}

/* --- of before the restart --- */

static int take(struct stage *s, ms_t time, const char *room, const char *user)
{
	struct buf name = BUF_INIT(512);

	buf_be64(&name, (uint64_t)time);
	buf_prefixed(&name, slice_str(room));
	buf_prefixed(&name, slice_str(user));
	buf_prefixed(&name, SLICE_NONE);
	const struct store_note n = { .kind = STORE_NOTE_BAN,
				      .name = buf_slice(&name),
				      .time = time,
				      .until = time + 60000 };
	int err = room_registry_take(s->rooms, &n);
	if (err == 0)
		assert_true(slice_is(room_of_note(&n), room));
	buf_fini(&name);
	return err;
}

static void kept_bans_hold_again(void **state)
{
	struct stage *s = *state;

	assert_int_equal(take(s, 1000, "r", "eve"), 0);
	assert_int_equal(take(s, 1000, "r", "eve"), 0);
	assert_int_equal(banned(s, NOW), 1);
	assert_int_equal(come(s, "r", "eve", NOW), E_BANNED);
	assert_int_equal(come(s, "r", "bob", NOW), 0);
	/* Told late, they are older all the same. */
	s->settings.max_bans = 3;
	struct member *bob = room_find(s->rooms, SLICE("r"))->members[0];
	assert_int_equal(ban_user(bob, "zoe"), 0);
	assert_int_equal(take(s, 1500, "r", "late"), 0);
	assert_int_equal(take(s, 500, "r", "too late"), 0);
	assert_int_equal(come(s, "r", "too late", NOW), 0);
	assert_int_equal(ban_user(bob, "new"), 0);
	assert_int_equal(come(s, "r", "eve", NOW), 0);
	assert_int_equal(come(s, "r", "late", NOW), E_BANNED);
}

static void malformed_notes_are_refused(void **state)
{
	struct stage *s = *state;
	struct buf name = BUF_INIT(512);
	struct store_note n = { .kind = STORE_NOTE_BAN, .until = 5000 };

	assert_int_equal(take(s, 1000, "", "eve"), E_MALFORMED);
	assert_int_equal(take(s, 1000, "r", ""), E_MALFORMED);
	buf_be64(&name, 1000);
	buf_prefixed(&name, SLICE("r"));
	buf_prefixed(&name, SLICE("eve"));
	buf_prefixed(&name, SLICE("192.0.2.7"));
	for (size_t i = 0; i < name.n; i++) {
		n.name = slice_of(name.p, i);
		assert_int_equal(room_of_note(&n).n, 0);
		assert_int_equal(room_registry_take(s->rooms, &n), E_MALFORMED);
	}
	buf_u8(&name, 0);
	n.name = buf_slice(&name);
	assert_int_equal(room_registry_take(s->rooms, &n), E_MALFORMED);
	buf_fini(&name);
}

#define ban_test(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ban_test(bans_are_by_user_or_address),
		ban_test(bans_of_a_room_are_limited),
		ban_test(bans_outlive_their_room),
		ban_test(bans_end),
		ban_test(over_the_limit_the_oldest_ends),
		ban_test(a_self_ban_is_no_harm),
		ban_test(kept_bans_hold_again),
		ban_test(malformed_notes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
