/* list: doubly linked, intrusive. The head is a node of its own; a node that is in no list
 * points at itself, so list_unlink() is harmless twice.
 */
#pragma once
#include <stdbool.h>
#include "base/compiler.h"

struct list {
	struct list *prev;
	struct list *next;
};

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Puts `n` (in no list) before `at`; before the head is the end. */
static inline void list_add_before(struct list *at, struct list *n)
{
	n->prev = at->prev;
	n->next = at;
	at->prev->next = n;
	at->prev = n;
}

static inline void list_append(struct list *head, struct list *n)
{
	list_add_before(head, n);
}

static inline void list_unlink(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* All nodes of `from` go to the end of `to`; `from` is empty then. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
/* `n` must not be unlinked in the body; list_each_safe() allows just that. */
#define list_each(n, head) for (struct list *n = (head)->next; n != (head); n = n->next)
#define list_each_safe(n, head)                                                          \
	for (struct list *n = (head)->next, *n##_next = n->next; n != (head);            \
	     n = n##_next, n##_next = n->next)
