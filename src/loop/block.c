#include <stdlib.h>
#include "base/mem.h"
#include "loop/loop_private.h"

struct loop_spare {
	struct loop_spare *next;
};

/* About two megabytes per loop at most; what is given back beyond goes to the
 * allocator. */
static const struct {
	size_t size;
	unsigned keep;
} kinds[LOOP_BLOCK_KINDS] = {
	[LOOP_BLOCK_SMALL] = { LOOP_BLOCK_SMALL_SIZE, 256 },
	[LOOP_BLOCK_LARGE] = { LOOP_BLOCK_LARGE_SIZE, 16 },
};

void *loop_block_take(struct loop *l, enum loop_block kind)
{
	struct loop_blocks *b = loop_blocks_of(l);
	struct loop_spare *spare = b->spare[kind];

	if (!spare)
		return xmalloc(kinds[kind].size);
	b->spare[kind] = spare->next;
	b->count[kind]--;
	return spare;
}

void loop_block_give(struct loop *l, enum loop_block kind, void *block)
{
	struct loop_blocks *b = loop_blocks_of(l);
	struct loop_spare *spare = block;

	if (b->count[kind] >= kinds[kind].keep) {
		free(block);
		return;
	}
	spare->next = b->spare[kind];
	b->spare[kind] = spare;
	b->count[kind]++;
}

void loop_blocks_fini(struct loop_blocks *b)
{
	for (unsigned i = 0; i < LOOP_BLOCK_KINDS; i++) {
		while (b->spare[i]) {
			struct loop_spare *next = b->spare[i]->next;
			free(b->spare[i]);
			b->spare[i] = next;
		}
	}
}
