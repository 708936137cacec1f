/* table_shipped: the files of dialects/, which scripts/make-tables puts into the program. */
#pragma once
#include <stddef.h>

struct table_file {
	const char *name; /* "duo.dialect" */
	const char *text;
};

extern const struct table_file table_shipped[];
extern const size_t table_shipped_count;
