/* codec: commands, events and letters as bytes. Fields in the order of their structures,
 * big-endian, texts with a 32-bit length; no versions, since only workers of one program
 * talk to each other.
 */
#include "bus/mail.h"

#include <assert.h>

#include "base/err.h"
#include "loop/mail.h"

void bus_member_encode(struct buf *b, const struct member_info *m)
{
	buf_be64(b, m->id);
	buf_u8(b, (uint8_t)m->role);
	buf_u8(b, m->state);
	buf_u8(b, m->offer);
	buf_u8(b, m->offers);
	buf_u8(b, m->rank);
	buf_be16(b, m->dialect);
	buf_be32(b, m->order);
	buf_u8(b, m->away);
	buf_u8(b, m->muted);
	buf_u8(b, m->named);
	buf_be64(b, (uint64_t)m->joined_at);
	buf_prefixed(b, m->name);
	buf_prefixed(b, m->user);
	buf_prefixed(b, m->metadata);
}

int bus_member_decode(struct member_info *m, struct cur *in)
{
	*m = (struct member_info){ .id = cur_be64(in) };
	uint8_t role = cur_u8(in);
	m->state = cur_u8(in);
	m->offer = cur_u8(in) != 0;
	m->offers = cur_u8(in);
	m->rank = cur_u8(in);
	m->dialect = cur_be16(in);
	m->order = cur_be32(in);
	m->away = cur_u8(in) != 0;
	m->muted = cur_u8(in) != 0;
	m->named = cur_u8(in) != 0;
	m->joined_at = (ms_t)cur_be64(in);
	m->name = cur_prefixed(in);
	m->user = cur_prefixed(in);
	m->metadata = cur_prefixed(in);
	if (in->bad)
		return E_TRUNCATED;
	if (role >= ROLES)
		return E_MALFORMED;
	m->role = role;
	return 0;
}

void bus_command_encode(struct buf *b, const struct command *c)
{
	buf_u8(b, (uint8_t)c->kind);
	buf_u8(b, (uint8_t)c->role);
	buf_u8(b, (uint8_t)c->reason);
	buf_u8(b, c->state);
	buf_be16(b, c->changed);
	buf_u8(b, c->ring);
	buf_u8(b, c->fixed);
	buf_u8(b, c->hidden);
	buf_u8(b, c->lobby);
	buf_u8(b, c->or_all);
	buf_u8(b, c->echo);
	buf_u8(b, c->named);
	buf_u8(b, c->replaces);
	buf_u8(b, c->offers);
	buf_u8(b, c->rank);
	buf_be16(b, c->dialect);
	buf_be32(b, c->fits);
	buf_be16(b, c->flavor);
	buf_u8(b, c->guarded);
	buf_u8(b, c->media);
	buf_u8(b, c->codec);
	buf_u8(b, c->on);
	buf_be32(b, c->capacity);
	buf_be32(b, c->limit);
	buf_be64(b, c->to);
	buf_be64(b, c->n);
	buf_be64(b, c->after);
	buf_prefixed(b, c->name);
	buf_prefixed(b, c->user);
	buf_prefixed(b, c->metadata);
	buf_prefixed(b, c->to_name);
	buf_prefixed(b, c->raw);
	buf_prefixed(b, c->binary);
	buf_prefixed(b, c->text);
	buf_prefixed(b, c->pass);
	buf_prefixed(b, c->address);
	buf_prefixed(b, c->key);
	buf_prefixed(b, c->file);
}

int bus_command_decode(struct command *c, struct cur *in)
{
	uint8_t kind = cur_u8(in), role = cur_u8(in), reason = cur_u8(in);

	*c = (struct command){ .state = cur_u8(in) };
	c->changed = cur_be16(in);
	c->ring = cur_u8(in) != 0;
	c->fixed = cur_u8(in) != 0;
	c->hidden = cur_u8(in) != 0;
	c->lobby = cur_u8(in) != 0;
	c->or_all = cur_u8(in) != 0;
	c->echo = cur_u8(in) != 0;
	c->named = cur_u8(in) != 0;
	c->replaces = cur_u8(in) != 0;
	c->offers = cur_u8(in);
	c->rank = cur_u8(in);
	c->dialect = cur_be16(in);
	c->fits = cur_be32(in);
	c->flavor = cur_be16(in);
	c->guarded = cur_u8(in) != 0;
	c->media = cur_u8(in);
	c->codec = cur_u8(in);
	c->on = cur_u8(in) != 0;
	c->capacity = cur_be32(in);
	c->limit = cur_be32(in);
	c->to = cur_be64(in);
	c->n = cur_be64(in);
	c->after = cur_be64(in);
	c->name = cur_prefixed(in);
	c->user = cur_prefixed(in);
	c->metadata = cur_prefixed(in);
	c->to_name = cur_prefixed(in);
	c->raw = cur_prefixed(in);
	c->binary = cur_prefixed(in);
	c->text = cur_prefixed(in);
	c->pass = cur_prefixed(in);
	c->address = cur_prefixed(in);
	c->key = cur_prefixed(in);
	c->file = cur_prefixed(in);
	if (in->bad)
		return E_TRUNCATED;
	if (kind >= COMMAND_KINDS || role >= ROLES || reason >= LEAVE_REASONS ||
	    c->media >= MEDIA_KINDS || c->codec >= VOICE_CODECS)
		return E_MALFORMED;
	c->kind = kind;
	c->role = role;
	c->reason = reason;
	return 0;
}

