/* table_lex: the words of a table's file, line by line, and errors that show the place.
 *
 * Slices point into the text. After an error the caller gives up; `why` has
 * "file:line:column: what" with the line and a caret below.
 */
#pragma once
#include "base/buf.h"

struct table_lex {
	const char *file;
	struct slice rest; /* lines to come */
	struct slice line; /* this one, without its end */
	size_t at;         /* in it */
	unsigned number;
	bool indented;
	struct buf *why;
};

void table_lex_init(struct table_lex *l, const char *file, struct slice text,
		    struct buf *why);
/* The next line that says something; false at the end. */
bool table_lex_next(struct table_lex *l);
/* Skips blanks; is there more on this line? A comment is nothing. */
bool table_lex_more(struct table_lex *l);
/* Whether `c` comes next, after blanks; it is taken. */
bool table_lex_take(struct table_lex *l, char c);
/* Whether the word `w` comes next; it is taken. */
bool table_lex_take_word(struct table_lex *l, const char *w);
/* Nothing but conditions ("if ...") is left on the line. */
bool table_lex_at_tests(struct table_lex *l);
/* The byte that comes next, after blanks; 0 at the end of the line. */
char table_lex_peek(struct table_lex *l);
/* Up to a blank, comma or bracket: names of messages, paths. E_MALFORMED when there is none; `what` says what it should have been. */
int table_lex_name(struct table_lex *l, const char *what, struct slice *out) NODISCARD;
/* Letters, digits and _ only, behind an optional $. */
int table_lex_word(struct table_lex *l, const char *what, struct slice *out) NODISCARD;
/* A JSON string, with its quotes. */
int table_lex_string(struct table_lex *l, struct slice *out) NODISCARD;
/* A decimal number. */
int table_lex_number(struct table_lex *l, const char *what, uint32_t *out) NODISCARD;
/* What is left of the line, trimmed. */
struct slice table_lex_tail(struct table_lex *l);
/* E_MALFORMED when there is more on the line. */
int table_lex_end(struct table_lex *l) NODISCARD;

/* Both return E_MALFORMED. `at`: where on the line. */
int table_lex_fail(struct table_lex *l, size_t at, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* "unknown what 'word'; did you mean 'x'?" or a list of what there is: NULL-terminated. */
int table_lex_unknown(struct table_lex *l, size_t at, const char *what, struct slice word,
		      const char *const *known);
