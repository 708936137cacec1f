#include "net/stream.h"

#include "loop/volley.h"
#include "net/stream_pair.h"

static struct loop *loop;
static struct owner own;
static int far = -1;

static int set_up(void **state)
{
	(void)state;
	loop = loop_create(0);
	far = owner_open(&own, loop, NULL, &owner_limits);
	return 0;
}

static int set_up_hurry(void **state)
{
	(void)state;
	loop = loop_create(0);
	far = owner_open(&own, loop, NULL, &owner_hurry);
	return 0;
}

/* Every test leaves its stream closed, exactly once, and nothing in the gauges. */
static int tear_down(void **state)
{
	(void)state;
	if (far >= 0)
		close(far);
	loop_until(loop, own.closed);
	loop_one_turn(loop);
	assert_int_equal(own.closed, 1);
	assert_int_equal(metric_total(METRIC_CONNECTIONS), 0);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), 0);
	buf_fini(&own.got);
	loop_destroy(loop);
	return 0;
}

static void far_reset(void)
{
	struct linger now = { 1, 0 };

	setsockopt(far, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(far);
	far = -1;
}

/* --- reading --- */

static void data_comes_and_an_orderly_end_is_err_0(void **state)
{
	(void)state;
	far_write(far, SLICE("hello"));
	loop_until(loop, own.got.n == 5);
	assert_text(&own.got, "hello");
	assert_false(stream_is_tls(own.s));
	assert_ptr_equal(stream_loop(own.s), loop);
	assert_true(addr_is_loopback(stream_peer(own.s)));
	shutdown(far, SHUT_WR);
	loop_until(loop, own.closed);
	assert_int_equal(own.err, 0);
}

static ssize_t lines_only(struct owner *o, uint8_t *p, size_t n)
{
	size_t line = slice_find(slice_of(p, n), '\n');

	if (line == n)
		return 0;
	buf_add(&o->got, p, line + 1);
	return (ssize_t)line + 1;
}

static void data_not_used_is_shown_again_in_front(void **state)
{
	(void)state;
	own.data = lines_only;
	far_write(far, SLICE("on"));
	loop_until(loop, own.calls == 1);
	far_write(far, SLICE("e\ntw"));
	loop_until(loop, own.calls == 2);
	assert_text(&own.got, "one\n");
	far_write(far, SLICE("o\n"));
	loop_until(loop, own.calls == 3);
	assert_text(&own.got, "one\ntwo\n");
}

static ssize_t use_nothing(struct owner *o, uint8_t *p, size_t n)
{
	(void)o;
	(void)p;
	(void)n;
	return 0;
}

static void data_left_beyond_the_limit_closes(void **state)
{
	(void)state;
	static uint8_t much[STREAM_CARRY_MAX];

	own.data = use_nothing;
	far_write(far, slice_of(much, sizeof(much)));
	loop_until(loop, own.calls);
	assert_int_equal(own.closed, 0);
	far_write(far, SLICE("x"));
	loop_until(loop, own.closed);
	assert_int_equal(own.err, E_LIMIT);
}

static ssize_t refuse(struct owner *o, uint8_t *p, size_t n)
{
	(void)o;
	(void)p;
	(void)n;
	return E_MALFORMED;
}

static void data_that_fails_closes_with_its_error(void **state)
{
	(void)state;
	own.data = refuse;
	far_write(far, SLICE("x"));
	loop_until(loop, own.closed);
	assert_int_equal(own.err, E_MALFORMED);
	assert_int_equal(own.calls, 1);
}

static void reset_is_told(void **state)
{
	(void)state;
	far_reset();
	loop_until(loop, own.closed);
	assert_int_equal(own.err, -ECONNRESET);
}

static void first_byte_has_a_deadline(void **state)
{
	(void)state;
	loop_until(loop, own.closed);
	assert_int_equal(own.err, E_TIMEOUT);
}

static void first_byte_ends_the_deadline(void **state)
{
	(void)state;
	far_write(far, SLICE("x"));
	loop_until(loop, own.got.n == 1);
	loop_run_for(loop, owner_hurry.handshake + 20);
	assert_int_equal(own.closed, 0);
}

/* --- pausing --- */

static ssize_t pause_after_one(struct owner *o, uint8_t *p, size_t n)
{
	buf_add(&o->got, p, 1);
	if (n > 1)
		stream_pause(o->s, true);
	return 1;
}

static void paused_stream_shows_nothing(void **state)
{
	(void)state;
	own.data = pause_after_one;
	far_write(far, SLICE("abc"));
	loop_until(loop, own.calls == 1);
	far_write(far, SLICE("d"));
	loop_one_turn(loop);
	loop_one_turn(loop);
	assert_text(&own.got, "a");
	stream_pause(own.s, false);
	loop_one_turn(loop);
	assert_true(own.got.n >= 2); /* what was left, without new bytes */
	loop_until(loop, (stream_pause(own.s, false), own.got.n == 4));
	assert_text(&own.got, "abcd");
}

static void pause_does_not_hide_a_reset(void **state)
{
	(void)state;
	stream_pause(own.s, true);
	far_reset();
	loop_until(loop, own.closed);
	assert_int_equal(own.err, -ECONNRESET);
}

static void pause_puts_off_the_end(void **state)
{
	(void)state;
	stream_pause(own.s, true);
	far_write(far, SLICE("x"));
	shutdown(far, SHUT_WR);
	for (int i = 0; i < 10; i++)
		loop_one_turn(loop);
	assert_int_equal(own.closed, 0);
	stream_pause(own.s, false);
	loop_until(loop, own.closed);
	assert_text(&own.got, "x");
}

/* --- owners --- */

static struct owner heir;

static ssize_t hand_down(struct owner *o, uint8_t *p, size_t n)
{
	buf_add(&o->got, p, n < 2 ? n : 2);
	heir.s = o->s;
	stream_set_owner(o->s, &owner_ops, &heir);
	return n < 2 ? (ssize_t)n : 2;
}

static void new_owner_gets_the_rest_after_data_returns(void **state)
{
	(void)state;
	owner_init(&heir);
	own.data = hand_down;
	far_write(far, SLICE("abcd"));
	loop_until(loop, heir.got.n == 2);
	assert_text(&own.got, "ab");
	assert_text(&heir.got, "cd");
	shutdown(far, SHUT_WR);
	loop_until(loop, heir.closed);
	buf_fini(&heir.got);
	own.closed++; /* as tear_down() wants it */
}

static void new_owner_gets_the_rest_at_the_turns_end(void **state)
{
	(void)state;
	owner_init(&heir);
	own.data = use_nothing;
	far_write(far, SLICE("abcd"));
	loop_until(loop, own.calls == 1);
	heir.s = own.s;
	stream_set_owner(own.s, &owner_ops, &heir);
	assert_int_equal(heir.calls, 0);
	loop_one_turn(loop);
	assert_text(&heir.got, "abcd");
	shutdown(far, SHUT_WR);
	loop_until(loop, heir.closed);
	buf_fini(&heir.got);
	own.closed++;
}

/* --- writing --- */

static ssize_t say_it_back(struct owner *o, uint8_t *p, size_t n)
{
	assert_int_equal(stream_write(o->s, slice_of(p, n)), 0);
	uint8_t *room = stream_reserve(o->s, 3);
	assert_non_null(room);
	room[0] = 'e', room[1] = 'n', room[2] = 'd';
	assert_int_equal(stream_queued(o->s), n + 3);
	return (ssize_t)n;
}

static void writes_of_a_turn_leave_at_its_end(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(100);

	own.data = say_it_back;
	far_write(far, SLICE("hello "));
	loop_until(loop, own.calls == 1);
	assert_int_equal(stream_queued(own.s), 0);
	loop_until(loop, far_read(far, &got) > 0);
	assert_text(&got, "hello end");
	buf_fini(&got);
}

static void shared_write_leaves_at_once_but_never_overtakes(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(100);

	assert_int_equal(stream_write_shared(own.s, SLICE("a")), 0);
	assert_int_equal(stream_queued(own.s), 0);
	assert_int_equal(stream_write(own.s, SLICE("b")), 0);
	assert_int_equal(stream_write_shared(own.s, SLICE("c")), 0);
	assert_int_equal(stream_queued(own.s), 2);
	loop_until(loop, far_read(far, &got) > 0 && got.n == 3);
	assert_text(&got, "abc");
	buf_fini(&got);
}

/* Five connections more. */
#define CROWD 5

struct crowd {
	struct owner own[CROWD];
	int far[CROWD];
};

static void crowd_open(struct crowd *c)
{
	for (unsigned i = 0; i < CROWD; i++) {
		c->far[i] = owner_open(&c->own[i], loop, NULL, &owner_limits);
		far_write(c->far[i], SLICE("x"));
		loop_until(loop, c->own[i].calls == 1);
	}
}

static void crowd_close(struct crowd *c)
{
	for (unsigned i = 0; i < CROWD; i++) {
		close(c->far[i]);
		loop_until(loop, c->own[i].closed);
		buf_fini(&c->own[i].got);
	}
}

static void crowd_hears(struct crowd *c, unsigned i, const char *text)
{
	struct buf got = BUF_INIT(100);

	loop_until(loop, far_read(c->far[i], &got) >= 0 && got.n == strlen(text));
	assert_text(&got, text);
	buf_fini(&got);
}

static void volley_reaches_all_and_is_never_overtaken(void **state)
{
	(void)state;
	static struct crowd c;

	crowd_open(&c);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(stream_write_volley(c.own[i].s, SLICE("all ")), 0);
	assert_int_equal(stream_write(c.own[0].s, SLICE("you")), 0);
	assert_int_equal(stream_write_shared(c.own[1].s, SLICE("few")), 0);
	assert_int_equal(stream_write_volley(c.own[2].s, SLICE("two")), 0);
	crowd_hears(&c, 0, "all you");
	crowd_hears(&c, 1, "all few");
	crowd_hears(&c, 2, "all two");
	crowd_hears(&c, 3, "all ");
	crowd_hears(&c, 4, "all ");
	crowd_close(&c);
}

static void volley_survives_the_end_of_a_stream(void **state)
{
	(void)state;
	static struct crowd c;
	struct loop *second = loop_create(1);

	crowd_open(&c);
	for (unsigned i = 0; i < CROWD; i++)
		assert_int_equal(stream_write_volley(c.own[i].s, SLICE("last")), 0);
	stream_abort(c.own[0].s, E_SLOW);
	stream_finish(c.own[1].s);
	stream_detach(c.own[2].s);
	stream_attach(second, c.own[2].s, &owner_ops, &c.own[2]);
	loop_one_turn(loop);
	assert_int_equal(c.own[0].closed, 1);
	assert_int_equal(c.own[0].err, E_SLOW);
	for (unsigned i = 1; i < CROWD; i++)
		crowd_hears(&c, i, "last");
	close(c.far[2]);
	loop_until(second, c.own[2].closed);
	c.far[2] = -1;
	crowd_close(&c);
	loop_destroy(second);
}

/* Numbered bytes, so that a loss or a swap shows. */
static uint32_t pattern_at;

static void pattern_write(size_t n)
{
	static uint8_t chunk[65536];

	for (size_t i = 0; i < n; i++)
		chunk[i] = (uint8_t)((pattern_at + i) * 2654435761u >> 24);
	int err = pattern_at % 3 == 0   ? stream_write(own.s, slice_of(chunk, n))
		  : pattern_at % 3 == 1 ? stream_write_shared(own.s, slice_of(chunk, n))
					: stream_write_volley(own.s, slice_of(chunk, n));
	loop_volley_fire(loop); /* the chunk is used again */
	if (err == 0)
		pattern_at += (uint32_t)n;
	else
		assert_int_equal(err, E_SLOW);
}

static void pattern_check(const struct buf *got)
{
	assert_int_equal(got->n, pattern_at);
	for (size_t i = 0; i < got->n; i++)
		if (got->p[i] != (uint8_t)(i * 2654435761u >> 24))
			fail_msg("byte %zu differs", i);
}

static void fill_queue(void)
{
	uint32_t before;

	pattern_at = 0;
	do {
		before = pattern_at;
		pattern_write(60001);
		loop_one_turn(loop);
	} while (pattern_at != before);
}

static void queue_of_a_reader_that_does_not_read_is_bounded(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(64 << 20);

	fill_queue();
	size_t queued = stream_queued(own.s);
	assert_in_range(queued, owner_limits.queue - 60001, owner_limits.queue);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), queued);
	assert_true(stream_behind(own.s) > queued); /* the kernel has some of it */
	assert_null(stream_reserve(own.s, 60001));
	assert_int_equal(stream_write(own.s, slice_of("", owner_limits.queue + 1)),
			 E_SLOW);
	assert_int_equal(stream_queued(own.s), queued); /* nothing of what was refused */
	stream_write_last(own.s, SLICE("bye"));
	assert_int_equal(stream_queued(own.s), queued + 3);

	loop_until(loop, far_read(far, &got) < 0 && got.n == pattern_at + 3);
	assert_memory_equal(got.p + pattern_at, "bye", 3);
	got.n -= 3;
	pattern_check(&got);
	loop_until(loop, own.drained);
	assert_int_equal(own.drained, 1);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), 0);
	buf_fini(&got);
}

