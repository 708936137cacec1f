#include "sio/eio_packet.h"

#include "base/base64.h"
#include "base/err.h"
#include "base/utf8.h"

#define SEPARATOR 0x1e
#define LENGTH_DIGITS 10
#define LENGTH_END 0xff /* version 3, bytes */

/* --- packets --- */

static int decode_type(struct eio_packet *p, struct cur *in, uint8_t zero)
{
	uint8_t digit = (uint8_t)(cur_u8(in) - zero);

	if (in->bad || digit >= EIO_TYPES)
		return E_MALFORMED;
	p->type = (enum eio_type)digit;
	p->binary = false;
	p->data = cur_slice(in, cur_left(in));
	return 0;
}

/* After the 'b': version 3 has a type there, version 4 sends messages only. */
static int decode_base64(struct eio_packet *p, unsigned version, struct cur *in,
			 struct buf *text)
{
	if (version == 3 && cur_u8(in) != '0' + EIO_MESSAGE)
		return E_MALFORMED;
	buf_clear(text);
	int err = base64_decode(text, cur_slice(in, cur_left(in)));
	if (err < 0)
		return err;
	*p = (struct eio_packet){ EIO_MESSAGE, true, buf_slice(text) };
	return 0;
}

static int decode_text(struct eio_packet *p, unsigned version, struct slice in,
		       struct buf *text)
{
	struct cur c = cur_of_slice(in);

	if (in.n > 0 && in.p[0] == 'b') {
		cur_skip(&c, 1);
		return decode_base64(p, version, &c, text);
	}
	return decode_type(p, &c, '0');
}

static int decode_binary(struct eio_packet *p, unsigned version, struct slice in)
{
	struct cur c = cur_of_slice(in);

	if (version == 4) {
		*p = (struct eio_packet){ EIO_MESSAGE, true, in };
		return 0;
	}
	int err = decode_type(p, &c, 0);
	if (err < 0 || p->type != EIO_MESSAGE)
		return E_MALFORMED;
	p->binary = true;
	return 0;
}

int eio_packet_decode(struct eio_packet *p, unsigned version, bool binary,
		      struct slice in, struct buf *text)
{
	return binary ? decode_binary(p, version, in) : decode_text(p, version, in, text);
}

size_t eio_binary_head(unsigned version, uint8_t head[1])
{
	head[0] = EIO_MESSAGE;
	return version == 3 ? 1 : 0;
}

/* --- reading payloads --- */

void eio_payload_open(struct eio_payload *r, unsigned version, bool bytes,
		      struct slice body)
{
	*r = (struct eio_payload){ body, (uint8_t)version, bytes, false };
}

static int next_v4(struct eio_payload *r, struct eio_packet *p, struct buf *text)
{
	size_t end = slice_find(r->rest, SEPARATOR);
	struct slice packet = slice_of(r->rest.p, end);

	r->ended = end == r->rest.n;
	r->rest = slice_from(r->rest, end + 1);
	if (!utf8_valid(packet))
		return E_UTF8;
	return decode_text(p, 4, packet, text);
}

/* Bytes of the first `units` UTF-16 units of a UTF-8 text. False: it is shorter, or one ends inside a
 * character. */
static bool utf16_prefix(struct slice s, size_t units, size_t *bytes)
{
	size_t at = 0;

	while (units > 0 && at < s.n) {
		uint8_t lead = s.p[at];
		size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
		size_t width = size == 4 ? 2 : 1;

		if (size > s.n - at || width > units)
			return false;
		at += size;
		units -= width;
	}
	*bytes = at;
	return units == 0;
}

