#include "http/range.h"

#include "base/err.h"

static enum range_verdict suffix(struct slice last, size_t length, struct range *out)
{
	uint64_t n;
	int err = slice_to_u64(last, &n);

	if (err == E_MALFORMED)
		return RANGE_WHOLE;
	if (err == E_LIMIT || n > length)
		n = length;
	if (n == 0)
		return RANGE_OUTSIDE;
	*out = (struct range){ length - (size_t)n, (size_t)n };
	return RANGE_PART;
}

static enum range_verdict from_to(struct slice first, struct slice last, size_t length,
				  struct range *out)
{
	uint64_t from, to = UINT64_MAX;
	int err_from = slice_to_u64(first, &from);
	int err_to = last.n ? slice_to_u64(last, &to) : 0;

	if (err_from == E_MALFORMED || err_to == E_MALFORMED)
		return RANGE_WHOLE;
	if (err_from == E_LIMIT)
		return RANGE_OUTSIDE;
	if (err_to == E_LIMIT)
		to = UINT64_MAX;
	if (to < from)
		return RANGE_WHOLE;
	if (from >= length)
		return RANGE_OUTSIDE;
	if (to > length - 1)
		to = length - 1;
	*out = (struct range){ (size_t)from, (size_t)(to - from) + 1 };
	return RANGE_PART;
}

enum range_verdict http_range_parse(struct slice field, size_t length, struct range *out)
{
	struct slice unit = SLICE("bytes=");

	if (field.n < unit.n || !slice_ieq(slice_of(field.p, unit.n), unit))
		return RANGE_WHOLE;
	struct slice spec = slice_trim(slice_from(field, unit.n));
	size_t dash = slice_find(spec, '-');
	if (dash == spec.n)
		return RANGE_WHOLE;
	struct slice first = slice_of(spec.p, dash);
	struct slice last = slice_from(spec, dash + 1);
	return first.n ? from_to(first, last, length, out) : suffix(last, length, out);
}

/* "q=0.75" in thousandths; badly written: 0, so that we do not send what may not be read. */
static unsigned weight_of(struct slice params)
{
	struct slice param;
	unsigned weight = 1000;

	while (slice_split(&params, ';', &param)) {
		param = slice_trim(param);
		if (param.n < 3 || (param.p[0] | 0x20) != 'q' || param.p[1] != '=')
			continue;
		struct slice fraction = slice_from(param, 4);
		if (param.p[2] == '1')
			return 1000;
		if (param.p[2] != '0' || (fraction.n && fraction.p[-1] != '.'))
			return 0;
		weight = 0;
		for (unsigned i = 0, unit = 100; i < fraction.n && i < 3;
		     i++, unit /= 10) {
			if (fraction.p[i] < '0' || fraction.p[i] > '9')
				return 0;
			weight += unit * (unsigned)(fraction.p[i] - '0');
		}
	}
	return weight;
}

unsigned http_encoding_weight(struct slice accept_encoding, const char *coding)
{
	struct slice item, wanted = slice_str(coding);
	unsigned any = 0;

	while (slice_split(&accept_encoding, ',', &item)) {
		size_t end = slice_find(item, ';');
		struct slice name = slice_trim(slice_of(item.p, end));
		unsigned weight = weight_of(slice_from(item, end + 1));
		if (slice_ieq(name, wanted))
			return weight;
		if (slice_is(name, "*"))
			any = weight;
	}
	return any;
}

static struct slice without_weakness(struct slice tag)
{
	return slice_starts(tag, SLICE("W/")) ? slice_from(tag, 2) : tag;
}

bool http_etag_listed(struct slice list, struct slice etag)
{
	struct slice item;

	if (slice_is(slice_trim(list), "*"))
		return true;
	/* Our tags hold no comma, so a tag with one in it cannot be ours. */
	while (slice_split(&list, ',', &item))
		if (slice_eq(without_weakness(slice_trim(item)), without_weakness(etag)))
			return true;
	return false;
}
