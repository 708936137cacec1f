/* api_download: a file, or a range of it, goes out as the client takes it.
 *
 * Who knows the id may have the file: it was told to those who may read the message, and has 130 random bits. Browsers
 * show only what they cannot run (file_text.h), each in an origin of its own.
 */
#include <stdlib.h>

#include "admin/api_call.h"
#include "admin/file_text.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "http/range.h"
#include "store/file.h"

struct download {
	struct api *api;
	struct api_call *call; /* NULL: answered, or nobody is there to be */
	struct http_exchange *x;
	struct store_ticket row;
	struct depot_ticket disk;
	bool busy;         /* the disk has a job */
	bool open;         /* the answer is going out */
	bool due;          /* and wants a piece */
	bool over;         /* it has ended, one way or the other */
	uint64_t at, left; /* what is still to be read */
	struct buf piece;  /* read before it was wanted */
	const char *type;
	int status;
	uint8_t hash[STORE_HASH];
};

static void download_free(struct download *d)
{
	if (d->call)
		api_drop(d->call);
	api_end_transfer(d->api);
	buf_fini(&d->piece);
	free(d);
}

static void fail(struct download *d, int err)
{
	api_fail(d->call, err, err == E_NOT_FOUND ? "file" : NULL);
	d->call = NULL;
	download_free(d);
}

/* --- the bytes --- */

static void on_ended(void *arg, int err)
{
	struct download *d = arg;

	(void)err;
	d->over = true;
	if (!d->busy)
		download_free(d);
}

static void read_on(struct download *d);

/* May end it all. */
static void give(struct download *d)
{
	struct buf piece = d->piece;

	buf_init(&d->piece, DEPOT_PIECE);
	d->due = false;
	bool more = d->left > 0;
	if (more)
		read_on(d);
	http_give(d->x, buf_slice(&piece));
	buf_fini(&piece);
}

static void on_more(void *arg)
{
	struct download *d = arg;

	d->due = true;
	if (d->piece.n > 0)
		give(d);
}

static const struct http_source_ops source_ops = { on_more, on_ended };

/* The first piece is there, so the file is. */
static void begin_answer(struct download *d)
{
	uint64_t length = d->left + d->piece.n;

	d->open = true;
	metric_add(METRIC_FILES_DOWNLOADED, 1);
	api_drop(d->call);
	d->call = NULL;
	http_reply_pieces(d->x, d->status, d->type, length, &source_ops, d);
}

static void on_read(struct depot_ticket *t, const struct depot_answer *a)
{
	struct download *d = container_of(t, struct download, disk);
	int err = a->err == 0 && a->bytes.n == 0 ? E_NOT_FOUND : a->err;

	d->busy = false;
	if (d->over) {
		download_free(d);
		return;
	}
	if (err < 0) {
		if (d->open)
			http_break_off(d->x);
		else
			fail(d, err);
		return;
	}
	d->at += a->bytes.n;
	d->left -= a->bytes.n;
	buf_put(&d->piece, a->bytes);
	if (!d->open)
		begin_answer(d);
	else if (d->due)
		give(d);
}

static void read_on(struct download *d)
{
	d->busy = true;
	d->disk.done = on_read;
	depot_read(d->api->settings.depot, slice_of(d->hash, sizeof(d->hash)), d->at,
		   d->left < DEPOT_PIECE ? (size_t)d->left : DEPOT_PIECE, &d->disk);
}

/* --- the head --- */

static void put_etag(struct buf *b, const struct store_file *f)
{
	buf_u8(b, '"');
	hex_encode(b, slice_of(f->hash.p, STORE_HASH / 2));
	buf_u8(b, '"');
}