static int next_v3_text(struct eio_payload *r, struct eio_packet *p, struct buf *text)
{
	size_t colon = slice_find(r->rest, ':'), n;
	struct slice digits = slice_of(r->rest.p, colon);
	uint32_t units;

	if (colon > LENGTH_DIGITS || slice_to_u32(digits, &units) < 0)
		return E_MALFORMED;
	r->rest = slice_from(r->rest, colon + 1);
	if (!utf16_prefix(r->rest, units, &n))
		return E_TRUNCATED;
	struct slice packet = slice_of(r->rest.p, n);
	r->rest = slice_from(r->rest, n);
	r->ended = r->rest.n == 0;
	if (!utf8_valid(packet))
		return E_UTF8;
	return decode_text(p, 3, packet, text);
}

/* The digits of a length, each a byte from 0 to 9, up to the FF. */
static bool bytes_length(struct cur *in, size_t *n)
{
	uint64_t value = 0;

	for (unsigned digits = 0; digits <= LENGTH_DIGITS; digits++) {
		uint8_t d = cur_u8(in);

		if (d == LENGTH_END && digits > 0 && !in->bad) {
			*n = (size_t)value;
			return true;
		}
		if (d > 9)
			return false;
		value = value * 10 + d;
	}
	return false;
}

static int next_v3_bytes(struct eio_payload *r, struct eio_packet *p)
{
	struct cur c = cur_of_slice(r->rest);
	uint8_t binary = cur_u8(&c);
	size_t n;

	if (binary > 1 || !bytes_length(&c, &n))
		return E_MALFORMED;
	struct slice packet = cur_slice(&c, n);
	if (c.bad)
		return E_TRUNCATED;
	r->rest = cur_slice(&c, cur_left(&c));
	r->ended = r->rest.n == 0;
	if (binary)
		return decode_binary(p, 3, packet);
	if (!utf8_valid(packet))
		return E_UTF8;
	c = cur_of_slice(packet);
	return decode_type(p, &c, '0');
}

int eio_payload_next(struct eio_payload *r, struct eio_packet *p, struct buf *text)
{
	int err;

	if (r->ended)
		return 0;
	if (r->version == 4)
		err = next_v4(r, p, text);
	else if (r->bytes)
		err = next_v3_bytes(r, p);
	else
		err = next_v3_text(r, p, text);
	if (err < 0)
		r->ended = true;
	return err < 0 ? err : 1;
}

/* --- writing payloads --- */

static size_t utf16_units(struct slice s)
{
	size_t units = 0;

	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] & 0xc0) != 0x80) /* not within a character */
			units += s.p[i] >= 0xf0 ? 2 : 1;
	return units;
}

static void put_text(struct buf *b, const struct eio_packet *p)
{
	buf_u8(b, (uint8_t)('0' + p->type));
	buf_put(b, p->data);
}

static size_t base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

static void put_v4(struct buf *b, const struct eio_packet *p)
{
	if (b->n > 0)
		buf_u8(b, SEPARATOR);
	if (p->binary) {
		buf_u8(b, 'b');
		base64_encode(b, p->data);
	} else {
		put_text(b, p);
	}
}

static void put_v3_text(struct buf *b, const struct eio_packet *p)
{
	if (p->binary) {
		buf_dec(b, 2 + base64_size(p->data.n));
		buf_str(b, ":b4");
		base64_encode(b, p->data);
	} else {
		buf_dec(b, 1 + utf16_units(p->data));
		buf_u8(b, ':');
		put_text(b, p);
	}
}

static void put_v3_bytes(struct buf *b, const struct eio_packet *p)
{
	buf_u8(b, p->binary);
	size_t at = buf_at(b);
	buf_dec(b, 1 + p->data.n);
	for (size_t i = at; i < b->n; i++)
		b->p[i] = (uint8_t)(b->p[i] - '0');
	buf_u8(b, LENGTH_END);
	if (p->binary) {
		buf_u8(b, EIO_MESSAGE);
		buf_put(b, p->data);
	} else {
		put_text(b, p);
	}
}

void eio_payload_put(struct buf *b, struct eio_form form, bool bytes,
		     const struct eio_packet *p)
{
	if (form.version == 4)
		put_v4(b, p);
	else if (bytes)
		put_v3_bytes(b, p);
	else
		put_v3_text(b, p);
}
