/* file_text: whatever a client says that a file is called, and is: what is made of it is a harmless name, a type and header
 * fields of one line. */
#include <stdlib.h>

#include "admin/file_text.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_name(struct slice name)
{
	must(name.n > 0 && name.n <= STORE_FILE_NAME && utf8_valid(name));
	for (size_t i = 0; i < name.n; i++)
		must(name.p[i] >= 0x20 && name.p[i] != 0x7f && name.p[i] != '/' &&
		     name.p[i] != '\\');
	must(name.p[0] != '.');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = xmemdup(data, size);
	struct buf name = BUF_INIT(1024), again = BUF_INIT(1024), type = BUF_INIT(1024),
		   field = BUF_INIT(8192);
	bool in_place;

	api_file_name(&name, slice_of(exact, size));
	check_name(buf_slice(&name));
	api_file_name(&again, buf_slice(&name));
	must(slice_eq(buf_slice(&name), buf_slice(&again)));
	api_file_type(&type, slice_of(exact, size));
	must(type.n > 2 && type.n <= STORE_FILE_TYPE);
	must(api_file_sent_type(buf_slice(&type), &in_place) != NULL);
	api_file_disposition(&field, buf_slice(&name), in_place);
	for (size_t i = 0; i < field.n; i++)
		must(field.p[i] >= 0x20 && field.p[i] < 0x7f);
	must(!field.bad);
	buf_fini(&name);
	buf_fini(&again);
	buf_fini(&type);
	buf_fini(&field);
	free(exact);
	return 0;
}
