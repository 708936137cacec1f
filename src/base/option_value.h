/* option_value: the text of one setting to its value and back. Private to option*.c. */
#pragma once
#include "base/option.h"

/* A value on its way into the settings structure; of a list, one item. */
union option_value {
	bool truth;
	int64_t number; /* INT, SIZE, TIME */
	int word;
	char *text; /* owned; TEXT, LIST */
};

/* Names are shorter than this, as the INI parser cuts sections and keys. */
#define OPTION_NAME_MAX 48

/* On failure appends the reason to `why`, without a secret's text. E_MALFORMED. */
int option_value_parse(const struct option *o, struct slice text, union option_value *v,
		       struct buf *why) NODISCARD;
/* Moves v into the structure: replaces the old value, or lengthens the list. */
void option_value_store(const struct option *o, void *values, union option_value v);
void option_value_free(const struct option *o, union option_value v);
/* The bytes that the value takes in the structure. */
size_t option_value_size(const struct option *o);
/* Items of a list; 1 for all others. */
size_t option_value_count(const struct option *o, const void *values);
/* Back to the empty value: frees texts and lists; secrets are wiped. */
void option_value_clear(const struct option *o, void *values);

/* Each as a file has it; lists: item i. */
void option_value_print(const struct option *o, const void *values, size_t i,
			struct buf *out);
/* "1..65535", or "at least 1". Nothing for other kinds than INT, SIZE and TIME. */
void option_range_print(const struct option *o, struct buf *out);
