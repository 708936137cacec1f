#include "main/pages.h"

#include "base/err.h"
#include "base/rand.h"
#include "http/assets.h"

static void on_page(struct http_exchange *x, void *arg)
{
	const struct http_asset *page = arg;

	http_reply_asset(x, page);
}

static void on_no_page(struct http_exchange *x, void *arg)
{
	http_reply_no_page(x, arg);
}

/* Files whose names the build made: everything else of the app. */
static void on_file(struct http_exchange *x, void *arg)
{
	const struct http_asset *a = http_asset_find(http_path(x));

	(void)arg;
	if (a)
		http_reply_asset(x, a);
	else
		http_reply_error(x, E_NOT_FOUND, NULL);
}

void pages_add_routes(struct http_server *h)
{
	/* One page for all: its script reads the path. */
	void *page = (void *)http_asset_find(SLICE("/index.html"));

	if (page) {
		http_route(h, HTTP_GET, "/", HTTP_PAGE, on_page, page);
		http_route(h, HTTP_GET, "/check", HTTP_PAGE, on_page, page);
		http_route(h, HTTP_GET, "/r/{room}", HTTP_PAGE, on_page, page);
		http_server_set_no_page(h, on_no_page, page);
	}
	for (size_t i = 0; i < http_asset_count; i++)
		http_route(h, HTTP_GET, http_assets[i].path, 0, on_file, NULL);
}

void pages_room_name(struct buf *b)
{
	static const char *const colours[] = {
		"amber",  "azure",   "birch",  "bronze", "cedar", "copper", "coral",
		"cobalt", "dusk",    "ember",  "fern",   "flint", "frost",  "golden",
		"hazel",  "indigo",  "ivory",  "jade",   "lilac", "linen",  "maple",
		"misty",  "mossy",   "olive",  "opal",   "pearl", "pine",   "rosy",
		"ruby",   "saffron", "silver", "slate",
	};
	static const char *const animals[] = {
		"badger", "bison",  "crane", "deer",  "dove", "falcon", "finch", "fox",
		"gecko",  "hare",   "heron", "ibis",  "jay",  "kiwi",   "koala", "lark",
		"lynx",   "marten", "mole",  "newt",  "orca", "otter",  "owl",   "panda",
		"puffin", "quail",  "raven", "robin", "seal", "swan",   "tern",  "wren",
	};
	uint64_t r = rand_u64();

	buf_printf(b, "%s-%s", colours[r % ARRAY_LEN(colours)],
		   animals[(r >> 32) % ARRAY_LEN(animals)]);
}