void bus_event_encode(struct buf *b, const struct event *e)
{
	buf_u8(b, (uint8_t)e->kind);
	buf_u8(b, (uint8_t)e->reason);
	buf_be16(b, e->changed);
	buf_u8(b, e->ring);
	buf_u8(b, e->locked);
	buf_u8(b, e->lobby);
	buf_u8(b, e->partial);
	buf_be16(b, e->flavor);
	buf_u8(b, e->media);
	buf_u8(b, e->codec);
	buf_be32(b, (uint32_t)e->err);
	buf_be32(b, e->capacity);
	buf_be64(b, e->seq);
	buf_be64(b, e->member);
	buf_be64(b, e->to);
	buf_be64(b, e->n);
	buf_be64(b, e->request);
	buf_be64(b, (uint64_t)e->time);
	bus_member_encode(b, &e->subject);
	buf_prefixed(b, e->text);
	buf_prefixed(b, e->raw);
	buf_prefixed(b, e->binary);
	buf_prefixed(b, e->roster);
	buf_prefixed(b, e->backlog);
	buf_prefixed(b, e->more);
}

int bus_event_decode(struct event *e, struct cur *in)
{
	uint8_t kind = cur_u8(in), reason = cur_u8(in);

	*e = (struct event){ .changed = cur_be16(in) };
	e->ring = cur_u8(in) != 0;
	e->locked = cur_u8(in) != 0;
	e->lobby = cur_u8(in) != 0;
	e->partial = cur_u8(in) != 0;
	e->flavor = cur_be16(in);
	e->media = cur_u8(in);
	e->codec = cur_u8(in);
	e->err = (int)cur_be32(in);
	e->capacity = cur_be32(in);
	e->seq = cur_be64(in);
	e->member = cur_be64(in);
	e->to = cur_be64(in);
	e->n = cur_be64(in);
	e->request = cur_be64(in);
	e->time = (ms_t)cur_be64(in);
	int err = bus_member_decode(&e->subject, in);
	e->text = cur_prefixed(in);
	e->raw = cur_prefixed(in);
	e->binary = cur_prefixed(in);
	e->roster = cur_prefixed(in);
	e->backlog = cur_prefixed(in);
	e->more = cur_prefixed(in);
	if (in->bad)
		return E_TRUNCATED;
	if (err < 0 || kind >= EVENT_KINDS || reason >= LEAVE_REASONS ||
	    e->media >= MEDIA_KINDS || e->codec >= VOICE_CODECS)
		return E_MALFORMED;
	e->kind = kind;
	e->reason = reason;
	return 0;
}

/* --- letters --- */

void bus_command_letter_encode(struct buf *b, const struct bus_command *c)
{
	buf_be32(b, c->from.worker);
	buf_be64(b, c->from.session);
	buf_be64(b, c->member);
	buf_be64(b, c->request);
	buf_prefixed(b, c->room);
	bus_command_encode(b, &c->command);
}

int bus_command_letter_decode(struct bus_command *c, struct slice body)
{
	struct cur in = cur_of_slice(body);

	*c = (struct bus_command){ .from.worker = cur_be32(&in) };
	c->from.session = cur_be64(&in);
	c->member = cur_be64(&in);
	c->request = cur_be64(&in);
	c->room = cur_prefixed(&in);
	int err = bus_command_decode(&c->command, &in);
	return err < 0 ? err : cur_left(&in) > 0 ? E_MALFORMED : 0;
}

void bus_event_letter_encode(struct buf *b, const struct bus_event *e)
{
	buf_be64(b, e->session);
	buf_be64(b, e->except);
	buf_prefixed(b, e->room);
	bus_event_encode(b, &e->event);
}

int bus_event_letter_decode(struct bus_event *e, struct slice body)
{
	struct cur in = cur_of_slice(body);

	*e = (struct bus_event){ .session = cur_be64(&in) };
	e->except = cur_be64(&in);
	e->room = cur_prefixed(&in);
	int err = bus_event_decode(&e->event, &in);
	return err < 0 ? err : cur_left(&in) > 0 ? E_MALFORMED : 0;
}

void bus_send_letter(unsigned worker, enum bus_kind kind, struct buf *b)
{
	assert(!b->bad);
	loop_mail_send(worker, kind, buf_slice(b));
	buf_fini(b);
}

void bus_send_command(unsigned worker, const struct bus_command *c)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	bus_command_letter_encode(&b, c);
	bus_send_letter(worker, BUS_COMMAND, &b);
}

void bus_send_event(unsigned worker, const struct bus_event *e)
{
	struct buf b = BUF_INIT(BUS_LETTER_MAX);

	bus_event_letter_encode(&b, e);
	bus_send_letter(worker, BUS_EVENT, &b);
}
