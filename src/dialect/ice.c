/* ice: the ICE servers of the settings, to JSON. */
#include "base/err.h"
#include "base/json.h"
#include "base/utf8.h"
#include "dialect/dialect.h"

static bool is_ice_url(struct slice url)
{
	static const struct slice schemes[] = {
		SLICE_LIT("stun:"),
		SLICE_LIT("stuns:"),
		SLICE_LIT("turn:"),
		SLICE_LIT("turns:"),
	};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (slice_starts(url, schemes[i]) && url.n > schemes[i].n)
			return utf8_valid(url);
	return false;
}

static int put_urls(struct jsonw *w, struct slice urls)
{
	struct slice url;

	json_key(w, SLICE("urls"));
	json_array(w);
	while (slice_split(&urls, ',', &url)) {
		if (!is_ice_url(url))
			return E_MALFORMED;
		json_put_string(w, url);
	}
	json_array_end(w);
	return 0;
}

static int put_word(struct jsonw *w, struct slice word)
{
	struct slice name;

	if (slice_find(word, '=') == word.n || !slice_split(&word, '=', &name) ||
	    !utf8_valid(word))
		return E_MALFORMED;
	if (slice_is(name, "username"))
		json_field_string(w, "username", word);
	else if (slice_is(name, "credential"))
		json_field_string(w, "credential", word);
	else
		return E_MALFORMED;
	return 0;
}

static int put_server(struct jsonw *w, struct slice item)
{
	struct slice word;
	int err = E_MALFORMED;

	json_object(w);
	if (slice_split(&item, ' ', &word))
		err = put_urls(w, word);
	while (err == 0 && slice_split(&item, ' ', &word))
		if (word.n > 0)
			err = put_word(w, word);
	json_object_end(w);
	return err;
}

int ice_servers_json(const char *const *item, size_t count, struct buf *out,
		     struct buf *why)
{
	struct jsonw w;

	json_begin(&w, out);
	json_array(&w);
	for (size_t i = 0; i < count; i++) {
		if (put_server(&w, slice_trim(slice_str(item[i]))) == 0)
			continue;
		/* The setting may hold a credential: only its number is shown. */
		buf_printf(why,
			   "ice.server number %zu is not \"URL[,URL...] [username=U "
			   "credential=C]\" "
			   "with stun:, stuns:, turn: or turns: URLs",
			   i + 1);
		return E_MALFORMED;
	}
	json_array_end(&w);
	return 0;
}
