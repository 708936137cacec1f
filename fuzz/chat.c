/* What the chat decodes: reactions as they are kept, and letters of the store. */
#include <assert.h>

#include "base/utf8.h"
#include "bus/chat.h"
#include "store/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void letters(struct slice in)
{
	struct store_letter l;
	struct store_answer a;
	struct chat_more m;
	uint64_t ticket;
	struct buf again = BUF_INIT(1u << 20);

	(void)!store_answer_decode(&a, &ticket, in);
	(void)!bus_chat_decode(&m, in);
	if (store_query_decode(&l, in) == 0 && !l.q.member && !l.q.event) {
		store_query_encode(&again, l.ticket, &l.q);
		assert(!again.bad && again.n == in.n);
	}
	buf_fini(&again);
}

/* The first line reacts to the rest. */
static void reactions(struct slice in)
{
	struct buf on = BUF_INIT(1u << 20), off = BUF_INIT(1u << 20);
	struct slice rest = in, emoji;

	if (slice_split(&rest, '\n', &emoji) && emoji.n > 0 &&
	    emoji.n <= CHAT_MAX_REACTION && utf8_valid(emoji) &&
	    bus_chat_react(rest, emoji, SLICE("who"), true, &on) == 0)
		assert(bus_chat_react(buf_slice(&on), emoji, SLICE("who"), false, &off) ==
		       0);
	buf_fini(&on);
	buf_fini(&off);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	letters(slice_of(data, size));
	reactions(slice_of(data, size));
	return 0;
}
