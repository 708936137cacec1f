/* echo: --depth messages in flight on every connection; what one read answers is
 * followed by as many new messages in one write.
 */
#include "options.h"
#include "util.h"
#include "worker.h"

static void echo_start(struct worker *w)
{
	for (uint32_t i = 0; i < w->nconns; i++)
		conn_send_messages(&w->conns[i], opt.depth,
				   (struct stamp){ now_ns(), 0 });
}

static void echo_read_done(struct conn *c, unsigned delivered)
{
	if (worker_sends(c->w))
		conn_send_messages(c, delivered, (struct stamp){ now_ns(), 0 });
}

const struct mode echo_mode = {
	.start = echo_start,
	.read_done = echo_read_done,
};
