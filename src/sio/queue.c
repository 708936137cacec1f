#include "sio/queue.h"

#include "base/err.h"

#define HEAD 5
#define BINARY 0x80

void eio_queue_init(struct eio_queue *q, size_t max)
{
	*q = (struct eio_queue){ .bytes = BUF_INIT(max) };
}

void eio_queue_fini(struct eio_queue *q)
{
	buf_fini(&q->bytes);
	q->count = q->binary = 0;
}

int eio_queue_put(struct eio_queue *q, const struct eio_packet *p)
{
	struct buf *b = &q->bytes;

	if (p->data.n > b->max - b->n || HEAD > b->max - b->n - p->data.n)
		return E_SLOW;
	buf_u8(b, (uint8_t)(p->type | (p->binary ? BINARY : 0)));
	buf_prefixed(b, p->data);
	q->count++;
	q->binary += p->binary;
	return 0;
}

bool eio_queue_next(const struct eio_queue *q, size_t *at, struct eio_packet *p)
{
	struct cur c = cur_of_slice(slice_from(buf_slice(&q->bytes), *at));

	if (cur_left(&c) == 0)
		return false;
	uint8_t kind = cur_u8(&c);
	p->type = (enum eio_type)(kind & ~BINARY);
	p->binary = kind & BINARY;
	p->data = cur_prefixed(&c);
	*at = q->bytes.n - cur_left(&c);
	return true;
}

bool eio_queue_take(struct eio_queue *q, struct eio_form form, struct buf *payload)
{
	bool bytes = eio_payload_bytes(form, q->binary > 0);
	struct eio_packet p;
	size_t at = 0;

	while (eio_queue_next(q, &at, &p))
		eio_payload_put(payload, form, bytes, &p);
	eio_queue_fini(q);
	return bytes;
}
