/* api_upload: a file comes in. Who may, and whether there is room for it, is looked at before its body is read; then it
 * goes to the disk as it comes, one piece at a time, and at last into the store.
 *
 * While the body comes the exchange is the server's: should the client go, or the body be none, `call` is
 * given up. What the disk has under way then is waited for, and the rest of the upload goes.
 */
#include <stdlib.h>

#include "admin/api_call.h"
#include "admin/file_text.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rand.h"
#include "store/file.h"

#define KIB 1024u
/* Tries again are worth while then. */
#define RETRY_AFTER 5

struct upload {
	struct api *api;
	struct api_call *call; /* NULL: answered, or nobody is there to be */
	struct depot_ticket disk;
	struct store_ticket row;
	uint64_t number;    /* in the depot */
	uint64_t written;   /* and taken by it */
	struct buf waiting; /* has come while the disk was busy */
	bool busy;          /* the disk has a job */
	bool whole;
	struct store_file file;
	struct buf text; /* what `file` points at */
	char id[STORE_FILE_ID];
	uint8_t hash[STORE_HASH];
};

/* --- ends --- */

static void upload_end(struct upload *u)
{
	if (u->call)
		api_drop(u->call);
	api_end_transfer(u->api);
	buf_fini(&u->waiting);
	buf_fini(&u->text);
	free(u);
}

static void refuse_call(struct api_call *c, int err, const char *detail,
			unsigned retry_after)
{
	struct buf after = BUF_INIT(16);

	metric_add(METRIC_FILES_REFUSED, 1);
	if (retry_after > 0) {
		buf_dec(&after, retry_after);
		http_add_header(c->x, "Retry-After", buf_slice(&after));
	}
	buf_fini(&after);
	api_fail(c, err, detail);
}

static void refuse(struct upload *u, int err, const char *detail)
{
	refuse_call(u->call, err, detail, err == E_UNAVAILABLE ? RETRY_AFTER : 0);
	u->call = NULL;
}

static void answer(struct upload *u)
{
	struct buf b = BUF_INIT(STORE_FILES_JSON);
	struct jsonw w;

	json_begin(&w, &b);
	json_object(&w);
	json_key(&w, SLICE("file"));
	store_file_put(&w, &u->file);
	json_object_end(&w);
	metric_add(METRIC_FILES_UPLOADED, 1);
	metric_add(METRIC_FILES_UPLOADED_BYTES, (int64_t)u->file.size);
	api_done(u->call, buf_slice(&b));
	u->call = NULL;
	buf_fini(&b);
}

/* --- into the store --- */

static void on_row(struct store_ticket *t, const struct store_answer *a)
{
	struct upload *u = container_of(t, struct upload, row);

	if (u->call && a->err < 0)
		refuse(u, a->err, a->err == E_LIMIT ? "space" : NULL);
	else if (u->call)
		answer(u);
	upload_end(u);
}

static void on_row_overdue(struct store_ticket *t)
{
	struct upload *u = container_of(t, struct upload, row);

	refuse(u, E_UNAVAILABLE, NULL);
}

static void keep(struct upload *u)
{
	struct api *a = u->api;

	u->row.done = on_row;
	u->row.overdue = on_row_overdue;
	int err = store_ask(a->settings.store,
			    &(struct store_query){ .op = STORE_FILE,
						   .file = &u->file,
						   .time = loop_wall(a->loop) },
			    &u->row);
	if (err == 0)
		return;
	refuse(u, err, NULL);
	upload_end(u);
}

/* --- onto the disk --- */

static void on_finished(struct depot_ticket *t, const struct depot_answer *answered)
{
	struct upload *u = container_of(t, struct upload, disk);

	if (answered->err < 0) {
		refuse(u, answered->err, NULL);
		upload_end(u);
		return;
	}
	memcpy(u->hash, answered->hash.p, sizeof(u->hash));
	u->file.hash = slice_of(u->hash, sizeof(u->hash));
	u->file.size = answered->size;
	keep(u);
}

static void write_on(struct upload *u);

static void on_written(struct depot_ticket *t, const struct depot_answer *answered)
{
	struct upload *u = container_of(t, struct upload, disk);
	size_t n = u->waiting.n;

	u->busy = false;
	if (answered->err < 0 && u->call)
		refuse(u, answered->err, NULL);
	else if (!u->call && answered->err == 0)
		depot_drop(u->api->settings.depot, u->number);
	if (!u->call) {
		upload_end(u);
		return;
	}
	u->written = answered->size;
	if (n == 0 && !u->whole)
		http_hold_body(u->call->x, false);
	else
		write_on(u);
}

/* What waits, or the end of it. */
static void write_on(struct upload *u)
{
	struct depot_desk *d = u->api->settings.depot;

	if (u->busy)
		return;
	if (u->waiting.n > 0) {
		u->busy = true;
		u->disk.done = on_written;
		depot_write(d, u->number, u->written, buf_slice(&u->waiting), &u->disk);
		buf_clear(&u->waiting);
	} else if (u->whole) {
		u->disk.done = on_finished;
		depot_finish(d, u->number, u->written, &u->disk);
	}
}