static void message_larger_than_the_queue_is_slow_and_not_sent(void **state)
{
	(void)state;
	static uint8_t huge[(1 << 20) + 1];
	struct buf got = BUF_INIT(10);

	assert_int_equal(stream_write_shared(own.s, slice_of(huge, sizeof(huge))),
			 E_SLOW);
	assert_int_equal(stream_write(own.s, slice_of(huge, sizeof(huge))), E_SLOW);
	loop_one_turn(loop);
	assert_int_equal(far_read(far, &got), -EAGAIN);
	buf_fini(&got);
}

static void bytes_keep_their_order_whatever_the_reader_does(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(64 << 20);

	pattern_at = 0;
	for (int i = 0; i < 3000; i++) {
		for (uint32_t k = loop_turns_random(4); k > 0; k--) {
			bool large = loop_turns_random(100) == 0;
			pattern_write(loop_turns_random(large ? 65536 : 2000));
		}
		if (loop_turns_random(2))
			loop_one_turn(loop);
		if (loop_turns_random(8) == 0)
			(void)far_read(far, &got);
	}
	loop_until(loop, far_read(far, &got) < 0 && got.n == pattern_at);
	pattern_check(&got);
	buf_fini(&got);
}

static void write_after_the_end_is_dropped(void **state)
{
	(void)state;
	stream_abort(own.s, E_STATE);
	assert_int_equal(stream_write(own.s, SLICE("x")), 0);
	assert_int_equal(stream_write_shared(own.s, SLICE("x")), 0);
	assert_null(stream_reserve(own.s, 1));
	stream_write_last(own.s, SLICE("x"));
	stream_finish(own.s);
	stream_pause(own.s, true);
	stream_abort(own.s, 0);
	assert_int_equal(own.closed, 0); /* never inside another call */
	loop_one_turn(loop);
	assert_int_equal(own.closed, 1);
	assert_int_equal(own.err, E_STATE);
}

