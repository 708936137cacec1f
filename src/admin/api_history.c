/* What was said in a room and who was there: pages of it. */
#include "admin/api_call.h"
#include "base/err.h"
#include "bus/chat_json.h"

#define ANSWER_MAX ((size_t)64 << 20)

static void put_messages(struct jsonw *w, struct slice backlog)
{
	struct cur in = cur_of_slice(backlog);
	struct event e;

	json_key(w, SLICE("messages"));
	json_array(w);
	while (cur_left(&in) > 0 && bus_event_decode(&e, &in) == 0) {
		if (bus_talk_name(e.kind).n == 0)
			continue;
		json_object(w);
		json_field_raw(w, "type", bus_talk_name(e.kind));
		bus_put_talk(w, &e);
		json_object_end(w);
	}
	json_array_end(w);
}

static void on_page(struct api_call *c, const struct bus_answer *a, size_t count)
{
	struct cur in = cur_of_slice(a->event);
	struct buf b = BUF_INIT(ANSWER_MAX);
	struct event e;
	struct jsonw w;

	(void)count;
	if (bus_event_decode(&e, &in) < 0) {
		api_fail(c, E_UNAVAILABLE, NULL);
		return;
	}
	json_begin(&w, &b);
	json_object(&w);
	if (e.kind == EVENT_HISTORY) {
		json_field_u64(&w, "epoch", bus_chat_more(&e).epoch);
		put_messages(&w, e.backlog);
	} else {
		json_key(&w, SLICE("visits"));
		bus_put_visits(&w, e.backlog);
	}
	json_field_bool(&w, "more", e.partial);
	json_object_end(&w);
	api_done(c, buf_slice(&b));
	buf_fini(&b);
}

void api_list_messages(struct api_call *c)
{
	const struct api_value *after = api_value(c, "after");

	api_command(c,
		    &(struct command){ .kind = COMMAND_HISTORY,
				       .n = api_value(c, "before")->number,
				       .on = after->there,
				       .after = after->number,
				       .limit = (uint32_t)api_value(c, "limit")->number },
		    on_page);
}

void api_list_visits(struct api_call *c)
{
	api_command(c,
		    &(struct command){ .kind = COMMAND_WHOWAS,
				       .n = api_value(c, "before")->number,
				       .limit = (uint32_t)api_value(c, "limit")->number },
		    on_page);
}
