/* sio_packet: the input is the text of a Socket.IO packet. What is read is written so that the same is read again. */
#include "sio/packet.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKENS 4096

static void check_again(const struct sio_packet *p)
{
	static struct json_token tokens[TOKENS];
	struct buf b = BUF_INIT(1 << 24);
	struct sio_packet q;

	sio_packet_put_head(&b, p);
	buf_put(&b, p->data);
	int err = sio_packet_decode(&q, buf_slice(&b), tokens, TOKENS);
	assert(err == 0);
	assert(q.type == p->type && q.attachments == p->attachments);
	assert(q.has_id == p->has_id && q.id == p->id);
	assert(slice_eq(q.ns, p->ns) && slice_eq(q.data, p->data));
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct json_token tokens[TOKENS];
	uint8_t *exact = xmemdup(size ? data : (const uint8_t *)"", size ? size : 1);
	struct sio_packet p;

	if (sio_packet_decode(&p, slice_of(exact, size), tokens, TOKENS) == 0) {
		assert(p.ns.n > 0 && p.ns.n <= SIO_MAX_NAMESPACE && p.ns.p[0] == '/');
		assert(p.attachments <= SIO_MAX_ATTACHMENTS);
		check_again(&p);
	}
	free(exact);
	return 0;
}
