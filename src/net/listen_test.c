#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "loop/loop_turns.h"

static struct loop *loop;

static int set_up(void **state)
{
	(void)state;
	loop = loop_create(0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop_destroy(loop);
	return 0;
}

#define ACCEPTED_MAX 600
static struct {
	int fd[ACCEPTED_MAX];
	struct addr peer[ACCEPTED_MAX];
	size_t n;
	struct listener *close_it;
} accepted;

static void on_accept(void *arg, int fd, const struct addr *peer)
{
	assert_ptr_equal(arg, &accepted);
	assert_true(accepted.n < ACCEPTED_MAX);
	accepted.fd[accepted.n] = fd;
	accepted.peer[accepted.n++] = *peer;
	if (accepted.close_it)
		listen_close(accepted.close_it);
}

static void accepted_close(void)
{
	while (accepted.n)
		close(accepted.fd[--accepted.n]);
	accepted.close_it = NULL;
}

static struct listener *open_at(struct addr *a, const char *text)
{
	struct listener *ln;
	assert_int_equal(addr_parse(a, slice_str(text)), 0);
	int held = listen_reserve(a);

	assert_true(held >= 0);
	assert_true(a->port != 0);
	assert_int_equal(listen_open(&ln, loop, a, on_accept, &accepted), 0);
	close(held);
	return ln;
}

/* The descriptor; connects without waiting for anybody. -errno. */
static int connect_to(const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t n = addr_to_sock(a, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&ss, n) == 0)
		return fd;
	int err = -errno;
	close(fd);
	return err;
}

static void accepted_sockets_are_ready_for_use(void **state)
{
	(void)state;
	struct addr a;
	struct listener *ln = open_at(&a, "127.0.0.1:0");
	int client = connect_to(&a), nodelay = 0;
	socklen_t n = sizeof(nodelay);

	loop_until(loop, accepted.n == 1);
	assert_true(addr_is_loopback(&accepted.peer[0]));
	assert_true(fcntl(accepted.fd[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(accepted.fd[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(
		getsockopt(accepted.fd[0], IPPROTO_TCP, TCP_NODELAY, &nodelay, &n), 0);
	assert_int_equal(nodelay, 1);
	assert_int_equal(metric_of(0, METRIC_CONNECTS), 1);
	close(client);
	accepted_close();
	listen_close(ln);
}

static void any_address_serves_both_families(void **state)
{
	(void)state;
	struct addr a, v4, v6;
	struct listener *ln = open_at(&a, "[::]:0");
	assert_int_equal(addr_parse(&v4, SLICE("127.0.0.1:0")), 0);
	assert_int_equal(addr_parse(&v6, SLICE("[::1]:0")), 0);
	v4.port = v6.port = a.port;

	int first = connect_to(&v4);
	loop_until(loop, accepted.n == 1);
	assert_int_equal(accepted.peer[0].family, AF_INET); /* not ::ffff:127.0.0.1 */
	close(first);
	int second = a.family == AF_INET6 ? connect_to(&v6) : -1;
	if (second >= 0) { /* a machine may have no IPv6 */
		loop_until(loop, accepted.n == 2);
		assert_int_equal(accepted.peer[1].family, AF_INET6);
		close(second);
	}
	accepted_close();
	listen_close(ln);
}

static void reserve_refuses_a_taken_port(void **state)
{
	(void)state;
	struct addr a, same, any;
	struct listener *ln = open_at(&a, "127.0.0.1:0");

	same = a;
	assert_int_equal(listen_reserve(&same), -EADDRINUSE);
	assert_int_equal(addr_parse(&any, SLICE("0.0.0.0:0")), 0);
	any.port = a.port;
	assert_int_equal(listen_reserve(&any), -EADDRINUSE);
	listen_close(ln);
	int held = listen_reserve(&same);
	assert_true(held >= 0);
	close(held);
}

static void workers_share_an_address(void **state)
{
	(void)state;
	struct addr a;
	struct listener *first = open_at(&a, "127.0.0.1:0"), *second;
	struct loop *other = loop_create(1);
	int client[64];

	assert_int_equal(listen_open(&second, other, &a, on_accept, &accepted), 0);
	for (size_t i = 0; i < ARRAY_LEN(client); i++)
		client[i] = connect_to(&a);
	loop_until(loop, (loop_one_turn(other), accepted.n == ARRAY_LEN(client)));
	assert_true(metric_of(0, METRIC_CONNECTS) > 0); /* by hash: 2^-64 to fail */
	assert_true(metric_of(1, METRIC_CONNECTS) > 0);
	for (size_t i = 0; i < ARRAY_LEN(client); i++)
		close(client[i]);
	accepted_close();
	listen_close(first);
	listen_close(second);
	loop_destroy(other);
}

static void many_at_once_are_all_accepted(void **state)
{
	(void)state;
	struct addr a;
	struct listener *ln = open_at(&a, "127.0.0.1:0");
	static int client[400];

	for (size_t i = 0; i < ARRAY_LEN(client); i++) {
		client[i] = connect_to(&a);
		assert_true(client[i] >= 0);
	}
	loop_until(loop, accepted.n == ARRAY_LEN(client));
	for (size_t i = 0; i < ARRAY_LEN(client); i++)
		close(client[i]);
	accepted_close();
	listen_close(ln);
}

static void listener_may_be_closed_by_its_callback(void **state)
{
	(void)state;
	struct addr a;
	struct listener *ln = open_at(&a, "127.0.0.1:0");
	int first = connect_to(&a), second = connect_to(&a);

	accepted.close_it = ln;
	loop_until(loop, accepted.n == 1);
	loop_one_turn(loop);
	assert_int_equal(accepted.n, 1);
	assert_int_equal(connect_to(&a), -ECONNREFUSED);
	close(first);
	close(second);
	accepted_close();
}

/* Without descriptors accept() fails for as long as the connection waits: no spinning
 * then. */
static void listener_pauses_when_descriptors_run_out(void **state)
{
	(void)state;
	struct addr a;
	struct listener *ln = open_at(&a, "127.0.0.1:0");
	int client = connect_to(&a);
	int next = dup(client);
	struct rlimit before, none;

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)next;
	log_setup(LOG_ERROR, false);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	loop_until(loop, metric_of(0, METRIC_ACCEPT_ERRORS) == 1);
	for (int i = 0; i < 5; i++)
		loop_one_turn(loop);
	int64_t errors = metric_of(0, METRIC_ACCEPT_ERRORS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	log_setup(LOG_INFO, false);
	assert_in_range(errors, 1, 2); /* two, if the machine slept for the whole pause */
	loop_until(loop, accepted.n == 1);
	close(client);
	accepted_close();
	listen_close(ln);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(accepted_sockets_are_ready_for_use),
		T(any_address_serves_both_families),
		T(reserve_refuses_a_taken_port),
		T(workers_share_an_address),
		T(many_at_once_are_all_accepted),
		T(listener_may_be_closed_by_its_callback),
		T(listener_pauses_when_descriptors_run_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
