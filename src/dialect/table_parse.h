/* table_parse: what the two halves of the parser share: settings and blocks (table_parse.c), and the
 * lines in a block (table_steps.c).
 */
#pragma once
#include "dialect/table_lex.h"
#include "dialect/table_rules.h"

struct table_parse {
	struct table *t;
	struct table_lex l;
	struct table_rule *rule; /* the block that is being read: "on ...", */
	int when;                /* or "when ...": enum table_when; -1: none */
	struct table_span block; /* of steps */
	unsigned rules_at;       /* rules of this block, which share its steps */
};

/* Looks a word up in an array of structs whose first member is a name. */
#define TABLE_NAMED(l, at, what, word, array, out)                                       \
	table_parse_named(l, at, what, word, &(array)[0].name, sizeof((array)[0]),       \
			  ARRAY_LEN(array), out)
int table_parse_named(struct table_lex *l, size_t at, const char *what, struct slice word,
		      const char *const *first, size_t stride, size_t count, size_t *out)
	NODISCARD;

/* --- table_steps.c --- */
int table_parse_block_line(struct table_parse *p) NODISCARD;
/* Names and arguments of a message to be said. */
int table_parse_saying(struct table *t, struct table_lex *l, enum table_place place,
		       struct table_saying *out) NODISCARD;
