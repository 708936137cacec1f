#include "room/keep.h"
#include "room/guard.h"

#include "room/testing.h"

#define LOCKED 1
#define RING 4

static int take_muted(struct stage *s, const char *room, uint8_t form, uint8_t set,
		      uint32_t capacity, uint64_t muted)
{
	struct buf value = BUF_INIT(32);

	buf_u8(&value, form);
	buf_u8(&value, set);
	buf_be32(&value, capacity);
	if (muted)
		buf_be64(&value, muted);
	const struct store_note n = { .kind = STORE_NOTE_DOOR,
				      .name = slice_str(room),
				      .value = buf_slice(&value) };
	int err = room_registry_take(s->rooms, &n);
	buf_fini(&value);
	return err;
}

static int take(struct stage *s, const char *room, uint8_t form, uint8_t set,
		uint32_t capacity)
{
	return take_muted(s, room, form, set, capacity, 0);
}

static const struct room *restored(struct stage *s, const char *room)
{
	const struct member_info m = { .id = 9, .role = ROLE_OWNER };
	const struct command c = { .kind = COMMAND_JOIN };
	const struct bus_home home = { 0, 9 };

	assert_int_equal(room_restore(s->rooms, slice_str(room), &m, &c, home, 1000), 0);
	return room_find(s->rooms, slice_str(room));
}

static void a_room_is_set_as_it_was(void **state)
{
	struct stage *s = *state;
	struct command join = { .kind = COMMAND_JOIN };

	assert_int_equal(take(s, "r", 1, LOCKED | RING, 7), 0);
	const struct room *r = restored(s, "r");
	assert_true(room_is_locked(r));
	assert_false(room_has_lobby(r));
	assert_true(r->ring);
	assert_int_equal(r->capacity, 7);
	assert_int_equal(stage_try_join(s, "r", &join), E_LOCKED);
	assert_false(room_is_locked(restored(s, "other")));
}

static void its_capacity_is_at_most_the_servers(void **state)
{
	struct stage *s = *state;

	assert_int_equal(take(s, "r", 1, 0, 5000), 0);
	assert_int_equal(take(s, "q", 1, 0, 0), 0);
	assert_int_equal(restored(s, "r")->capacity, s->settings.capacity);
	assert_int_equal(restored(s, "q")->capacity, s->settings.capacity);
}

static void a_room_to_which_nobody_comes_back_is_open(void **state)
{
	struct stage *s = *state;

	assert_int_equal(take(s, "r", 1, LOCKED, 7), 0);
	room_registry_restored(s->rooms);
	struct member *ann = stage_join(s, "r", "Ann");
	assert_false(room_is_locked(ann->room));
	/* The database was late: what it says is of a room that is no more. */
	assert_int_equal(take(s, "r", 1, LOCKED, 7), 0);
	assert_int_equal(take(s, "q", 1, LOCKED, 7), 0);
	assert_false(room_is_locked(ann->room));
	assert_false(room_is_locked(stage_join(s, "q", "Ann")->room));
}

static void who_was_muted_is(void **state)
{
	struct stage *s = *state;

	assert_int_equal(take_muted(s, "r", 1, 0, 0, 9), 0);
	assert_int_equal(take_muted(s, "q", 1, 0, 0, 8), 0);
	assert_true(restored(s, "r")->members[0]->muted);
	assert_false(restored(s, "q")->members[0]->muted);
	room_registry_restored(s->rooms);
	assert_true(room_find(s->rooms, SLICE("r"))->members[0]->muted);
}

static void strange_notes_are_refused(void **state)
{
	struct stage *s = *state;
	const struct store_note n = { .kind = STORE_NOTE_DOOR,
				      .name = SLICE("r"),
				      .value = SLICE("\1\1\0\0\0") };

	assert_int_equal(room_registry_take(s->rooms, &n), E_MALFORMED);
	assert_int_equal(take(s, "r", 2, LOCKED, 7), E_MALFORMED);
	assert_int_equal(take(s, "", 1, LOCKED, 7), E_MALFORMED);
	for (unsigned i = 0; i < s->settings.max_rooms; i++) {
		char name[] = { (char)('a' + i), 0 };

		assert_int_equal(take(s, name, 1, LOCKED, 7), 0);
	}
	assert_int_equal(take(s, "r", 1, LOCKED, 7), E_LIMIT);
}

/* Each member in it is 8 bytes. */
static void cut_notes_are_refused(void **state)
{
	static const char value[6 + 2 * 8] = { 1, LOCKED };
	struct stage *s = *state;

	for (size_t n = 0; n <= sizeof(value); n++) {
		const struct store_note cut = { .kind = STORE_NOTE_DOOR,
						.name = SLICE("r"),
						.value = slice_of(value, n) };
		bool whole = n >= 6 && (n - 6) % 8 == 0;

		assert_int_equal(room_registry_take(s->rooms, &cut),
				 whole ? 0 : E_MALFORMED);
	}
}

#define keep_test(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		keep_test(a_room_is_set_as_it_was),
		keep_test(its_capacity_is_at_most_the_servers),
		keep_test(a_room_to_which_nobody_comes_back_is_open),
		keep_test(who_was_muted_is),
		keep_test(strange_notes_are_refused),
		keep_test(cut_notes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
