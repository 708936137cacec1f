#include "store/query.h"

#include "base/err.h"

#define X(id, thread, prose) [STORE_##id] = STORE_##thread,
static const uint8_t op_threads[STORE_OPS] = { STORE_OP_LIST(X) };
#undef X

enum store_thread_kind store_op_thread(enum store_op op)
{
	return (enum store_thread_kind)op_threads[op];
}

enum has {
	HAS_EVENT = BIT(0),
	HAS_MEMBER = BIT(1),
	HAS_ALL = BIT(2),
	HAS_FORWARD = BIT(3),
	HAS_FILE = BIT(4),
	HAS_NOTE = BIT(5)
};

void store_query_encode(struct buf *b, uint64_t ticket, const struct store_query *q)
{
	buf_be64(b, ticket);
	buf_u8(b, (uint8_t)q->op);
	buf_u8(b, (uint8_t)((q->event ? HAS_EVENT : 0) | (q->member ? HAS_MEMBER : 0) |
			    (q->all ? HAS_ALL : 0) | (q->forward ? HAS_FORWARD : 0) |
			    (q->file ? HAS_FILE : 0) | (q->note ? HAS_NOTE : 0)));
	buf_u8(b, (uint8_t)q->reason);
	buf_be32(b, q->limit);
	buf_be64(b, (uint64_t)q->time);
	buf_be64(b, q->viewer);
	buf_be64(b, q->before);
	buf_be64(b, q->after);
	buf_be64(b, q->n);
	buf_prefixed(b, q->room);
	buf_prefixed(b, q->viewer_user);
	buf_prefixed(b, q->reader);
	buf_prefixed(b, q->text);
	buf_prefixed(b, q->session);
	buf_prefixed(b, q->secret);
	if (q->event)
		bus_event_encode(b, q->event);
	if (q->member)
		bus_member_encode(b, q->member);
	if (q->file)
		store_file_encode(b, q->file);
	if (q->note)
		store_note_encode(b, q->note);
}

static int decode_parts(struct store_letter *l, uint8_t has, struct cur *in)
{
	int err = 0;

	if (has & HAS_EVENT) {
		err = bus_event_decode(&l->event, in);
		l->q.event = &l->event;
	}
	if (err == 0 && (has & HAS_MEMBER)) {
		err = bus_member_decode(&l->member, in);
		l->q.member = &l->member;
	}
	if (err == 0 && (has & HAS_FILE)) {
		err = store_file_decode(&l->file, in);
		l->q.file = &l->file;
	}
	if (err == 0 && (has & HAS_NOTE)) {
		err = store_note_decode(&l->note, in);
		l->q.note = &l->note;
	}
	return err;
}

int store_query_decode(struct store_letter *l, struct slice body)
{
	struct cur in = cur_of_slice(body);
	struct store_query *q = &l->q;

	*l = (struct store_letter){ .ticket = cur_be64(&in) };
	uint8_t op = cur_u8(&in), has = cur_u8(&in), reason = cur_u8(&in);
	q->all = (has & HAS_ALL) != 0;
	q->forward = (has & HAS_FORWARD) != 0;
	q->limit = cur_be32(&in);
	q->time = (ms_t)cur_be64(&in);
	q->viewer = cur_be64(&in);
	q->before = cur_be64(&in);
	q->after = cur_be64(&in);
	q->n = cur_be64(&in);
	q->room = cur_prefixed(&in);
	q->viewer_user = cur_prefixed(&in);
	q->reader = cur_prefixed(&in);
	q->text = cur_prefixed(&in);
	q->session = cur_prefixed(&in);
	q->secret = cur_prefixed(&in);
	if (in.bad)
		return E_TRUNCATED;
	if (op >= STORE_OPS || reason >= LEAVE_REASONS)
		return E_MALFORMED;
	q->op = op;
	q->reason = reason;
	int err = decode_parts(l, has, &in);
	return err < 0 ? err : cur_left(&in) > 0 ? E_MALFORMED : 0;
}

void store_answer_encode(struct buf *b, uint64_t ticket, const struct store_answer *a)
{
	buf_be64(b, ticket);
	buf_be32(b, (uint32_t)a->err);
	buf_u8(b, a->partial);
	buf_u8(b, a->known);
	buf_be64(b, a->n);
	buf_be64(b, a->epoch);
	buf_be64(b, a->from);
	buf_be64(b, a->to);
	buf_be64(b, (uint64_t)a->time);
	buf_prefixed(b, a->body);
}

int store_answer_decode(struct store_answer *a, uint64_t *ticket, struct slice body)
{
	struct cur in = cur_of_slice(body);

	*ticket = cur_be64(&in);
	*a = (struct store_answer){ .err = (int)cur_be32(&in) };
	a->partial = cur_u8(&in) != 0;
	a->known = cur_u8(&in) != 0;
	a->n = cur_be64(&in);
	a->epoch = cur_be64(&in);
	a->from = cur_be64(&in);
	a->to = cur_be64(&in);
	a->time = (ms_t)cur_be64(&in);
	a->body = cur_prefixed(&in);
	if (in.bad)
		return E_TRUNCATED;
	return cur_left(&in) > 0 ? E_MALFORMED : 0;
}
