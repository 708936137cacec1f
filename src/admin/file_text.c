#include "admin/file_text.h"

#include "base/utf8.h"
#include "store/file.h"

#define ANY_TYPE "application/octet-stream"
#define ENDING_MAX 16 /* bytes of ".jpeg" that a long name keeps */

/* --- names --- */

/* Bytes of a character that is left out: marks that turn the direction of writing, so that "exe.gpj" reads otherwise
 * (U+200E, 200F, 202A to 202E, 2066 to 2069), and the controls of C1 (U+0080 to 009F). */
static size_t hidden_mark(struct slice s)
{
	if (s.n >= 2 && s.p[0] == 0xc2 && s.p[1] < 0xa0)
		return 2;
	if (s.n < 3 || s.p[0] != 0xe2)
		return 0;
	bool mark = (s.p[1] == 0x80 && (s.p[2] == 0x8e || s.p[2] == 0x8f ||
					(s.p[2] >= 0xaa && s.p[2] <= 0xae))) ||
		    (s.p[1] == 0x81 && s.p[2] >= 0xa6 && s.p[2] <= 0xa9);
	return mark ? 3 : 0;
}

static struct slice without_path(struct slice s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '/' || s.p[i] == '\\')
			from = i + 1;
	return slice_from(s, from);
}

static void put_harmless(struct buf *out, struct slice s)
{
	while (s.n > 0) {
		size_t mark = hidden_mark(s);
		uint8_t c = s.p[0];

		if (mark == 0 && c >= 0x20 && c != 0x7f)
			buf_u8(out, strchr("<>:\"|?*", c) ? '_' : c);
		s = slice_from(s, mark ? mark : 1);
	}
}

/* "...": no file of that name; ".profile": a hidden one. */
static struct slice without_dots(struct slice s)
{
	while (s.n > 0 && (s.p[0] == '.' || s.p[0] == ' '))
		s = slice_from(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == '.' || s.p[s.n - 1] == ' '))
		s.n--;
	return s;
}

/* At most n bytes, whole characters. */
static struct slice cut(struct slice s, size_t n)
{
	if (s.n <= n)
		return s;
	while (n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return slice_of(s.p, n);
}

static struct slice ending_of(struct slice s)
{
	for (size_t n = 1; n <= ENDING_MAX && n < s.n; n++)
		if (s.p[s.n - n] == '.')
			return slice_from(s, s.n - n);
	return SLICE_NONE;
}

void api_file_name(struct buf *out, struct slice raw)
{
	struct buf clean = BUF_INIT(raw.n);

	if (utf8_valid(raw))
		put_harmless(&clean, without_path(raw));
	struct slice name = without_dots(buf_slice(&clean));
	struct slice ending = name.n > STORE_FILE_NAME ? ending_of(name) : SLICE_NONE;
	struct slice kept = cut(name, STORE_FILE_NAME - ending.n);
	if (ending.n == 0)
		kept = without_dots(kept);
	buf_put(out, name.n > 0 ? kept : SLICE("file"));
	buf_put(out, ending);
	buf_fini(&clean);
}

/* --- types --- */

/* RFC 6838, 4.2. */
static bool is_type(struct slice s)
{
	size_t slash = slice_find(s, '/');

	if (s.n > STORE_FILE_TYPE || slash == 0 || slash + 1 >= s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i], low = c | 0x20;

		if (!(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'z') &&
		    !memchr("!#$&-^_.+", c, 9) && i != slash)
			return false;
	}
	return true;
}

void api_file_type(struct buf *out, struct slice field)
{
	struct slice type = slice_trim(slice_of(field.p, slice_find(field, ';')));

	if (!is_type(type)) {
		buf_str(out, ANY_TYPE);
		return;
	}
	for (size_t i = 0; i < type.n; i++) {
		uint8_t c = type.p[i];

		buf_u8(out, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
}

const char *api_file_sent_type(struct slice type, bool *in_place)
{
	static const char *const safe[] = {
		"image/png",  "image/jpeg", "image/gif", "image/webp", "image/avif",
		"video/mp4",  "video/webm", "video/ogg", "audio/mpeg", "audio/mp4",
		"audio/webm", "audio/ogg",  "audio/wav", "audio/flac", "audio/aac",
	};

	*in_place = true;
	for (size_t i = 0; i < ARRAY_LEN(safe); i++)
		if (slice_is(type, safe[i]))
			return safe[i];
	if (slice_is(type, "text/plain"))
		return "text/plain; charset=utf-8";
	*in_place = false;
	return ANY_TYPE;
}

/* --- telling --- */

/* RFC 8187, 3.2.1: attr-char. */
static bool is_plain(uint8_t c)
{
	uint8_t low = c | 0x20;

	return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') ||
	       (c && strchr("!#$&+-.^_`|~", c));
}

void api_file_disposition(struct buf *out, struct slice name, bool in_place)
{
	static const char digits[] = "0123456789ABCDEF";

	buf_str(out, in_place ? "inline" : "attachment");
	buf_str(out, "; filename=\"");
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 0x80)
			buf_u8(out,
			       name.p[i] == '"' || name.p[i] == '\\' || name.p[i] == '%'
				       ? '_'
				       : name.p[i]);
		else if ((name.p[i] & 0xc0) != 0x80)
			buf_u8(out, '_');
	buf_str(out, "\"; filename*=UTF-8''");
	for (size_t i = 0; i < name.n; i++) {
		if (is_plain(name.p[i])) {
			buf_u8(out, name.p[i]);
			continue;
		}
		buf_u8(out, '%');
		buf_u8(out, (uint8_t)digits[name.p[i] >> 4]);
		buf_u8(out, (uint8_t)digits[name.p[i] & 15]);
	}
}
