/* native_message: no text of a client may break the decoder; what is decoded must survive a
 * letter and come out as JSON again. */
#include <stdlib.h>

#include "base/mem.h"
#include "dialect/native_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_json(struct slice text)
{
	static struct json_token tok[NATIVE_MAX_TOKENS + 64];
	struct json j;

	if (json_parse(&j, text, tok, NATIVE_MAX_TOKENS + 64) < 0)
		abort();
}

static void check_echo(const struct command *c)
{
	struct buf letter = BUF_INIT(1 << 22), out = BUF_INIT(1 << 24);
	struct command back;

	bus_command_encode(&letter, c);
	struct cur in = cur_of_slice(buf_slice(&letter));
	if (bus_command_decode(&back, &in) < 0 || back.kind != c->kind ||
	    !slice_eq(back.text, c->text))
		abort();
	const struct event e = {
		.kind = c->kind == COMMAND_SIGNAL ? EVENT_SIGNAL : EVENT_JOINED,
		.member = 1,
		.to = c->to,
		.subject = { .name = c->name, .user = c->user, .metadata = c->metadata },
		.text = c->text,
	};
	native_encode(&out, SLICE("\"r\""), &e);
	check_json(buf_slice(&out));
	buf_fini(&letter);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct native_scratch *scratch;
	uint8_t *exact = xmemdup(size ? data : (const uint8_t *)"", size ? size : 1);
	struct native_message m;

	if (!scratch)
		scratch = xzalloc(sizeof(*scratch));
	if (native_decode(&m, slice_of(exact, size), scratch) == 0 &&
	    m.kind == NATIVE_COMMAND)
		check_echo(&m.command);
	free(exact);
	return 0;
}
