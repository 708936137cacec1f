/* table_parse: no text may break the reader of tables; one that it takes can be spoken to. */
#include <stdlib.h>

#include "base/mem.h"
#include "dialect/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const steps[] = {
		"[{\"as\":\"ann\",\"say\":[\"room:join\",{\"room\":\"r\"}],\"ack\":1},"
		"{\"as\":\"bob\",\"say\":[\"room:join\",{\"room\":\"r\"}]},"
		"{\"as\":\"ann\",\"say\":[\"user:call\",{\"to\":\"bob\",\"offer\":{}}]},"
		"{\"as\":\"bob\",\"leave\":true}]",
		"[{\"as\":\"ann\",\"say\":{\"type\":\"join\",\"userId\":\"a\",\"room\":"
		"\"r\"}},"
		"{\"as\":\"bob\",\"say\":{\"type\":\"join\",\"userId\":\"b\",\"room\":"
		"\"r\"}},"
		"{\"as\":\"ann\",\"say\":{\"type\":\"offer\",\"offer\":{},\"to\":\"b\"}},"
		"{\"as\":\"bob\",\"leave\":true}]",
	};
	struct buf why = BUF_INIT(1 << 16), out = BUF_INIT(1 << 24);
	uint8_t *exact = xmemdup(size ? data : (const uint8_t *)"", size ? size : 1);
	struct table *t;

	if (size <= TABLE_MAX_FILE &&
	    table_parse(&t, "fuzz", slice_of(exact, size), 1, &why) == 0) {
		/* Some steps are for Socket.IO, some are not. */
		for (size_t i = 0; i < ARRAY_LEN(steps); i++)
			(void)!table_try(t, slice_str(steps[i]), &out, &why);
		table_destroy(t);
	}
	free(exact);
	buf_fini(&why);
	buf_fini(&out);
	return 0;
}
