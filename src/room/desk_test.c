#include "room/desk.h"

#include "bus/mail.h"
#include "loop/loop_turns.h"
#include "room/testing.h"

#define WORKERS 2

/* Two workers on one thread, turn by turn. */
struct office {
	struct loop *loop[WORKERS];
	struct stage *stage[WORKERS];
	struct room_desk *desk[WORKERS];
	/* What the last ask brought. */
	unsigned calls;
	size_t count;
	int err;
	char names[256];
	char members[256];
	struct bus_ask ask;
};

static int office_setup(void **state)
{
	struct office *o = xzalloc(sizeof(*o));

	for (unsigned i = 0; i < WORKERS; i++) {
		void *stage;

		stage_setup(&stage);
		o->stage[i] = stage;
		o->loop[i] = loop_create(i);
		o->desk[i] =
			room_desk_create(o->loop[i], WORKERS, o->stage[i]->rooms, NULL);
	}
	*state = o;
	return 0;
}

static int office_teardown(void **state)
{
	struct office *o = *state;

	for (unsigned i = 0; i < WORKERS; i++) {
		void *stage = o->stage[i];

		room_desk_destroy(o->desk[i]);
		stage_teardown(&stage);
		loop_destroy(o->loop[i]);
	}
	free(o);
	return 0;
}

static void note(char *list, struct slice name)
{
	size_t at = strlen(list);

	memcpy(list + at, name.p, name.n);
	list[at + name.n] = ' ';
}

static void on_answers(void *arg, const struct bus_answer *answers, size_t count)
{
	struct office *o = arg;
	struct member_info m;
	struct room_info r;

	o->calls++;
	o->count = count;
	for (size_t i = 0; i < count; i++) {
		struct cur rooms = cur_of_slice(answers[i].rooms);
		struct cur members = cur_of_slice(answers[i].members);

		o->err = answers[i].err;
		while (cur_left(&rooms) > 0 && bus_room_decode(&r, &rooms) == 0)
			note(o->names, r.name);
		while (cur_left(&members) > 0 && bus_member_decode(&m, &members) == 0)
			note(o->members, m.name);
	}
}

static void ask_now(void *arg)
{
	struct office *o = arg;

	room_desk_ask(o->desk[0], &o->ask, on_answers, o);
}

static void office_ask(struct office *o, const struct bus_ask *ask)
{
	unsigned calls = o->calls;

	o->ask = *ask;
	memset(o->names, 0, sizeof(o->names));
	memset(o->members, 0, sizeof(o->members));
	loop_post(o->loop[0], ask_now, o);
	for (unsigned turn = 0; o->calls == calls && turn < 10; turn++)
		for (unsigned i = 0; i < WORKERS; i++)
			loop_one_turn(o->loop[i]);
	assert_int_equal(o->calls, calls + 1);
}

/* A room where it belongs. */
static struct member *office_join(struct office *o, const char *room, const char *name)
{
	unsigned worker = bus_room_worker(slice_str(room), WORKERS);

	return stage_join(o->stage[worker], room, name);
}

static void rooms_of_all_workers_are_listed(void **state)
{
	struct office *o = *state;
	static const char *const names[] = { "a", "b", "c", "d" };
	unsigned here = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		office_join(o, names[i], "Ann");
		here += bus_room_worker(slice_str(names[i]), WORKERS) == 0;
	}
	assert_in_range(here, 1, 3); /* else this test shows nothing */
	office_ask(o, &(struct bus_ask){ .kind = ASK_ROOMS, .limit = 10 });
	assert_int_equal(o->count, WORKERS);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_non_null(strstr(o->names, names[i]));
	office_ask(o, &(struct bus_ask){
			      .kind = ASK_ROOMS, .limit = 10, .after = SLICE("c") });
	assert_string_equal(o->names, "d ");
	office_ask(o, &(struct bus_ask){ .kind = ASK_ROOMS, .limit = 0 });
	assert_string_equal(o->names, "");
}

static void room_is_described_with_its_members(void **state)
{
	struct office *o = *state;
	struct bus_ask ask = { .kind = ASK_ROOM };

	for (int i = 0; i < 2; i++) {
		const char *room = i ? "there" : "here";

		office_join(o, room, "Ann");
		office_join(o, room, "Bob");
		ask.room = slice_str(room);
		office_ask(o, &ask);
		assert_int_equal(o->err, 0);
		assert_string_equal(o->members, "Ann Bob ");
	}
	ask.room = SLICE("nowhere");
	office_ask(o, &ask);
	assert_int_equal(o->err, E_NOT_FOUND);
}

static void server_commands_in_a_room(void **state)
{
	struct office *o = *state;
	struct stage *s = o->stage[bus_room_worker(SLICE("r"), WORKERS)];
	struct member *ann = office_join(o, "r", "Ann");
	uint64_t id = ann->id;
	struct bus_ask ask = { .kind = ASK_COMMAND, .room = SLICE("r") };

	office_join(o, "r", "Bob");
	ask.command = (struct command){ .kind = COMMAND_NOTICE, .text = SLICE("{}") };
	office_ask(o, &ask);
	assert_int_equal(o->err, 0);
	assert_int_equal(stage_last(s)->e.kind, EVENT_NOTICE);
	ask.command = (struct command){ .kind = COMMAND_KICK, .to = id };
	office_ask(o, &ask);
	assert_int_equal(o->err, 0);
	office_ask(o, &ask);
	assert_int_equal(o->err, E_NO_MEMBER);
	ask.command = (struct command){ .kind = COMMAND_UPDATE };
	office_ask(o, &ask);
	assert_int_equal(o->err, E_NO_MEMBER);
	ask.command = (struct command){ .kind = COMMAND_ALIAS };
	office_ask(o, &ask);
	assert_int_equal(o->err, E_UNKNOWN_TYPE);
	ask.command = (struct command){ .kind = COMMAND_CLOSE };
	office_ask(o, &ask);
	assert_int_equal(o->err, 0);
	assert_int_equal(stage_last(s)->e.reason, LEAVE_CLOSED);
	assert_null(room_find(s->rooms, SLICE("r")));
}

static void who_still_waits_is_told_when_the_desk_goes(void **state)
{
	struct office *o = *state;

	o->ask = (struct bus_ask){ .kind = ASK_ROOMS, .limit = 10 };
	loop_post(o->loop[0], ask_now, o);
	loop_one_turn(o->loop[0]);
	room_desk_destroy(o->desk[0]);
	o->desk[0] = NULL;
	assert_int_equal(o->calls, 1);
	assert_int_equal(o->count, 0);
}

#define office_test(name)                                                                \
	cmocka_unit_test_setup_teardown(name, office_setup, office_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		office_test(rooms_of_all_workers_are_listed),
		office_test(room_is_described_with_its_members),
		office_test(server_commands_in_a_room),
		office_test(who_still_waits_is_told_when_the_desk_goes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
