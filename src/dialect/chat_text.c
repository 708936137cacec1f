/* chat_text: a message with files, for clients that know none: a line each after its text. */
#include "dialect/internal.h"
#include "store/file.h"

/* Of a record of the store's: an array, of objects with four members. */
#define FILES_TOKENS (1 + STORE_FILES_MAX * 9)

static void put_line(struct buf *b, const struct json *j, uint32_t file, const char *url)
{
	uint32_t name = json_member(j, file, SLICE("name")),
		 id = json_member(j, file, SLICE("id"));

	if (b->n > 0)
		buf_u8(b, '\n');
	if (!name || !id || json_string(j, name, STORE_FILE_NAME, b) < 0)
		return;
	buf_str(b, ": ");
	buf_str(b, url);
	buf_str(b, "/files/");
	buf_put(b, json_string_raw(j, id));
}

struct slice dialect_chat_text(const struct dialect_settings *s, const struct event *e,
			       struct buf *b)
{
	struct json_token tokens[FILES_TOKENS];
	struct chat_more m = { 0 };
	struct json j;

	if (e->more.n == 0 || bus_chat_decode(&m, e->more) < 0 || m.file.n == 0 ||
	    json_parse(&j, m.file, tokens, FILES_TOKENS) < 0)
		return e->text;
	buf_init(b, e->text.n + STORE_FILES_JSON + 1024 * STORE_FILES_MAX);
	buf_put(b, e->text);
	for (uint32_t t = 1; t < j.tok[0].next; t = j.tok[t].next)
		put_line(b, &j, t, s->files.url);
	return buf_slice(b);
}
