/* As codec.c has it: fields in the order of their structures, big-endian. */
#include "bus/ask.h"

#include "base/err.h"
#include "bus/mail.h"

void bus_room_encode(struct buf *b, const struct room_info *r)
{
	buf_prefixed(b, r->name);
	buf_be32(b, r->members);
	buf_be32(b, r->capacity);
	buf_be64(b, r->seq);
	buf_be64(b, (uint64_t)r->made_at);
	buf_u8(b, r->ring);
	buf_u8(b, r->locked);
	buf_u8(b, r->lobby);
}

int bus_room_decode(struct room_info *r, struct cur *in)
{
	*r = (struct room_info){ .name = cur_prefixed(in) };
	r->members = cur_be32(in);
	r->capacity = cur_be32(in);
	r->seq = cur_be64(in);
	r->made_at = (ms_t)cur_be64(in);
	r->ring = cur_u8(in) != 0;
	r->locked = cur_u8(in) != 0;
	r->lobby = cur_u8(in) != 0;
	return in->bad ? E_TRUNCATED : 0;
}

void bus_ban_encode(struct buf *b, const struct bus_ban *ban)
{
	buf_prefixed(b, ban->user);
	buf_prefixed(b, ban->address);
	buf_prefixed(b, ban->name);
	buf_be64(b, (uint64_t)ban->until);
}

int bus_ban_decode(struct bus_ban *ban, struct cur *in)
{
	ban->user = cur_prefixed(in);
	ban->address = cur_prefixed(in);
	ban->name = cur_prefixed(in);
	ban->until = (ms_t)cur_be64(in);
	return in->bad ? E_TRUNCATED : 0;
}

void bus_ask_encode(struct buf *b, const struct bus_ask *a)
{
	buf_u8(b, (uint8_t)a->kind);
	buf_be32(b, a->limit);
	buf_be64(b, a->ticket);
	buf_prefixed(b, a->room);
	buf_prefixed(b, a->after);
	buf_u8(b, (uint8_t)a->what);
	buf_prefixed(b, a->name);
	buf_be64(b, (uint64_t)a->until);
	bus_command_encode(b, &a->command);
}

int bus_ask_decode(struct bus_ask *a, struct slice body)
{
	struct cur in = cur_of_slice(body);
	uint8_t kind = cur_u8(&in);

	*a = (struct bus_ask){ .limit = cur_be32(&in) };
	a->ticket = cur_be64(&in);
	a->room = cur_prefixed(&in);
	a->after = cur_prefixed(&in);
	uint8_t what = cur_u8(&in);
	a->name = cur_prefixed(&in);
	a->until = (ms_t)cur_be64(&in);
	int err = bus_command_decode(&a->command, &in);
	if (err < 0)
		return err;
	if (kind >= ASK_KINDS || what >= AUTH_REVOKED_KINDS || cur_left(&in) > 0)
		return E_MALFORMED;
	a->kind = kind;
	a->what = what;
	return 0;
}

void bus_answer_encode(struct buf *b, const struct bus_answer *a)
{
	buf_be64(b, a->ticket);
	buf_be32(b, (uint32_t)a->err);
	buf_prefixed(b, a->event);
	buf_prefixed(b, a->rooms);
	buf_prefixed(b, a->members);
}

int bus_answer_decode(struct bus_answer *a, struct slice body)
{
	struct cur in = cur_of_slice(body);

	*a = (struct bus_answer){ .ticket = cur_be64(&in) };
	a->err = (int)cur_be32(&in);
	a->event = cur_prefixed(&in);
	a->rooms = cur_prefixed(&in);
	a->members = cur_prefixed(&in);
	if (in.bad)
		return E_TRUNCATED;
	return cur_left(&in) > 0 ? E_MALFORMED : 0;
}

void bus_send_ask(unsigned worker, const struct bus_ask *a)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	bus_ask_encode(&b, a);
	bus_send_letter(worker, BUS_ASK, &b);
}

void bus_send_answer(unsigned worker, const struct bus_answer *a)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	bus_answer_encode(&b, a);
	bus_send_letter(worker, BUS_ANSWER, &b);
}
