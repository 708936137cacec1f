#include "doctor/fetch.h"

#include <errno.h>

#include "base/err.h"

static void put_request(struct buf *b, const struct target *t, const char *version,
			const char *path, const char *extra)
{
	bool v6 = slice_find(t->host, ':') < t->host.n;

	buf_printf(b,
		   "GET %s HTTP/%s\r\nHost: %s%.*s%s:%u\r\nUser-Agent: "
		   "parley-doctor\r\n%s\r\n",
		   path, version, v6 ? "[" : "", SLICE_FMT(t->host), v6 ? "]" : "",
		   t->port, extra);
}

/* Where the head ends, its empty line included; 0: not yet. */
static size_t head_end(struct slice s)
{
	for (size_t i = 3; i < s.n; i++)
		if (memcmp(s.p + i - 3, "\r\n\r\n", 4) == 0)
			return i + 1;
	return 0;
}

/* "HTTP/1.1 200 OK" */
static int read_status(struct fetch *f)
{
	struct slice rest = f->head, version, code;
	uint32_t status;

	if (!slice_starts(rest, SLICE("HTTP/1.")) || !slice_split(&rest, ' ', &version) ||
	    rest.n < 3)
		return E_MALFORMED;
	code = slice_of(rest.p, 3);
	if (slice_to_u32(code, &status) < 0)
		return E_MALFORMED;
	f->status = status;
	return 0;
}

/* Reads until the end, or only until the head is there. */
static int read_answer(struct fetch *f, struct link *l, bool head_only, ms_t until)
{
	ssize_t n = 1;

	while (n > 0 && !(head_only && head_end(buf_slice(&f->bytes)))) {
		uint8_t *room = buf_room(&f->bytes, 16384);

		if (!room)
			return E_LIMIT;
		n = link_receive(l, room, 16384, until - clock_mono());
		if (n > 0)
			f->bytes.n += (size_t)n;
	}
	if (n < 0 && n != -ECONNRESET)
		return (int)n;
	size_t end = head_end(buf_slice(&f->bytes));
	f->head = slice_of(f->bytes.p, end);
	f->body = slice_from(buf_slice(&f->bytes), end);
	return end ? read_status(f) : E_MALFORMED;
}

static int exchange(struct fetch *f, struct link *l, const struct target *t, bool upgrade,
		    const char *path, const char *extra, ms_t until)
{
	struct buf request = BUF_INIT(8192);

	put_request(&request, t, upgrade ? "1.1" : "1.0", path, extra);
	int err = request.bad ? E_LIMIT
			      : link_send(l, buf_slice(&request), until - clock_mono());
	buf_fini(&request);
	return err < 0 ? err : read_answer(f, l, upgrade, until);
}

int fetch_get(struct fetch *f, const struct target *t, const char *path,
	      const char *extra, ms_t timeout)
{
	struct buf why = BUF_INIT(256);
	ms_t begin = clock_mono();
	struct link l;

	*f = (struct fetch){ .bytes = BUF_INIT(FETCH_MAX) };
	int err = link_open(&l, t->tls ? LINK_TLS : LINK_TCP, t->host, t->port, timeout,
			    &why);
	if (err == 0)
		err = exchange(f, &l, t, false, path, extra, begin + timeout);
	f->took = clock_mono() - begin;
	link_close(&l);
	buf_fini(&why);
	return err;
}

int fetch_upgrade(struct fetch *f, struct link *l, const struct target *t,
		  const char *path, const char *extra, ms_t timeout)
{
	struct buf why = BUF_INIT(256);
	ms_t begin = clock_mono();

	*f = (struct fetch){ .bytes = BUF_INIT(FETCH_MAX) };
	int err = link_open(l, t->tls ? LINK_TLS : LINK_TCP, t->host, t->port, timeout,
			    &why);
	if (err == 0)
		err = exchange(f, l, t, true, path, extra, begin + timeout);
	f->took = clock_mono() - begin;
	buf_fini(&why);
	return err;
}

void fetch_fini(struct fetch *f)
{
	buf_fini(&f->bytes);
}

struct slice fetch_header(const struct fetch *f, const char *name)
{
	struct slice rest = f->head, line;

	while (slice_split(&rest, '\n', &line)) {
		size_t colon = slice_find(line, ':');

		if (colon == line.n ||
		    !slice_ieq(slice_of(line.p, colon), slice_str(name)))
			continue;
		line = slice_from(line, colon + 1);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		return slice_trim(line);
	}
	return SLICE_NONE;
}
