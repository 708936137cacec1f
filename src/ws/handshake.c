#include "ws/handshake.h"

#include "base/base64.h"
#include "base/err.h"
#include "ws/thread.h"

#define KEY_SIZE 24
#define KEY_DIGITS 22 /* 16 bytes in base64, without padding */

static bool is_alnum(uint8_t c)
{
	uint8_t lower = c | 0x20;
	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/* The last digit's unused bits are not looked at: clients send random text as a key. */
bool ws_key_ok(struct slice key)
{
	if (key.n != KEY_SIZE || !slice_ends(key, SLICE("==")))
		return false;
	for (size_t i = 0; i < KEY_DIGITS; i++)
		if (!is_alnum(key.p[i]) && key.p[i] != '+' && key.p[i] != '/')
			return false;
	return true;
}

void ws_accept_key(struct buf *b, struct slice key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t text[KEY_SIZE + sizeof(guid) - 1];
	uint8_t digest[WS_SHA1];

	if (key.n != KEY_SIZE) {
		b->bad = true;
		return;
	}
	memcpy(text, key.p, KEY_SIZE);
	memcpy(text + KEY_SIZE, guid, sizeof(guid) - 1);
	ws_sha1(slice_of(text, sizeof(text)), digest);
	base64_encode(b, slice_of(digest, sizeof(digest)));
}

bool ws_protocol_offered(struct slice field, struct slice name)
{
	struct slice part;

	while (slice_split(&field, ',', &part))
		if (slice_eq(slice_trim(part), name))
			return true;
	return false;
}

/* --- Sec-WebSocket-Extensions: name; param; param=value, name ... (RFC 6455, 9.1) --- */

static bool is_token_char(uint8_t c)
{
	return is_alnum(c) || (c > ' ' && c < 0x7f && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_space(struct slice *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = slice_from(*s, 1);
}

/* Takes a sign and the space around it. */
static bool take(struct slice *s, uint8_t sign)
{
	skip_space(s);
	if (s->n == 0 || s->p[0] != sign)
		return false;
	*s = slice_from(*s, 1);
	skip_space(s);
	return true;
}

static struct slice take_token(struct slice *s)
{
	size_t n = 0;

	while (n < s->n && is_token_char(s->p[n]))
		n++;
	struct slice token = slice_of(s->p, n);
	*s = slice_from(*s, n);
	return token;
}

/* A value may be quoted, but has to be a token inside. */
static int take_value(struct slice *s, struct slice *value)
{
	bool quoted = s->n > 0 && s->p[0] == '"';

	if (quoted)
		*s = slice_from(*s, 1);
	*value = take_token(s);
	if (value->n == 0)
		return E_MALFORMED;
	if (!quoted)
		return 0;
	if (s->n == 0 || s->p[0] != '"')
		return E_MALFORMED;
	*s = slice_from(*s, 1);
	return 0;
}

/* RFC 7692, section 7.1.2: 8 to 15, without zeroes in front. 0: anything else. */
static unsigned window_bits(struct slice value)
{
	uint32_t bits;

	if (value.n == 0 || value.p[0] == '0' || slice_to_u32(value, &bits) < 0)
		return 0;
	return bits >= 8 && bits <= 15 ? bits : 0;
}

/* What an offer asks for; each parameter once. */
struct offer {
	bool server_takeover_off;
	bool client_takeover_off;
	bool server_bits;
	bool client_bits;
	bool declined;
};

static void add_param(struct offer *o, struct slice name, bool has_value,
		      struct slice value)
{
	bool *seen = NULL;
	bool ok = !has_value;

	if (slice_is(name, "server_no_context_takeover")) {
		seen = &o->server_takeover_off;
	} else if (slice_is(name, "client_no_context_takeover")) {
		seen = &o->client_takeover_off;
	} else if (slice_is(name, "server_max_window_bits")) {
		/* All connections share one compressor, and that has the full window. */
		seen = &o->server_bits;
		ok = has_value && window_bits(value) == 15;
	} else if (slice_is(name, "client_max_window_bits")) {
		seen = &o->client_bits;
		ok = !has_value || window_bits(value) != 0;
	}
	if (!seen || *seen || !ok)
		o->declined = true;
	else
		*seen = true;
}

/* One offer up to the comma behind it. */
static int take_offer(struct slice *s, struct offer *o)
{
	struct slice name = take_token(s);

	*o = (struct offer){ .declined = !slice_is(name, "permessage-deflate") };
	if (name.n == 0)
		return E_MALFORMED;
	while (take(s, ';')) {
		struct slice param = take_token(s);
		struct slice value = SLICE_NONE;
		if (param.n == 0)
			return E_MALFORMED;
		bool has_value = take(s, '=');
		if (has_value && take_value(s, &value) < 0)
			return E_MALFORMED;
		add_param(o, param, has_value, value);
	}
	return 0;
}

/* Section 7.1.2.1: a limit on our window is accepted by saying it back. The client's own
 * window may be as large as it likes: we inflate with the largest.
 */
#define ANSWER                                                                           \
	"permessage-deflate; server_no_context_takeover; client_no_context_takeover"

int ws_deflate_offered(struct slice field, struct slice *answer)
{
	bool found = false;

	skip_space(&field);
	while (field.n > 0) {
		struct offer o;
		int err = take_offer(&field, &o);
		if (err < 0)
			return err;
		if (!found && !o.declined) {
			found = true;
			*answer = o.server_bits
					  ? SLICE(ANSWER "; server_max_window_bits=15")
					  : SLICE(ANSWER);
		}
		if (field.n > 0 && !take(&field, ','))
			return E_MALFORMED;
	}
	return found;
}