static void writing_to_a_reset_connection_closes_it(void **state)
{
	(void)state;
	far_reset();
	for (int i = 0; i < 3; i++)
		assert_int_equal(stream_write_shared(own.s, SLICE("x")), 0);
	loop_until(loop, own.closed);
	assert_true(own.err == -ECONNRESET || own.err == -EPIPE);
}

/* --- ending --- */

static ssize_t answer_and_finish(struct owner *o, uint8_t *p, size_t n)
{
	(void)p;
	assert_int_equal(stream_write(o->s, SLICE("answer")), 0);
	stream_finish(o->s);
	assert_int_equal(stream_write(o->s, SLICE("too late")), 0);
	return (ssize_t)n;
}

static void finish_loses_no_answer_though_the_peer_keeps_talking(void **state)
{
	(void)state;
	static uint8_t much[100000];
	struct buf got = BUF_INIT(100);

	own.data = answer_and_finish;
	far_write(far, slice_of(much, sizeof(much)));
	loop_until(loop, own.calls == 1);
	/* Were the socket closed now, these bytes would bring a reset and the answer were
	 * lost. */
	far_write(far, slice_of(much, sizeof(much)));
	assert_int_equal(far_read_all(far, loop, &got), 0);
	assert_text(&got, "answer");
	assert_int_equal(own.closed, 0); /* it waits for our end */
	shutdown(far, SHUT_WR);
	loop_until(loop, own.closed);
	assert_int_equal(own.err, 0);
	assert_int_equal(own.calls, 1);
	buf_fini(&got);
}

