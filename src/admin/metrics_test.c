#include "admin/admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void every_line_is_prometheus_text(void **state)
{
	(void)state;
	struct admin_state s = { .version = "1.2.3",
				 .workers = 2,
				 .started = clock_mono() };
	struct buf b = BUF_INIT(1 << 20);
	struct loop *one = loop_create(0), *two = loop_create(1);

	metrics_print(&s, &b);
	assert_false(b.bad);
	struct slice rest = buf_slice(&b), line;
	size_t samples = 0, heads = 0;
	while (slice_split(&rest, '\n', &line)) {
		if (line.n == 0)
			continue;
		if (line.p[0] == '#') {
			heads++;
			assert_true(slice_starts(line, SLICE("# HELP parley_")) ||
				    slice_starts(line, SLICE("# TYPE parley_")));
			continue;
		}
		samples++;
		assert_true(slice_starts(line, SLICE("parley_")));
		size_t space = line.n - 1;
		while (space > 0 && line.p[space] != ' ')
			space--;
		struct slice number = slice_from(line, space + 1);
		char *text = slice_dup(number), *end;
		strtod(text, &end);
		assert_int_equal(*end, 0);
		free(text);
	}
	assert_int_equal(heads, 2 * (METRIC_COUNT + 3));
	assert_int_equal(samples, 2 * METRIC_COUNT + 3);
	loop_destroy(one);
	loop_destroy(two);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_is_prometheus_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
