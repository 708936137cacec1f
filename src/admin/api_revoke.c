/* Tokens are taken back: at once on every worker, then in the store, so that a restart does not forget it. */
#include <stdlib.h>

#include "admin/api_call.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/note.h"

#define PRESET 86400 /* seconds */

static bool is_of_user(const struct api_call *c)
{
	return api_value(c, "identity")->there;
}

static struct slice name_of(const struct api_call *c)
{
	return api_value(c, is_of_user(c) ? "identity" : "token")->text;
}

static ms_t end_of(const struct api_call *c)
{
	const struct api_value *seconds = api_value(c, "seconds");
	uint64_t span = seconds->there ? seconds->number : PRESET;

	return loop_wall(c->api->loop) + (ms_t)span * 1000;
}

/* --- in the store --- */

struct keeping {
	struct api_call *call; /* NULL: it is answered */
	struct store_ticket row;
};

/* It holds all the same. */
static void refuse(struct keeping *k)
{
	api_fail(k->call, E_UNAVAILABLE,
		 "it holds until a restart, and could not be kept: ask again");
	k->call = NULL;
}

static void on_row(struct store_ticket *t, const struct store_answer *a)
{
	struct keeping *k = container_of(t, struct keeping, row);

	if (k->call && a->err < 0)
		refuse(k);
	else if (k->call)
		api_done(k->call, SLICE_NONE);
	free(k);
}

static void on_row_overdue(struct store_ticket *t)
{
	refuse(container_of(t, struct keeping, row));
}

static void keep(struct api_call *c)
{
	struct keeping *k = xzalloc(sizeof(*k));
	const struct store_note note = {
		.kind = is_of_user(c) ? STORE_NOTE_USER : STORE_NOTE_TOKEN,
		.name = name_of(c),
		.time = loop_wall(c->api->loop),
		.until = end_of(c),
	};

	k->call = c;
	k->row.done = on_row;
	k->row.overdue = on_row_overdue;
	if (store_ask(c->api->settings.store,
		      &(struct store_query){ .op = STORE_KEEP, .note = &note },
		      &k->row) == 0)
		return;
	refuse(k);
	free(k);
}

/* --- on every worker --- */

static void on_revoked(struct api_call *c, const struct bus_answer *a, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (a[i].err < 0) {
			api_fail(c, a[i].err, NULL);
			return;
		}
	if (c->api->settings.store)
		keep(c);
	else
		api_done(c, SLICE_NONE);
}

void api_revoke(struct api_call *c)
{
	if (api_value(c, "identity")->there == api_value(c, "token")->there) {
		api_fail(c, E_BAD_FIELD, "identity or token");
		return;
	}
	api_ask(c,
		&(struct bus_ask){
			.kind = ASK_REVOKE,
			.what = is_of_user(c) ? AUTH_REVOKED_USER : AUTH_REVOKED_TOKEN,
			.name = name_of(c),
			.until = end_of(c),
		},
		on_revoked);
}
