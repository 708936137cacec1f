#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
	int n;
	struct list link;
};

static int digits(struct list *head)
{
	int v = 0;

	list_each (l, head)
		v = v * 10 + list_entry(l, struct item, link)->n;
	return v;
}

static void list_keeps_the_order_of_appending(void **state)
{
	(void)state;
	struct list head;
	struct item a = { .n = 1 }, b = { .n = 2 }, c = { .n = 3 };

	list_init(&head);
	assert_true(list_empty(&head));
	list_append(&head, &a.link);
	list_append(&head, &c.link);
	list_add_before(&c.link, &b.link);
	assert_int_equal(digits(&head), 123);
}

static void list_unlink_is_harmless_twice(void **state)
{
	(void)state;
	struct list head;
	struct item a = { .n = 1 }, b = { .n = 2 };

	list_init(&head);
	list_append(&head, &a.link);
	list_append(&head, &b.link);
	list_unlink(&a.link);
	list_unlink(&a.link);
	assert_true(list_empty(&a.link));
	assert_int_equal(digits(&head), 2);
}

static void list_each_safe_allows_unlinking(void **state)
{
	(void)state;
	struct list head;
	struct item a[4];

	list_init(&head);
	for (int i = 0; i < 4; i++) {
		a[i].n = i + 1;
		list_append(&head, &a[i].link);
	}
	list_each_safe (l, &head)
		if (list_entry(l, struct item, link)->n % 2 == 0)
			list_unlink(l);
	assert_int_equal(digits(&head), 13);
}

static void list_splice_moves_all_to_the_end(void **state)
{
	(void)state;
	struct list to, from;
	struct item a = { .n = 1 }, b = { .n = 2 }, c = { .n = 3 };

	list_init(&to);
	list_init(&from);
	list_append(&to, &a.link);
	list_append(&from, &b.link);
	list_append(&from, &c.link);
	list_splice(&to, &from);
	assert_int_equal(digits(&to), 123);
	assert_true(list_empty(&from));
	list_splice(&to, &from);
	assert_int_equal(digits(&to), 123);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_keeps_the_order_of_appending),
		cmocka_unit_test(list_unlink_is_harmless_twice),
		cmocka_unit_test(list_each_safe_allows_unlinking),
		cmocka_unit_test(list_splice_moves_all_to_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
