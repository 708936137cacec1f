#include "net/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "loop/loop_turns.h"

/* What a socket of the loop got. */
struct inbox {
	struct udp *u;
	unsigned count;
	size_t bytes;
	size_t last_n;
	uint8_t last[16];
	struct addr from, to;
	bool echo, close;
};

static struct loop *l;
static struct udp_pool *pool;

static int set_up(void **state)
{
	(void)state;
	l = loop_create(0);
	pool = udp_pool_create(l);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	udp_pool_destroy(pool);
	loop_destroy(l);
	return 0;
}

static void on_input(void *arg, struct udp *u, const struct udp_packet *p)
{
	struct inbox *in = arg;

	assert_ptr_equal(u, in->u);
	in->count++;
	in->bytes += p->bytes.n;
	in->last_n = p->bytes.n;
	if (p->bytes.n > 0)
		memcpy(in->last, p->bytes.p,
		       p->bytes.n < sizeof(in->last) ? p->bytes.n : sizeof(in->last));
	in->from = p->from;
	in->to = p->to;
	if (in->echo) {
		const struct udp_parts parts = { .head = SLICE("<"), .body = p->bytes };
		udp_send(u, &p->from, &p->to, &parts);
	}
	if (in->close)
		udp_close(u);
}

static void inbox_open(struct inbox *in, const char *at, unsigned flags)
{
	struct addr a;

	*in = (struct inbox){ 0 };
	assert_int_equal(addr_parse(&a, slice_str(at)), 0);
	/* A shared port that the kernel chooses may be one that another program shares. */
	if (flags & UDP_SHARED) {
		struct udp *alone;
		assert_int_equal(udp_open(&alone, pool, &a, 0, on_input, in), 0);
		a.port = udp_address(alone).port;
		udp_close(alone);
	}
	assert_int_equal(udp_open(&in->u, pool, &a, flags, on_input, in), 0);
}

/* A plain socket of the test's, connected to a port of 127.0.0.1. */
static int far_open(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void udp_answers_gathered_in_a_turn(void **state)
{
	struct inbox in;
	char text[64];

	(void)state;
	inbox_open(&in, "127.0.0.1:0", UDP_SHARED);
	in.echo = true;
	int fd = far_open(udp_address(in.u).port);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "packet %02u", i);
		assert_int_equal(send(fd, text, 9, 0), 9);
	}
	loop_until(l, in.count == 100);
	for (unsigned i = 0; i < 100; i++) { /* in their order, each by itself */
		char want[64];
		snprintf(want, sizeof(want), "<packet %02u", i);
		assert_int_equal(recv(fd, text, sizeof(text), 0), 10);
		assert_memory_equal(text, want, 10);
	}
	assert_int_equal(recv(fd, text, sizeof(text), 0), -1);
	udp_close(in.u);
	close(fd);
}

/* Packets of equal size to one address, a shorter one, others between: all arrive as they were. */
static void udp_segments_are_packets_again(void **state)
{
	static const size_t sizes[] = { 500, 500, 500, 200, 500, 0,
					1,   1,   700, 700, 700, 700 };
	struct inbox out, in, other;
	uint8_t body[700];

	(void)state;
	inbox_open(&out, "127.0.0.1:0", UDP_RELAY);
	inbox_open(&in, "127.0.0.1:0", 0);
	inbox_open(&other, "127.0.0.1:0", 0);
	struct addr to = udp_address(in.u), elsewhere = udp_address(other.u);
	size_t bytes = 0;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		memset(body, (int)i, sizeof(body));
		const struct udp_parts parts = { .body = { body, sizes[i] } };
		udp_send(out.u, &to, NULL, &parts);
		bytes += sizes[i];
		if (i == 9)
			udp_send(out.u, &elsewhere, NULL, &parts);
	}
	loop_until(l, in.count == ARRAY_LEN(sizes) && other.count == 1);
	assert_int_equal(in.bytes, bytes);
	assert_int_equal(in.last_n, 700);
	assert_int_equal(in.last[0], 11);
	udp_close(out.u);
	udp_close(in.u);
	udp_close(other.u);
}

