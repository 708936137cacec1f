/* table_hear: whatever clients of a shipped table say, in whatever order: nothing breaks. The first byte
 * chooses the table, the rest is a list of steps (table_try).
 */
#include <stdlib.h>

#include "base/mem.h"
#include "dialect/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct table_set *set;
	static const struct table *tables[16];
	static size_t count;
	struct buf why = BUF_INIT(1 << 16), out = BUF_INIT(1 << 24);

	if (!set) {
		size_t at = 0;

		if (table_set_load(&set, NULL, NULL, 0, &why) < 0)
			abort();
		while (count < ARRAY_LEN(tables) &&
		       (tables[count] = table_next(set, &at)))
			count++;
	}
	if (size == 0)
		return 0;
	uint8_t *exact = xmemdup(data, size);
	(void)!table_try(tables[data[0] % count], slice_of(exact + 1, size - 1), &out,
			 &why);
	free(exact);
	buf_fini(&why);
	buf_fini(&out);
	return 0;
}
