#include "loop/mail.h"

#include <pthread.h>

#include "loop/loop_turns.h"

enum { KIND_COUNT = 1, KIND_ECHO, KIND_DONE, KIND_BIG };

/* --- several loops on threads of their own --- */

#define LOOPS 4
#define MAILS 20000 /* from each loop to each */

struct node {
	struct loop *loop;
	struct loop_task task;
	uint32_t sent;
	uint32_t next[LOOPS]; /* the number expected from each */
	unsigned complete;
};

static struct node nodes[LOOPS];
static _Atomic unsigned nodes_done;

static void node_count(void *arg, unsigned from, struct slice body)
{
	struct node *n = arg;
	uint32_t number;

	assert_ptr_equal(loop_current(), n->loop);
	assert_int_equal(body.n, sizeof(number) + from);
	memcpy(&number, body.p, sizeof(number));
	assert_int_equal(number, n->next[from]);
	if (++n->next[from] < MAILS || ++n->complete < LOOPS)
		return;
	if (atomic_fetch_add(&nodes_done, 1) + 1 == LOOPS)
		for (unsigned i = 0; i < LOOPS; i++)
			loop_stop(nodes[i].loop);
}

/* A hundred numbered mails to each loop per turn, bodies of different lengths. */
static void node_send(void *arg)
{
	struct node *n = arg;
	uint8_t body[sizeof(uint32_t) + LOOPS] = { 0 };

	for (unsigned i = 0; i < 100 && n->sent < MAILS; i++, n->sent++) {
		memcpy(body, &n->sent, sizeof(n->sent));
		for (unsigned to = 0; to < LOOPS; to++)
			loop_mail_send(
				to, KIND_COUNT,
				slice_of(body, sizeof(uint32_t) + loop_id(n->loop)));
	}
	if (n->sent < MAILS)
		loop_post(n->loop, node_send, n);
}

static void *node_thread(void *arg)
{
	struct node *n = arg;

	loop_run(n->loop);
	return NULL;
}

static void mail_keeps_its_order_between_any_two_loops(void **state)
{
	(void)state;
	pthread_t t[LOOPS];

	for (unsigned i = 0; i < LOOPS; i++) {
		nodes[i].loop = loop_create(i);
		loop_mail_handler(nodes[i].loop, KIND_COUNT, node_count, &nodes[i]);
	}
	for (unsigned i = 0; i < LOOPS; i++) {
		assert_int_equal(pthread_create(&t[i], NULL, node_thread, &nodes[i]), 0);
		loop_post(nodes[i].loop, node_send, &nodes[i]);
	}
	for (unsigned i = 0; i < LOOPS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(metric_total(METRIC_MAIL_SENT), LOOPS * LOOPS * MAILS);
	/* A batch holds what a turn sent. */
	assert_int_equal(metric_total(METRIC_MAIL_BATCHES), LOOPS * LOOPS * MAILS / 100);
	for (unsigned i = 0; i < LOOPS; i++)
		loop_destroy(nodes[i].loop);
}

/* --- one loop, turn by turn --- */

static struct loop *loop;
static unsigned echoes;
static uint8_t big[300 * 1000];

static void on_echo(void *arg, unsigned from, struct slice body)
{
	assert_ptr_equal(arg, &echoes);
	assert_int_equal(from, 7);
	assert_int_equal(body.n, 0);
	assert_int_equal((uintptr_t)body.p % 8, 0);
	echoes++;
}

static void send_to_self(void *arg)
{
	(void)arg;
	loop_mail_send(7, KIND_ECHO, SLICE_NONE);
	loop_mail_send(7, KIND_ECHO, SLICE_NONE);
	assert_int_equal(echoes, 0);
}

static void mail_to_oneself_arrives_next_turn(void **state)
{
	(void)state;
	loop = loop_create(7);
	echoes = 0;
	loop_mail_handler(loop, KIND_ECHO, on_echo, &echoes);
	loop_post(loop, send_to_self, NULL);
	loop_one_turn(loop);
	assert_int_equal(echoes, 0);
	loop_one_turn(loop);
	assert_int_equal(echoes, 2);
	loop_destroy(loop);
}

static void on_big(void *arg, unsigned from, struct slice body)
{
	(void)from;
	assert_int_equal(body.n, sizeof(big));
	assert_memory_equal(body.p, big, sizeof(big));
	(*(unsigned *)arg)++;
}

static void send_big(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		loop_mail_send(7, KIND_BIG, slice_of(big, sizeof(big)));
}

static void mail_may_be_big(void **state)
{
	(void)state;
	unsigned got = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31);
	loop = loop_create(7);
	loop_mail_handler(loop, KIND_BIG, on_big, &got);
	loop_post(loop, send_big, NULL);
	loop_one_turn(loop);
	loop_one_turn(loop);
	assert_int_equal(got, 3);
	loop_destroy(loop);
}

static void send_to_nobody(void *arg)
{
	(void)arg;
	loop_mail_send(9, KIND_DONE, SLICE("hello"));
}

static void mail_and_posts_that_are_never_read_are_freed(void **state)
{
	(void)state;
	struct loop *other = loop_create(8);

	loop = loop_create(7);
	loop_post(loop, send_to_nobody, NULL);
	loop_one_turn(loop);
	loop_post(loop, send_to_self, NULL);
	echoes = 0;
	loop_one_turn(loop);
	loop_post(other, send_to_self, NULL);
	loop_destroy(loop);
	loop_destroy(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_keeps_its_order_between_any_two_loops),
		cmocka_unit_test(mail_to_oneself_arrives_next_turn),
		cmocka_unit_test(mail_may_be_big),
		cmocka_unit_test(mail_and_posts_that_are_never_read_are_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