static void on_data(void *arg, struct slice bytes)
{
	struct upload *u = arg;

	buf_put(&u->waiting, bytes);
	http_hold_body(u->call->x, true);
	write_on(u);
}

static void on_end(void *arg, int err)
{
	struct upload *u = arg;

	if (err == 0) {
		u->whole = true;
		write_on(u);
		return;
	}
	metric_add(METRIC_FILES_BROKEN, 1);
	api_drop(u->call);
	u->call = NULL;
	if (u->busy)
		return;
	depot_drop(u->api->settings.depot, u->number);
	upload_end(u);
}

static const struct http_body_ops body_ops = { on_data, on_end };

/* --- before --- */

static void on_begun(struct depot_ticket *t, const struct depot_answer *answered)
{
	struct upload *u = container_of(t, struct upload, disk);

	if (answered->err == 0) {
		http_take_body(u->call->x, &body_ops, u);
		return;
	}
	refuse(u, answered->err, "space");
	upload_end(u);
}

static void on_space(struct store_ticket *t, const struct store_answer *known)
{
	struct upload *u = container_of(t, struct upload, row);
	int64_t length = u->call ? http_body_length(u->call->x) : 0;
	uint64_t size = length > 0 ? (uint64_t)length : 0;
	struct store_answer space = *known;
	int err = known->err;

	if (u->call && err == 0)
		err = store_file_fits(&u->api->settings.files.space, size, &space);
	if (u->call && err < 0)
		refuse(u, err, err == E_LIMIT ? "space" : NULL);
	if (!u->call) {
		upload_end(u);
		return;
	}
	u->disk.done = on_begun;
	u->number = depot_begin(u->api->settings.depot, size, &u->disk);
}

/* What is known of the file so far. */
static void describe(struct upload *u, uint64_t member, struct slice user)
{
	struct api_call *c = u->call;
	struct slice type = http_header(c->x, "Content-Type");
	struct slice name = api_value(c, "name")->text;
	struct buf *b = &u->text;
	size_t at[5];

	(void)buf_room(b, c->room.n + user.n + STORE_FILE_NAME + STORE_FILE_TYPE);
	at[0] = b->n;
	buf_put(b, c->room);
	at[1] = b->n;
	buf_put(b, user);
	at[2] = b->n;
	api_file_name(b, name);
	at[3] = b->n;
	api_file_type(b, type);
	at[4] = b->n;
	rand_text(u->id, sizeof(u->id));
	u->file = (struct store_file){
		.id = slice_of(u->id, sizeof(u->id)),
		.room = slice_of(b->p + at[0], at[1] - at[0]),
		.user = slice_of(b->p + at[1], at[2] - at[1]),
		.name = slice_of(b->p + at[2], at[3] - at[2]),
		.type = slice_of(b->p + at[3], at[4] - at[3]),
		.member = member,
	};
}

static void begin(struct api_call *c, uint64_t member, struct slice user)
{
	struct api *a = c->api;

	if (!api_begin_transfer(a)) {
		refuse_call(c, E_UNAVAILABLE, "transfers", 1);
		return;
	}
	struct upload *u = xzalloc(sizeof(*u));
	u->api = a;
	u->call = c;
	buf_init(&u->waiting, SIZE_MAX); /* one read of the connection */
	buf_init(&u->text, 8192);
	describe(u, member, user);
	u->row.done = on_space;
	u->row.overdue = on_row_overdue;
	int err = store_ask(
		a->settings.store,
		&(struct store_query){ .op = STORE_SPACE, .room = u->file.room },
		&u->row);
	if (err == 0)
		return;
	refuse(u, err, NULL);
	upload_end(u);
}

/* Whose files they are is who is limited; the application's backend is not. */
static bool within_rate(struct api_call *c, struct slice who)
{
	const struct api *a = c->api;
	int64_t length = http_body_length(c->x);
	uint64_t size = length < 0 ? a->settings.files.size : (uint64_t)length;
	unsigned after = auth_limits_take_many(a->limits, who, AUTH_FILES,
					       (size + KIB - 1) / KIB, loop_now(a->loop));

	if (after == 0)
		return true;
	refuse_call(c, E_RATE, "files", after);
	return false;
}

static void on_speaker(struct api_call *c, const struct bus_answer *answers, size_t count)
{
	struct cur in = cur_of_slice(answers->members);
	struct member_info m;

	(void)count;
	if (bus_member_decode(&m, &in) < 0)
		refuse_call(c, E_UNAVAILABLE, NULL, RETRY_AFTER);
	else if (within_rate(c, m.user.n > 0 ? m.user : c->seat))
		begin(c, m.id, m.user);
}

void api_upload(struct api_call *c)
{
	if (!c->api->settings.depot)
		refuse_call(c, E_UNAVAILABLE, "files", 0);
	else if (c->seat.n > 0)
		api_ask(c,
			&(struct bus_ask){
				.kind = ASK_SPEAKER, .room = c->room, .name = c->seat },
			on_speaker);
	else if (within_rate(c, c->user))
		begin(c, 0, c->user);
}
