/* api_body: whatever is sent to an operation of the server API (the first byte says which): what is
 * taken of it keeps to the operation's limits, and errors name a field. */
#include <stdlib.h>

#include "admin/api_call.h"
#include "base/err.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct api_field *f, const struct api_value *v)
{
	if (f->required && !v->there)
		abort();
	if (!v->there)
		return;
	if (f->kind == API_NUMBER && (v->number < f->min || v->number > f->max))
		abort();
	if (f->kind == API_ROLE && v->number >= ROLES)
		abort();
	if (f->kind != API_NUMBER && f->kind != API_BOOL && v->text.n > f->max)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_value values[API_MAX_FIELDS] = { 0 };
	struct buf text = BUF_INIT(1 << 20);
	const char *why = NULL;

	if (size == 0)
		return 0;
	const struct api_op *op = &api_ops[data[0] % api_op_count];
	if (!op->body)
		return 0;
	uint8_t *exact = xmemdup(data, size);
	int err = api_read_body(op->body, slice_of(exact + 1, size - 1), values, &text,
				&why);
	for (const struct api_field *f = op->body; err == 0 && f->name; f++)
		check_value(f, &values[f - op->body]);
	if (err == E_BAD_FIELD && !why)
		abort();
	free(exact);
	buf_fini(&text);
	return 0;
}
