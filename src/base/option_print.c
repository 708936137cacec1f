/* What is made from the table alone: the documentation and --help. */
#include "base/option_value.h"

/* "whole number, 1..65535": what may stand to the right of the "=". */
static void print_kind(const struct option *o, const char * or, struct buf *out)
{
	static const char *const text[] = {
		[OPTION_BOOL] = "true or false", [OPTION_INT] = "whole number",
		[OPTION_SIZE] = "size",          [OPTION_TIME] = "time",
		[OPTION_TEXT] = "text",          [OPTION_LIST] = "list",
	};
	struct slice rest = o->kind == OPTION_ENUM ? slice_str(o->words) : SLICE_NONE,
		     word;

	for (bool more = false; slice_split(&rest, ' ', &word); more = true) {
		buf_str(out, more ? or : "");
		buf_put(out, word);
	}
	if (o->kind == OPTION_ENUM)
		return;
	buf_printf(out, "%s%s", o->secret ? "secret " : "", text[o->kind]);
	if (o->kind == OPTION_INT || o->kind == OPTION_SIZE || o->kind == OPTION_TIME) {
		buf_str(out, ", ");
		option_range_print(o, out);
	}
}

/* A bar would end the column. */
static void put_cell(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '|')
			buf_u8(out, '\\');
		buf_u8(out, s.p[i]);
	}
}

void option_print_docs(const struct option *table, size_t count, struct buf *out)
{
	buf_str(out,
		"| Setting | Value | Default | Meaning |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < count; i++) {
		const struct option *o = &table[i];
		buf_printf(out, "| `%s` | ", o->name);
		print_kind(o, ", ", out);
		buf_str(out, " | ");
		if (o->preset[0]) {
			buf_u8(out, '`');
			put_cell(out, slice_str(o->preset));
			buf_u8(out, '`');
		}
		buf_str(out, " | ");
		put_cell(out, slice_str(o->help));
		buf_str(out, " |\n");
	}
}

void option_print_help(const struct option *table, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *o = &table[i];
		buf_printf(out, "  --%s=...\n      %s (", o->name, o->help);
		print_kind(o, "|", out);
		if (o->preset[0])
			buf_printf(out, "; default %s", o->preset);
		buf_str(out, ")\n");
	}
}
