/* relay: whatever a client of an old dialect sends: its fields can be read, and what is passed on is JSON
 * again, without what was dropped. */
#include "dialect/relay.h"

#include <stdlib.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_passed_on(struct slice text)
{
	static const char *const drop[] = { "from", "fromId", NULL };
	static struct json_token tokens[NATIVE_MAX_TOKENS + 8];
	struct buf b = BUF_INIT(1 << 24);
	struct jsonw w;
	struct json j;

	relay_reopen(&b, &w, text, drop);
	json_field_string(&w, "from", SLICE("me"));
	json_object_end(&w);
	if (json_parse(&j, buf_slice(&b), tokens, ARRAY_LEN(tokens)) < 0)
		abort();
	if (!json_string_is(&j, json_member(&j, 0, SLICE("from")), SLICE("me")))
		abort();
	if (json_member(&j, 0, SLICE("fromId")))
		abort();
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct native_scratch *scratch;
	uint8_t *exact = xmemdup(size ? data : (const uint8_t *)"", size ? size : 1);
	struct slice text = slice_of(exact, size), payload;
	struct relay r;

	if (!scratch)
		scratch = xzalloc(sizeof(*scratch));
	if (relay_read(&r, text, scratch) == 0) {
		struct slice type = relay_text(&r, "type", 128);
		struct slice to = relay_text(&r, "to", 128);

		if (type.n > 128 || to.n > 128)
			abort();
		check_passed_on(text);
	}
	(void)relay_media(&(struct event){ .text = text }, &payload);
	free(exact);
	return 0;
}
