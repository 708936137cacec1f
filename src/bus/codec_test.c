#include "bus/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct event chat = {
	.kind = EVENT_CHAT,
	.reason = LEAVE_KICK,
	.changed = CHANGED_NAME | PRESENCE_MIC,
	.ring = true,
	.err = -5012,
	.capacity = 6,
	.seq = 1u << 31,
	.member = 0xffffffffffu,
	.to = 7,
	.n = 99,
	.request = 9007199254740991u,
	.time = 1763632429123,
	.subject = {
		.id = 3, .role = ROLE_LISTENER, .state = PRESENCE_ALL, .offer = true,
		.joined_at = 5, .name = SLICE_LIT("Ann"), .user = SLICE_LIT("u"),
		.metadata = SLICE_LIT("{\"a\":1}"),
	},
	.text = SLICE_LIT("hello"),
	.roster = SLICE_LIT("r"),
	.backlog = SLICE_LIT(""),
};

static void assert_slice(struct slice a, struct slice b)
{
	assert_int_equal(a.n, b.n);
	if (a.n > 0)
		assert_memory_equal(a.p, b.p, a.n);
}

static void event_comes_back_as_it_went(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct event e;

	bus_event_encode(&b, &chat);
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_int_equal(bus_event_decode(&e, &in), 0);
	assert_int_equal(cur_left(&in), 0);
	assert_int_equal(e.kind, chat.kind);
	assert_int_equal(e.reason, chat.reason);
	assert_int_equal(e.changed, chat.changed);
	assert_true(e.ring);
	assert_int_equal(e.err, chat.err);
	assert_int_equal(e.capacity, chat.capacity);
	assert_int_equal(e.seq, chat.seq);
	assert_int_equal(e.member, chat.member);
	assert_int_equal(e.to, chat.to);
	assert_int_equal(e.n, chat.n);
	assert_int_equal(e.request, chat.request);
	assert_int_equal(e.time, chat.time);
	assert_int_equal(e.subject.id, 3);
	assert_int_equal(e.subject.role, ROLE_LISTENER);
	assert_int_equal(e.subject.state, PRESENCE_ALL);
	assert_true(e.subject.offer);
	assert_slice(e.subject.name, chat.subject.name);
	assert_slice(e.subject.user, chat.subject.user);
	assert_slice(e.subject.metadata, chat.subject.metadata);
	assert_slice(e.text, chat.text);
	assert_slice(e.roster, chat.roster);
	assert_slice(e.backlog, chat.backlog);
	buf_fini(&b);
}

static void command_comes_back_as_it_went(void **state)
{
	(void)state;
	const struct command want = {
		.kind = COMMAND_JOIN,
		.role = ROLE_MODERATOR,
		.reason = LEAVE_TIMEOUT,
		.state = PRESENCE_HAND,
		.changed = PRESENCE_MIC,
		.ring = true,
		.capacity = 2,
		.to = 42,
		.name = SLICE("Bo"),
		.user = SLICE("b"),
		.metadata = SLICE("{}"),
		.text = SLICE("t"),
	};
	struct buf b = BUF_INIT(4096);
	struct command c;

	bus_command_encode(&b, &want);
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_int_equal(bus_command_decode(&c, &in), 0);
	assert_int_equal(cur_left(&in), 0);
	assert_int_equal(c.kind, want.kind);
	assert_int_equal(c.role, want.role);
	assert_int_equal(c.reason, want.reason);
	assert_int_equal(c.state, want.state);
	assert_int_equal(c.changed, want.changed);
	assert_true(c.ring);
	assert_int_equal(c.capacity, 2);
	assert_int_equal(c.to, 42);
	assert_slice(c.name, want.name);
	assert_slice(c.user, want.user);
	assert_slice(c.metadata, want.metadata);
	assert_slice(c.text, want.text);
	buf_fini(&b);
}

static void letters_keep_their_envelopes(void **state)
{
	(void)state;
	const struct bus_command c = { .from = { 3, 77 },
				       .room = SLICE("r"),
				       .member = 5,
				       .request = 6,
				       .command = { .kind = COMMAND_LEAVE } };
	const struct bus_event e = {
		.session = 9, .except = 8, .room = SLICE("room"), .event = chat
	};
	struct buf b = BUF_INIT(4096);
	struct bus_command c2;
	struct bus_event e2;

	bus_command_letter_encode(&b, &c);
	assert_int_equal(bus_command_letter_decode(&c2, buf_slice(&b)), 0);
	assert_int_equal(c2.from.worker, 3);
	assert_int_equal(c2.from.session, 77);
	assert_slice(c2.room, c.room);
	assert_int_equal(c2.member, 5);
	assert_int_equal(c2.request, 6);
	assert_int_equal(c2.command.kind, COMMAND_LEAVE);
	buf_u8(&b, 0);
	assert_true(bus_command_letter_decode(&c2, buf_slice(&b)) < 0);
	buf_clear(&b);
	bus_event_letter_encode(&b, &e);
	assert_int_equal(bus_event_letter_decode(&e2, buf_slice(&b)), 0);
	assert_int_equal(e2.session, 9);
	assert_int_equal(e2.except, 8);
	assert_slice(e2.room, e.room);
	assert_slice(e2.event.text, chat.text);
	buf_u8(&b, 0);
	assert_true(bus_event_letter_decode(&e2, buf_slice(&b)) < 0);
	buf_fini(&b);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);

	bus_event_encode(&b, &chat);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *p = n > 0 ? xmemdup(b.p, n) : NULL;
		struct cur in = cur_of(p, n);
		struct event e;

		assert_true(bus_event_decode(&e, &in) < 0);
		free(p);
	}
	buf_fini(&b);
}

static void unknown_kinds_are_refused(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct event e;
	struct command c = { .kind = COMMAND_CHAT };

	bus_event_encode(&b, &chat);
	b.p[0] = EVENT_KINDS;
	struct cur in = cur_of_slice(buf_slice(&b));
	assert_true(bus_event_decode(&e, &in) < 0);
	buf_clear(&b);
	bus_command_encode(&b, &c);
	b.p[1] = ROLES;
	in = cur_of_slice(buf_slice(&b));
	assert_true(bus_command_decode(&c, &in) < 0);
	buf_fini(&b);
}

static void rooms_spread_over_the_workers(void **state)
{
	(void)state;
	unsigned at[4] = { 0 };

	for (int i = 0; i < 4000; i++) {
		struct buf b = BUF_INIT(32);

		buf_printf(&b, "r%d", i);
		at[bus_room_worker(buf_slice(&b), 4)]++;
		buf_fini(&b);
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(at[i], 850, 1150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_comes_back_as_it_went),
		cmocka_unit_test(command_comes_back_as_it_went),
		cmocka_unit_test(letters_keep_their_envelopes),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(rooms_spread_over_the_workers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