static void add_headers(struct download *d, const struct store_file *f, struct slice etag)
{
	struct buf b = BUF_INIT(8 * STORE_FILE_NAME);
	bool in_place;

	d->type = api_file_sent_type(f->type, &in_place);
	api_file_disposition(&b, f->name, in_place);
	http_add_header(d->x, "Content-Disposition", buf_slice(&b));
	http_add_header(d->x, "Content-Security-Policy", SLICE("sandbox"));
	/* It goes with its message. */
	http_add_header(d->x, "Cache-Control", SLICE("private, max-age=600"));
	http_add_header(d->x, "Accept-Ranges", SLICE("bytes"));
	http_add_header(d->x, "ETag", etag);
	buf_fini(&b);
}

static enum range_verdict find_range(const struct download *d, uint64_t size,
				     struct slice etag, struct range *out)
{
	struct slice field = http_header(d->x, "Range");
	struct slice condition = http_header(d->x, "If-Range");

	*out = (struct range){ 0, (size_t)size };
	if (http_method(d->x) != HTTP_GET || field.n == 0 ||
	    (condition.n > 0 && !slice_eq(condition, etag)))
		return RANGE_WHOLE;
	return http_range_parse(field, (size_t)size, out);
}

/* An answer without bytes of the file. */
static void end_with(struct download *d, int status)
{
	api_drop(d->call);
	d->call = NULL;
	if (status == 416)
		http_reply_status(d->x, status, "the range is outside of the file");
	else
		http_reply(d->x, status, d->type, SLICE_NONE);
	download_free(d);
}

static void send_file(struct download *d, const struct store_file *f)
{
	struct slice known = http_header(d->x, "If-None-Match");
	struct buf etag = BUF_INIT(64);
	struct range range;

	put_etag(&etag, f);
	add_headers(d, f, buf_slice(&etag));
	enum range_verdict verdict = find_range(d, f->size, buf_slice(&etag), &range);
	bool unchanged = known.n > 0 && http_etag_listed(known, buf_slice(&etag));
	buf_fini(&etag);
	if (unchanged) {
		end_with(d, 304);
		return;
	}
	if (verdict != RANGE_WHOLE)
		http_add_content_range(d->x, range.at,
				       verdict == RANGE_PART ? range.n : 0, f->size);
	if (verdict == RANGE_OUTSIDE || f->size == 0) {
		end_with(d, verdict == RANGE_OUTSIDE ? 416 : 200);
		return;
	}
	memcpy(d->hash, f->hash.p, sizeof(d->hash));
	d->status = verdict == RANGE_PART ? 206 : 200;
	d->at = range.at;
	d->left = range.n;
	read_on(d);
}

static void on_row(struct store_ticket *t, const struct store_answer *a)
{
	struct download *d = container_of(t, struct download, row);
	struct cur in = cur_of_slice(a->body);
	struct store_file f;
	int err = a->err == 0 ? store_file_decode(&f, &in) : a->err;

	if (!d->call)
		download_free(d);
	else if (err < 0 || f.hash.n != STORE_HASH)
		fail(d, err < 0 ? err : E_NOT_FOUND);
	else
		send_file(d, &f);
}

static void on_row_overdue(struct store_ticket *t)
{
	struct download *d = container_of(t, struct download, row);

	api_fail(d->call, E_UNAVAILABLE, NULL);
	d->call = NULL;
}

void api_download(struct api_call *c)
{
	struct api *a = c->api;
	struct slice id = http_param(c->x, "file");

	if (!a->settings.depot || !store_file_is_id(id)) {
		api_fail(c, E_NOT_FOUND, "file");
		return;
	}
	if (!api_begin_transfer(a)) {
		http_add_header(c->x, "Retry-After", SLICE("1"));
		api_fail(c, E_UNAVAILABLE, "transfers");
		return;
	}
	struct download *d = xzalloc(sizeof(*d));
	d->api = a;
	d->call = c;
	d->x = c->x;
	buf_init(&d->piece, DEPOT_PIECE);
	d->row.done = on_row;
	d->row.overdue = on_row_overdue;
	int err = store_ask(a->settings.store,
			    &(struct store_query){ .op = STORE_FILE_FIND, .text = id },
			    &d->row);
	if (err < 0)
		fail(d, err);
}