static void finish_waits_no_longer_than_linger(void **state)
{
	(void)state;
	far_write(far, SLICE("x"));
	loop_until(loop, own.calls == 1);
	stream_finish(own.s);
	ms_t begin = loop_now(loop);
	loop_until(loop, own.closed);
	assert_true(loop_now(loop) - begin >= owner_hurry.linger);
	assert_int_equal(own.err, 0);
}

static void finish_gives_up_on_a_reader_that_does_not_read(void **state)
{
	(void)state;
	far_write(far, SLICE("x")); /* the deadline of the first byte is not meant here */
	loop_until(loop, own.calls == 1);
	fill_queue();
	stream_finish(own.s);
	loop_until(loop, own.closed);
	assert_int_equal(own.err, E_TIMEOUT);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), 0);
}

static void finish_sends_what_is_queued_first(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(64 << 20);

	fill_queue();
	stream_finish(own.s);
	assert_int_equal(far_read_all(far, loop, &got), 0);
	pattern_check(&got);
	buf_fini(&got);
}

static void end_of_the_peer_lets_the_queue_go_out(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(64 << 20);

	fill_queue();
	shutdown(far, SHUT_WR);
	for (int i = 0; i < 10; i++)
		loop_one_turn(loop);
	assert_int_equal(own.closed, 0);
	assert_int_equal(far_read_all(far, loop, &got), 0);
	pattern_check(&got);
	loop_until(loop, own.closed);
	assert_int_equal(own.err, 0);
	buf_fini(&got);
}

