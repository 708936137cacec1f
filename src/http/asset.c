#include <stddef.h>

#include "http/assets.h"
#include "http/conn.h"
#include "http/range.h"

/* A way to send an asset. */
struct form {
	const char *coding; /* NULL: as it is */
	const char *suffix; /* of the entity tag: each form has its own */
	struct slice bytes;
};

const struct http_asset *http_asset_find(struct slice path)
{
	for (size_t i = 0; i < http_asset_count; i++)
		if (slice_is(path, http_assets[i].path))
			return &http_assets[i];
	return NULL;
}

static struct form choose(const struct http_exchange *x, const struct http_asset *a)
{
	const struct form forms[] = {
		{ "br", "-br", a->brotli },
		{ "gzip", "-gz", a->gzip },
	};
	struct slice accept = http_header(x, "Accept-Encoding");
	struct form best = { NULL, "", a->plain };
	unsigned most = 0;

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		unsigned weight = http_encoding_weight(accept, forms[i].coding);
		if (forms[i].bytes.n == 0 || weight <= most)
			continue;
		most = weight;
		best = forms[i];
	}
	return best;
}

static void put_etag(struct buf *b, const struct http_asset *a, const struct form *f)
{
	struct slice tag = slice_str(a->etag);

	buf_put(b, slice_of(tag.p, tag.n - 1));
	buf_str(b, f->suffix);
	buf_str(b, "\"");
}

/* A part is always one of the plain form: counting in compressed bytes helps nobody. */
static bool wants_part(const struct http_exchange *x, const struct http_asset *a,
		       struct range *part, enum range_verdict *verdict)
{
	struct slice field = http_header(x, "Range");
	struct slice condition = http_header(x, "If-Range");

	*verdict = RANGE_WHOLE;
	if (field.n > 0 && (condition.n == 0 || slice_is(condition, a->etag)))
		*verdict = http_range_parse(field, a->plain.n, part);
	return *verdict != RANGE_WHOLE;
}

static void reply_part(struct http_exchange *x, const struct http_asset *a,
		       enum range_verdict verdict, struct range part)
{
	http_add_content_range(x, part.at, verdict == RANGE_PART ? part.n : 0,
			       a->plain.n);
	if (verdict == RANGE_PART)
		http_reply_fixed(x, 206, a->type, slice_of(a->plain.p + part.at, part.n));
	else
		http_reply_status(x, 416, "the range is outside of the file");
}

void http_reply_asset(struct http_exchange *x, const struct http_asset *a)
{
	struct range part = { 0, 0 };
	enum range_verdict verdict;
	bool partly = x->method == HTTP_GET && wants_part(x, a, &part, &verdict);
	struct form form = partly ? (struct form){ NULL, "", a->plain } : choose(x, a);
	struct slice known = http_header(x, "If-None-Match");
	struct buf etag = BUF_INIT(200);

	put_etag(&etag, a, &form);
	bool unchanged = known.n > 0 && http_etag_listed(known, buf_slice(&etag));
	http_add_header(x, "ETag", buf_slice(&etag));
	buf_fini(&etag);
	http_add_header(x, "Vary", SLICE("Accept-Encoding"));
	http_add_header(x, "Accept-Ranges", SLICE("bytes"));
	http_add_header(x, "Cache-Control",
			a->immutable ? SLICE("public, max-age=31536000, immutable")
				     : SLICE("no-cache"));
	if (unchanged) {
		http_reply(x, 304, NULL, SLICE_NONE);
		return;
	}
	if (partly) {
		reply_part(x, a, verdict, part);
		return;
	}
	if (form.coding)
		http_add_header(x, "Content-Encoding", slice_str(form.coding));
	http_reply_fixed(x, 200, a->type, form.bytes);
}

void http_reply_no_page(struct http_exchange *x, const struct http_asset *page)
{
	struct form form = choose(x, page);

	http_add_header(x, "Vary", SLICE("Accept, Accept-Encoding"));
	if (form.coding)
		http_add_header(x, "Content-Encoding", slice_str(form.coding));
	http_reply_fixed(x, 404, page->type, form.bytes);
}