static void udp_sends_head_body_and_padding(void **state)
{
	const struct udp_parts parts = { .head = SLICE("head"),
					 .body = SLICE("body!"),
					 .pad = 3 };
	struct inbox a, b;

	(void)state;
	inbox_open(&a, "127.0.0.1:0", 0);
	inbox_open(&b, "127.0.0.1:0", 0);
	struct addr to = udp_address(b.u);
	udp_send(a.u, &to, NULL, &parts);
	loop_until(l, b.count == 1);
	assert_int_equal(b.last_n, 12);
	assert_memory_equal(b.last, "headbody!\0\0\0", 12);
	udp_close(a.u);
	udp_close(b.u);
}

static void udp_drops_what_is_too_long(void **state)
{
	static uint8_t big[UDP_MAX + 1];
	struct inbox in;

	(void)state;
	inbox_open(&in, "127.0.0.1:0", 0);
	int fd = far_open(udp_address(in.u).port);
	assert_int_equal(send(fd, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(send(fd, big, UDP_MAX, 0), UDP_MAX);
	loop_until(l, in.count == 1);
	assert_int_equal(in.last_n, UDP_MAX);
	udp_close(in.u);
	close(fd);
}

/* Bound to any: the answer comes from the address that was asked. */
static void udp_answers_from_where_it_was_asked(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct addr_text t;
	struct inbox in;
	char text[16];

	(void)state;
	inbox_open(&in, "[::]:0", UDP_SHARED);
	in.echo = true;
	a.sin_port = htons(udp_address(in.u).port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1); /* 127.0.0.2 */
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	/* Connected: an answer from another address would not be heard. */
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	loop_until(l, recv(fd, text, sizeof(text), 0) == 2);
	assert_string_equal(addr_text(&in.to, &t), "127.0.0.2:0");
	udp_close(in.u);
	close(fd);
}

static void udp_may_close_within_its_input(void **state)
{
	struct inbox in;

	(void)state;
	inbox_open(&in, "127.0.0.1:0", 0);
	in.echo = in.close = true;
	int fd = far_open(udp_address(in.u).port);
	char text[16];
	assert_int_equal(send(fd, "a", 1, 0), 1);
	assert_int_equal(send(fd, "b", 1, 0), 1);
	loop_until(l, recv(fd, text, sizeof(text), 0) == 2);
	assert_int_equal(in.count, 1);
	loop_one_turn(l);
	close(fd);
}

/* Nobody listens there, or nothing leads there: neither harms what follows. */
static void udp_survives_refusing_peers(void **state)
{
	const struct udp_parts parts = { .body = SLICE("x") };
	struct inbox a, b;
	struct addr nobody, nowhere;

	(void)state;
	inbox_open(&a, "127.0.0.1:0", UDP_RELAY);
	inbox_open(&b, "127.0.0.1:0", 0);
	struct addr to = udp_address(b.u);
	assert_int_equal(addr_parse(&nobody, SLICE("127.0.0.1:1")), 0);
	assert_int_equal(addr_parse(&nowhere, SLICE("240.0.0.1:9")), 0);
	for (unsigned i = 0; i < 5; i++) {
		udp_send(a.u, &nobody, NULL, &parts);
		udp_send(a.u, &nowhere, NULL, &parts);
		udp_send(a.u, &to, NULL, &parts);
		loop_until(l, b.count == i + 1);
	}
	udp_close(a.u);
	udp_close(b.u);
}

static struct udp_error last_error;
static unsigned errors;

static void on_error(void *arg, struct udp *u, const struct udp_error *e)
{
	(void)arg;
	(void)u;
	last_error = *e;
	errors++;
}

static void refused_at(const char *from, const char *to_nobody)
{
	struct inbox in = { 0 }, peer = { 0 };
	struct addr nobody, there;

	errors = 0;
	inbox_open(&in, from, UDP_RELAY);
	inbox_open(&peer, from, 0);
	there = udp_address(peer.u);
	assert_int_equal(addr_parse(&nobody, slice_str(to_nobody)), 0);
	assert_int_equal(udp_hear_errors(in.u, on_error), 0);
	/* What is said of one packet takes no other with it. */
	for (unsigned i = 0; i < 10; i++) {
		udp_send(in.u, &nobody, NULL, &(struct udp_parts){ .body = SLICE("x") });
		udp_send(in.u, &there, NULL, &(struct udp_parts){ .body = SLICE("y") });
		loop_until(l, errors == i + 1 && peer.count == i + 1);
	}
	assert_true(addr_eq(&last_error.to, &nobody));
	udp_close(in.u);
	udp_close(peer.u);
}

static void udp_hears_what_icmp_says(void **state)
{
	(void)state;
	refused_at("127.0.0.1:0", "127.0.0.1:1");
	assert_int_equal(last_error.type, 3); /* ICMP: destination unreachable, */
	assert_int_equal(last_error.code, 3); /* port */
	refused_at("[::1]:0", "[::1]:1");
	assert_int_equal(last_error.type, 1);
	assert_int_equal(last_error.code, 4);
}

/* --- the twin --- */

#define ENOUGH 40 /* packets, for a twin */

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void say(struct udp *u, const struct addr *to, const char *text)
{
	udp_send(u, to, NULL, &(struct udp_parts){ .body = slice_str(text) });
}

/* Message after message, each in a turn of its own. */
static void keep_saying(struct inbox *from, struct inbox *to, unsigned times)
{
	struct addr there = udp_address(to->u), here = udp_address(from->u);

	for (unsigned i = 0; i < times; i++) {
		unsigned before = to->count;
		say(from->u, &there, "x");
		loop_until(l, to->count == before + 1);
		assert_true(addr_eq(&to->from, &here));
	}
}

/* Whoever sends to the relay is heard, by one socket as it seems. */
static void hears(struct inbox *relay, struct inbox *from)
{
	struct addr there = udp_address(relay->u), here = udp_address(from->u);
	unsigned before = relay->count;

	say(from->u, &there, "back");
	loop_until(l, relay->count == before + 1);
	assert_true(addr_eq(&relay->from, &here));
	assert_int_equal(relay->last_n, 4);
}

static void twin_of(const char *at)
{
	struct inbox relay, a, b;

	inbox_open(&relay, at, UDP_RELAY);
	inbox_open(&a, at, 0);
	inbox_open(&b, at, 0);
	unsigned before = descriptors();
	keep_saying(&relay, &b, ENOUGH / 4); /* not yet */
	assert_int_equal(descriptors(), before);
	keep_saying(&relay, &a, ENOUGH);
	assert_int_equal(descriptors(), before + 1);
	hears(&relay, &a);
	hears(&relay, &b);
	keep_saying(&relay, &b, 1);
	/* It turns to who is the busy one now. */
	keep_saying(&relay, &b, ENOUGH);
	assert_int_equal(descriptors(), before + 1);
	hears(&relay, &a);
	hears(&relay, &b);
	keep_saying(&relay, &a, 1);
	udp_close(relay.u);
	assert_int_equal(descriptors(), before - 1);
	udp_close(a.u);
	udp_close(b.u);
}

static void udp_twin_is_seen_by_nobody(void **state)
{
	(void)state;
	twin_of("127.0.0.1:0");
	twin_of("[::1]:0");
}

/* A socket bound to any answers each peer from the address that this one knows. */
static void udp_twin_is_not_of_any(void **state)
{
	struct addr there, here;
	struct inbox relay, peer;

	(void)state;
	inbox_open(&relay, "0.0.0.0:0", UDP_RELAY);
	inbox_open(&peer, "127.0.0.1:0", 0);
	unsigned before = descriptors();
	there = udp_address(peer.u);
	here = there;
	here.port = udp_address(relay.u).port;
	for (unsigned i = 0; i < ENOUGH; i++) {
		say(relay.u, &there, "x");
		loop_until(l, peer.count == i + 1);
		assert_true(addr_eq(&peer.from, &here));
	}
	assert_int_equal(descriptors(), before);
	udp_close(relay.u);
	udp_close(peer.u);
}

/* It cannot turn to where there is no way, and goes on as it was. */
static void udp_twin_stays_where_it_is(void **state)
{
	struct inbox relay, peer;
	struct addr nowhere;

	(void)state;
	assert_int_equal(addr_parse(&nowhere, SLICE("255.255.255.255:9")), 0);
	inbox_open(&relay, "127.0.0.1:0", UDP_RELAY);
	inbox_open(&peer, "127.0.0.1:0", 0);
	keep_saying(&relay, &peer, ENOUGH);
	unsigned before = descriptors();
	for (unsigned i = 0; i < ENOUGH; i++)
		say(relay.u, &nowhere, "x");
	loop_one_turn(l);
	assert_int_equal(descriptors(), before);
	keep_saying(&relay, &peer, 1);
	hears(&relay, &peer);
	udp_close(relay.u);
	udp_close(peer.u);
}

/* Also while it is there the port is nobody else's. */
static void udp_twin_leaves_the_port_closed(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct inbox relay, peer;
	int on = 1;

	(void)state;
	inbox_open(&relay, "127.0.0.1:0", UDP_RELAY);
	inbox_open(&peer, "127.0.0.1:0", 0);
	keep_saying(&relay, &peer, ENOUGH);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(udp_address(relay.u).port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(fd);
	udp_close(relay.u);
	udp_close(peer.u);
}

static void udp_twin_closes_within_its_input(void **state)
{
	struct inbox relay, peer;

	(void)state;
	inbox_open(&relay, "127.0.0.1:0", UDP_RELAY);
	inbox_open(&peer, "127.0.0.1:0", 0);
	unsigned before = descriptors();
	keep_saying(&relay, &peer, ENOUGH);
	relay.close = true;
	hears(&relay, &peer);
	assert_int_equal(descriptors(), before - 1);
	loop_one_turn(l);
	udp_close(peer.u);
}

/* The busy peer goes away: that is told, and others are still reached. */
static void udp_twin_hears_what_icmp_says(void **state)
{
	struct inbox relay, peer, other;

	(void)state;
	errors = 0;
	inbox_open(&relay, "127.0.0.1:0", UDP_RELAY);
	inbox_open(&peer, "127.0.0.1:0", 0);
	inbox_open(&other, "127.0.0.1:0", 0);
	assert_int_equal(udp_hear_errors(relay.u, on_error), 0);
	keep_saying(&relay, &peer, ENOUGH);
	struct addr gone = udp_address(peer.u), there = udp_address(other.u);
	udp_close(peer.u);
	for (unsigned i = 0; i < 10; i++) {
		say(relay.u, &gone, "x");
		say(relay.u, &there, "y");
		loop_until(l, errors == i + 1 && other.count == i + 1);
	}
	assert_true(addr_eq(&last_error.to, &gone));
	assert_int_equal(last_error.code, 3);
	udp_close(relay.u);
	udp_close(other.u);
}

static void udp_reserve_finds_who_has_the_port(void **state)
{
	struct inbox in;

	(void)state;
	inbox_open(&in, "127.0.0.1:0", UDP_SHARED);
	struct addr a = udp_address(in.u);
	assert_int_equal(udp_reserve(&a), -EADDRINUSE);
	udp_close(in.u);
	int fd = udp_reserve(&a);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(udp_answers_gathered_in_a_turn),
		T(udp_segments_are_packets_again),
		T(udp_sends_head_body_and_padding),
		T(udp_drops_what_is_too_long),
		T(udp_answers_from_where_it_was_asked),
		T(udp_may_close_within_its_input),
		T(udp_survives_refusing_peers),
		T(udp_hears_what_icmp_says),
		T(udp_twin_is_seen_by_nobody),
		T(udp_twin_is_not_of_any),
		T(udp_twin_stays_where_it_is),
		T(udp_twin_leaves_the_port_closed),
		T(udp_twin_closes_within_its_input),
		T(udp_twin_hears_what_icmp_says),
		T(udp_reserve_finds_who_has_the_port),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