static void answer_to_the_last_words_still_goes_out(void **state)
{
	(void)state;
	struct buf got = BUF_INIT(100);

	own.data = say_it_back;
	far_write(far, SLICE("hi "));
	shutdown(far, SHUT_WR);
	assert_int_equal(far_read_all(far, loop, &got), 0);
	assert_text(&got, "hi end");
	buf_fini(&got);
}

/* --- from loop to loop --- */

static ssize_t leave_after_two(struct owner *o, uint8_t *p, size_t n)
{
	size_t used = n < 2 ? n : 2;

	buf_add(&o->got, p, used);
	assert_int_equal(stream_write(o->s, SLICE("gathered ")), 0);
	stream_detach(o->s);
	return (ssize_t)used;
}

static void detached_stream_takes_everything_along(void **state)
{
	(void)state;
	struct loop *second = loop_create(1);
	struct buf got = BUF_INIT(100);

	own.data = leave_after_two;
	far_write(far, SLICE("abcd"));
	loop_until(loop, own.calls == 1);
	assert_null(stream_loop(own.s));
	far_write(far, SLICE("ef"));
	loop_one_turn(loop);
	assert_int_equal(own.calls, 1);

	owner_init(&heir);
	heir.s = own.s;
	stream_attach(second, own.s, &owner_ops, &heir);
	loop_until(second, heir.got.n == 4);
	assert_text(&heir.got, "cdef");
	loop_until(second, far_read(far, &got) > 0);
	assert_text(&got, "gathered ");
	shutdown(far, SHUT_WR);
	loop_until(second, heir.closed);
	assert_int_equal(own.closed, 0);
	own.closed++;
	buf_fini(&heir.got);
	buf_fini(&got);
	loop_destroy(second);
}

