/* eio_packet: the input is what a client sent: a byte of how, then a payload or a WebSocket message. What is
 * read is written so that the same is read again.
 */
#include "sio/eio_packet.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_TEXT (1u << 20)

/* Reads all packets of a payload and writes them into `again`, when that is given. */
static int read_payload(unsigned version, bool bytes, struct slice in, struct buf *again)
{
	struct eio_form form = { (uint8_t)version, !bytes };
	struct buf text = BUF_INIT(MAX_TEXT);
	struct eio_payload r;
	struct eio_packet p;
	int count = 0, more;

	eio_payload_open(&r, version, bytes, in);
	while ((more = eio_payload_next(&r, &p, &text)) > 0) {
		assert(p.type < EIO_TYPES && (!p.binary || p.type == EIO_MESSAGE));
		if (again)
			eio_payload_put(again, form, bytes, &p);
		count++;
	}
	buf_fini(&text);
	return more < 0 ? more : count;
}

static void check_payload(unsigned version, bool bytes, struct slice in)
{
	struct buf once = BUF_INIT(4 * MAX_TEXT), twice = BUF_INIT(4 * MAX_TEXT);
	int count = read_payload(version, bytes, in, &once);

	if (count > 0) {
		assert(read_payload(version, bytes, buf_slice(&once), &twice) == count);
		assert(slice_eq(buf_slice(&once), buf_slice(&twice)));
	}
	buf_fini(&once);
	buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(MAX_TEXT);
	struct eio_packet p;

	if (size < 1 || size > MAX_TEXT)
		return 0;
	uint8_t *exact = xmemdup(data, size);
	struct slice in = slice_of(exact + 1, size - 1);
	unsigned version = exact[0] & 1 ? 3 : 4;
	bool bytes = exact[0] & 2;

	if (exact[0] & 4)
		(void)!eio_packet_decode(&p, version, bytes, in, &text);
	else
		check_payload(version, bytes && version == 3, in);
	buf_fini(&text);
	free(exact);
	return 0;
}
