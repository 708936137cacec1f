#include "sio/packet.h"

#include "base/cur.h"
#include "base/err.h"

#define ID_DIGITS 15 /* all of them numbers that JavaScript holds exactly */

static bool is_binary(enum sio_type type)
{
	return type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK;
}

static bool next_is(const struct cur *in, uint8_t c)
{
	return cur_left(in) > 0 && *in->p == c;
}

static struct slice take_digits(struct cur *in)
{
	size_t n = 0;

	while (n < cur_left(in) && in->p[n] >= '0' && in->p[n] <= '9')
		n++;
	return cur_slice(in, n);
}

static int take_attachments(struct sio_packet *p, struct cur *in)
{
	if (!is_binary(p->type))
		return 0;
	if (slice_to_u32(take_digits(in), &p->attachments) < 0 || cur_u8(in) != '-')
		return E_MALFORMED;
	return p->attachments > SIO_MAX_ATTACHMENTS ? E_LIMIT : 0;
}

static int take_namespace(struct sio_packet *p, struct cur *in)
{
	p->ns = SLICE("/");
	if (!next_is(in, '/'))
		return 0;
	struct slice rest = slice_of(in->p, cur_left(in));
	p->ns = cur_slice(in, slice_find(rest, ','));
	if (next_is(in, ','))
		cur_skip(in, 1);
	return p->ns.n > SIO_MAX_NAMESPACE ? E_LIMIT : 0;
}

static int take_id(struct sio_packet *p, struct cur *in)
{
	struct slice digits = take_digits(in);

	p->has_id = digits.n > 0;
	if (!p->has_id)
		return 0;
	return digits.n > ID_DIGITS ? E_MALFORMED : slice_to_u64(digits, &p->id);
}

/* --- data --- */

/* Names that a Socket.IO library uses for its own purposes. */
static bool is_reserved(const struct json *j, uint32_t name)
{
	static const char *const reserved[] = {
		"connect",       "connect_error", "disconnect",
		"disconnecting", "newListener",   "removeListener",
	};

	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (json_string_is(j, name, slice_str(reserved[i])))
			return true;
	return false;
}

static bool is_event(const struct json *j)
{
	if (json_kind_of(j, 0) != JSON_ARRAY || j->count < 2)
		return false;
	if (json_kind_of(j, 1) == JSON_NUMBER)
		return true;
	return json_kind_of(j, 1) == JSON_STRING && !is_reserved(j, 1);
}

static bool form_fits(const struct sio_packet *p)
{
	enum json_kind kind = p->data.n ? json_kind_of(&p->json, 0) : JSON_NULL;

	switch (p->type) {
	case SIO_CONNECT:
		return p->data.n == 0 || kind == JSON_OBJECT;
	case SIO_DISCONNECT:
		return p->data.n == 0;
	case SIO_CONNECT_ERROR:
		return kind == JSON_OBJECT || kind == JSON_STRING;
	case SIO_EVENT:
	case SIO_BINARY_EVENT:
		return p->data.n > 0 && is_event(&p->json);
	case SIO_ACK:
	case SIO_BINARY_ACK:
		return p->has_id && kind == JSON_ARRAY;
	case SIO_TYPES:
		break;
	}
	return false;
}

static bool placeholder_fits(const struct sio_packet *p, uint32_t object)
{
	const struct json *j = &p->json;
	uint32_t mark = json_member(j, object, SLICE("_placeholder"));
	uint32_t num = mark ? json_member(j, object, SLICE("num")) : 0;
	uint64_t n;

	if (!mark || json_kind_of(j, mark) != JSON_TRUE)
		return true;
	return num && json_u53(j, num, &n) == 0 && n < p->attachments;
}

static bool placeholders_fit(const struct sio_packet *p)
{
	if (!is_binary(p->type))
		return true;
	for (uint32_t t = 0; t < p->json.count; t++)
		if (json_kind_of(&p->json, t) == JSON_OBJECT && !placeholder_fits(p, t))
			return false;
	return true;
}

static int take_data(struct sio_packet *p, struct cur *in, struct json_token *tok,
		     uint32_t max)
{
	p->data = cur_slice(in, cur_left(in));
	p->json = (struct json){ 0 };
	int err = p->data.n ? json_parse(&p->json, p->data, tok, max) : 0;
	if (err < 0)
		return err;
	return form_fits(p) && placeholders_fit(p) ? 0 : E_MALFORMED;
}

int sio_packet_decode(struct sio_packet *p, struct slice text, struct json_token *tok,
		      uint32_t max)
{
	struct cur in = cur_of_slice(text);
	uint8_t digit = (uint8_t)(cur_u8(&in) - '0');

	*p = (struct sio_packet){ 0 };
	if (in.bad || digit >= SIO_TYPES)
		return E_MALFORMED;
	p->type = (enum sio_type)digit;
	int err = take_attachments(p, &in);
	if (err == 0)
		err = take_namespace(p, &in);
	if (err == 0)
		err = take_id(p, &in);
	if (err == 0)
		err = take_data(p, &in, tok, max);
	return err;
}

void sio_packet_put_head(struct buf *b, const struct sio_packet *p)
{
	buf_u8(b, (uint8_t)('0' + p->type));
	if (is_binary(p->type)) {
		buf_dec(b, p->attachments);
		buf_u8(b, '-');
	}
	if (p->ns.n > 1) {
		buf_put(b, p->ns);
		buf_u8(b, ',');
	}
	if (p->has_id)
		buf_dec(b, p->id);
}
