#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void mem_zero_bytes_is_a_pointer(void **state)
{
	(void)state;
	void *a = xmalloc(0), *b = xzalloc(0), *c = xmemdup(NULL, 0);

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void mem_pages_given_back_are_zero_again(void **state)
{
	(void)state;
	uint8_t *p = mem_map(4 * MEM_PAGE);

	memset(p, 1, 4 * MEM_PAGE);
	mem_give_back(p + 1, p + 3 * MEM_PAGE - 1);
	assert_int_equal(p[MEM_PAGE - 1], 1);
	assert_int_equal(p[MEM_PAGE], 0);
	assert_int_equal(p[2 * MEM_PAGE - 1], 0);
	assert_int_equal(p[2 * MEM_PAGE], 1);
	mem_give_back(p + 1, p + MEM_PAGE - 1);
	mem_give_back(p + 1, p + 1);
	assert_int_equal(p[1], 1);
	mem_unmap(p, 4 * MEM_PAGE);
	mem_unmap(NULL, 4 * MEM_PAGE);
}

static void mem_zalloc_is_zero_and_dup_copies(void **state)
{
	(void)state;
	static const uint8_t zero[100];
	uint8_t *a = xzalloc(sizeof(zero));
	char *s = xstrdup("amber-fox"), *d = xmemdup("ab\0c", 4);

	assert_memory_equal(a, zero, sizeof(zero));
	assert_string_equal(s, "amber-fox");
	assert_memory_equal(d, "ab\0c", 4);
	s = xrealloc(s, 1000);
	assert_string_equal(s, "amber-fox");
	free(a);
	free(s);
	free(d);
}

static void mem_lines_are_stored_and_filled_up(void **state)
{
	(void)state;
	uint8_t from[3 * MEM_LINE + 1], *to = xzalloc_line(4 * MEM_LINE);

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 7 + 1);
	for (size_t n = 0; n < sizeof(from); n++) {
		size_t lines = (n + MEM_LINE - 1) / MEM_LINE * MEM_LINE;

		memset(to, 0xee, 4 * MEM_LINE);
		mem_store_lines(to, from + 1, n);
		assert_memory_equal(to, from + 1, n);
		for (size_t i = n; i < 4 * MEM_LINE; i++)
			assert_int_equal(to[i], i < lines ? 0 : 0xee);
	}
	free(to);
}

static void size_mul_multiplies(void **state)
{
	(void)state;
	assert_int_equal(size_mul(3, 40), 120);
	assert_int_equal(size_mul(0, SIZE_MAX), 0);
	assert_int_equal(size_mul(SIZE_MAX, 1), SIZE_MAX);
}

static void size_mul_overflow_ends_the_process(void **state)
{
	(void)state;
	pid_t child = fork();
	int status;

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		_exit(size_mul(SIZE_MAX / 2, 3) != 0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mem_zero_bytes_is_a_pointer),
		cmocka_unit_test(mem_pages_given_back_are_zero_again),
		cmocka_unit_test(mem_zalloc_is_zero_and_dup_copies),
		cmocka_unit_test(mem_lines_are_stored_and_filled_up),
		cmocka_unit_test(size_mul_multiplies),
		cmocka_unit_test(size_mul_overflow_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