static void detached_stream_takes_its_queue_along(void **state)
{
	(void)state;
	struct loop *second = loop_create(1);
	struct buf got = BUF_INIT(64 << 20);

	fill_queue();
	stream_detach(own.s);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), 0);
	stream_attach(second, own.s, &owner_ops, &own);
	assert_int_equal(metric_total(METRIC_QUEUED_BYTES), stream_queued(own.s));
	loop_until(second, far_read(far, &got) < 0 && got.n == pattern_at);
	pattern_check(&got);
	loop_until(second, own.drained);
	shutdown(far, SHUT_WR);
	loop_until(second, own.closed);
	buf_fini(&got);
	loop_destroy(second);
}

static void stream_that_is_ending_may_be_detached(void **state)
{
	(void)state;
	struct loop *second = loop_create(1);
	struct buf got = BUF_INIT(64 << 20);

	fill_queue();
	shutdown(far, SHUT_WR); /* its owner does not learn of this before `closed` */
	for (int i = 0; i < 3; i++)
		loop_one_turn(loop);
	stream_detach(own.s);
	stream_attach(second, own.s, &owner_ops, &own);
	assert_int_equal(far_read_all(far, second, &got), 0);
	pattern_check(&got);
	loop_until(second, own.closed);
	assert_int_equal(own.err, 0);
	buf_fini(&got);
	loop_destroy(second);
}

static void detaching_a_dead_stream_tells_the_next_owner(void **state)
{
	(void)state;
	struct loop *second = loop_create(1);

	stream_abort(own.s, E_SLOW);
	stream_detach(own.s);
	loop_one_turn(loop);
	assert_int_equal(own.closed, 0);
	stream_attach(second, own.s, &owner_ops, &own);
	loop_one_turn(second);
	assert_int_equal(own.closed, 1);
	assert_int_equal(own.err, E_SLOW);
	loop_destroy(second);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define HURRY(f) cmocka_unit_test_setup_teardown(f, set_up_hurry, tear_down)
	const struct CMUnitTest tests[] = {
		T(data_comes_and_an_orderly_end_is_err_0),
		T(data_not_used_is_shown_again_in_front),
		T(data_left_beyond_the_limit_closes),
		T(data_that_fails_closes_with_its_error),
		T(reset_is_told),
		HURRY(first_byte_has_a_deadline),
		HURRY(first_byte_ends_the_deadline),
		T(paused_stream_shows_nothing),
		T(pause_does_not_hide_a_reset),
		T(pause_puts_off_the_end),
		T(new_owner_gets_the_rest_after_data_returns),
		T(new_owner_gets_the_rest_at_the_turns_end),
		T(writes_of_a_turn_leave_at_its_end),
		T(shared_write_leaves_at_once_but_never_overtakes),
		T(volley_reaches_all_and_is_never_overtaken),
		T(volley_survives_the_end_of_a_stream),
		T(queue_of_a_reader_that_does_not_read_is_bounded),
		T(message_larger_than_the_queue_is_slow_and_not_sent),
		T(bytes_keep_their_order_whatever_the_reader_does),
		T(write_after_the_end_is_dropped),
		T(writing_to_a_reset_connection_closes_it),
		T(finish_loses_no_answer_though_the_peer_keeps_talking),
		HURRY(finish_waits_no_longer_than_linger),
		HURRY(finish_gives_up_on_a_reader_that_does_not_read),
		T(finish_sends_what_is_queued_first),
		T(end_of_the_peer_lets_the_queue_go_out),
		T(answer_to_the_last_words_still_goes_out),
		T(detached_stream_takes_everything_along),
		T(detached_stream_takes_its_queue_along),
		T(stream_that_is_ending_may_be_detached),
		T(detaching_a_dead_stream_tells_the_next_owner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
